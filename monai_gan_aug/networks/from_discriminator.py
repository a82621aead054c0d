"""A classifier on the feature layers of a discriminator, trained or fresh.

A discriminator has looked at every training image many times over, and at images that are nearly
right; what it has learned to see may serve a classifier when labelled images are few.
"""

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from monai_gan_aug.networks.definitions import DescribedNetwork
from monai_gan_aug.networks.equalised import MinibatchDeviation

__all__ = ["DiscriminatorClassifier", "parameter_groups"]


class DiscriminatorClassifier(DescribedNetwork):
    """Features of a discriminator, pooled to a grid and normalised; a linear layer.

    Layers that look at other images of the batch are told that there is no deviation, so that a
    prediction depends on its own image alone. With several levels, the last maps of the next finer
    resolutions are pooled to the same grid and put beside the coarsest features.

    Args:
        discriminator: Any network with ``features(images)``, maps ``(B, F, H, W)`` or vectors
            ``(B, F)``; with several levels it needs ``blocks`` as well. Its weights stay.
        num_classes: Number of logits, at least 2.
        image_size: Height and width ``S`` of the images.
        channels: Channels ``C`` of the images.
        dropout: Chance of dropping a feature before the last layer, in ``[0, 1)``.
        grid: Features are averaged over ``grid`` by ``grid`` fields; 1 forgets where they were.
        levels: Resolutions to use, from the coarsest; 1 takes ``features`` alone.

    Attributes:
        feature_count: Width of :meth:`features`.

    Raises:
        ValueError: If a number is out of range, or the discriminator has too few resolutions.
        TypeError: If it has no ``features``.

    References:
        Radford et al., "Unsupervised Representation Learning with Deep Convolutional Generative
        Adversarial Networks", section 5, classify by pooled features of all layers of a
        discriminator. https://arxiv.org/abs/1511.06434

    Example:
        >>> from monai_gan_aug.networks.dcgan import Discriminator
        >>> network = DiscriminatorClassifier(Discriminator(16, width=4), 2, image_size=16)
        >>> network(torch.zeros(3, 1, 16, 16)).shape
        torch.Size([3, 2])
    """

    def __init__(
        self,
        discriminator: nn.Module,
        num_classes: int,
        image_size: int,
        channels: int = 1,
        dropout: float = 0.2,
        grid: int = 4,
        levels: int = 1,
    ) -> None:
        super().__init__()
        if not callable(getattr(discriminator, "features", None)):
            raise TypeError(
                f"`discriminator` {type(discriminator).__name__} has no `features`: use a family "
                "of medical_image_gan."
            )
        if num_classes < 2 or not 0 <= dropout < 1 or grid < 1 or levels < 1:
            raise ValueError(
                "`num_classes` must be at least 2, `dropout` in [0, 1), `grid` and `levels` at "
                f"least 1, got {num_classes}, {dropout}, {grid} and {levels}."
            )
        self.discriminator = _looking_at_one_image(discriminator)
        self.grid = grid
        self.levels = levels
        with torch.no_grad():
            self.eval()  # so that looking changes no running statistics
            blank = torch.zeros(2, channels, image_size, image_size)
            self.feature_count = self.features(blank).shape[1]
            self.train()
        self.head = nn.Sequential(
            nn.BatchNorm1d(self.feature_count),
            nn.Dropout(dropout),
            nn.Linear(self.feature_count, num_classes),
        )

    def features(self, images: Tensor) -> Tensor:
        """What the head sees: ``(B, C, S, S)`` in ``[-1, 1]`` to ``(B, feature_count)``."""
        finer: list[Tensor] = []
        hooks = [
            block.register_forward_hook(lambda module, inputs, output: finer.append(output))
            for block in (self._blocks() if self.levels > 1 else ())
        ]
        try:
            coarsest: Tensor = cast(Any, self.discriminator).features(images)
        finally:
            for hook in hooks:
                hook.remove()
        levels = [coarsest, *self._of_other_resolutions(finer, coarsest)]
        return torch.cat([self._pooled(maps) for maps in levels], dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(B, num_classes)`` of ``images``, ``(B, C, S, S)`` in ``[-1, 1]``."""
        logits: Tensor = self.head(self.features(images))
        return logits

    def _blocks(self) -> Iterator[nn.Module]:
        blocks = getattr(self.discriminator, "blocks", None)
        if blocks is None:
            raise ValueError("`levels` above 1 needs a discriminator with `blocks`: set it to 1.")
        stem = getattr(self.discriminator, "stem", None)
        yield from blocks.children() if stem is None else (stem, *blocks.children())

    def _of_other_resolutions(self, maps: list[Tensor], coarsest: Tensor) -> list[Tensor]:
        last = {each.shape[-1]: each for each in maps if each.ndim == 4}
        if coarsest.ndim == 4:
            last.pop(coarsest.shape[-1], None)
        sizes = sorted(last)[: self.levels - 1]
        if len(sizes) < self.levels - 1:
            raise ValueError(
                f"`levels` must be at most {len(sizes) + 1} for this discriminator, got "
                f"{self.levels}."
            )
        return [last[size] for size in sizes]

    def _pooled(self, maps: Tensor) -> Tensor:
        if maps.ndim == 2:
            return maps
        grid = min(self.grid, maps.shape[-1])
        return functional.adaptive_avg_pool2d(maps, grid).flatten(1)


def parameter_groups(
    network: nn.Module, learning_rate: float, body_rate: float = 1.0
) -> list[dict[str, Any]]:
    """Parameters for an optimiser: those of a discriminator may learn more slowly than the head.

    Args:
        network: Any classifier.
        learning_rate: Of everything that is not the discriminator of a
            :class:`DiscriminatorClassifier`, positive.
        body_rate: What it is multiplied by for that discriminator, positive.

    Returns:
        One group, or two if the rates differ.

    Raises:
        ValueError: If a rate is not positive.

    Example:
        >>> len(parameter_groups(nn.Linear(2, 2), 1e-3, body_rate=0.1))
        1
    """
    if learning_rate <= 0 or body_rate <= 0:
        raise ValueError(
            "`learning_rate` and `body_rate` must be positive, got "
            f"{learning_rate} and {body_rate}."
        )
    if body_rate == 1 or not isinstance(network, DiscriminatorClassifier):
        return [{"params": list(network.parameters()), "lr": learning_rate}]
    return [
        {"params": list(network.head.parameters()), "lr": learning_rate},
        {"params": list(network.discriminator.parameters()), "lr": learning_rate * body_rate},
    ]


class _NoDeviation(nn.Module):
    """Append a channel of zeros where the deviation within the batch would be."""

    def forward(self, maps: Tensor) -> Tensor:
        return functional.pad(maps, (0, 0, 0, 0, 0, 1))


def _looking_at_one_image(discriminator: nn.Module) -> nn.Module:
    for module in list(discriminator.modules()):
        for name, child in module.named_children():
            if isinstance(child, MinibatchDeviation):
                setattr(module, name, _NoDeviation())
    return discriminator
