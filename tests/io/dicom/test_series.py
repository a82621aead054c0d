"""Series in order, with their copies and gaps."""

import numpy as np
import pytest

from monai_gan_aug.io.dicom.series import arrange_series

AXIAL = [1, 0, 0, 0, 1, 0]
CORONAL = [1, 0, 0, 0, 0, -1]


@pytest.fixture
def write_stack(write_dicom):
    """Write slices in a shuffled order of names; return the names."""

    def write(heights, orientation=AXIAL, axis=2, **changes):
        names = []
        for number, height in enumerate(heights):
            position = [-10.0, -20.0, -30.0]
            position[axis] = height
            write_dicom(
                np.full((2, 3), number, np.int16),
                f"{number}.dcm",
                SeriesInstanceUID="1.2.3",
                ImagePositionPatient=position,
                ImageOrientationPatient=orientation,
                PixelSpacing=[2.0, 0.5],
                **changes,
            )
            names.append(f"{number}.dcm")
        return names

    return write


def order(series):
    return [int(piece.name.removesuffix(".dcm")) for piece in series.slices]


def test_slices_are_sorted_from_inferior_to_superior(write_stack, tmp_path):
    (series,), bad = arrange_series(write_stack([5, -5, 0]), tmp_path)
    assert (order(series), series.spacing, series.findings(), bad) == ([1, 2, 0], 5.0, [], [])


def test_coronal_slices_run_from_posterior_to_anterior(write_stack, tmp_path):
    posterior_is_positive_in_dicom = write_stack([5, -5, 0], CORONAL, axis=1)
    (series,), _ = arrange_series(posterior_is_positive_in_dicom, tmp_path)
    assert order(series) == [0, 2, 1]


def test_copies_and_gaps_are_reported(write_stack, tmp_path):
    (series,), _ = arrange_series(write_stack([0, 5, 5, 10, 25]), tmp_path)
    assert series.copies == (("1.dcm", "2.dcm"),)
    assert series.gaps == (("3.dcm", "4.dcm", 15.0),)
    assert series.findings()[0] == "2.dcm lies where 1.dcm does."


def test_slices_of_other_direction_are_another_series(write_stack, write_dicom, tmp_path):
    names = write_stack([0, 2])
    write_dicom(
        np.zeros((2, 3), np.int16),
        "scout.dcm",
        SeriesInstanceUID="1.2.3",
        ImagePositionPatient=[0, 0, 0],
        ImageOrientationPatient=CORONAL,
    )
    series, _ = arrange_series([*names, "scout.dcm"], tmp_path)
    assert [len(one.slices) for one in series] == [2, 1]


def test_unknown_positions_keep_the_order_of_names_and_are_reported(write_dicom, tmp_path):
    for name in ("b.dcm", "a.dcm"):
        write_dicom(name=name, SeriesInstanceUID="1.2.3")
    (series,), _ = arrange_series(["b.dcm", "a.dcm"], tmp_path)
    assert [piece.name for piece in series.slices] == ["a.dcm", "b.dcm"]
    assert "no position" in series.findings()[0]


def test_unreadable_files_are_listed(write_dicom, tmp_path):
    write_dicom(name="a.dcm")
    (tmp_path / "b.dcm").write_bytes(b"")
    series, bad = arrange_series(["a.dcm", "b.dcm", "c.dcm"], tmp_path)
    assert len(series) == 1
    assert [error.name for error in bad] == ["b.dcm", "c.dcm"]


def test_neighbouring_slices_of_a_real_series_are_evenly_apart(shared_data):
    root = shared_data / "dicom_ct"
    names = [p.relative_to(root).as_posix() for p in root.rglob("C4KC-KiTS*.dcm")]
    series, bad = arrange_series(names, root)
    assert (len(series), bad) == (1, [])
    assert len(series[0].slices) == 8
    assert series[0].findings() == []
