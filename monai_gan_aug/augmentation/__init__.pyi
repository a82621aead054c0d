from .adaptive import (
    AdaptiveAugment as AdaptiveAugment,
)
from .classical import (
    ClassicalAugmentation as ClassicalAugmentation,
)
from .cutmix import (
    CutMix as CutMix,
)
from .differentiable import (
    DiffAugment as DiffAugment,
)
from .mixup import (
    MixUp as MixUp,
)
from .random_transforms import (
    RandAdaptiveAugment as RandAdaptiveAugment,
    RandAdaptiveAugmentd as RandAdaptiveAugmentd,
    RandClassicalAugmentation as RandClassicalAugmentation,
    RandClassicalAugmentationd as RandClassicalAugmentationd,
    RandDiffAugment as RandDiffAugment,
    RandDiffAugmentd as RandDiffAugmentd,
    RandGeometricAugmentation as RandGeometricAugmentation,
    RandGeometricAugmentationd as RandGeometricAugmentationd,
    RandIntensityAugmentation as RandIntensityAugmentation,
    RandIntensityAugmentationd as RandIntensityAugmentationd,
)
