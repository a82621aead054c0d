"""A published table gives its numbers, from a configuration and from a file alike."""

import pytest

from monai_gan_aug.records.parsing import parse, plain
from monai_gan_aug.records.study_parts import PublishedTable


def test_gives_the_number_of_a_row_and_metric():
    table = PublishedTable("T", ["auc", "f1"], {"real": [0.9, None]})
    assert table.value("real", "auc") == 0.9
    assert table.value("real", "f1") is None
    assert table.value("other", "auc") is None
    assert table.value("real", "accuracy") is None


def test_refuses_rows_of_another_width():
    with pytest.raises(ValueError, match="1 numbers for 2"):
        PublishedTable("T", ["auc", "f1"], {"real": [0.9]})


def test_lists_of_a_configuration_are_what_a_file_gives():
    table = PublishedTable("T", ["auc"], {"real": [0.9]}, errata=["E"])
    assert parse(PublishedTable, plain(table), "f") == table
