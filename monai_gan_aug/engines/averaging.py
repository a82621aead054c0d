"""A running average of a network's weights: smoother than any single step."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from ignite.engine import Events
from torch import nn

from monai_gan_aug.engines.game import AdversarialGame

__all__ = ["WeightAverage"]


class WeightAverage:
    r"""Exponential moving average of weights and batch norm statistics, with warm-up.

    After iteration :math:`t` the decay is :math:`\min(d, (1 + t) / (10 + t))`, so early weights
    are forgotten fast. It depends on the iteration alone, which makes a resumed run equal an
    uninterrupted one (Ignite's ``EMAHandler`` counts its warm-up from the start of the process).

    Args:
        network: The network that learns; it is not changed.
        decay: Decay :math:`d` once warm, in ``[0, 1)``.

    Attributes:
        network: The averaged copy, in evaluation mode.

    Raises:
        ValueError: If the decay is out of range.

    References:
        Yazici et al., "The Unusual Effectiveness of Averaging in GAN Training".
        https://arxiv.org/abs/1806.04498
    """

    def __init__(self, network: nn.Module, decay: float = 0.995) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"`decay` must be in [0, 1), got {decay}.")
        self.decay = decay
        self.source = network
        self.network = deepcopy(network).eval().requires_grad_(False)

    def attach(self, engine: AdversarialGame) -> None:
        """Update after every iteration; pictures and generation then use the average."""
        engine.register_part("average", self)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._after_iteration)

    def _after_iteration(self, engine: AdversarialGame) -> None:
        self.update(engine.state.iteration)

    @torch.no_grad()
    def update(self, iteration: int) -> None:
        """Move the average towards the network as it is after ``iteration`` (from 1)."""
        decay = min(self.decay, (1 + iteration) / (10 + iteration))
        averaged, current = self.network.state_dict(), self.source.state_dict()
        names = [name for name, value in averaged.items() if value.is_floating_point()]
        # one call for all tensors: a call for each would take longer than their arithmetic
        torch._foreach_lerp_([averaged[n] for n in names], [current[n] for n in names], 1 - decay)
        for name in averaged.keys() - set(names):  # counters have no mean
            averaged[name].copy_(current[name])

    def state_dict(self) -> dict[str, Any]:
        """Weights of the average."""
        return self.network.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        self.network.load_state_dict(state)
