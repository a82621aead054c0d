"""Spoil images of new phantom patients in known ways and see which quality numbers notice.

The images of "other patients" stand for a perfect generator. Every further line spoils them in one
way, and should move the numbers that are meant to notice it. Prints a Markdown table:

    python scripts/benchmark/dose_response.py --patients 100 --image-size 32
"""

import argparse
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d

from monai_gan_aug.data.image_sets import ImageSet
from monai_gan_aug.metrics.features import ClassifierFeatures, extract
from monai_gan_aug.metrics.radiomics import RadiomicsFeatures
from monai_gan_aug.phantoms.anatomy import draw_patient
from monai_gan_aug.privacy.membership import membership_auc
from monai_gan_aug.privacy.spaces import PixelSpace, screen_class
from monai_gan_aug.quality.families import (
    Quartet,
    distances,
    diversities,
    label_fidelity,
    paired_similarities,
    radiomics,
)

GROUPS = ("training", "held_out", "baseline", "others")
WINDOW = (40.0, 80.0)
LESION = 0.6


def phantoms(count: int, group: int, image_size: int) -> ImageSet:
    """One slice of ``count`` head-CT phantoms; class 1 has a bright lesion that is easy to see."""
    images, draw = [], np.random.default_rng([7, group])
    rows, columns = np.mgrid[:image_size, :image_size] / image_size
    for number in range(count):
        hu = draw_patient((group, number), positive=False, size=2 * image_size).hu
        share = np.clip((hu[len(hu) // 2] - WINDOW[0]) / WINDOW[1] + 0.5, 0, 1)
        small = Image.fromarray((share * 2 - 1).astype(np.float32)).resize(
            (image_size, image_size), Image.Resampling.BOX
        )
        picture = np.array(small)
        if number % 2:
            centre = draw.uniform(0.35, 0.65, 2)
            square = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2
            picture += LESION * np.exp(-square / (2 * 0.06**2))
        images.append(np.clip(picture, -1, 1))
    names = tuple(f"{group}-{number}" for number in range(count))
    stacked = torch.from_numpy(np.stack(images)).float()[:, None]
    return ImageSet(stacked, torch.arange(count) % 2, names, names)


def changed(one: ImageSet, change: Callable[[Tensor], Tensor]) -> ImageSet:
    """The same set with other pixels."""
    return ImageSet(change(one.images).clamp(-1, 1), one.labels, one.groups, one.ids)


def noisy(images: Tensor, deviation: float) -> Tensor:
    """White noise added."""
    draw = torch.Generator().manual_seed(0)
    return images + deviation * torch.randn(images.shape, generator=draw)


def blurred(images: Tensor, width: int) -> Tensor:
    """A moving average of odd width."""
    return avg_pool2d(images, width, 1, width // 2, count_include_pad=False)


def repeated(one: ImageSet, kinds: int) -> ImageSet:
    """Only the first ``kinds`` images of each class, again and again, with names of their own."""
    rows = np.zeros(len(one), np.int64)
    for label in (0, 1):
        where = np.flatnonzero(one.labels.numpy() == label)
        rows[where] = where[np.arange(len(where)) % kinds]
    return ImageSet(one.images[torch.from_numpy(rows)], one.labels, one.groups, one.ids)


def doses(training: ImageSet, others: ImageSet) -> dict[str, ImageSet]:
    """Every way to spoil the images of other patients, by name."""
    order = torch.randperm(len(others), generator=torch.Generator().manual_seed(0))
    shuffled = ImageSet(others.images, others.labels[order], others.groups, others.ids)
    return {
        "other patients": others,
        "blur, 3 px": changed(others, partial(blurred, width=3)),
        "blur, 7 px": changed(others, partial(blurred, width=7)),
        "noise, 0.1": changed(others, partial(noisy, deviation=0.1)),
        "noise, 0.3": changed(others, partial(noisy, deviation=0.3)),
        "collapse to 10 images": repeated(others, 5),
        "every image twice": repeated(others, len(others) // 4),
        "labels shuffled": shuffled,
        "copies of training": changed(training, partial(noisy, deviation=0.01)),
    }


def measure(
    sets: dict[str, ImageSet], synthetic: ImageSet, of_real: ClassifierFeatures
) -> dict[str, float]:
    """All numbers of one synthetic set, by name; ``of_real`` learned from the training images."""
    training = sets["training"]
    four = Quartet(training, sets["held_out"], sets["baseline"], synthetic)
    of_synthetic = ClassifierFeatures(1, 2, steps=of_real.steps, batch_size=of_real.batch_size)
    of_synthetic.fit(synthetic.images, synthetic.labels)
    whole = four.embedded(partial(extract, of_real, device="cpu", batch_size=256))
    rows = [*distances(whole), *radiomics(four.embedded(RadiomicsFeatures(), floor=0.01))]
    rows += [*diversities(whole), *label_fidelity(four, of_real, of_synthetic, ())]
    rows += paired_similarities(four, "random")[0]
    found = {row.metric: row.value for row in rows}
    parts = [one.of_class(0) for one in (training, sets["held_out"], synthetic)]
    screen = screen_class(PixelSpace(parts[0]), *parts, copy_ratio=0.5, seed=0)
    found["near_copies"] = screen.flagged.float().mean().item()
    found["authentic"] = screen.authentic
    found["membership_by_distance"] = membership_auc([screen.membership], replicates=200)[0]
    return found


def response(patients: int, image_size: int, steps: int) -> dict[str, dict[str, float]]:
    """Numbers of every dose, by the name of the dose."""
    sets = {name: phantoms(patients, group, image_size) for group, name in enumerate(GROUPS)}
    spoilt = doses(sets["training"], sets["others"])
    of_real = ClassifierFeatures(1, 2, steps=steps)
    of_real.fit(sets["training"].images, sets["training"].labels)
    return {name: measure(sets, one, of_real) for name, one in spoilt.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=100, help="of each of four groups")
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=200, help="of every classifier")
    arguments = parser.parse_args()
    table = response(arguments.patients, arguments.image_size, arguments.steps)
    print(f"| number | {' | '.join(table)} |")
    print(f"|---|{'---:|' * len(table)}")
    for metric in table["other patients"]:
        values = " | ".join(f"{row[metric]:.3g}" for row in table.values())
        print(f"| `{metric}` | {values} |")


if __name__ == "__main__":
    main()
