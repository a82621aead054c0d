"""Copies: every kind is found, other patients are not, whatever the order and the number."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from monai_gan_aug.data import copies
from monai_gan_aug.data.copies import Pair, find_copies, find_copies_between
from monai_gan_aug.data.copy_candidates import (
    INVERSE,
    ORIENTATIONS,
    WHOLE,
    _grid,
    _turned_waves,
    oriented,
)
from monai_gan_aug.data.copy_candidates import _Index as Index
from monai_gan_aug.data.registration import agreement, plausible, register, warped

SIDE = 96


def patient(number, size=SIDE):
    """A body all patients share, and texture of every scale that is the patient's own."""
    draw = np.random.default_rng([5, number])
    down, across = np.mgrid[:size, :size] / size - 0.5
    body = 1 / (1 + np.exp(40 * (np.hypot(down / 0.85, across) - 0.4 - draw.normal(0, 0.01))))
    waves = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size))) * size
    noise = np.fft.ifft2(np.fft.fft2(draw.normal(size=(size, size))) / (1 + waves) ** 1.3).real
    image = body * (1 + 0.15 * noise / noise.std())
    return (image.clip(0, 1.6) / 1.6).astype(np.float32)


def patients(count, start=0):
    return np.stack([patient(start + number) for number in range(count)])


def resized(image, height, width):
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def framed(image, value):
    out = np.full_like(image, value)
    out[5:-5, 5:-5] = image[5:-5, 5:-5]
    return out


def put_in_frame(image):
    out = np.zeros_like(image)
    out[5:-5, 5:-5] = resized(image, SIDE - 10, SIDE - 10)
    return out


def marked(image, row=10, column=70):
    out = image.copy()
    out[row : row + 10, column : column + 13] = 1
    return out


def eight_bits(image, quality=60):
    import io

    file = io.BytesIO()
    Image.fromarray((255 * image).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).astype(np.float32) / 255


def turned(image, degrees):
    return ndimage.rotate(image, degrees, reshape=False, order=1)


CHANGES = {
    "mirrored": lambda x: x[:, ::-1],
    "upside down": lambda x: x[::-1],
    "half turn": lambda x: x[::-1, ::-1],
    "quarter turn": np.rot90,
    "quarter turn back": lambda x: np.rot90(x, -1),
    "transposed": lambda x: x.T,
    "transposed the other way": lambda x: x[::-1, ::-1].T,
    "inverted": lambda x: 1 - x,
    "turned by 2": lambda x: turned(x, 2),
    "turned by 5": lambda x: turned(x, 5),
    "turned back by 5": lambda x: turned(x, -5),
    "cropped by 2 %": lambda x: resized(x[2:-2, 2:-2], SIDE, SIDE),
    "cropped by 5 %": lambda x: resized(x[5:-5, 5:-5], SIDE, SIDE),
    "cropped at a corner": lambda x: resized(x[9:, 9:], SIDE, SIDE),
    "cropped at the other": lambda x: resized(x[:-9, :-9], SIDE, SIDE),
    "shifted": lambda x: ndimage.shift(x, (2, -2), order=1),
    "black border": lambda x: framed(x, 0),
    "white border": lambda x: framed(x, 1),
    "put in a frame": put_in_frame,
    "marked in a corner": marked,
    "marked in the middle": lambda x: marked(x, 45, 45),
    "JPEG": eight_bits,
    "16 bits": lambda x: (65535 * x).astype(np.uint16).astype(np.float32),
    "half as large": lambda x: resized(resized(x, 48, 48), SIDE, SIDE),
    "darker": lambda x: 0.5 * x + 0.1,
    "all of it": lambda x: eight_bits(marked(turned(1 - resized(x.T[4:, 2:-4], SIDE, SIDE), -4))),
}


@pytest.fixture(scope="module")
def forty():
    return patients(40)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_kind_of_copy_is_found_and_nothing_else(forty, change):
    images = np.concatenate((forty, np.ascontiguousarray(change(forty[7]))[None]))
    pairs = find_copies(images)
    assert [(pair.first, pair.second) for pair in pairs] == [(7, 40)]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("mirrored", "mirrored"),
        ("quarter turn", "turned by 90°"),
        ("half turn", "turned by 180°"),
        ("inverted", "inverted"),
        ("turned by 5", "turned a little"),
        ("cropped by 5 %", "cropped or framed"),
        ("shifted", "shifted"),
        ("marked in a corner", "covered in part"),
        ("darker", "same look"),
    ],
)
def test_kind_says_what_was_done(forty, change, word):
    images = np.concatenate((forty, np.ascontiguousarray(CHANGES[change](forty[7]))[None]))
    assert word in find_copies(images)[0].kind.split(", ")


def test_other_patients_are_no_copies():
    assert find_copies(patients(300)) == []


def test_smooth_shapes_with_noise_of_their_own_are_no_copies():
    """Two discs lie on each other perfectly; what is left is noise, and that is not shared."""
    down, across = np.mgrid[:48, :48] - 23.5
    discs = [
        np.exp(-((down / a) ** 2 + (across / b) ** 2) / 2) for a, b in ((9, 10), (10, 9), (9, 9))
    ]
    noise = np.random.default_rng(0).normal(0, 0.02, (3, 48, 48))
    assert find_copies(np.stack(discs) + noise) == []


def test_order_of_the_images_does_not_matter(forty):
    changed = np.stack([marked(forty[3][:, ::-1]), turned(forty[9], 4), 1 - forty[20]])
    images = np.concatenate((forty, changed))
    order = np.random.default_rng(0).permutation(len(images))
    expected = {((p.first, p.second), p.similarity) for p in find_copies(images)}
    got = {
        (tuple(sorted((int(order[p.first]), int(order[p.second])))), p.similarity)
        for p in find_copies(images[order])
    }
    assert got == expected
    assert {pair for pair, _ in got} == {(3, 40), (9, 41), (20, 42)}


def test_two_sets_are_compared_with_each_other_only(forty):
    others = np.concatenate((patients(30, start=100), 1 - forty[11:12, ::-1]))
    twice = np.concatenate((forty, forty[:1]))  # a copy within the first set
    pairs = find_copies_between(twice, others)
    assert [(pair.first, pair.second) for pair in pairs] == [(11, 30)]
    back = find_copies_between(others, twice)
    assert [(pair.second, pair.first) for pair in back] == [(11, 30)]


def test_sets_of_different_sizes_are_compared(forty):
    small = np.stack([resized(image, 64, 64) for image in forty[5:8]])
    pairs = find_copies_between(forty, small)
    assert [(pair.first, pair.second) for pair in pairs] == [(5, 0), (6, 1), (7, 2)]


def test_pairs_of_one_side_are_left_out(forty):
    images = np.concatenate((forty, forty[:2, ::-1]))
    sides = [*range(40), 0, 41]
    assert [(pair.first, pair.second) for pair in find_copies(images, sides=sides)] == [(1, 41)]


def test_constant_and_broken_images_are_copies_of_nothing(forty):
    odd = np.stack([np.zeros((SIDE, SIDE)), np.ones((SIDE, SIDE)), np.full((SIDE, SIDE), np.nan)])
    assert find_copies(np.concatenate((forty[:3], odd, odd))) == []


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_images_have_no_copies(count):
    assert find_copies(np.zeros((count, 48, 48))) == []


def test_two_images_are_enough(forty):
    pairs = find_copies(np.stack([forty[0], np.rot90(forty[0])]))
    assert pairs == [Pair(0, 1, pairs[0].kind, pairs[0].similarity)]


def test_input_is_kept(forty):
    before = forty.copy()
    find_copies(forty)
    np.testing.assert_array_equal(forty, before)


@pytest.mark.parametrize(
    ("shape", "sides"), [((4, 9), None), ((4, 1, 9, 9), None), ((2, 9, 9), [0])]
)
def test_rejects_shapes_that_do_not_fit(shape, sides):
    with pytest.raises(ValueError, match="got"):
        find_copies(np.zeros(shape), sides=sides)


def test_cells_find_nearly_what_comparing_all_finds():
    draw = torch.Generator().manual_seed(0)
    rows = torch.nn.functional.normalize(torch.randn(3000, 16, generator=draw), dim=1)
    near = rows[:500] + 0.1 * torch.randn(500, 16, generator=draw)
    queries = torch.nn.functional.normalize(near, dim=1)
    sides, other = torch.arange(3000), torch.full((500,), -1)
    _, expected = Index(rows, sides, few=10**9).nearest(queries, other, 1)
    _, got = Index(rows, sides, few=0).nearest(queries, other, 1)
    assert (got == expected).float().mean() > 0.97
    assert (expected[:, 0] == torch.arange(500)).float().mean() > 0.97


def test_index_finds_nothing_of_the_own_side():
    rows = torch.eye(4)
    _, where = Index(rows, torch.tensor([0, 0, 1, 1])).nearest(rows[:1], torch.tensor([0]), 4)
    assert set(where.flatten().tolist()) == {2, 3, -1}


def test_waves_of_a_turned_image_are_the_turned_waves(forty):
    images = copies._prepared(forty[:3])[0].float()
    for number in range(ORIENTATIONS):
        turned_first = _grid(oriented(images, number).contiguous(), WHOLE)
        turned_after = _turned_waves(_grid(images, WHOLE), number)
        torch.testing.assert_close(turned_first, turned_after, atol=1e-4, rtol=0)


def test_inverse_undoes_every_orientation():
    image = torch.arange(9.0).view(1, 3, 3)
    seen = {tuple(oriented(image, number).flatten().tolist()) for number in range(ORIENTATIONS)}
    assert len(seen) == ORIENTATIONS
    for number in range(ORIENTATIONS):
        assert torch.equal(oriented(oriented(image, number), int(INVERSE[number])), image)


def test_registration_recovers_a_known_map(forty):
    image = copies._prepared(forty[:1])[0].float()
    known = torch.tensor([[[1.03, 0.05, 0.04], [-0.05, 0.98, -0.03]]])
    seen, _ = warped(image, known)
    start = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])
    got = register(0.5 - 0.4 * seen, image, start, steps=8)  # inverted and of less contrast
    torch.testing.assert_close(got, known, atol=5e-3, rtol=0)
    result = agreement(0.5 - 0.4 * seen, image, got)
    assert result.inverted.item()
    assert result.finest.item() > 0.9


def test_large_changes_are_not_plausible():
    maps = torch.tensor(
        [[[1.0, 0, 0], [0, 1, 0]], [[1.5, 0, 0], [0, 1.5, 0]], [[0.9, 0.4, 0], [-0.4, 0.9, 0]]]
    )
    assert plausible(maps).tolist() == [True, False, False]


@pytest.mark.slow
def test_a_copy_is_found_among_thousands(forty):
    """Where cells are searched instead of everything."""
    draw = np.random.default_rng(1)
    many = patients(1500)
    pick = draw.permutation(1500)[:20]
    names = list(CHANGES)[: len(pick)]
    changed = np.stack([CHANGES[name](many[row]) for name, row in zip(names, pick, strict=True)])
    pairs = find_copies(np.concatenate((many, changed)))
    found = {(pair.first, pair.second) for pair in pairs}
    expected = {(int(row), 1500 + place) for place, row in enumerate(pick)}
    assert found <= expected
    assert len(found) >= 19
