"""Membership inference with the discriminator, which saw the training images and no others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from monai_gan_aug.data.image_sets import ImageSet
from monai_gan_aug.engines.checkpoint import find_checkpoint, load_checkpoint
from monai_gan_aug.engines.state import take_up_weights
from monai_gan_aug.errors import DataError, ProvenanceError
from monai_gan_aug.io.hashing import sha256_file
from monai_gan_aug.privacy.membership import Scored, membership_auc, patient_halves
from monai_gan_aug.records.provenance import SyntheticDatalist, TrainingRecord

__all__ = ["discriminator_scores"]

Area = tuple[float, tuple[float, float]]


def discriminator_scores(
    discriminator: nn.Module,
    ckpt_path: Path,
    lists: Sequence[SyntheticDatalist],
    training: ImageSet,
    held_out: ImageSet,
    *,
    device: Any = "cpu",
    seed: int = 0,
) -> tuple[Area, Area]:
    """Area under the curve of its logits on training against held-out images, and the control.

    Args:
        discriminator: Takes up the weights; its first output is the adversarial logit.
        ckpt_path: The checkpoint that made the synthetic images.
        lists: The synthetic datalists, which name that checkpoint.
        training: The generator's training images.
        held_out: Images of other patients.
        device: Device of the discriminator.
        seed: Seed of the control's halves and of the bootstrap.

    Returns:
        Area and interval; the same of one half of the training patients against the other.

    Raises:
        ProvenanceError: If the checkpoint did not make the images.
        DataError: If its weights do not fit the discriminator.
    """
    path = find_checkpoint(ckpt_path)
    if sha256_file(path) not in {one.provenance.checkpoint_sha256 for one in lists}:
        raise ProvenanceError(
            f"{path.name} did not make these images: give the checkpoint their datalist names, or "
            "leave `discriminator_checkpoint` out."
        )
    content = load_checkpoint(path)
    weights = content["trainer"]["networks"]["discriminator"]
    take_up_weights(discriminator, weights, path.name)
    record = TrainingRecord.from_dict(content["training"])
    known = [list(content["labels"]).index(name) for name in record.labels]
    network = discriminator.to(device).eval()
    classes, control = [], []
    for position, label in enumerate(known):
        inside, outside = training.of_class(label), held_out.of_class(label)
        mine, theirs = (_logits(network, one, position, device) for one in (inside, outside))
        classes.append(Scored(mine, theirs, inside.groups, outside.groups))
        first, second = patient_halves(inside.groups, seed)
        groups = [[inside.groups[i] for i in rows] for rows in (first, second)]
        control.append(Scored(mine[first], mine[second], *groups))
    if not classes:
        raise DataError(f"{path.name} was trained on no class of these images.")
    return membership_auc(classes, seed=seed), membership_auc(control, seed=seed)


@torch.no_grad()
def _logits(network: nn.Module, images: ImageSet, label: int, device: Any) -> NDArray[np.float64]:
    found: list[Tensor] = []
    for part in torch.split(images.images.to(device), 256):
        labels = torch.full((len(part),), label, device=device)
        out = network(part, labels) if getattr(network, "num_classes", 0) else network(part)
        found.append((out if out.ndim == 1 else out[:, 0]).double().cpu())
    logits: NDArray[np.float64] = torch.cat(found).numpy()
    return logits
