"""The list of rejected files: whole or absent, one line each."""

import pytest

from monai_gan_aug.io.rejected import rejected_list


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
