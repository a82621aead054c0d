"""How a class label enters a generator and a discriminator, and how networks are called with it."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from monai_gan_aug.networks.definitions import DescribedNetwork

__all__ = [
    "HEADS",
    "ClassVerdict",
    "ConditionalBatchNorm",
    "ConditionalGenerator",
    "LabelledLatent",
    "ProjectionHead",
    "accepted_labels",
    "call_network",
    "class_count",
]

HEADS = ("projection", "auxiliary")
EMBEDDINGS = ("multiply", "concatenate")


def class_count(network: nn.Module) -> int:
    """How many classes a network is conditional on; 0 for one that takes no labels.

    Networks say so by an attribute ``num_classes``; those of other packages have none.

    Example:
        >>> class_count(nn.Linear(8, 4))
        0
    """
    return int(getattr(network, "num_classes", 0))


def accepted_labels(network: nn.Module, labels: Tensor | None) -> tuple[Tensor, ...]:
    """The labels as further arguments of the network: none if it takes none, or there are none.

    Args:
        network: Any generator or discriminator.
        labels: Shape ``(B,)``, or nothing.
    """
    return (labels,) if labels is not None and class_count(network) else ()


def call_network(network: nn.Module, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
    """What a network makes of its inputs, told the labels if it is conditional.

    Args:
        network: Any generator or discriminator.
        inputs: Latents ``(B, Z)`` or images ``(B, C, H, W)``.
        labels: Shape ``(B,)``, or nothing.

    Example:
        >>> call_network(nn.Linear(8, 4), torch.zeros(3, 8), torch.tensor([0, 1, 1])).shape
        torch.Size([3, 4])
    """
    output: Tensor = network(inputs, *accepted_labels(network, labels))
    return output


def _required_labels(labels: Tensor | None, num_classes: int, network: str) -> Tensor:
    """Return ``labels``, shape ``(B,)``, or say that a conditional network was given none.

    Raises:
        ValueError: If ``labels`` is missing.
    """
    if labels is None:
        raise ValueError(
            f"`labels` must be given: this {network} is conditional on {num_classes} classes."
        )
    return labels


def _require_classes(num_classes: int) -> None:
    if num_classes < 2:
        raise ValueError(f"`num_classes` must be at least 2 to condition, got {num_classes}.")


class ConditionalGenerator(DescribedNetwork):
    """Base of generators that are told a class, or none.

    Args:
        latent_size: Width ``Z`` of the latents.
        num_classes: Classes of the condition; 0 makes the generator unconditional.
    """

    def __init__(self, latent_size: int, num_classes: int) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.num_classes = num_classes

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Latents ``(B, Z)`` and labels ``(B,)`` to images ``(B, C, S, S)`` in ``[-1, 1]``.

        Raises:
            ValueError: If a conditional generator is given no labels.
        """
        if not self.num_classes:
            return self.draw(latents, None)
        return self.draw(latents, _required_labels(labels, self.num_classes, "generator"))

    @abstractmethod
    def draw(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        """The images; labels ``(B,)`` are there exactly if the generator is conditional."""


class LabelledLatent(nn.Module):
    """Join the latent with an embedding of the class, by a product or side by side.

    An embedding *appended* to the latent hands the generator a constant pattern per class, on
    which it may settle when images are few: every latent then gives the class mean. A product
    has mean zero for every class, so there is no such way out.

    Args:
        num_classes: Number of classes, at least 2.
        latent_size: Width ``Z`` of the latents and of the embedding.
        kind: ``"multiply"`` or ``"concatenate"``.

    Attributes:
        out_features: Width of the result: ``Z``, or ``2 Z`` if appended.

    Raises:
        ValueError: If there are fewer than two classes or the kind is unknown.

    References:
        Odena et al., "Conditional Image Synthesis with Auxiliary Classifier GANs", in the form
        in which it is mostly implemented. https://arxiv.org/abs/1610.09585. Appended: Mirza and
        Osindero, "Conditional Generative Adversarial Nets". https://arxiv.org/abs/1411.1784

    Example:
        >>> LabelledLatent(2, 8)(torch.zeros(3, 8), torch.tensor([0, 1, 1])).shape
        torch.Size([3, 8])
    """

    def __init__(self, num_classes: int, latent_size: int, kind: str = "multiply") -> None:
        super().__init__()
        _require_classes(num_classes)
        if kind not in EMBEDDINGS:
            raise ValueError(f"`kind` must be one of {EMBEDDINGS}, got {kind!r}.")
        self.kind = kind
        self.out_features = latent_size * (2 if kind == "concatenate" else 1)
        self.embedding = nn.Embedding(num_classes, latent_size)

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Latents ``(B, Z)`` and labels ``(B,)`` to latents ``(B, out_features)``."""
        embedded: Tensor = self.embedding(labels)
        if self.kind == "concatenate":
            return torch.cat([latents, embedded], dim=1)
        return latents * embedded


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose gain and offset move with the class.

    Every class begins with the gain 1 and the offset 0 that all share; what a class adds to them
    is learned. Without classes this is batch norm.

    Args:
        num_features: Channels ``C``.
        num_classes: Number of classes; 0 for plain batch norm.

    Raises:
        ValueError: If there is exactly one class.

    References:
        de Vries et al., "Modulating early visual processing by language".
        https://arxiv.org/abs/1707.00683; for GANs: Miyato and Koyama,
        https://arxiv.org/abs/1802.05637

    Example:
        >>> ConditionalBatchNorm(4, 2)(torch.zeros(3, 4, 8, 8), torch.tensor([0, 1, 1])).shape
        torch.Size([3, 4, 8, 8])
    """

    def __init__(self, num_features: int, num_classes: int = 0) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(num_features)
        self.embedding = None
        if num_classes:
            _require_classes(num_classes)
            self.embedding = nn.Embedding(num_classes, 2 * num_features)
            nn.init.zeros_(self.embedding.weight)

    def forward(self, maps: Tensor, labels: Tensor | None = None) -> Tensor:
        """Maps ``(B, C, H, W)`` and labels ``(B,)`` to maps of the same shape."""
        normal: Tensor = self.norm(maps)
        if self.embedding is None:
            return normal
        # in the type of the maps: mixing types is slow under autocast
        own = self.embedding(labels).to(normal.dtype)[:, :, None, None]
        gain, offset = own.chunk(2, dim=1)
        return torch.addcmul(offset, normal, 1 + gain)


class ProjectionHead(nn.Module):
    """Logit of a class: the inner product of its embedding with the pooled features.

    Args:
        num_classes: Number of classes, at least 2.
        in_channels: Channels of the features.

    Raises:
        ValueError: If there are fewer than two classes.

    References:
        Miyato and Koyama, "cGANs with Projection Discriminator".
        https://arxiv.org/abs/1802.05637

    Example:
        >>> ProjectionHead(2, 8)(torch.zeros(3, 8, 4, 4), torch.tensor([0, 1, 1]))
        tensor([0., 0., 0.], grad_fn=...)
    """

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__()
        _require_classes(num_classes)
        self.embedding = nn.Embedding(num_classes, in_channels)

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Features ``(B, C, ...)``, averaged over space, and labels ``(B,)`` to ``(B,)``."""
        embedded: Tensor = self.embedding(labels)
        return (embedded * _pooled(features)).sum(1)


class ClassVerdict(nn.Module):
    """What the class adds to the logit of a discriminator: a term of it, or logits of its own.

    Args:
        num_classes: Number of classes ``K``; 0 leaves the logit alone.
        in_channels: Channels of the features.
        kind: ``"projection"`` adds the term of :class:`ProjectionHead`; ``"auxiliary"`` guesses
            the class from the pooled features instead of being told it.

    Attributes:
        auxiliary: Whether class logits follow the adversarial one.

    Raises:
        ValueError: If the kind is unknown or there is exactly one class.

    References:
        Miyato and Koyama, https://arxiv.org/abs/1802.05637; Odena et al.,
        https://arxiv.org/abs/1610.09585

    Example:
        >>> ClassVerdict(2, 8, "auxiliary")(torch.zeros(3), torch.zeros(3, 8, 4, 4)).shape
        torch.Size([3, 3])
    """

    def __init__(self, num_classes: int, in_channels: int, kind: str = "projection") -> None:
        super().__init__()
        if kind not in HEADS:
            raise ValueError(f"`label_head` must be one of {HEADS}, got {kind!r}.")
        self.num_classes = num_classes
        self.auxiliary = kind == "auxiliary" and num_classes > 0
        self.head: nn.Module | None = None
        if num_classes:
            _require_classes(num_classes)
            self.head = (
                nn.Linear(in_channels, num_classes)
                if self.auxiliary
                else ProjectionHead(num_classes, in_channels)
            )

    def forward(self, logits: Tensor, features: Tensor, labels: Tensor | None = None) -> Tensor:
        """Logits ``(B,)`` and features ``(B, C, ...)`` to ``(B,)``, or ``(B, 1 + K)``.

        Raises:
            ValueError: If a projection is given no labels.
        """
        if self.head is None:
            return logits
        if self.auxiliary:
            return torch.cat([logits[:, None], self.head(_pooled(features))], dim=1)
        term: Tensor = self.head(
            features, _required_labels(labels, self.num_classes, "discriminator")
        )
        return logits + term


def _pooled(features: Tensor) -> Tensor:
    return features.flatten(2).mean(2) if features.ndim > 2 else features
