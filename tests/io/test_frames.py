"""Frame numbers: which plane and slice they mean, and which are refused."""

import pytest

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.frames import check_frame, plane_frames


def test_every_slice_of_every_plane_has_its_own_number():
    shape = (3, 5, 7)
    numbers = [n for plane in ("axial", "coronal", "sagittal") for n in plane_frames(shape, plane)]
    assert sorted(numbers) == list(range(sum(shape)))


@pytest.mark.parametrize(("frame", "frames"), [(None, 2), (2, 2), (-1, 2), (1, 1)])
def test_missing_and_impossible_frames_are_refused(frame, frames):
    with pytest.raises(ImageReadError, match=r"a\.dcm"):
        check_frame(frame, frames, "a.dcm")


def test_unknown_plane_is_refused():
    with pytest.raises(ValueError, match="oblique"):
        plane_frames((1, 1, 1), "oblique")
