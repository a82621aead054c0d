"""How much a classifier of the phantoms gains from more patients.

Trains the package's small classifier on few and on many patients, several times on different
patients, tests every one on the same patients and prints the slice AUC with a 95% interval
(bootstrap crossed over training runs and test patients), without and with classical augmentation:

    python scripts/benchmark/phantom_difficulty.py --image-size 32 --patients 40 400
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from monai_gan_aug.augmentation.classical import STRENGTHS, ClassicalAugmentation
from monai_gan_aug.networks.classifiers import classifier
from monai_gan_aug.phantoms.anatomy import draw_patient

TEST_SEED, TRAINING_SEED = 1, 2


@dataclass(frozen=True)
class Patients:
    """Images of whole patients: ``(patients, slices, 1, S, S)`` in [-1, 1] and one label each."""

    images: torch.Tensor
    labels: torch.Tensor

    def part(self, start: int, count: int) -> "Patients":
        """``count`` patients from ``start`` on; classes alternate, so they stay balanced."""
        chosen = torch.arange(start, start + count) % len(self.labels)
        return Patients(self.images[chosen], self.labels[chosen])


def draw_image(
    number: int, *, seed: int, matrix: int, image_size: int, window: tuple[float, float]
) -> np.ndarray:
    """Windowed and area-resized slices of patient ``number``; odd ones bleed."""
    patient = draw_patient((seed, number), positive=bool(number % 2), size=matrix)
    lowest = window[0] - window[1] / 2
    shown = np.clip((patient.hu - lowest) / window[1], 0, 1).astype(np.float32) * 2 - 1
    resized = [
        Image.fromarray(image).resize((image_size, image_size), Image.Resampling.BOX)
        for image in shown
    ]
    return np.stack([np.asarray(image) for image in resized])[:, None]


def draw_patients(count: int, seed: int, arguments: argparse.Namespace) -> Patients:
    """``count`` patients in alternating classes, drawn in parallel processes."""
    draw = partial(
        draw_image,
        seed=seed,
        matrix=arguments.matrix,
        image_size=arguments.image_size,
        window=tuple(arguments.window),
    )
    with ProcessPoolExecutor(arguments.workers) as pool:
        drawn = pool.map(draw, range(count), chunksize=8)
        images = np.stack(list(tqdm(drawn, total=count, desc="drawing", unit="patient")))
    return Patients(torch.from_numpy(images), torch.arange(count) % 2)


def train(
    patients: Patients, steps: int, batch_size: int, seed: int, strength: str
) -> torch.nn.Module:
    """The package's small classifier after ``steps`` steps, whatever the number of patients."""
    torch.manual_seed(seed)
    images = patients.images.flatten(0, 1)
    labels = patients.labels.repeat_interleave(patients.images.shape[1])
    network = classifier("small_cnn", 1, 2, images.shape[-1]).train()
    augment = ClassicalAugmentation(strength, flips="horizontal", seed=seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps)
    for _ in range(steps):
        chosen = torch.randint(len(images), (batch_size,))
        loss = cross_entropy(network(augment(images[chosen])), labels[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


@torch.no_grad()
def scores(network: torch.nn.Module, patients: Patients) -> np.ndarray:
    """Probability of blood in every slice, shape ``(patients, slices)``."""
    flat = patients.images.flatten(0, 1)
    chances = torch.cat([network(part).softmax(1)[:, 1] for part in flat.split(256)])
    return chances.reshape(patients.images.shape[:2]).numpy()


def slice_auc(labels: np.ndarray, chances: np.ndarray) -> float:
    """Area under the ROC curve over all slices."""
    return float(roc_auc_score(np.repeat(labels, chances.shape[1]), chances.ravel()))


def interval(labels: np.ndarray, runs: np.ndarray, draws: int = 500) -> tuple[float, float]:
    """95% interval of the mean AUC over ``runs`` (runs, patients, slices)."""
    rng = np.random.default_rng(0)
    means = []
    for _ in range(draws):
        patients = rng.integers(len(labels), size=len(labels))
        chosen = rng.integers(len(runs), size=len(runs))
        aucs = {run: slice_auc(labels[patients], runs[run][patients]) for run in set(chosen)}
        means.append(np.mean([aucs[run] for run in chosen]))
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def parse_arguments() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, nargs="+", default=[40, 400], help="training sets")
    parser.add_argument("--test-patients", type=int, default=300)
    parser.add_argument("--runs", type=int, default=3, help="training sets of each size")
    parser.add_argument("--image-size", type=int, default=32, help="pixels the CNN sees")
    parser.add_argument("--matrix", type=int, default=256, help="pixels of the drawn slices")
    parser.add_argument("--window", type=float, nargs=2, default=(40.0, 80.0))
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument(
        "--augmentation", nargs="+", choices=list(STRENGTHS), default=["none", "strong"]
    )
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


def main() -> None:
    """Draw, train, test and print the table."""
    arguments = parse_arguments()
    torch.set_num_threads(1)
    test = draw_patients(arguments.test_patients, TEST_SEED, arguments)
    pool = draw_patients(max(arguments.patients) * arguments.runs, TRAINING_SEED, arguments)
    print(f"{'augmentation':>12}  {'patients':>8}  {'AUC':>5}  {'95% interval':>14}  runs")
    for strength in arguments.augmentation:
        for count in arguments.patients:
            report(test, pool, count, strength, arguments)


def report(
    test: Patients, pool: Patients, count: int, strength: str, arguments: argparse.Namespace
) -> None:
    """Print the row of one training size and augmentation."""
    labels = test.labels.numpy()
    parts = [pool.part(run * count, count) for run in range(arguments.runs)]
    runs = np.stack(
        [
            scores(train(part, arguments.steps, arguments.batch_size, run, strength), test)
            for run, part in enumerate(parts)
        ]
    )
    aucs = [slice_auc(labels, run) for run in runs]
    low, high = interval(labels, runs)
    each = " ".join(f"{auc:.3f}" for auc in aucs)
    mean = np.mean(aucs)
    print(f"{strength:>12}  {count:>8}  {mean:.3f}  {low:.3f} .. {high:.3f}  {each}", flush=True)


if __name__ == "__main__":
    main()
