from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from monai_gan_aug.records.study_reading import read_study
from monai_gan_aug.reports import figures


def texts(svg: str) -> list[str]:
    return ["".join(e.itertext()) for e in ElementTree.fromstring(svg).iter() if "}text" in e.tag]


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


def test_gan_figure_draws_a_run_that_diverged(study, write_study):
    curve = read_study(write_study(study)).curves.gan[0]
    none = (None,) * len(curve.step)
    svg = figures.gan_figure(replace(curve, g_loss=none, d_loss=none, d_real=none, d_fake=none))
    assert "D(real)" in texts(svg)


def test_classifier_figure_names_every_arm(study, write_study):
    read = read_study(write_study(study))
    assert {arm.title for arm in read.arms} <= set(texts(figures.classifier_figure(read)))
