import numpy as np
import pytest

from monai_gan_aug.reports import figures


def test_line_styles_do_not_repeat_within_49_series():
    styles = {str(figures.line_style(i)) for i in range(49)}
    assert len(styles) == 49


@pytest.mark.parametrize("count", [1, 99, 100, 101, 5000])
def test_smoothing_keeps_the_mean(count):
    values = np.random.default_rng(0).normal(size=count).tolist()
    steps, means = figures.smooth(range(count), values)
    assert len(means) == min(count, figures.POINTS)
    assert np.all(np.diff(steps) > 0)
    if count % figures.POINTS == 0:
        assert means.mean() == pytest.approx(np.mean(values))


def test_smoothing_an_empty_record_gives_no_points():
    steps, means = figures.smooth([1, 2], [None, None])
    assert len(steps) == len(means) == 0
