"""Guess the classes of unlabelled images: the plainest way to use them, for classifier or GAN."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from monai_gan_aug.data.datasets import CachedImages
from monai_gan_aug.data.training_sets import with_guesses
from monai_gan_aug.engines.checkpoint import load_checkpoint
from monai_gan_aug.engines.state import take_up_weights
from monai_gan_aug.errors import DataError, ProvenanceError
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.provenance import TrainingRecord, check_record
from monai_gan_aug.transforms.intensity import to_signed
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

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
        network: The classifier; its weights come from the checkpoint.
        ckpt_path: Checkpoint of augmentation_classifier.
        datalist: Path of the datalist the classifier was trained on.
        unlabelled: Path of a datalist whose training split holds the images; its labels are not
            looked at.
        dataset_dir: Root of the images.
        recipe: Preprocessing, the same as in training.
        cache_dir: Where decoded images lie.
        folder: Where the datalists go.
        batch_size: Images per forward pass.
        device: Where the network is.
        workers: Decoding processes.

    References:
        Lee, "Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method for Deep Neural
        Networks", ICML Workshop 2013.
    """

    network: nn.Module
    ckpt_path: str | Path
    datalist: str | Path
    unlabelled: str | Path
    dataset_dir: str | Path
    recipe: PreprocessingRecipe
    cache_dir: str | Path
    folder: str | Path
    batch_size: int = 256
    device: Any = "cpu"
    workers: int | None = None

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
        self._load(datalist)
        guesses = self._guess(unlabelled)
        guessed = with_guesses(unlabelled, guesses.tolist(), CAVEAT)
        folder = Path(self.folder)
        guessed.save(folder / GUESSED)
        both = (*datalist.training, *guessed.training)
        replace(datalist, training=both, caveats=(*datalist.caveats, CAVEAT)).save(folder / SEMI)
        logger.info("Guessed classes of unlabelled images: %s.", guessed.counts("training"))

    def _load(self, datalist: Datalist) -> None:
        content = load_checkpoint(Path(self.ckpt_path))
        if not {"network", "training"} <= content.keys():
            raise DataError(
                f"{Path(self.ckpt_path).name} is not the checkpoint of a classifier: give one of "
                "augmentation_classifier."
            )
        record = TrainingRecord.from_dict(content["training"])
        if record.labels != datalist.labels:
            raise ProvenanceError(
                f"The classifier knows {list(record.labels)}, the datalist "
                f"{list(datalist.labels)}: train it on this datalist."
            )
        check_record(datalist, record)
        take_up_weights(self.network, content["network"], Path(self.ckpt_path).name)

    def _guess(self, unlabelled: Datalist) -> np.ndarray:
        images = CachedImages(
            unlabelled, self.dataset_dir, self.recipe, self.cache_dir, workers=self.workers
        )
        self.network.eval()
        found = []
        with torch.inference_mode():
            for begin in range(0, len(images), self.batch_size):
                here = np.arange(begin, min(begin + self.batch_size, len(images)))
                stored = images.batch(here)[DataKeys.IMAGE].to(self.device)
                found.append(self.network(to_signed(stored)).argmax(dim=1).cpu().numpy())
        return np.concatenate(found)
