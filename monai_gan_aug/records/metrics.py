"""``metrics.json``: how well one trained classifier did, and what it was made of."""

from collections.abc import Mapping
from dataclasses import dataclass

from monai_gan_aug.records.files import FileRecord

__all__ = ["ClassifierProvenance", "ClassifierResult"]


@dataclass(frozen=True)
class ClassifierProvenance:
    """What a classifier was made of.

    Args:
        package: Version of this package.
        versions: Versions of the libraries.
        split: The split it was judged on.
        split_sha256: Hash of the datalist.
        key_fingerprint: Which secret key hashed the patients.
        synthetic_sha256: Hashes of the synthetic sets it learned from.
        checkpoint_sha256: Hashes of the checkpoints those came from.
        settings: Knobs of its training.
    """

    package: str
    versions: Mapping[str, str]
    split: str
    split_sha256: str
    key_fingerprint: str
    synthetic_sha256: tuple[str, ...]
    checkpoint_sha256: tuple[str, ...]
    settings: Mapping[str, object]


@dataclass(frozen=True)
class ClassifierResult(FileRecord):
    """How one classifier did on a split.

    Args:
        arm: What it was trained on.
        seed: Seed of its split and its training.
        metrics: By name; ``confusion`` is a matrix of counts.
        steps: Optimiser steps.
        provenance: What it was made of.
    """

    KIND = "the metrics of a classifier"
    REMEDY = "evaluate again"
    MISSING = "evaluate the classifier first"
    READS_UNNUMBERED = True

    arm: str
    seed: int
    metrics: Mapping[str, object]
    steps: int
    provenance: ClassifierProvenance
