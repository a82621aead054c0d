"""The augmentations as MONAI's random transforms of single images, for ``Compose``.

They share their mathematics with the classes for whole batches and draw from ``self.R``, so that
``set_random_state`` and the workers of a loader reach them. MixUp and CutMix need a second image
and its label, which a transform of one sample does not have: they stay with the batches.
"""

from collections.abc import Sequence

from monai.config.type_definitions import KeysCollection

from monai_gan_aug.augmentation.adaptive import adaptive_operations
from monai_gan_aug.augmentation.classical import classical_laws
from monai_gan_aug.augmentation.differentiable import policy_operations
from monai_gan_aug.augmentation.geometric import RandomAffine
from monai_gan_aug.augmentation.intensity import RandomIntensity
from monai_gan_aug.augmentation.operations import Operation
from monai_gan_aug.augmentation.single_images import RandomAugmentation, RandomAugmentationd

__all__ = [
    "RandAdaptiveAugment",
    "RandAdaptiveAugmentD",
    "RandAdaptiveAugmentDict",
    "RandAdaptiveAugmentd",
    "RandClassicalAugmentation",
    "RandClassicalAugmentationD",
    "RandClassicalAugmentationDict",
    "RandClassicalAugmentationd",
    "RandDiffAugment",
    "RandDiffAugmentD",
    "RandDiffAugmentDict",
    "RandDiffAugmentd",
    "RandGeometricAugmentation",
    "RandGeometricAugmentationD",
    "RandGeometricAugmentationDict",
    "RandGeometricAugmentationd",
    "RandIntensityAugmentation",
    "RandIntensityAugmentationD",
    "RandIntensityAugmentationDict",
    "RandIntensityAugmentationd",
]


class RandGeometricAugmentation(RandomAugmentation):
    """Turn, zoom, shift and mirror one image; what lies outside repeats the border.

    Args:
        degrees: See :class:`~monai_gan_aug.augmentation.geometric.RandomAffine`.
        zoom: See :class:`~monai_gan_aug.augmentation.geometric.RandomAffine`.
        shift: See :class:`~monai_gan_aug.augmentation.geometric.RandomAffine`.
        flips: See :class:`~monai_gan_aug.augmentation.geometric.RandomAffine`.
        prob: Chance that an image is augmented at all.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> augment = RandGeometricAugmentation(degrees=15).set_random_state(0)
        >>> augment(np.zeros((1, 8, 8), np.float32)).shape
        (1, 8, 8)
    """

    def __init__(
        self,
        degrees: float = 0.0,
        zoom: float = 1.0,
        shift: float = 0.0,
        flips: str = "none",
        prob: float = 1.0,
    ) -> None:
        super().__init__(prob)
        self.law = RandomAffine(degrees, zoom, shift, flips)

    def operations(self, channels: int) -> Sequence[Operation]:
        """See :class:`RandomAugmentation`."""
        return [self.law.operation]


class RandGeometricAugmentationd(RandomAugmentationd):
    """Dictionary-based wrapper of :class:`RandGeometricAugmentation`: one draw for all keys.

    Args:
        keys: Keys of the images, all of one shape.
        degrees: See :class:`RandGeometricAugmentation`.
        zoom: See :class:`RandGeometricAugmentation`.
        shift: See :class:`RandGeometricAugmentation`.
        flips: See :class:`RandGeometricAugmentation`.
        prob: See :class:`RandGeometricAugmentation`.
        allow_missing_keys: Whether a sample may lack a key.
    """

    def __init__(
        self,
        keys: KeysCollection,
        degrees: float = 0.0,
        zoom: float = 1.0,
        shift: float = 0.0,
        flips: str = "none",
        prob: float = 1.0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(
            keys, RandGeometricAugmentation(degrees, zoom, shift, flips, prob), allow_missing_keys
        )


class RandIntensityAugmentation(RandomAugmentation):
    """Change contrast and brightness of one image, add noise, and clip to ``[-1, 1]``.

    Args:
        contrast: See :class:`~monai_gan_aug.augmentation.intensity.RandomIntensity`.
        brightness: See :class:`~monai_gan_aug.augmentation.intensity.RandomIntensity`.
        noise: See :class:`~monai_gan_aug.augmentation.intensity.RandomIntensity`.
        prob: Chance that an image is augmented at all.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> augment = RandIntensityAugmentation(noise=0.1).set_random_state(0)
        >>> bool(augment(torch.zeros(1, 8, 8)).std() > 0)
        True
    """

    def __init__(
        self,
        contrast: float = 1.0,
        brightness: float = 0.0,
        noise: float = 0.0,
        prob: float = 1.0,
    ) -> None:
        super().__init__(prob)
        self.law = RandomIntensity(contrast, brightness, noise)

    def operations(self, channels: int) -> Sequence[Operation]:
        """See :class:`RandomAugmentation`."""
        return [self.law.operation]


class RandIntensityAugmentationd(RandomAugmentationd):
    """Dictionary-based wrapper of :class:`RandIntensityAugmentation`: one draw for all keys.

    Args:
        keys: Keys of the images, all of one shape.
        contrast: See :class:`RandIntensityAugmentation`.
        brightness: See :class:`RandIntensityAugmentation`.
        noise: See :class:`RandIntensityAugmentation`.
        prob: See :class:`RandIntensityAugmentation`.
        allow_missing_keys: Whether a sample may lack a key.
    """

    def __init__(
        self,
        keys: KeysCollection,
        contrast: float = 1.0,
        brightness: float = 0.0,
        noise: float = 0.0,
        prob: float = 1.0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(
            keys, RandIntensityAugmentation(contrast, brightness, noise, prob), allow_missing_keys
        )


class RandClassicalAugmentation(RandomAugmentation):
    """The classical augmentation every GAN has to beat, for one image.

    Args:
        strength: See :class:`~monai_gan_aug.augmentation.classical.ClassicalAugmentation`.
        flips: See :class:`~monai_gan_aug.augmentation.classical.ClassicalAugmentation`.
        prob: Chance that an image is augmented at all.

    Raises:
        ValueError: If a name is unknown or ``prob`` is not in ``[0, 1]``.

    Example:
        >>> augment = RandClassicalAugmentation("light").set_random_state(0)
        >>> augment(torch.zeros(1, 8, 8)).shape
        torch.Size([1, 8, 8])
    """

    def __init__(self, strength: str = "strong", flips: str = "none", prob: float = 1.0) -> None:
        super().__init__(prob)
        self.strength = strength
        self.laws = classical_laws(strength, flips)

    def operations(self, channels: int) -> Sequence[Operation]:
        """See :class:`RandomAugmentation`."""
        return [] if self.strength == "none" else [law.operation for law in self.laws]


class RandClassicalAugmentationd(RandomAugmentationd):
    """Dictionary-based wrapper of :class:`RandClassicalAugmentation`: one draw for all keys.

    Args:
        keys: Keys of the images, all of one shape.
        strength: See :class:`RandClassicalAugmentation`.
        flips: See :class:`RandClassicalAugmentation`.
        prob: See :class:`RandClassicalAugmentation`.
        allow_missing_keys: Whether a sample may lack a key.
    """

    def __init__(
        self,
        keys: KeysCollection,
        strength: str = "strong",
        flips: str = "none",
        prob: float = 1.0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, RandClassicalAugmentation(strength, flips, prob), allow_missing_keys)


class RandDiffAugment(RandomAugmentation):
    """Differentiable augmentation of one image; gradients reach it.

    Args:
        policy: See :class:`~monai_gan_aug.augmentation.differentiable.DiffAugment`.
        prob: Chance that an image is augmented at all.

    Raises:
        ValueError: If a name is unknown or ``prob`` is not in ``[0, 1]``.

    Example:
        >>> augment = RandDiffAugment("translation,cutout").set_random_state(0)
        >>> augment(torch.zeros(1, 8, 8)).shape
        torch.Size([1, 8, 8])
    """

    def __init__(self, policy: str | None = "color,translation,cutout", prob: float = 1.0) -> None:
        super().__init__(prob)
        self.policy = policy
        self._policy_operations = policy_operations(policy)

    def operations(self, channels: int) -> Sequence[Operation]:
        """See :class:`RandomAugmentation`."""
        return self._policy_operations


class RandDiffAugmentd(RandomAugmentationd):
    """Dictionary-based wrapper of :class:`RandDiffAugment`: one draw for all keys.

    Args:
        keys: Keys of the images, all of one shape.
        policy: See :class:`RandDiffAugment`.
        prob: See :class:`RandDiffAugment`.
        allow_missing_keys: Whether a sample may lack a key.
    """

    def __init__(
        self,
        keys: KeysCollection,
        policy: str | None = "color,translation,cutout",
        prob: float = 1.0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, RandDiffAugment(policy, prob), allow_missing_keys)


class RandAdaptiveAugment(RandomAugmentation):
    """The changes of adaptive augmentation on one image, with a probability that stays.

    What adapts it is a discriminator, which a pipeline does not have; a training does:
    :class:`~monai_gan_aug.augmentation.adaptive.AdaptiveAugment`.

    Args:
        probability: Chance of each single change.
        prob: Chance that an image is augmented at all.

    Raises:
        ValueError: If a chance is not in ``[0, 1]``.

    Example:
        >>> augment = RandAdaptiveAugment(0.5).set_random_state(0)
        >>> augment(torch.zeros(3, 8, 8)).shape
        torch.Size([3, 8, 8])
    """

    def __init__(self, probability: float = 0.5, prob: float = 1.0) -> None:
        super().__init__(prob)
        if not 0 <= probability <= 1:
            raise ValueError(f"`probability` must be in [0, 1], got {probability}.")
        self.probability = probability

    def operations(self, channels: int) -> Sequence[Operation]:
        """See :class:`RandomAugmentation`."""
        return adaptive_operations(channels, self.probability)


class RandAdaptiveAugmentd(RandomAugmentationd):
    """Dictionary-based wrapper of :class:`RandAdaptiveAugment`: one draw for all keys.

    Args:
        keys: Keys of the images, all of one shape.
        probability: See :class:`RandAdaptiveAugment`.
        prob: See :class:`RandAdaptiveAugment`.
        allow_missing_keys: Whether a sample may lack a key.
    """

    def __init__(
        self,
        keys: KeysCollection,
        probability: float = 0.5,
        prob: float = 1.0,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, RandAdaptiveAugment(probability, prob), allow_missing_keys)


RandGeometricAugmentationD = RandGeometricAugmentationDict = RandGeometricAugmentationd
RandIntensityAugmentationD = RandIntensityAugmentationDict = RandIntensityAugmentationd
RandClassicalAugmentationD = RandClassicalAugmentationDict = RandClassicalAugmentationd
RandDiffAugmentD = RandDiffAugmentDict = RandDiffAugmentd
RandAdaptiveAugmentD = RandAdaptiveAugmentDict = RandAdaptiveAugmentd
