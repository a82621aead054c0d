"""How networks lie in memory and are executed; neither changes what they compute."""

import logging

import torch
from torch import nn

from monai_gan_aug.engines.distributed import synchronise_batch_norm, world_size

__all__ = ["prepare_networks"]

logger = logging.getLogger(__name__)


def prepare_networks(
    generator: nn.Module,
    discriminator: nn.Module,
    *,
    channels_last: bool = False,
    compiled: bool | str = False,
    sync_batch_norm: bool = False,
    double_backward: bool = False,
) -> None:
    """Change both networks in place; the keys of their states stay as they are.

    Args:
        generator: The generator.
        discriminator: The discriminator.
        channels_last: Store weights channels last, which makes convolutions faster.
        compiled: Whether to call ``compile`` on them, or the name of its backend.
        sync_batch_norm: Whether batch norm sees the batches of all processes.
        double_backward: Whether the discriminator's gradient is differentiated again, which
            compiled networks cannot do: it is not compiled then.

    Raises:
        ValueError: If batch norm is to be synchronised on a CPU.
    """
    if channels_last:
        for network in (generator, discriminator):
            network.to(memory_format=torch.channels_last)
    if sync_batch_norm and world_size() > 1:
        synchronise_batch_norm(generator, discriminator)
    if not compiled:
        return
    backend = compiled if isinstance(compiled, str) else "inductor"
    generator.compile(backend=backend)
    if double_backward:
        logger.info("The discriminator is not compiled: its penalty differentiates twice.")
    else:
        discriminator.compile(backend=backend)
