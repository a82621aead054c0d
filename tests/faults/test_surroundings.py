"""Rows 11, 25 and 28 of docs/faults.md: mixed images, no network, odd and many names."""

import os
import socket
import tracemalloc

import pytest
import torch

from monai_gan_aug.data.decoding import decode_images
from monai_gan_aug.data.sources import FolderSource
from monai_gan_aug.io.inspection import inspect_folder
from monai_gan_aug.io.reading import read_image
from monai_gan_aug.io.walking import walk_images
from monai_gan_aug.networks.classifiers import CLASSIFIERS, classifier
from monai_gan_aug.records.datalist import Entry
from monai_gan_aug.transforms.recipe import PreprocessingRecipe
from tests.drawing import draw_noise


def test_images_of_mixed_sizes_become_one_shape(tmp_path):
    names = [
        draw_noise(tmp_path / f"{n}.png", 0, size).name
        for n, size in enumerate([(20, 30), (64, 9)])
    ]
    entries = [Entry(name, 0, "g", "") for name in names]
    decoded = decode_images(
        entries, tmp_path, PreprocessingRecipe(size=16), workers=0, progress=False
    )
    assert {image.pixels.shape for image in decoded} == {(1, 16, 16)}


def test_mixed_kinds_are_counted_by_inspect(tmp_path):
    draw_noise(tmp_path / "a.png", 0, (20, 30))
    draw_noise(tmp_path / "b.png", 0, (40, 30))
    table = inspect_folder(tmp_path, progress=False).table()
    assert "20" in table
    assert "40" in table


@pytest.mark.parametrize("name", sorted(CLASSIFIERS.keys() - {"discriminator"}))
def test_no_classifier_needs_the_network(name, monkeypatch):
    def refuse(*arguments, **named):
        pytest.fail("opened a network connection")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    with torch.device("meta"):
        classifier(name, channels=1, num_classes=2, image_size=64)


@pytest.mark.parametrize(
    "name", ["with spaces.png", "naïve-日本.png", os.fsdecode(b"\xff\xfe.png"), "n" * 251 + ".png"]
)
def test_odd_names_are_read(tmp_path, name):
    path = tmp_path / "image.png"
    draw_noise(path, 0, (20, 30)).rename(tmp_path / name)
    assert read_image(tmp_path / name).pixels.shape == (1, 20, 30)
    assert [record.image for record in records(tmp_path)] == [f"class/{name}"]


def records(root):
    """The images of ``root`` as those of one class."""
    (root / "class").mkdir()
    for path in list(root.iterdir()):
        if path.is_file():
            path.rename(root / "class" / path.name)
    return FolderSource().records(root)


def test_very_long_paths_are_read(tmp_path):
    folder = tmp_path.joinpath(*["d" * 200] * 15)
    assert read_image(draw_noise(folder / "image.png", 0, (20, 30))).pixels.shape == (1, 20, 30)
    assert len([image for image in walk_images(tmp_path) if image.skip is None]) == 1


@pytest.mark.slow
def test_a_folder_of_a_hundred_thousand_files_takes_little_memory(tmp_path):
    first = draw_noise(tmp_path / "class" / "original.png", 0, 4)
    for number in range(100_000):
        if number % 50_000 == 0:
            link = draw_noise(tmp_path / "class" / f"{number}.png", 0, 4)
        else:
            os.link(link, first.with_name(f"{number}.png"))
    tracemalloc.start()
    count = sum(1 for image in walk_images(tmp_path) if image.skip is None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 100_001
    assert peak < 100 * 2**20
