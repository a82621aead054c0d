"""Numbers as a reader sees them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_gan_aug.reports.wording import MINUS, number

quick = settings(deadline=None, max_examples=60)


@quick
@given(st.floats(-2, 2), st.integers(1, 6))
def test_no_number_is_minus_nothing(value, digits):
    text = number(value, digits=digits, signed=True)
    read = float(text.replace(MINUS, "-"))
    assert read == pytest.approx(value, abs=0.51 * 10**-digits)
    assert (text[0] in f"+{MINUS}") == (read != 0)
    assert "-" not in text
