"""A classifier that is the discriminator of a GAN as well, and so learns from unlabelled images."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import torch
from ignite.engine import Events
from monai.engines import Trainer
from torch import Tensor, nn
from torch.nn import functional

from monai_gan_aug.engines.classification import PrepareImages
from monai_gan_aug.engines.steps import frozen, untracked
from monai_gan_aug.keys import DataKeys

__all__ = [
    "GeneratorSteps",
    "SemiSupervisedLoss",
    "disagreement",
    "prediction_entropy",
    "realness",
]


class Batches(Protocol):
    """Endless batches of images without classes."""

    batch_size: int

    def __iter__(self) -> Iterator[dict[Any, Tensor]]: ...


def realness(logits: Tensor) -> Tensor:
    """Log odds that an image is of one of the ``K`` classes and not of the class "generated".

    The logit of the class "generated" is fixed at 0, which loses nothing.

    Args:
        logits: Shape ``(B, K)``.

    Returns:
        Shape ``(B,)``.

    References:
        Salimans et al., "Improved Techniques for Training GANs", section 5.
        https://arxiv.org/abs/1606.03498

    Example:
        >>> realness(torch.zeros(1, 2)).exp()
        tensor([2.])
    """
    return logits.logsumexp(1)


def prediction_entropy(logits: Tensor) -> Tensor:
    """Mean entropy of the predicted classes in nats, a scalar in ``[0, log K]``.

    References:
        Springenberg, "Unsupervised and Semi-supervised Learning with Categorical Generative
        Adversarial Networks", section 2. https://arxiv.org/abs/1511.06390

    Example:
        >>> prediction_entropy(torch.zeros(3, 2)).exp()
        tensor(2.)
    """
    log_shares = functional.log_softmax(logits, 1)
    return -(log_shares.exp() * log_shares).sum(1).mean()


def disagreement(logits: Tensor, wanted: Tensor) -> Tensor:
    """Mean Kullback-Leibler divergence of the predicted classes from the wanted ones, in nats.

    Args:
        logits: Shape ``(B, K)``.
        wanted: Logits ``(B, K)`` of other views of the same images; no gradient flows into them.

    References:
        Xie et al., "Unsupervised Data Augmentation for Consistency Training", section 2.2.
        https://arxiv.org/abs/1904.12848

    Example:
        >>> disagreement(torch.ones(2, 3), torch.zeros(2, 3))
        tensor(0.)
    """
    shares = wanted.detach().log_softmax(1)
    return functional.kl_div(
        functional.log_softmax(logits, 1), shares, reduction="batchmean", log_target=True
    )


class SemiSupervisedLoss:
    """Cross-entropy of labelled images, and a game with a generator over unlabelled ones.

    It stands in the place of the loss function of a supervised trainer. Unlabelled images should
    get a high logit for some class, generated ones for none; the entropy of the predictions for
    unlabelled images should be small. After every step of the classifier the generator takes one:
    the mean features of its images should equal those of unlabelled ones (feature matching).

    Batch normalisation sees labelled, unlabelled and generated images as batches of their own, and
    only labelled ones enter its running statistics.

    Args:
        network: The classifier, logits ``(B, K)``, with ``features(images)`` of shape ``(B, F)``.
        unlabelled: Endless batches of unlabelled images; labels they carry are not read.
        prepare: Scales and augments them and the generated ones alike.
        generator: Latents ``(B, Z)`` to images in ``[-1, 1]``; without one, a control: only
            entropy and consistency.
        latent_size: ``Z``.
        learning_rate: Of the generator (Adam, 0.5 and 0.999).
        weight: Of the game, at least 0.
        entropy: Weight of the entropy, at least 0.
        consistency: Weight of the :func:`disagreement` about two augmentations of an unlabelled
            image, at least 0.
        label_smoothing: Of the cross-entropy, in ``[0, 1)``.
        device: Where to compute.

    Raises:
        TypeError: If the network has no ``features``.
        ValueError: If a weight is negative.

    References:
        Salimans et al., "Improved Techniques for Training GANs", sections 3.1 and 5.
        https://arxiv.org/abs/1606.03498
    """

    def __init__(
        self,
        network: nn.Module,
        unlabelled: Batches,
        prepare: PrepareImages,
        generator: nn.Module | None = None,
        *,
        latent_size: int = 128,
        learning_rate: float = 4e-4,
        weight: float = 0.5,
        entropy: float = 0.15,
        consistency: float = 0.0,
        label_smoothing: float = 0.0,
        device: str | torch.device = "cpu",
    ) -> None:
        if not callable(getattr(network, "features", None)):
            raise TypeError(
                f"`network` {type(network).__name__} has no `features`, which the generator is "
                "to match: use --network small_cnn."
            )
        if min(weight, entropy, consistency) < 0:
            raise ValueError(
                f"Weights must be at least 0, got {weight}, {entropy} and {consistency}."
            )
        self.network, self.unlabelled, self.prepare = network, unlabelled, prepare
        self.generator = None if generator is None else generator.to(device)
        self.latent_size, self.weight = latent_size, weight
        self.entropy, self.consistency = entropy, consistency
        self.supervised = nn.CrossEntropyLoss(label_smoothing=label_smoothing)
        self.device = torch.device(device)
        self._optimizer: torch.optim.Optimizer | None = None
        if self.generator is not None:
            self._optimizer = torch.optim.Adam(
                self.generator.parameters(), learning_rate, betas=(0.5, 0.999), fused=True
            )
        self._real: Tensor | None = None

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Loss of the classifier for one batch of labelled images.

        Args:
            logits: Shape ``(B, K)``, of labelled images.
            targets: Classes ``(B,)``, or their shares ``(B, K)``.
        """
        loss: Tensor = self.supervised(logits, targets)
        with untracked(self.network):
            return loss + self._of_unlabelled()

    def _of_unlabelled(self) -> Tensor:
        """What one batch of unlabelled images, and one of generated ones, add to the loss."""
        pixels = next(iter(self.unlabelled))[DataKeys.IMAGE]
        self._real = self._view(pixels)
        of_real = self.network(self._real)
        loss = self.entropy * prediction_entropy(of_real)
        if self.consistency:
            with torch.no_grad():
                of_other_view = self.network(self._view(pixels))
            loss = loss + self.consistency * disagreement(of_real, of_other_view)
        if self.generator is None:
            return loss
        with torch.no_grad():
            generated = self._generate()
        of_generated = self.network(generated)
        odds = functional.softplus(-realness(of_real)) + functional.softplus(realness(of_generated))
        return loss + self.weight * odds.mean()

    def step_generator(self) -> None:
        """Let the mean features of generated images come nearer to those of the last real ones.

        Raises:
            RuntimeError: If there is no generator, or no loss was computed before.
        """
        if self._optimizer is None or self._real is None:
            raise RuntimeError("There is no generator, or no batch yet: compute a loss first.")
        features: Callable[[Tensor], Tensor] = self.network.features  # type: ignore[assignment]
        with frozen(self.network), untracked(self.network):
            with torch.no_grad():
                wanted = features(self._real).mean(0)
            loss = (features(self._generate()).mean(0) - wanted).abs().mean()
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
        self._optimizer.step()

    def _generate(self) -> Tensor:
        if self.generator is None:
            raise RuntimeError("There is no generator.")
        latents = torch.randn(self.unlabelled.batch_size, self.latent_size, device=self.device)
        images: Tensor = self.generator(latents)
        augment = self.prepare.augmentation
        return images if augment is None else augment(images)

    def _view(self, pixels: Tensor) -> Tensor:
        """Images in ``[-1, 1]``, augmented by a fresh draw, of shape ``(B, C, S, S)``."""
        images, _ = self.prepare({DataKeys.IMAGE: pixels}, self.device)
        return images


class GeneratorSteps:
    """Handler that gives the generator of a :class:`SemiSupervisedLoss` its steps.

    Args:
        loss: Any loss function; without a generator nothing is done.
    """

    def __init__(self, loss: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.loss = loss

    def attach(self, trainer: Trainer) -> None:
        """One step after every step of the classifier."""
        if isinstance(self.loss, SemiSupervisedLoss) and self.loss.generator is not None:
            trainer.add_event_handler(Events.ITERATION_COMPLETED, self.loss.step_generator)
