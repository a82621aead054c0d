import pytest
import torch
from torch.nn import functional

from monai_gan_aug.losses.adversarial import (
    DiscriminatorLoss,
    GeneratorLoss,
    adversarial_logits,
)
from monai_gan_aug.losses.auxiliary import AuxiliaryDiscriminatorLoss, AuxiliaryGeneratorLoss

KINDS = ["bce", "least_squares", "hinge", "wasserstein"]


def logits(seed):
    return torch.randn(6, 4, generator=torch.Generator().manual_seed(seed))


LABELS = torch.tensor([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize("kind", KINDS)
def test_without_class_logits_it_is_the_adversarial_loss(kind):
    real, fake = logits(0)[:, 0], logits(1)[:, 0]
    assert AuxiliaryGeneratorLoss(kind)(fake) == GeneratorLoss(kind)(fake)
    assert AuxiliaryDiscriminatorLoss(kind)(real, fake) == DiscriminatorLoss(kind)(real, fake)


@pytest.mark.parametrize("kind", KINDS)
def test_is_the_sum_of_both_games(kind):
    real, fake = logits(0), logits(1)
    guesses = [functional.cross_entropy(each[:, 1:], LABELS) for each in (real, fake)]
    torch.testing.assert_close(
        AuxiliaryGeneratorLoss(kind, weight=0.5)(fake, LABELS),
        GeneratorLoss(kind)(fake[:, 0]) + 0.5 * guesses[1],
    )
    loss = AuxiliaryDiscriminatorLoss(kind, weight=2.0, fake_weight=0.25)
    expected = DiscriminatorLoss(kind)(real[:, 0], fake[:, 0])
    torch.testing.assert_close(
        loss(real, fake, LABELS), expected + 2 * (guesses[0] + 0.25 * guesses[1])
    )


def test_both_players_gain_from_images_whose_class_is_seen():
    seen = torch.zeros(6, 4)
    seen[torch.arange(6), 1 + LABELS] = 5.0
    unseen = torch.zeros(6, 4)
    assert AuxiliaryGeneratorLoss()(seen, LABELS) < AuxiliaryGeneratorLoss()(unseen, LABELS)
    loss = AuxiliaryDiscriminatorLoss()
    assert loss(seen, seen, LABELS) < loss(unseen, unseen, LABELS)


def test_class_logits_need_labels():
    with pytest.raises(ValueError, match="`labels`"):
        AuxiliaryGeneratorLoss()(logits(0))


def test_rejects_a_negative_weight():
    with pytest.raises(ValueError, match="got -1"):
        AuxiliaryGeneratorLoss(weight=-1)
    with pytest.raises(ValueError, match="got -1"):
        AuxiliaryDiscriminatorLoss(fake_weight=-1)


def test_the_adversarial_logit_comes_first():
    assert torch.equal(adversarial_logits(logits(0)), logits(0)[:, 0])
    assert torch.equal(adversarial_logits(LABELS), LABELS)
