"""Several processes that train one network: who is who, and what they agree upon.

``torch.nn.parallel.DistributedDataParallel`` expects one forward pass per backward pass and does
not see gradients that penalties take by themselves. Both sides of a GAN break that, so gradients
are averaged once per update instead, right before the optimiser: the same numbers, without a
wrapper around the networks and its ``module.`` in front of every key.
"""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ignite.distributed as idist
import torch
import torch.distributed as dist
from ignite.engine import Events
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from monai_gan_aug.engines.game import AdversarialGame
from monai_gan_aug.engines.randomness import random_state, seed_everything

__all__ = [
    "ProcessHandler",
    "any_process",
    "average_in_place",
    "average_statistics",
    "is_main_process",
    "join_processes",
    "leave_processes",
    "local_device",
    "mean_over_processes",
    "random_states",
    "share_networks",
    "spread_random_state",
    "synchronise_batch_norm",
    "wait_for_all",
    "world_size",
]

logger = logging.getLogger(__name__)


def world_size() -> int:
    """How many processes train together; 1 outside ``torchrun``.

    Example:
        >>> world_size()
        1
    """
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def is_main_process() -> bool:
    """Whether this process writes the files: the only one, or the first of several.

    Example:
        >>> is_main_process()
        True
    """
    return world_size() == 1 or dist.get_rank() == 0


def local_device() -> torch.device:
    """The GPU that ``torchrun`` means for this process, or the CPU where there is none."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("cpu")


def join_processes(device: str | torch.device) -> None:
    """Join the processes ``torchrun`` has started; do nothing outside it.

    GPUs talk by NCCL, CPUs by Gloo. Processes other than the first log errors only.

    Args:
        device: Where this process trains.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or world_size() > 1:
        return
    device = torch.device(device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    idist.initialize("nccl" if device.type == "cuda" else "gloo")
    if is_main_process():
        logger.info("%d processes train together on %s.", world_size(), device.type)
    else:
        logging.getLogger().setLevel(logging.ERROR)


def leave_processes() -> None:
    """Part from the other processes, if there are any."""
    if world_size() > 1:
        idist.finalize()


def average_in_place(tensors: Iterable[Tensor]) -> None:
    """Replace tensors, which have the same shapes everywhere, by their means over processes."""
    members = list(tensors)
    if world_size() == 1 or not members:
        return
    # one message: a network has hundreds of small tensors, and each message costs a round trip
    flat = torch.cat([tensor.detach().flatten() for tensor in members])
    dist.all_reduce(flat)
    flat /= world_size()
    for tensor, part in zip(members, flat.split([t.numel() for t in members]), strict=True):
        tensor.detach().copy_(part.view(tensor.shape))


def mean_over_processes(value: Tensor) -> Tensor:
    """The mean of a tensor over all processes, without waiting for a GPU."""
    if world_size() == 1:
        return value
    value = value.detach().clone()
    dist.all_reduce(value)
    return value / world_size()


def any_process(flag: bool, device: torch.device | str = "cpu") -> bool:
    """Whether the flag is set in any process; all of them must ask.

    Example:
        >>> any_process(False), any_process(True)
        (False, True)
    """
    if world_size() == 1:
        return flag
    votes = torch.tensor(int(flag), device=device)
    dist.all_reduce(votes)
    return bool(votes.item())


class ProcessHandler:
    """Keep the trainers of several processes the same; the trainer attaches one by itself.

    Weights are those of the first process when training starts, each process draws random numbers
    of its own, and running statistics of batch norm are averaged at the end of epochs.
    """

    def attach(self, trainer: AdversarialGame) -> None:
        """Do nothing in a single process."""
        if world_size() > 1:
            trainer.add_event_handler(Events.STARTED, self._begin)
            trainer.add_event_handler(Events.EPOCH_COMPLETED, self._average)

    def _begin(self, trainer: AdversarialGame) -> None:
        share_networks(_networks(trainer))
        if trainer.state.iteration == 0:  # else each has resumed the numbers of its own
            spread_random_state(None)

    def _average(self, trainer: AdversarialGame) -> None:
        average_statistics(_networks(trainer))


def _networks(trainer: AdversarialGame) -> tuple[nn.Module, ...]:
    return trainer.g_network, trainer.d_network, trainer.sampling_network


def wait_for_all() -> None:
    """Return when every process has come here."""
    if world_size() > 1:
        dist.barrier()


def share_networks(networks: Iterable[nn.Module]) -> None:
    """Give every process the weights and statistics of the first one."""
    if world_size() > 1:
        for network in networks:
            for value in network.state_dict().values():
                contiguous = value.contiguous()  # weights stored channels last are not
                dist.broadcast(contiguous, src=0)
                value.copy_(contiguous)


def synchronise_batch_norm(*networks: nn.Module) -> None:
    """Let batch norm see the batches of all processes (torch has this for GPUs only).

    Raises:
        ValueError: If a network is not on a GPU, or is a batch norm layer itself.
    """
    for network in networks:
        if any(not parameter.is_cuda for parameter in network.parameters()):
            raise ValueError(
                "`sync_batch_norm` needs GPUs: use --sync_batch_norm False, or a discriminator "
                "without batch norm."
            )
        if nn.SyncBatchNorm.convert_sync_batchnorm(network) is not network:
            raise ValueError("`sync_batch_norm` needs a network, got a single batch norm layer.")


def average_statistics(networks: Iterable[nn.Module]) -> None:
    """Make running statistics of batch norm the same in every process: their mean."""
    if world_size() > 1:
        norms = [m for net in networks for m in net.modules() if isinstance(m, _BatchNorm)]
        average_in_place(
            buffer for norm in norms for buffer in norm.buffers() if buffer.is_floating_point()
        )


def random_states() -> dict[str, Any]:
    """The random state of the first process, and those of the others under ``"others"``."""
    own = random_state()
    if world_size() == 1:
        return own
    gathered: list[Any] = [None] * world_size()
    dist.all_gather_object(gathered, own)
    return {**gathered[0], "others": gathered[1:]}


def spread_random_state(state: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """This process's own part of ``state``, which :func:`random_states` made.

    Without one, processes other than the first seed themselves differently, so that each draws
    latents and augmentations of its own.
    """
    if world_size() == 1 or dist.get_rank() == 0:
        return state
    others: Sequence[Mapping[str, Any]] = [] if state is None else state.get("others", [])
    if dist.get_rank() <= len(others):
        return others[dist.get_rank() - 1]
    seed_everything((torch.initial_seed() + dist.get_rank()) % 2**32)
    return None
