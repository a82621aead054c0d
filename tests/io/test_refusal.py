"""Foreign exceptions become one error without their text."""

import traceback

import pytest

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.refusal import refuse_bad_content


def test_text_of_the_decoder_is_dropped():
    with pytest.raises(ImageReadError, match=r"a\.dcm is bad \(KeyError\)") as caught:  # noqa: SIM117
        with refuse_bad_content("a.dcm", "is bad", "copy it"):
            raise KeyError("Doe^John")
    shown = "".join(traceback.format_exception(caught.value, chain=True))
    assert "Direct cause" not in shown
    assert caught.value.__suppress_context__


def test_own_errors_pass_unchanged():
    own = ImageReadError("a.dcm", "is empty", "copy it")
    with pytest.raises(ImageReadError) as caught, refuse_bad_content("b", "is bad", "x"):
        raise own
    assert caught.value is own
