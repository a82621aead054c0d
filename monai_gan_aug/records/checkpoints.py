"""``latest.json``: which checkpoints a folder holds, the newest first."""

from dataclasses import dataclass

from monai_gan_aug.records.files import FileRecord

__all__ = ["CheckpointFile", "CheckpointIndex"]


@dataclass(frozen=True)
class CheckpointFile:
    """One checkpoint.

    Args:
        file: Its name.
        sha256: Hash of its bytes.
        suspect: Whether a guard doubts it.
    """

    file: str
    sha256: str
    suspect: bool = False


@dataclass(frozen=True)
class CheckpointIndex(FileRecord):
    """The checkpoints of a folder, the newest first."""

    KIND = "a list of checkpoints"
    REMEDY = "train again, or name a checkpoint file as `ckpt_path`"
    READS_UNNUMBERED = True

    checkpoints: tuple[CheckpointFile, ...] = ()
