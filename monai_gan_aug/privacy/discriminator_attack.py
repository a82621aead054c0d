"""Membership inference with the discriminator, which saw the training images and no others."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from monai_gan_aug.data.image_sets import ImageSet
from monai_gan_aug.engines.trained_network import TrainedNetwork
from monai_gan_aug.errors import DataError, ProvenanceError
from monai_gan_aug.networks.conditional import call_network
from monai_gan_aug.privacy.membership import Scored, membership_auc, patient_halves
from monai_gan_aug.records.provenance import SyntheticDatalist

__all__ = ["discriminator_scores"]

Area = tuple[float, tuple[float, float]]


def discriminator_scores(
    discriminator: TrainedNetwork,
    lists: Sequence[SyntheticDatalist],
    training: ImageSet,
    held_out: ImageSet,
    *,
    device: Any = "cpu",
    seed: int = 0,
) -> tuple[Area, Area]:
    """Area under the curve of its logits on training against held-out images, and the control.

    Args:
        discriminator: Of the checkpoint that made the synthetic images; its first output is the
            adversarial logit.
        lists: The synthetic datalists, which name that checkpoint.
        training: The generator's training images.
        held_out: Images of other patients.
        device: Device of the discriminator.
        seed: Seed of the control's halves and of the bootstrap.

    Returns:
        Area and interval; the same of one half of the training patients against the other.

    Raises:
        ProvenanceError: If the checkpoint did not make the images.
        DataError: If it was trained on none of their classes.
    """
    name = discriminator.checkpoint.name
    if discriminator.sha256 not in {datalist.provenance.checkpoint_sha256 for datalist in lists}:
        raise ProvenanceError(
            f"{name} did not make these images: give the checkpoint their datalist names, or "
            "leave `discriminator_checkpoint` out."
        )
    network = discriminator.network.to(device).eval()
    classes, control = [], []
    for position in range(len(discriminator.record.labels)):
        label = discriminator.label(position)
        inside, outside = training.of_class(label), held_out.of_class(label)
        mine, theirs = (_logits(network, side, position, device) for side in (inside, outside))
        classes.append(Scored(mine, theirs, inside.groups, outside.groups))
        first, second = patient_halves(inside.groups, seed)
        groups = [[inside.groups[i] for i in rows] for rows in (first, second)]
        control.append(Scored(mine[first], mine[second], *groups))
    if not classes:
        raise DataError(f"{name} was trained on no class of these images.")
    return membership_auc(classes, seed=seed), membership_auc(control, seed=seed)


@torch.no_grad()
def _logits(network: nn.Module, images: ImageSet, label: int, device: Any) -> NDArray[np.float64]:
    parts: list[Tensor] = []
    for part in torch.split(images.images.to(device), 256):
        labels = torch.full((len(part),), label, device=device)
        out = call_network(network, part, labels)
        parts.append((out if out.ndim == 1 else out[:, 0]).double().cpu())
    logits: NDArray[np.float64] = torch.cat(parts).numpy()
    return logits
