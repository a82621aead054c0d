"""What generated images are like: ``quality.json``, ``screening.json`` and ``selection.json``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from monai_gan_aug.records.files import FileRecord

__all__ = [
    "SIZES",
    "ClassSelection",
    "NearCopies",
    "NearCopy",
    "QualityFile",
    "QualityRow",
    "ScreeningFile",
    "SelectionCost",
    "SelectionCriteria",
    "SelectionFile",
]

SIZES = ("training", "held_out", "baseline", "synthetic")
"""Names of the sets whose numbers of images stand in a recipe."""

NearCopies = Literal["report", "drop", "block"]
"""What is done about near copies: nothing, leave them out, or export no image at all."""


@dataclass(frozen=True)
class QualityRow:
    """One number about generated images beside the same number of real ones in their place.

    Args:
        metric: Its name.
        value: Of the synthetic images.
        real_versus_real: The same number of real images in their place.
        lower_is_better: Whether a smaller value is the better one.
        recipe: How it was computed; :data:`SIZES` in it count the images of each set.
        interval: Ends of the 95 % interval of ``value`` over patients and generated images.
        label: The class it is of; nothing for all classes together.
        count: Number of images called right and of all, where the value is a share of images.
        set: Name of the synthetic set, where several were compared.
    """

    metric: str
    value: float
    real_versus_real: float
    lower_is_better: bool
    recipe: Mapping[str, object] = field(default_factory=dict)
    interval: tuple[float, float] | None = None
    label: str | None = None
    count: tuple[int, int] | None = None
    set: str | None = None

    @property
    def method(self) -> dict[str, object]:
        """The recipe without the numbers of images: rows compare only when it is the same."""
        return {key: value for key, value in self.recipe.items() if key not in SIZES}

    @property
    def sizes(self) -> tuple[int, ...]:
        """Images of each set, in the order of :data:`SIZES`."""
        sizes = (self.recipe.get(key) for key in SIZES)
        return tuple(size for size in sizes if isinstance(size, int))


@dataclass(frozen=True)
class QualityFile(FileRecord):
    """``quality.json``: image quality of one or several synthetic sets."""

    KIND = "a quality file"
    REMEDY = "run evaluate.yaml to write it"

    rows: tuple[QualityRow, ...]

    @classmethod
    def upgraded(cls, content: Any, schema: int) -> Any:
        """Without a number the file was the list of rows alone."""
        return {"rows": content}


@dataclass(frozen=True)
class NearCopy:
    """A generated image that is close to a training image.

    Args:
        id: Its content id.
        label: Its class.
        training_id: Content id of the training image.
        seen_in: What flagged it, ``pixels`` or ``features``.
        distance_pixels: Distance of the two by pixels.
    """

    id: str
    label: str
    training_id: str
    seen_in: tuple[str, ...]
    distance_pixels: float


@dataclass(frozen=True)
class ScreeningFile(FileRecord):
    """``screening.json``: the copy screen of a synthetic set.

    Args:
        caveat: What a screen cannot say.
        conclusion: One sentence.
        setting: What was done about near copies.
        images: Generated images that were screened.
        near_copies: Those that were flagged.
        recipe: How it was computed.
        rows: Its numbers; ``real_versus_real`` is the control.
    """

    KIND = "the record of a copy screen"
    REMEDY = "run screen.yaml to write it"

    caveat: str
    conclusion: str
    setting: NearCopies
    images: int
    near_copies: tuple[NearCopy, ...]
    recipe: Mapping[str, object]
    rows: tuple[QualityRow, ...]

    @classmethod
    def upgraded(cls, content: Any, schema: int) -> Any:
        """Without a number, the class of a near copy was called ``class``."""
        if not isinstance(content, dict) or not isinstance(content.get("near_copies"), list):
            return None
        return {**content, "near_copies": [_labelled(item) for item in content["near_copies"]]}


@dataclass(frozen=True)
class SelectionCriteria:
    """What an image had to pass; 0 is off.

    Args:
        confidence: Smallest probability of the intended class.
        realism: Smallest local density among training images.
        diversity: Smallest distance to an image already kept.
        budget: Images per class; all that pass if nothing.
    """

    confidence: float
    realism: float
    diversity: float
    budget: int | None = None


@dataclass(frozen=True)
class SelectionCost:
    """A number of the selected images, of as many at random, and what the choice lost."""

    selected: float
    random: float
    lost: float


@dataclass(frozen=True)
class ClassSelection:
    """The choice among the images of one class.

    Args:
        label: The class.
        generated: Images there were.
        accepted: Images that passed every criterion.
        acceptance_rate: Their share.
        passed: Images that passed each criterion.
        real_accepted_by_confidence: Share of real images that would pass the classifier.
        selected: Images that were kept.
        cost: Coverage, recall, precision and density; empty with too few images.
    """

    label: str
    generated: int
    accepted: int
    acceptance_rate: float
    passed: Mapping[str, int]
    real_accepted_by_confidence: float
    selected: int
    cost: Mapping[str, SelectionCost] = field(default_factory=dict)


@dataclass(frozen=True)
class SelectionFile(FileRecord):
    """``selection.json``: what a choice among generated images kept, and what it cost."""

    KIND = "the record of a selection"
    REMEDY = "run select.yaml to write it"

    settings: SelectionCriteria
    classes: tuple[ClassSelection, ...]

    @classmethod
    def upgraded(cls, content: Any, schema: int) -> Any:
        """Without a number, the costs stood beside the counts."""
        if not isinstance(content, dict) or not isinstance(content.get("classes"), list):
            return None
        costs = ("coverage", "recall", "precision", "density")
        classes = []
        for item in map(_labelled, content["classes"]):
            cost = {name: item.pop(name) for name in costs if item.get(name)}
            item.pop("coverage", None)
            classes.append({**item, "cost": cost})
        return {**content, "classes": classes}


def _labelled(item: Any) -> dict[str, Any]:
    """The item with its ``class`` called ``label``."""
    return {"label" if key == "class" else key: value for key, value in dict(item).items()}
