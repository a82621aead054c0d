"""The chain split → checkpoint → synthetic images → result, and the check that refuses leaks.

A synthetic datalist is JSON in the same decathlon style as a real one; all its images are
``training`` images, and its ``provenance`` says which patients the GAN learned from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from monai_gan_aug.errors import DataError, ProvenanceError
from monai_gan_aug.io.hashing import sha256_json
from monai_gan_aug.records.datalist import NUMBERED, Datalist
from monai_gan_aug.records.files import FileRecord, Record
from monai_gan_aug.records.parsing import JSON_SHAPE

__all__ = [
    "HELD_OUT",
    "Provenance",
    "SyntheticDatalist",
    "SyntheticEntry",
    "TrainingRecord",
    "check_chain",
    "check_record",
]


HELD_OUT = ("validation", "test")
"""Splits that nothing may have learned from."""


@dataclass(frozen=True)
class TrainingRecord(Record):
    """What a network saw while it was trained; stored in its checkpoint.

    Args:
        split_sha256: Hash of the datalist.
        key_fingerprint: Which secret key hashed the patients.
        groups: Patient hashes the network saw.
        ids: Content ids of the images the network saw.
        labels: Class names, by label.
        recipe: Preprocessing recipe as a dictionary.
    """

    REMEDY = "train again with this version"
    ERROR = ProvenanceError

    split_sha256: str
    key_fingerprint: str
    groups: tuple[str, ...]
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    recipe: Mapping[str, object] = field(default_factory=dict)

    def with_seen(self, other: "TrainingRecord") -> "TrainingRecord":
        """This record with the patients and images of ``other`` added.

        Raises:
            ProvenanceError: If the two hashed patients with different keys.
        """
        if other.key_fingerprint != self.key_fingerprint:
            raise ProvenanceError(
                "What a network learned from was hashed with different keys, so its checkpoint "
                "cannot say whom it saw: prepare all datalists with the same key."
            )
        return replace(
            self,
            groups=tuple(sorted({*self.groups, *other.groups})),
            ids=tuple(sorted({*self.ids, *other.ids})),
        )


@dataclass(frozen=True)
class Provenance:
    """Where a synthetic set came from.

    Args:
        checkpoint_sha256: Hash of the checkpoint file the generator was loaded from.
        training: What that generator saw.
        seed: Seed of the latents.
        settings: Anything else that shaped the images (latent size, truncation, filter, …).
    """

    checkpoint_sha256: str
    training: TrainingRecord
    seed: int
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class SyntheticEntry:
    """One synthetic image: path relative to the datalist's folder, label and content id."""

    image: str
    label: int
    id: str

    @property
    def frame(self) -> None:
        """A synthetic image is always a file of its own."""


@dataclass(frozen=True)
class SyntheticDatalist(FileRecord):
    """A set of synthetic images with its provenance."""

    KIND = "a synthetic datalist with provenance"
    REMEDY = "generate the images with this toolkit"
    MISSING = "generate it first"
    ERROR = ProvenanceError
    READS_UNNUMBERED = True
    SEAL = ("provenance", "sha256")

    labels: tuple[str, ...] = field(metadata={JSON_SHAPE: NUMBERED})
    training: tuple[SyntheticEntry, ...]
    provenance: Provenance
    name: str = "synthetic"

    @property
    def sha256(self) -> str:
        """Hash of images, labels and provenance."""
        return sha256_json(
            {
                "labels": list(self.labels),
                "images": sorted([e.id, e.label] for e in self.training),
                "checkpoint": self.provenance.checkpoint_sha256,
                "split": self.provenance.training.split_sha256,
            }
        )

    @property
    def knows_classes(self) -> bool:
        """Whether the labels mean anything: not if one unconditional GAN learned several classes.

        Such images all stand under the first class; they can be looked at and compared with all
        real images together, but nobody should learn a class from them.
        """
        return not self.provenance.settings.get("classes_together", False)

    def require_classes(self) -> None:
        """Refuse images whose labels mean nothing.

        Raises:
            DataError: If :attr:`knows_classes` is false.
        """
        if not self.knows_classes:
            names = ", ".join(self.provenance.training.labels)
            raise DataError(
                f"These synthetic images were drawn without a class by one GAN of {names}: train "
                "it with `condition: class`, or one GAN per class with --only_labels."
            )


def check_chain(real: Datalist, synthetic: SyntheticDatalist) -> None:
    """Refuse synthetic images whose GAN saw a validation or test patient of ``real``.

    Images are compared by content, patients by keyed hash. When the two sides were hashed with
    different keys, patients cannot be compared and the pair is refused.

    Args:
        real: The datalist the classifier is trained and judged on.
        synthetic: The synthetic images to be added to its training split.

    Raises:
        ProvenanceError: With the reason and the next step.
    """
    if synthetic.labels != real.labels:
        raise ProvenanceError(
            f"Synthetic classes {list(synthetic.labels)} differ from the real ones "
            f"{list(real.labels)}: train the GAN on the same datalist."
        )
    check_record(real, synthetic.provenance.training)


def check_record(real: Datalist, record: TrainingRecord, splits: Sequence[str] = HELD_OUT) -> None:
    """Refuse what a network left behind (images, weights) if it saw who is held out of ``real``.

    Args:
        real: The datalist that somebody is trained or judged on.
        record: What the network saw, and what it began with saw.
        splits: The splits that are held out, or the one that is judged.

    Raises:
        ProvenanceError: With the reason and the next step.
    """
    held_out = [entry for split in splits for entry in real.entries(split)]
    patients = set(record.groups) & {entry.group for entry in held_out}
    images = set(record.ids) & {entry.id for entry in held_out}
    if patients or images:
        raise ProvenanceError(
            f"{len(patients)} {' or '.join(splits)} patients and {len(images)} of their images "
            "were learned from, by this network or by one it builds on, so every number about them "
            "would leak: use what learned from the training split of this very datalist."
        )
    # the hash of a split covers its patients: where it is the same, so was the key
    same_split = record.split_sha256 == real.sha256
    if not same_split and record.key_fingerprint != real.split.key_fingerprint:
        raise ProvenanceError(
            "What was learned from was hashed with another key, so nobody can tell whether "
            f"{' or '.join(splits)} patients are among it: prepare both with the same key."
        )
