"""How a class label enters a generator and a discriminator."""

from torch import Tensor, nn

__all__ = ["LabelledLatent", "ProjectionHead", "required_labels"]


def required_labels(labels: Tensor | None, num_classes: int, network: str) -> Tensor:
    """Return ``labels``, shape ``(B,)``, or say that a conditional network was given none.

    Raises:
        ValueError: If ``labels`` is missing.
    """
    if labels is None:
        raise ValueError(
            f"`labels` must be given: this {network} is conditional on {num_classes} classes."
        )
    return labels


class LabelledLatent(nn.Module):
    """Scale every component of the latent by a number that is learned for the class.

    An embedding *appended* to the latent would hand the generator a constant pattern per class,
    on which it settles when images are few: every latent then gives the class mean. A product
    has mean zero for every class, so there is no such way out.

    Args:
        num_classes: Number of classes, at least 2.
        latent_size: Width ``Z`` of the latents.

    Raises:
        ValueError: If there are fewer than two classes.

    References:
        Odena et al., "Conditional Image Synthesis with Auxiliary Classifier GANs", in the form
        in which it is mostly implemented. https://arxiv.org/abs/1610.09585

    Example:
        >>> LabelledLatent(2, 8)(torch.zeros(3, 8), torch.tensor([0, 1, 1])).shape
        torch.Size([3, 8])
    """

    def __init__(self, num_classes: int, latent_size: int) -> None:
        super().__init__()
        if num_classes < 2:
            raise ValueError(f"`num_classes` must be at least 2 to condition, got {num_classes}.")
        self.embedding = nn.Embedding(num_classes, latent_size)

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Latents ``(B, Z)`` and labels ``(B,)`` to latents ``(B, Z)``."""
        return latents * self.embedding(labels)


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
        if num_classes < 2:
            raise ValueError(f"`num_classes` must be at least 2 to condition, got {num_classes}.")
        self.embedding = nn.Embedding(num_classes, in_channels)

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Features ``(B, C, H, W)`` and labels ``(B,)`` to one term per image, ``(B,)``."""
        return (self.embedding(labels) * features.mean((2, 3))).sum(1)
