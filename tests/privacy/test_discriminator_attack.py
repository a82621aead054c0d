"""A discriminator that remembers its training images is told by it; one that does not, is not."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_gan_aug.engines.trained_network import TrainedCheckpoint, TrainedNetwork
from monai_gan_aug.errors import ProvenanceError
from monai_gan_aug.privacy.discriminator_attack import discriminator_scores
from monai_gan_aug.records.provenance import TrainingRecord

LISTS = [SimpleNamespace(provenance=SimpleNamespace(checkpoint_sha256="c0"))]


class Remembering(nn.Module):
    """Logit: minus the distance to the nearest image it knows."""

    def __init__(self, known):
        super().__init__()
        self.known = known.flatten(1)

    def forward(self, images):
        return -torch.cdist(images.flatten(1), self.known).amin(1)


def trained(known, learned=("dark", "bright"), sha256="c0"):
    record = TrainingRecord("5f", "key", (), (), learned)
    checkpoint = TrainedCheckpoint("x.pt", sha256, {}, labels=("dark", "bright"), record=record)
    return TrainedNetwork(Remembering(known), checkpoint)


def test_memory_is_seen_and_its_control_is_not(patients):
    discriminator = trained(patients.training.images)
    found, control = discriminator_scores(
        discriminator, LISTS, patients.training, patients.held_out
    )
    assert found[0] == 1.0
    assert control[1][0] <= 0.5 <= control[1][1]


def test_no_memory_is_not_seen(patients):
    discriminator = trained(patients.others.images)
    found, _ = discriminator_scores(discriminator, LISTS, patients.training, patients.held_out)
    assert found[1][0] < 0.5 < found[1][1]


def test_only_classes_it_learned_count(patients):
    """Of the other class it remembers nothing, and that does not water down the result."""
    bright = patients.training.of_class(1)
    discriminator = trained(bright.images, learned=("bright",))
    found, _ = discriminator_scores(discriminator, LISTS, patients.training, patients.held_out)
    assert found[0] == 1.0


def test_the_discriminator_of_another_gan_is_refused(patients):
    with pytest.raises(ProvenanceError, match="did not make these images"):
        discriminator_scores(
            trained(patients.training.images, sha256="ff"),
            LISTS,
            patients.training,
            patients.held_out,
        )
