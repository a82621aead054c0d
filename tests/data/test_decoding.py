"""Decoding of many files: in order, inline or in processes, bad files reported and not raised."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from monai_gan_aug.data import decoding
from monai_gan_aug.data.decoding import decode_images
from monai_gan_aug.data.duplicates import Thumbnail
from monai_gan_aug.errors import DataError
from monai_gan_aug.io.image import Units


class DyingDecoder:
    """Ends its process without a word, as the system does when memory is short."""

    def __init__(self):
        self.parent = os.getpid()

    def __call__(self, image):
        if os.getpid() != self.parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return image.pixels


@pytest.fixture
def in_processes(monkeypatch):
    monkeypatch.setattr(decoding, "WORTH_STARTING_WORKERS_S", 0.0)


def test_processes_give_what_one_process_gives(image_set, in_processes):
    images = image_set(patients=15)
    inline, parallel = (
        list(decode_images(images.entries, images.root, Thumbnail(8), workers=n, progress=False))
        for n in (0, 2)
    )
    assert [d.id for d in parallel] == [e.id for e in images.entries]
    for one, other in zip(inline, parallel, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        assert (one.stamp, one.units) == (other.stamp, Units.DISPLAY8)


def test_few_images_are_decoded_inline(image_set):
    images = image_set(patients=15)
    decoded = decode_images(images.entries, images.root, DyingDecoder(), workers=2, progress=False)
    assert len(list(decoded)) == len(images.entries)


def test_death_of_a_process_is_an_error_and_no_hang(image_set, in_processes):
    images = image_set(patients=15)
    with pytest.raises(DataError, match=r"memory.*workers"):
        list(decode_images(images.entries, images.root, DyingDecoder(), workers=2, progress=False))


@pytest.mark.parametrize("parallel", [False, True])
def test_bad_files_are_reported_in_their_place(image_set, parallel, monkeypatch):
    monkeypatch.setattr(decoding, "WORTH_STARTING_WORKERS_S", 0.0 if parallel else 1e9)
    images = image_set(patients=15)
    entries = list(images.entries)
    entries[20] = replace(entries[20], image="ill/none.png")
    entries[30] = replace(entries[30], id="0" * 20)
    entries[40] = replace(entries[40], image="../x.png")
    decoded = list(decode_images(entries, images.root, Thumbnail(), workers=2, progress=False))
    errors = {i: str(d.error) for i, d in enumerate(decoded) if d.pixels is None}
    assert list(errors) == [20, 30, 40]
    assert "ill/none.png" in errors[20]
    assert "changed" in errors[30]
    assert "out of the data root" in errors[40]


def test_unknown_id_is_found_out(image_set):
    images = image_set(patients=1)
    unknown = [replace(entry, id="") for entry in images.entries]
    decoded = decode_images(unknown, images.root, Thumbnail(), progress=False)
    assert [d.id for d in decoded] == [e.id for e in images.entries]


def test_settings_that_fit_no_image_are_raised(image_set):
    def decoder(image):
        raise ValueError("`windows` do not fit")

    images = image_set(patients=1)
    with pytest.raises(ValueError, match="windows"):
        list(decode_images(images.entries, images.root, decoder, progress=False))
