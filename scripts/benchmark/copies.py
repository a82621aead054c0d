"""Copies of real images, made in known ways: which are found, and what else is taken for one.

    OMP_NUM_THREADS=1 python scripts/benchmark/copies.py /data --patients measured

The folder holds `xray`, `malaria`, `skin` and `dicom_ct`, each with a `labels.csv` of `path` and
`patient_id`. One half of the patients was used to choose the thresholds (`--patients tuned`), the
other measures. Prints the tables of docs/screening.md; with `--time`, seconds for that many images.
"""

import argparse
import csv
import io
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.stats import beta, chi2

from monai_gan_aug.data.copies import find_copies
from monai_gan_aug.io.reading import read_image

SETS = ("xray", "malaria", "skin", "dicom_ct")
SIDE = 48
Array = np.ndarray
Kind = Callable[[Array, np.random.Generator], Array]


def resized(image: Array, height: int, width: int, how: Image.Resampling) -> Array:
    """The image at another size, still in [0, 1]."""
    picture = Image.fromarray(image.astype(np.float32)).resize((width, height), how)
    return np.asarray(picture).clip(0, 1)


def orientation(image: Array, number: int) -> Array:
    """Quarter turns, mirrored from 4 on."""
    turned = np.rot90(image, number % 4)
    return np.ascontiguousarray(turned[:, ::-1] if number >= 4 else turned)


def turn(image: Array, degrees: float) -> Array:
    """Turned within its frame; the corners become black."""
    return ndimage.rotate(image, degrees, reshape=False, order=1, cval=0).clip(0, 1)


def crop(image: Array, top: float, bottom: float, left: float, right: float) -> Array:
    """Without these shares of the sides, at the old size."""
    height, width = image.shape
    rows = slice(round(top * height), height - round(bottom * height))
    columns = slice(round(left * width), width - round(right * width))
    return resized(image[rows, columns], height, width, Image.Resampling.BICUBIC)


def crop_at_random(image: Array, draw: np.random.Generator, most: float) -> Array:
    """A crop of up to `most` of the height and of the width, anywhere."""
    top, left = draw.uniform(0, most, 2)
    return crop(image, top, draw.uniform(0, most - top), left, draw.uniform(0, most - left))


def shift(image: Array, draw: np.random.Generator) -> Array:
    """Four of 224 pixels along both sides; what is bared becomes black."""
    steps = [side * draw.choice([-4, 4]) / 224 for side in image.shape]
    return ndimage.shift(image, steps, order=1, cval=0)


def border(image: Array, draw: np.random.Generator, around: bool) -> Array:
    """A black or white frame of 5 % a side, painted over the image or put around it."""
    height, width = image.shape
    a, b = max(1, round(0.05 * height)), max(1, round(0.05 * width))
    out = np.full(image.shape, float(draw.integers(2)), np.float32)
    inner = image[a : height - a, b : width - b]
    if around:
        inner = resized(image, height - 2 * a, width - 2 * b, Image.Resampling.BOX)
    out[a : height - a, b : width - b] = inner
    return out


def marker(image: Array, draw: np.random.Generator) -> Array:
    """A black or white box of 10 % by 14 %, or a letter as large, anywhere."""
    from PIL import ImageDraw

    height, width = image.shape
    tall, wide = max(2, round(0.1 * height)), max(2, round(0.14 * width))
    top = round(draw.uniform(0.02, 0.98) * (height - tall))
    left = round(draw.uniform(0.02, 0.98) * (width - wide))
    out = image.copy()
    if draw.random() < 0.5:
        out[top : top + tall, left : left + wide] = float(draw.integers(2))
        return out
    picture = Image.fromarray((out * 255).astype(np.uint8))
    letter = str(draw.choice(["L", "R"]))
    ImageDraw.Draw(picture).text((left, top), letter, fill=255, font_size=max(8, tall))
    return np.asarray(picture).astype(np.float32) / 255


def jpeg(image: Array, quality: int) -> Array:
    """Through a JPEG file of 8 bits."""
    file = io.BytesIO()
    Image.fromarray((image * 255).round().astype(np.uint8)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(io.BytesIO(file.getvalue()))).astype(np.float32) / 255


def half_as_large(image: Array) -> Array:
    """Half as many pixels a side."""
    height, width = image.shape
    return resized(image, height // 2, width // 2, Image.Resampling.BOX)


def everything(image: Array, draw: np.random.Generator) -> Array:
    """Any orientation, inverted or not, a crop up to 5 %, a turn up to 5 degrees, marker, JPEG."""
    image = orientation(image, int(draw.integers(8)))
    image = 1 - image if draw.random() < 0.5 else image
    image = turn(crop_at_random(image, draw, 0.05), draw.uniform(-5, 5))
    image = marker(image, draw) if draw.random() < 0.5 else image
    return jpeg(image, int(draw.integers(50, 90)))


KINDS: dict[str, Kind] = {
    "mirror, upright or lying": lambda x, draw: orientation(x, int(draw.choice([4, 6]))),
    "quarter or half turn, transposed": lambda x, draw: orientation(
        x, int(draw.choice([1, 2, 3, 5]))
    ),
    "inversion": lambda x, draw: 1 - x,
    "turn, 2 degrees": lambda x, draw: turn(x, draw.choice([-2, 2])),
    "turn, 5 degrees": lambda x, draw: turn(x, draw.choice([-5, 5])),
    "crop, 2 % at each side": lambda x, draw: crop(x, *[0.02] * 4),
    "crop, 5 % at each side": lambda x, draw: crop(x, *[0.05] * 4),
    "crop, 5 % off centre": lambda x, draw: crop_at_random(x, draw, 0.05),
    "crop, 10 % off centre": lambda x, draw: crop_at_random(x, draw, 0.1),
    "shift, 4 of 224 pixels": shift,
    "border painted over, 5 %": lambda x, draw: border(x, draw, around=False),
    "border put around, 5 %": lambda x, draw: border(x, draw, around=True),
    "marker box or letter": marker,
    "JPEG, quality 30": lambda x, draw: jpeg(x, 30),
    "JPEG, quality 75": lambda x, draw: jpeg(x, 75),
    "half the size": lambda x, draw: half_as_large(x),
    "16 to 8 bits, darker": lambda x, draw: np.round(255 * (0.7 * x + 0.1)) / 255,
    "mirror, crop 5 %": lambda x, draw: crop(orientation(x, 4), *[0.05] * 4),
    "turn 5 degrees, crop 5 %": lambda x, draw: crop(turn(x, draw.choice([-5, 5])), *[0.05] * 4),
    "inversion, turn 5, marker": lambda x, draw: marker(turn(1 - x, draw.choice([-5, 5])), draw),
    "everything at random": everything,
}


def read_grey(path: Path) -> Array:
    """An image in [0, 1]; a CT from -1024 HU on."""
    pixels = read_image(path).pixels.astype(np.float32).mean(0)
    low, high = max(float(pixels.min()), -1024.0), float(pixels.max())
    return ((pixels.clip(low, high) - low) / max(high - low, 1e-6)).astype(np.float32)


def small(image: Array) -> Array:
    """The image at the side that is searched: area means, or cubic curves where it is smaller."""
    how = Image.Resampling.BOX if min(image.shape) >= SIDE else Image.Resampling.BICUBIC
    return resized(image, SIDE, SIDE, how).astype(np.float32)


def half_of_patients(folder: Path, patients: str) -> tuple[list[Path], list[str]]:
    """Paths and patients of the half asked for; an image without a patient is its own."""
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    patient = [row["patient_id"] or row["path"] for row in rows]
    order = np.random.default_rng(9).permutation(np.unique(patient))
    tuned = set(order[: len(order) // 2].tolist())
    kept = [place for place, name in enumerate(patient) if (name in tuned) == (patients == "tuned")]
    return [folder / rows[place]["path"] for place in kept], [patient[place] for place in kept]


def exact_interval(hits: int, count: int) -> tuple[float, float]:
    """95 % interval of a share (Clopper and Pearson)."""
    low = float(beta.ppf(0.025, hits, count - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, count - hits)) if hits < count else 1.0
    return low, high


def measured(
    folder: Path, patients: str, rounds: int, most: int
) -> tuple[dict, int, int, list[str]]:
    """Found and made copies of each kind, other pairs flagged, other pairs compared, and these."""
    paths, names = half_of_patients(folder, patients)
    if len(paths) > most:
        rows = np.sort(np.random.default_rng(0).permutation(len(paths))[:most])
        paths, names = [paths[row] for row in rows], [names[row] for row in rows]
    images = [read_grey(path) for path in paths]
    originals = np.stack([small(image) for image in images])
    number = {name: place for place, name in enumerate(dict.fromkeys(names))}
    own = np.array([number[name] for name in names])
    counts = {kind: [0, 0] for kind in KINDS}
    flagged: set[tuple[int, int]] = set()
    for turn_number in range(rounds):
        order = np.random.default_rng(turn_number).permutation(len(images))
        picked = order[: max(len(KINDS), len(order) // 2)]
        kinds = [list(KINDS)[place % len(KINDS)] for place in range(len(picked))]
        copies = [
            small(KINDS[kind](images[row], np.random.default_rng([turn_number, row])))
            for kind, row in zip(kinds, picked, strict=True)
        ]
        # a copy is a patient of its own, as it would be under another id
        sides = np.concatenate((own, len(own) + np.arange(len(copies))))
        origin = np.concatenate((np.arange(len(images)), picked))
        pairs = find_copies(np.concatenate((originals, np.stack(copies))), sides=sides.tolist())
        hit = {p.second for p in pairs if origin[p.first] == origin[p.second]}
        for place, kind in enumerate(kinds):
            counts[kind][0] += len(images) + place in hit
            counts[kind][1] += 1
        for pair in pairs:
            a, b = sorted((int(origin[pair.first]), int(origin[pair.second])))
            if own[a] != own[b]:
                flagged.add((a, b))
    total = len(images) * (len(images) - 1) // 2
    within = sum(k * (k - 1) // 2 for k in np.bincount(own))
    shown = [f"{paths[a].name} and {paths[b].name}" for a, b in sorted(flagged)]
    return counts, len(flagged), total - int(within), shown


def seconds_for(count: int, root: Path) -> float:
    """Time for `count` images: crops, turns and blends of the real ones, none a copy of another."""
    pool = np.concatenate(
        [
            np.stack([small(read_grey(p)) for p in half_of_patients(root / name, half)[0]])
            for name in SETS
            for half in ("tuned", "measured")
        ]
    )
    draw = np.random.default_rng(0)
    images = np.empty((count, SIDE, SIDE), np.float16)
    for start in range(0, count, 4096):
        many = min(4096, count - start)
        a, b = pool[draw.integers(len(pool), size=many)], pool[draw.integers(len(pool), size=many)]
        share = draw.uniform(0.3, 0.7, (many, 1, 1))
        images[start : start + many] = share * a + (1 - share) * b[:, ::-1]
    begin, used = time.perf_counter(), time.process_time()
    pairs = find_copies(images)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    wall, processor = time.perf_counter() - begin, time.process_time() - used
    print(f"| {count:,} | {wall:.0f} | {processor:.0f} | {peak:.1f} | {len(pairs)} |", flush=True)
    return processor


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--patients", choices=("tuned", "measured"), default="measured")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--most", type=int, default=1600, help="images of a set")
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--time", type=int, nargs="*", default=[])
    arguments = parser.parse_args()
    results = {
        name: measured(arguments.root / name, arguments.patients, arguments.rounds, arguments.most)
        for name in arguments.sets
    }
    if results:
        print("| copy | " + " | ".join(results) + " |\n|---|" + "---|" * len(results))
        for kind in KINDS:
            cells = []
            for counts, *_ in results.values():
                hits, made = counts[kind]
                low, high = exact_interval(hits, made)
                cells.append(f"{hits}/{made} ({low:.2f} to {high:.2f})")
            print(f"| {kind} | " + " | ".join(cells) + " |")
        print(
            "\n| set | pairs of different patients | flagged | per million (95 %) |\n"
            + "|---" * 4
            + "|"
        )
        for name, (_, flagged, pairs, shown) in results.items():
            low = chi2.ppf(0.025, 2 * flagged) / 2 if flagged else 0.0
            high = chi2.ppf(0.975, 2 * flagged + 2) / 2
            rate = (
                f"{flagged / pairs * 1e6:.1f} ({low / pairs * 1e6:.1f} to {high / pairs * 1e6:.1f})"
            )
            print(f"| {name} | {pairs:,} | {flagged} | {rate} |")
            print("".join(f"<!-- {name}: {pair} -->\n" for pair in shown), end="")
    if arguments.time:
        print("\n| images | seconds | of processor | GiB | flagged |\n|---|---|---|---|---|")
        for count in arguments.time:
            seconds_for(count, arguments.root)


if __name__ == "__main__":
    main()
