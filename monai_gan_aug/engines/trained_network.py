"""Trained networks back out of checkpoints, with what they are and whom they have seen.

A checkpoint of format 2 describes itself: how its networks were made (``definitions``), the knobs
that decide what a number means (``knobs``), and in its training record the preprocessing, the
classes and the patients. Whoever uses one takes all of it from there. Format 1 has the record
alone; the rest must then be given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from monai_gan_aug.engines.checkpoint import find_checkpoint, load_with_hash
from monai_gan_aug.engines.classifier_run import RunDescription
from monai_gan_aug.engines.state import take_up_weights
from monai_gan_aug.errors import DataError, ProvenanceError
from monai_gan_aug.networks.definitions import (
    REQUIRES,
    TARGET,
    Definition,
    build_network,
    definition_of,
)
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.provenance import HELD_OUT, TrainingRecord, check_record
from monai_gan_aug.transforms.recipe import PreprocessingRecipe
from monai_gan_aug.transforms.windows import FILE_WINDOW, check_window, resolve_window

__all__ = [
    "PARTS",
    "TrainedCheckpoint",
    "TrainedNetwork",
    "described_network",
    "load_network",
    "opened_checkpoint",
    "read_checkpoint",
    "settled_knobs",
    "settled_recipe",
]

PARTS = {
    "generator": "the checkpoint of a GAN, which train.yaml of medical_image_gan writes",
    "discriminator": "the checkpoint of a GAN, which train.yaml of medical_image_gan writes",
    "classifier": "the checkpoint of a classifier, which train.yaml of augmentation_classifier "
    "writes",
}
"""The networks that are kept, and where."""
OF_RECIPE = {
    "image_size": "size",
    "channels": "channels",
    "windows": "windows",
    "fit": "fit",
    "bits": "bits",
}
"""Knobs of the bundles, and what they are called in a preprocessing recipe."""
OTHERS = ("latent_size", "num_classes", "condition", "only_labels", "positive")


@dataclass(frozen=True)
class TrainedCheckpoint:
    """What a checkpoint says of itself.

    Args:
        name: Name of its file.
        sha256: Hash of its file.
        weights: State of each network in it; of the generator the averaged one, if there is one.
        definitions: How each was made, where that is known.
        knobs: What is known of the knobs :func:`read_checkpoint` takes.
        labels: All class names of the data set, by label.
        record: Whom and what it was trained on, if it says so.
        description: Arm, seed and settings of a classifier.
    """

    name: str
    sha256: str
    weights: Mapping[str, Mapping[str, Tensor]]
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    knobs: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    record: TrainingRecord | None = None
    description: RunDescription | None = None

    @property
    def recipe(self) -> PreprocessingRecipe:
        """The preprocessing of its training images.

        Raises:
            DataError: If it is not recorded.
        """
        return settled_recipe(self.known_record().recipe, {}, self.name)

    @property
    def positive(self) -> int:
        """The label that counts as disease when there are two."""
        return int(self.knobs.get("positive", 1))

    def known_record(self) -> TrainingRecord:
        """Whom and what it was trained on.

        Raises:
            ProvenanceError: If it does not say so.
        """
        if self.record is None:
            raise ProvenanceError(
                f"{self.name} does not record what its networks saw: train with `train.yaml`."
            )
        return self.record

    def training_record(self) -> TrainingRecord:
        """The same, under the name that data sets have for it."""
        return self.known_record()


@dataclass(frozen=True)
class TrainedNetwork:
    """A network with trained weights, and the checkpoint they came from."""

    network: nn.Module
    checkpoint: TrainedCheckpoint

    @property
    def sha256(self) -> str:
        """Hash of the checkpoint."""
        return self.checkpoint.sha256

    @property
    def labels(self) -> tuple[str, ...]:
        """All class names of the data set, by label."""
        return self.checkpoint.labels

    @property
    def record(self) -> TrainingRecord:
        """Whom and what it was trained on."""
        return self.checkpoint.known_record()

    @property
    def description(self) -> RunDescription:
        """Arm, seed and settings of a classifier.

        Raises:
            DataError: If it is none.
        """
        if self.checkpoint.description is None:
            raise DataError(f"{self.checkpoint.name} is not {PARTS['classifier']}.")
        return self.checkpoint.description

    @property
    def num_classes(self) -> int:
        """How many classes a generator or discriminator is conditional on; 0 for none."""
        own = getattr(self.network, "num_classes", 0)
        return int(self.checkpoint.knobs.get("num_classes", own))

    @property
    def latent_size(self) -> int:
        """Width of a generator's latents.

        Raises:
            DataError: If neither the checkpoint nor the network tells it.
        """
        own = getattr(self.network, "latent_size", None)
        size = self.checkpoint.knobs.get("latent_size", own)
        if size is None:
            raise DataError(
                f"{self.checkpoint.name} does not say how wide the latents of its generator are: "
                "give `latent_size`, as in training."
            )
        return int(size)

    def label(self, index: int) -> int:
        """Position of the network's class ``index`` among all class names."""
        return self.labels.index(self.record.labels[index])


def read_checkpoint(ckpt_path: str | Path, **knobs: Any) -> TrainedCheckpoint:
    """Open a checkpoint once, and refuse knobs that contradict it.

    Args:
        ckpt_path: A checkpoint, its folder, or its ``latest.json``.
        knobs: What the caller believes of ``image_size``, ``channels``, ``windows``, ``fit``,
            ``bits``, ``latent_size``, ``num_classes``, ``condition``, ``only_labels`` and
            ``positive``; nothing for what the checkpoint says. Where it says nothing (format 1),
            what is given is taken over.

    Raises:
        DataError: If the checkpoint cannot be read, or a knob contradicts it.
        ProvenanceError: If its training record is incomplete.
    """
    path = find_checkpoint(Path(ckpt_path))
    content, digest = load_with_hash(path)
    record = None
    if "training" in content:
        record = TrainingRecord.from_dict(content["training"])
    description = content.get("description")
    labels = content.get("labels", () if record is None else record.labels)
    return TrainedCheckpoint(
        name=path.name,
        sha256=digest,
        weights=_weights(content),
        definitions=content.get("definitions", {}),
        knobs=settled_knobs(_known_knobs(content, record), knobs, path.name),
        labels=tuple(labels),
        record=record,
        description=None if description is None else RunDescription(**description),
    )


def opened_checkpoint(checkpoint: str | Path | TrainedCheckpoint) -> TrainedCheckpoint:
    """The checkpoint itself, read if it is named by its path."""
    if isinstance(checkpoint, TrainedCheckpoint):
        return checkpoint
    return read_checkpoint(checkpoint)


def described_network(
    checkpoint: str | Path | TrainedCheckpoint, part: str, trusted: Sequence[str] = ()
) -> nn.Module:
    """A network as a checkpoint describes it, with random weights.

    Args:
        checkpoint: The checkpoint, or where it is.
        part: A key of :data:`PARTS`.
        trusted: See :func:`monai_gan_aug.networks.definitions.build_network`.

    Raises:
        DataError: If the checkpoint does not hold or describe it, or it cannot be built.
    """
    checkpoint = opened_checkpoint(checkpoint)
    _require_part(checkpoint, part)
    if part not in checkpoint.definitions:
        name = "discriminator_def" if part == "discriminator" else "network_def"
        raise DataError(
            f"{checkpoint.name} does not describe its {part}: it was written before format 2, or "
            "the network is of a class that does not know how it was made (see "
            f"monai_gan_aug.networks.definitions). Give it as --{name} \"{{'_target_': …, …}}\" "
            "with the arguments of the training."
        )
    return build_network(checkpoint.definitions[part], trusted)


def load_network(
    checkpoint: str | Path | TrainedCheckpoint,
    part: str,
    *,
    network: nn.Module | None = None,
    trusted: Sequence[str] = (),
    datalist: str | Path | Datalist | None = None,
    judged_split: str | None = None,
) -> TrainedNetwork:
    """The trained network of a checkpoint; the one way by which weights come back.

    Args:
        checkpoint: A checkpoint, its folder, its ``latest.json``, or what
            :func:`read_checkpoint` has read.
        part: ``"generator"`` (averaged weights if there are any), ``"discriminator"`` or
            ``"classifier"``.
        network: Takes up the weights; the one the checkpoint describes if not given.
        trusted: See :func:`monai_gan_aug.networks.definitions.build_network`.
        datalist: Refuse a network that saw a validation or test patient of it.
        judged_split: Refuse one that saw a patient of this split of ``datalist`` instead.

    Returns:
        The network, where it was (on the CPU if it is new), and what is known of it.

    Raises:
        DataError: If the checkpoint cannot be read, does not hold such a network, or holds one of
            another architecture than ``network``.
        ProvenanceError: If it does not say whom it saw, or saw whom it must not have seen.
    """
    checkpoint = opened_checkpoint(checkpoint)
    weights = _require_part(checkpoint, part)
    record = checkpoint.known_record()
    if datalist is not None:
        datalist = datalist if isinstance(datalist, Datalist) else Datalist.load(Path(datalist))
        if part == "classifier":
            _require_classes(record, datalist)
        check_record(datalist, record, HELD_OUT if judged_split is None else (judged_split,))
    if network is None:
        network = described_network(checkpoint, part, trusted)
    else:
        _require_same_definition(checkpoint, part, network)
    take_up_weights(network, weights, checkpoint.name)
    return TrainedNetwork(network, checkpoint)


def settled_knobs(known: Mapping[str, Any], given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What is known, with what is given where nothing is known.

    Args:
        known: Knobs of the training.
        given: Knobs of the caller; nothing for no opinion.
        name: What was trained with ``known``.

    Raises:
        DataError: If the two contradict each other.
        TypeError: If a knob is unknown.

    Example:
        >>> settled_knobs({"bits": 8}, {"bits": None, "latent_size": 64}, "step_1.pt")
        {'bits': 8, 'latent_size': 64}
        >>> settled_knobs({"windows": ["brain"]}, {"windows": ["lung"]}, "step_1.pt")
        Traceback (most recent call last):
            ...
        monai_gan_aug.errors.DataError: `windows` is ['lung'] here, but step_1.pt was trained ...
    """
    if unknown := sorted(given.keys() - OF_RECIPE.keys() - set(OTHERS)):
        raise TypeError(f"`knobs` {unknown} decide nothing about a trained network.")
    settled = dict(known)
    for knob, value in given.items():
        if value is None:
            continue
        value = _normal(knob, value)
        if _meaning(knob, settled.setdefault(knob, value)) != _meaning(knob, value):
            raise DataError(
                f"`{knob}` is {value!r} here, but {name} was trained with {settled[knob]!r}: leave "
                "it out, or use what was trained with yours."
            )
    return settled


def settled_recipe(
    recorded: Mapping[str, Any], given: Mapping[str, Any], name: str
) -> PreprocessingRecipe:
    """The preprocessing of a training, unless knobs of it contradict what is given.

    Args:
        recorded: The recipe in a training record.
        given: Knobs of the caller; nothing for no opinion.
        name: What was trained with it.

    Raises:
        DataError: If the two contradict each other, or no recipe was recorded.
    """
    if not recorded:
        raise DataError(
            f"{name} does not record how its images were prepared: train with `train.yaml`."
        )
    settled_knobs(_recipe_knobs(recorded), given, name)
    return PreprocessingRecipe.from_dict(recorded)


def _require_part(checkpoint: TrainedCheckpoint, part: str) -> Mapping[str, Tensor]:
    if part not in PARTS:
        raise ValueError(f"`part` must be one of {list(PARTS)}, got {part!r}.")
    if part not in checkpoint.weights:
        raise DataError(f"{checkpoint.name} holds no {part}: give {PARTS[part]}.")
    return checkpoint.weights[part]


def _require_classes(record: TrainingRecord, datalist: Datalist) -> None:
    if record.labels != datalist.labels:
        raise ProvenanceError(
            f"The classifier knows {list(record.labels)}, the datalist {list(datalist.labels)}:"
            " use it on a datalist of the same classes in the same order."
        )


def _require_same_definition(checkpoint: TrainedCheckpoint, part: str, network: nn.Module) -> None:
    """Refuse what fits by its weights and computes something else."""
    recorded, own = checkpoint.definitions.get(part), definition_of(network)
    if recorded is None or own is None:
        return
    if recorded[TARGET] != own[TARGET]:
        raise DataError(
            f"The {part} given is a {own[TARGET]}, that of {checkpoint.name} a {recorded[TARGET]}."
        )
    for name in sorted((recorded.keys() & own.keys()) - {TARGET, REQUIRES}):
        if recorded[name] != own[name]:
            raise DataError(
                f"`{name}` of the {part} is {own[name]!r} here, but {checkpoint.name} was trained "
                f"with {recorded[name]!r}: leave the network out, or make it as in training."
            )


def _weights(content: Mapping[str, Any]) -> dict[str, Mapping[str, Tensor]]:
    trainer = content.get("trainer", {})
    weights: dict[str, Mapping[str, Tensor]] = dict(trainer.get("networks", {}))
    if "generator" in weights:
        weights["generator"] = trainer.get("parts", {}).get("average", weights["generator"])
    if "network" in content:
        weights["classifier"] = content["network"]
    return weights


def _known_knobs(content: Mapping[str, Any], record: TrainingRecord | None) -> dict[str, Any]:
    knobs = dict(content.get("knobs", {}))
    if record is None:
        return knobs
    knobs |= _recipe_knobs(record.recipe)
    knobs["only_labels"] = list(record.labels)
    if "network" in content:
        knobs["num_classes"] = len(record.labels)
    # a GAN of one class is unconditional whatever `condition` was
    together = len(record.labels) > 1
    if "num_classes" in knobs and together:
        knobs["condition"] = "class" if knobs["num_classes"] else None
    return knobs


def _recipe_knobs(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {
        knob: _normal(knob, recipe[setting])
        for knob, setting in OF_RECIPE.items()
        if setting in recipe
    }


def _normal(knob: str, value: Any) -> Any:
    """A value as it is compared: names and lists, however they were written."""
    if knob == "windows":
        if isinstance(value, str):
            raise ValueError(f"`windows` must be a list, got {value!r}: write [{value}].")
        windows = [check_window(window) for window in value]
        return [window if isinstance(window, str) else list(window) for window in windows]
    if knob == "only_labels":
        return [value] if isinstance(value, str) else list(value)
    return value


def _meaning(knob: str, value: Any) -> Any:
    """A value as it acts: a window has a name and two numbers."""
    if knob != "windows":
        return value
    return [FILE_WINDOW if name == FILE_WINDOW else resolve_window(name, None) for name in value]
