"""Penalties on the gradient of a discriminator with respect to its images.

Both take ``(discriminator, real, fake, labels)``, so the trainer treats them alike.
"""

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["dragan_penalty", "gradient_penalty", "r1_penalty"]


def _image_gradients(
    discriminator: Callable[..., Tensor], images: Tensor, labels: Tensor | None
) -> Tensor:
    images = images.detach().requires_grad_(True)
    logits = discriminator(images) if labels is None else discriminator(images, labels)
    # of the sum: where no logit depends on another image, each image gets its own gradient
    (gradients,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradients.flatten(1)


def gradient_penalty(
    discriminator: Callable[..., Tensor],
    real: Tensor,
    fake: Tensor,
    labels: Tensor | None = None,
    *,
    weight: float = 10.0,
) -> Tensor:
    r"""Penalty for gradients whose norm is not 1, on lines between real and generated images.

    .. math:: w \, E\left[(\lVert \nabla_{\hat x} D(\hat x) \rVert_2 - 1)^2\right]

    Args:
        discriminator: Images ``(B, C, H, W)`` to logits ``(B,)``; without batch norm, because
            the penalty is per image.
        real: Real images, shape ``(B, C, H, W)``.
        fake: Generated images, same shape.
        labels: Classes, shape ``(B,)``, for a conditional discriminator.
        weight: Weight :math:`w`.

    Returns:
        A scalar with a graph.

    Raises:
        ValueError: If the shapes differ.

    References:
        Gulrajani et al., "Improved Training of Wasserstein GANs".
        https://arxiv.org/abs/1704.00028

    Example:
        >>> x = torch.zeros(2, 1, 2, 2)
        >>> gradient_penalty(lambda i: 2 * i.sum((1, 2, 3)), x, x).item()  # norm 4
        90.0
    """
    if real.shape != fake.shape:
        raise ValueError(f"Shapes must agree, got {tuple(real.shape)} and {tuple(fake.shape)}.")
    share = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype)
    gradients = _image_gradients(discriminator, torch.lerp(real, fake, share), labels)
    penalty: Tensor = weight * (gradients.norm(dim=1) - 1).square().mean()
    return penalty


def r1_penalty(
    discriminator: Callable[..., Tensor],
    real: Tensor,
    fake: Tensor | None = None,
    labels: Tensor | None = None,
    *,
    weight: float = 10.0,
) -> Tensor:
    r"""Penalty for any gradient at real images.

    .. math:: \frac{w}{2} E\left[\lVert \nabla_x D(x) \rVert_2^2\right]

    Args:
        discriminator: Images ``(B, C, H, W)`` to logits ``(B,)``.
        real: Real images, shape ``(B, C, H, W)``.
        fake: Ignored; present so that every penalty is called alike.
        labels: Classes, shape ``(B,)``, for a conditional discriminator.
        weight: Weight :math:`w`.

    Returns:
        A scalar with a graph.

    References:
        Mescheder et al., "Which Training Methods for GANs do actually Converge?".
        https://arxiv.org/abs/1801.04406

    Example:
        >>> r1_penalty(lambda i: 2 * i.sum((1, 2, 3)), torch.zeros(2, 1, 2, 2)).item()
        80.0
    """
    gradients = _image_gradients(discriminator, real, labels)
    return 0.5 * weight * gradients.square().sum(1).mean()


def dragan_penalty(
    discriminator: Callable[..., Tensor],
    real: Tensor,
    fake: Tensor | None = None,
    labels: Tensor | None = None,
    *,
    weight: float = 10.0,
) -> Tensor:
    r"""Penalty for gradients whose norm is not 1, around real images.

    .. math:: w \, E\left[(\lVert \nabla_x D(x + \delta) \rVert_2 - 1)^2\right],
        \quad \delta = 0.5 \, \sigma_x \, u, \quad u \sim U(0, 1)

    with :math:`\sigma_x` the standard deviation of the batch.

    Args:
        discriminator: Images ``(B, C, H, W)`` to logits ``(B,)``.
        real: Real images, shape ``(B, C, H, W)``.
        fake: Ignored; present so that every penalty is called alike.
        labels: Classes, shape ``(B,)``, for a conditional discriminator.
        weight: Weight :math:`w`.

    Returns:
        A scalar with a graph.

    References:
        Kodali et al., "On Convergence and Stability of GANs".
        https://arxiv.org/abs/1705.07215

    Example:
        >>> dragan_penalty(lambda i: 2 * i.sum((1, 2, 3)), torch.zeros(2, 1, 2, 2)).item()
        90.0
    """
    moved = real + 0.5 * real.std(correction=0) * torch.rand_like(real)
    gradients = _image_gradients(discriminator, moved, labels)
    penalty: Tensor = weight * (gradients.norm(dim=1) - 1).square().mean()
    return penalty
