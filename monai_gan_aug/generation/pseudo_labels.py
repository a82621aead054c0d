"""Guess the classes of unlabelled images: the plainest way to use them, for classifier or GAN."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from monai_gan_aug.data.datasets import CachedImages
from monai_gan_aug.data.training_sets import with_guesses
from monai_gan_aug.engines.trained_network import TrainedCheckpoint, TrainedNetwork, load_network
from monai_gan_aug.errors import ProvenanceError
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.transforms.intensity import to_signed

__all__ = ["GUESSED", "SEMI", "PseudoLabels"]

GUESSED, SEMI = "guessed.json", "semi.json"
CAVEAT = "Classes of the unlabelled images were guessed by a classifier; some guesses are wrong."
logger = logging.getLogger(__name__)


@dataclass
class PseudoLabels:
    """Guess classes with a trained classifier and write two datalists.

    ``guessed.json`` holds the unlabelled images with their guesses; ``semi.json`` is the datalist
    with its training split enlarged by them, for a GAN that learns from both.

    Args:
        checkpoint: Checkpoint of augmentation_classifier, or where it is.
        datalist: Path of the datalist the classifier was trained on.
        unlabelled: Path of a datalist whose training split holds the images; its labels are not
            looked at.
        dataset_dir: Root of the images.
        cache_dir: Where decoded images lie.
        folder: Where the datalists go.
        batch_size: Images per forward pass.
        device: Where the network is.
        workers: Decoding processes.
        network: The classifier, if the checkpoint does not describe it.
        trusted: See :func:`monai_gan_aug.networks.definitions.build_network`.

    References:
        Lee, "Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method for Deep Neural
        Networks", ICML Workshop 2013.
    """

    checkpoint: str | Path | TrainedCheckpoint
    datalist: str | Path
    unlabelled: str | Path
    dataset_dir: str | Path
    cache_dir: str | Path
    folder: str | Path
    batch_size: int = 256
    device: Any = "cpu"
    workers: int | None = None
    network: nn.Module | None = None
    trusted: Sequence[str] = ()

    def run(self) -> None:
        """Guess and write.

        Raises:
            ProvenanceError: If the classifier saw held-out patients, or one of them is among the
                unlabelled ones.
            DataError: If the checkpoint is not that of such a classifier.
        """
        datalist, unlabelled = (Datalist.load(Path(p)) for p in (self.datalist, self.unlabelled))
        held_out = datalist.groups("validation") | datalist.groups("test")
        shared = unlabelled.groups() & held_out
        if shared or unlabelled.split.key_fingerprint != datalist.split.key_fingerprint:
            raise ProvenanceError(
                f"{len(shared)} unlabelled patients are held out for validation or test, or the "
                "two lists hashed patients with different keys: take other patients."
            )
        classifier = load_network(
            self.checkpoint,
            "classifier",
            network=self.network,
            trusted=self.trusted,
            datalist=datalist,
        )
        guesses = self._guess(classifier, unlabelled)
        guessed = with_guesses(unlabelled, guesses.tolist(), CAVEAT)
        folder = Path(self.folder)
        guessed.save(folder / GUESSED)
        both = (*datalist.training, *guessed.training)
        replace(datalist, training=both, caveats=(*datalist.caveats, CAVEAT)).save(folder / SEMI)
        logger.info("Guessed classes of unlabelled images: %s.", guessed.counts("training"))

    def _guess(self, classifier: TrainedNetwork, unlabelled: Datalist) -> NDArray[np.int64]:
        images = CachedImages(
            unlabelled,
            self.dataset_dir,
            classifier.checkpoint.recipe,
            self.cache_dir,
            workers=self.workers,
        )
        network = classifier.network.to(self.device).eval()
        guesses = []
        with torch.inference_mode():
            for begin in range(0, len(images), self.batch_size):
                rows = np.arange(begin, min(begin + self.batch_size, len(images)))
                stored = images.batch(rows)[DataKeys.IMAGE].to(self.device)
                guesses.append(network(to_signed(stored)).argmax(dim=1).cpu().numpy())
        return np.concatenate(guesses)
