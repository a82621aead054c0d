"""Refused files: one error for each, and the list of all."""

import traceback

import pytest

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.refusal import refuse_bad_content, rejected_list


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


def test_one_line_each_whatever_the_name(tmp_path):
    path = tmp_path / "rejected.txt"
    with rejected_list(path) as reject:
        reject("a\nb.dcm is empty.")
        reject("\udcff.dcm is empty.")
    assert path.read_text() == "a\\nb.dcm is empty.\n\\udcff.dcm is empty.\n"


def test_written_although_the_work_failed(tmp_path):
    path = tmp_path / "rejected.txt"

    def fail():
        with rejected_list(path) as reject:
            reject("a.dcm is empty.")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text() == "a.dcm is empty.\n"


def test_nothing_rejected_leaves_no_file_not_even_an_old_one(tmp_path):
    path = tmp_path / "rejected.txt"
    path.write_text("old")
    with rejected_list(path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_no_path_forgets_the_lines():
    with rejected_list(None) as reject:
        reject("a.dcm is empty.")
