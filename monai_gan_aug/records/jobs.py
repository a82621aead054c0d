"""What a study keeps about its work: jobs begun and done, the pool of images, look-alikes."""

from dataclasses import dataclass
from typing import Any

from monai_gan_aug.records.datalist import Entry
from monai_gan_aug.records.files import FileRecord

__all__ = ["JobBegun", "JobDone", "KeptPool", "LookAlikes"]

AGAIN = "delete it and run the study again: finished jobs are not repeated"


@dataclass(frozen=True)
class JobBegun(FileRecord):
    """``begun.json``: which job a folder belongs to.

    Args:
        identity: Hash of what decides its result.
        name: The job, for people.
    """

    KIND = "the beginning of a job"
    REMEDY = AGAIN
    READS_UNNUMBERED = True

    identity: str
    name: str


@dataclass(frozen=True)
class JobDone(FileRecord):
    """``job.json``, written last of all: the job is finished.

    Args:
        identity: Hash of what decides its result.
        name: The job, for people.
        seconds: How long it took.
        code: Hash of the package's code that ran it.
    """

    KIND = "the record of a job"
    REMEDY = AGAIN
    READS_UNNUMBERED = True

    identity: str
    name: str
    seconds: float
    code: str = ""


@dataclass(frozen=True)
class KeptPool(FileRecord):
    """``pool.json``: every usable image of a study, so that a restart need not read them again.

    Args:
        settings: Hash of what was asked for.
        labels: Class names, by label.
        entries: Images with a class.
        grouping: Where patient ids came from.
        key_fingerprint: Which secret key hashed the patients.
        caveats: What must be said about the images.
        unlabelled: Images without a class.
    """

    KIND = "the pool of a study"
    REMEDY = AGAIN

    settings: str
    labels: tuple[str, ...]
    entries: tuple[Entry, ...]
    grouping: str
    key_fingerprint: str
    caveats: tuple[str, ...] = ()
    unlabelled: tuple[Entry, ...] = ()

    @classmethod
    def upgraded(cls, content: Any, schema: int) -> Any:
        """Without a number, images without a class had the first one."""
        if not isinstance(content, dict) or not isinstance(content.get("unlabelled"), list):
            return None
        unlabelled = [{**entry, "label": None} for entry in content["unlabelled"]]
        kept = {key: value for key, value in content.items() if key != "copies"}
        return {**kept, "unlabelled": unlabelled}


@dataclass(frozen=True)
class LookAlikes(FileRecord):
    """``look_alikes.json``: how many images of an external set look like one of the study.

    Args:
        settings: Hash of which images were compared.
        images: How many look the same.
        changed: How many more are one of the study changed: mirrored, turned, cropped and so on.
    """

    KIND = "a count of look-alikes"
    REMEDY = AGAIN
    READS_UNNUMBERED = True

    settings: str
    images: int
    changed: int = 0
