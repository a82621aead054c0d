"""The names under which values travel: dictionary keys of samples, batches and engine outputs."""

from monai.utils import StrEnum
from monai.utils.enums import GanKeys

__all__ = ["DataKeys", "GanAugKeys", "GanKeys"]


class DataKeys(StrEnum):
    """Keys of one sample or one batch."""

    IMAGE = "image"
    LABEL = "label"
    GROUP = "group"
    ID = "id"
    PREDICTION = "pred"
    LATENT = "latents"


class GanAugKeys(StrEnum):
    """Keys that the GAN engine adds to MONAI's :class:`~monai.utils.enums.GanKeys`."""

    REAL_LOGITS = "real_logits"
    FAKE_LOGITS = "fake_logits"
    PENALTY = "penalty"
    LABELS = "labels"
    AUGMENT_PROBABILITY = "augment_probability"

    @classmethod
    def penalty(cls, name: str) -> str:
        """Key of the value of one regulariser, ``penalty/<name>``."""
        return f"{cls.PENALTY.value}/{name}"
