"""Names in messages and limits."""

import pytest

from monai_gan_aug.io.image import ReadLimits
from monai_gan_aug.io.names import display_name


def test_name_is_relative_to_the_root():
    assert display_name("/data/a/1.dcm", "/data") == "a/1.dcm"


def test_name_outside_the_root_is_bare():
    assert display_name("/home/jane_doe/1.dcm", "/data") == "1.dcm"


def test_name_that_is_no_utf8_is_printable():
    assert display_name(b"/data/\xff.dcm".decode("utf-8", "surrogateescape")) == "\\xff.dcm"


def test_limits_must_be_positive():
    with pytest.raises(ValueError, match="max_pixels"):
        ReadLimits(max_pixels=0)
