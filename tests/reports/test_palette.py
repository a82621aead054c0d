import pytest

from monai_gan_aug.reports.palette import DASHES, PALETTE, SERIES

TEXT = ("ink", "muted", "link", "helps", "harms", "neutral", "caution")


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("ground", ["paper", "panel"])
@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_reaches_wcag_aa(name, ground, theme):
    assert contrast(getattr(PALETTE[name], theme), getattr(PALETTE[ground], theme)) >= 4.5


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_reach_wcag_graphics_contrast(name, theme):
    assert contrast(getattr(PALETTE[name], theme), getattr(PALETTE["paper"], theme)) >= 3


def test_light_colours_are_unique_so_they_can_be_swapped_for_their_names():
    shades = [shade.light for shade in PALETTE.values()]
    assert len(set(shades)) == len(shades)


def test_every_series_has_its_own_dashes():
    assert len(set(DASHES)) == len(DASHES) == len(SERIES)
