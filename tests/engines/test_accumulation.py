"""Parts of a batch, one after the other, give the gradients of the whole one."""

import copy

import pytest
import torch
from torch import nn

from monai_gan_aug.engines.sides import Side
from monai_gan_aug.engines.steps import Precision, discriminator_step, generator_step
from monai_gan_aug.losses.adversarial import DiscriminatorLoss, GeneratorLoss
from monai_gan_aug.networks.dcgan import Discriminator


def side(network, loss):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0)
    return Side(network, optimizer, loss, Precision().scaler())


def players():
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(8, 256), nn.Tanh(), nn.Unflatten(1, (1, 16, 16)))
    return side(generator, GeneratorLoss()), side(
        Discriminator(16, 1, width=4, norm=None), DiscriminatorLoss()
    )


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_gradients_of_both_sides_are_those_of_the_whole_batch(parts):
    draw = torch.Generator().manual_seed(1)
    latents = torch.randn(7, 8, generator=draw)
    reals, fakes = torch.randn(2, 7, 1, 16, 16, generator=draw)

    def gradients(accumulation):
        generator, discriminator = copy.deepcopy(players())
        discriminator_step(
            discriminator,
            reals,
            fakes,
            judge=lambda images, labels: discriminator.network(images),
            accumulation=accumulation,
        )
        of_discriminator = [p.grad.clone() for p in discriminator.network.parameters()]
        generator_step(
            generator,
            latents,
            generate=lambda z, labels: generator.network(z),
            judge=lambda images, labels: discriminator.network(images),
            discriminator=discriminator.network,
            accumulation=accumulation,
        )
        return of_discriminator + [p.grad for p in generator.network.parameters()]

    for whole, summed in zip(gradients(1), gradients(parts), strict=True):
        torch.testing.assert_close(whole, summed, rtol=1e-4, atol=1e-6)
