import torch
from monai.engines.utils import default_make_latent

from monai_gan_aug.networks.latents import draw_latents


def test_is_the_law_of_monai():
    torch.manual_seed(3)
    expected = default_make_latent(num_latents=4, latent_size=5)
    torch.manual_seed(3)
    assert torch.equal(draw_latents(num_latents=4, latent_size=5), expected)


def test_own_generator_leaves_the_global_one_alone():
    before = torch.get_rng_state()
    draw_latents(4, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), before)
