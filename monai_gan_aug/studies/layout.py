"""Where everything of a study lies: the only place that knows the names of its folders and files.

::

    output_dir/                         StudyLayout
      pool.json                         every image with label and patient, near-duplicates grouped
      cache/                            the decoded images
      external/<set>/                   ExternalLayout: an external test set
        pool.json datalist.json         its images, all of them in the test split
        look_alikes.json                how many look like one of the study
      seed-0/                           SeedLayout
        datalist.json                   the split of this seed
        unlabelled.json                 images that are learned from without their class
        <arm>.json                      the split with more training patients, for such arms
        pseudo/                         GuessLayout: guessed classes of unlabelled images
        gan/ synthetic/ selection/      GanLayout: a GAN, its images, a choice among them
        gan-0/ synthetic-0/ …           the same for one GAN per class
        quality/ screen/                its images beside real ones, its copy screen
        unlabelled-gan/ …               a GAN that learned from unlabelled images as well
        arm-<arm>/                      ArmLayout: what an arm left, trained or derived
        external/<set>/arm-<arm>/       what it said about an external test set
      patients-10/seed-0/…              all of a seed again with fewer training patients
      figures/                          pictures of the report
      plan.json                         what was asked before anything was trained, and every look
      study.json                        everything a report needs

A comparison of GANs has the same layout without arms: its GANs are ``seed-0/<gan>-gan/`` and so
on, and its record is ``comparison.json``. What the folder of a job holds besides its results is the
business of :mod:`monai_gan_aug.studies.jobs`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monai_gan_aug.generation.pseudo_labels import GUESSED, SEMI
from monai_gan_aug.generation.selection import CONTROL, SELECTED

__all__ = [
    "ArmLayout",
    "ExternalLayout",
    "GanLayout",
    "GuessLayout",
    "SeedLayout",
    "StudyLayout",
]

UNLABELLED = "unlabelled-"

Part = int | None
"""Which GAN of a recipe: the position of its class, or nothing for one GAN for all classes."""


@dataclass(frozen=True)
class StudyLayout:
    """Paths of a study, or of one of its repetitions with fewer training patients.

    Args:
        root: Folder of the whole study.
        training_patients: Training patients per class of a repetition; none for the study itself.
    """

    root: Path
    training_patients: int | None = None

    def with_patients(self, number: int) -> "StudyLayout":
        """The repetition with so many training patients per class."""
        return StudyLayout(self.root, number)

    @property
    def is_main(self) -> bool:
        """Whether it is the study itself, whose pictures and quality are reported."""
        return self.training_patients is None

    @property
    def folder(self) -> Path:
        """The folder with the seeds."""
        if self.training_patients is None:
            return self.root
        return self.root / f"patients-{self.training_patients}"

    @property
    def pool(self) -> Path:
        """Every image of the study."""
        return self.root / "pool.json"

    @property
    def cache(self) -> Path:
        """The decoded images, of every repetition."""
        return self.root / "cache"

    @property
    def plan(self) -> Path:
        """What was asked before anything was trained, later changes, and every look."""
        return self.root / "plan.json"

    @property
    def record(self) -> Path:
        """What a report is made of."""
        return self.root / "study.json"

    @property
    def comparison(self) -> Path:
        """The record of a comparison of GANs; its tables lie beside it."""
        return self.root / "comparison.json"

    @property
    def figures(self) -> Path:
        """Pictures of the report."""
        return self.root / "figures"

    def seed(self, seed: int) -> "SeedLayout":
        """Everything of one seed."""
        return SeedLayout(self.folder / f"seed-{seed}")

    def seeds_with_results(self) -> set[int]:
        """Seeds of which any arm was judged, whatever the number of training patients."""
        folders = [*self.root.glob("seed-*"), *self.root.glob("patients-*/seed-*")]
        return {
            int(folder.name.removeprefix("seed-"))
            for folder in folders
            if any(folder.glob("arm-*/predictions.json"))
        }

    def external(self, name: str) -> "ExternalLayout":
        """An external test set, which all repetitions share."""
        return ExternalLayout(self.root / "external" / name)


@dataclass(frozen=True)
class ExternalLayout:
    """Paths of an external test set."""

    folder: Path

    @property
    def pool(self) -> Path:
        """Every image of the set."""
        return self.folder / "pool.json"

    @property
    def datalist(self) -> Path:
        """Its images, all of them in the test split."""
        return self.folder / "datalist.json"

    @property
    def look_alikes(self) -> Path:
        """How many of its images look like one of the study."""
        return self.folder / "look_alikes.json"


@dataclass(frozen=True)
class SeedLayout:
    """Paths of one seed."""

    folder: Path

    @property
    def datalist(self) -> Path:
        """The split."""
        return self.folder / "datalist.json"

    @property
    def unlabelled(self) -> Path:
        """Images that are learned from without their class."""
        return self.folder / "unlabelled.json"

    def more_patients(self, arm: str) -> Path:
        """The split with the training patients of an arm that has more of them."""
        return self.folder / f"{arm}.json"

    @property
    def guesses(self) -> "GuessLayout":
        """Guessed classes of unlabelled images."""
        return GuessLayout(self.folder / "pseudo")

    def gan(self, prefix: str = "") -> "GanLayout":
        """A GAN; the one of a study has no prefix."""
        return GanLayout(self.folder, prefix)

    @property
    def unlabelled_gan(self) -> "GanLayout":
        """The GAN that learned from unlabelled images as well."""
        return GanLayout(self.folder, UNLABELLED)

    @property
    def gans(self) -> Mapping[str, "GanLayout"]:
        """Both GANs a study may have, by what a report calls them."""
        return {"": self.gan(), "with unlabelled": self.unlabelled_gan}

    def arm(self, name: str, external: str | None = None) -> "ArmLayout":
        """What an arm said about the test split, or about an external set."""
        place = self.folder if external is None else self.folder / "external" / external
        return ArmLayout(place / f"arm-{name}")


@dataclass(frozen=True)
class GuessLayout:
    """Paths of guessed classes."""

    folder: Path

    @property
    def guessed(self) -> Path:
        """The images with their guesses."""
        return self.folder / GUESSED

    @property
    def enlarged(self) -> Path:
        """The split with its training part enlarged by them."""
        return self.folder / SEMI


@dataclass(frozen=True)
class ArmLayout:
    """Paths of what an arm left."""

    folder: Path

    @property
    def predictions(self) -> Path:
        """Probabilities for every image."""
        return self.folder / "predictions.json"

    @property
    def metrics(self) -> Path:
        """Metrics, steps and origin."""
        return self.folder / "metrics.json"

    @property
    def curves(self) -> Path:
        """The learning curve; none of results on an external set."""
        return self.folder / "curves.json"

    @property
    def checkpoint(self) -> Path:
        """The final weights."""
        return self.folder / "checkpoints" / "latest.json"


@dataclass(frozen=True)
class GanLayout:
    """Paths of the GANs of one recipe: one for all classes, or one for each.

    Args:
        seed_folder: Folder of the seed.
        prefix: Put in front of the names of its folders.
    """

    seed_folder: Path
    prefix: str

    def training(self, part: Part = None) -> Path:
        """Folder of a training."""
        return self._folder("gan", part)

    def curves(self, part: Part = None) -> Path:
        """Losses and probabilities of a training."""
        return self.training(part) / "curves.json"

    def alarms(self, part: Part = None) -> Path:
        """What the guards of a training said."""
        return self.training(part) / "alarms.json"

    def checkpoint(self, part: Part = None, *, best: bool = False) -> Path:
        """Weights of the last step, or of the best epoch by the distance to validation images."""
        kept = self.training(part) / "checkpoints"
        return (kept / "best" if best else kept) / "latest.json"

    def generation(self, part: Part = None) -> Path:
        """Folder of the synthetic images."""
        return self._folder("synthetic", part)

    def synthetic(self, part: Part = None) -> Path:
        """Datalist of the synthetic images."""
        return self.generation(part) / "datalist.json"

    def selected(self, part: Part = None, *, at_random: bool = False) -> Path:
        """Datalist of those that were selected, or of as many at random."""
        return self.generation(part) / (CONTROL if at_random else SELECTED)

    def selection(self, part: Part = None) -> Path:
        """Folder of what the selection cost."""
        return self._folder("selection", part)

    def selection_cost(self, part: Part = None) -> Path:
        """What the selection cost."""
        return self.selection(part) / "selection.json"

    @property
    def evaluation(self) -> Path:
        """Folder of the comparison with real images."""
        return self._folder("quality", None)

    @property
    def quality(self) -> Path:
        """The comparison with real images."""
        return self.evaluation / "quality.json"

    @property
    def screen(self) -> Path:
        """Folder of the copy screen."""
        return self._folder("screen", None)

    @property
    def screening(self) -> Path:
        """What the copy screen saw."""
        return self.screen / "screening.json"

    def parts(self, labels: Sequence[str]) -> list[Part]:
        """The GANs that were trained, one for all of ``labels`` or one for each; in that order."""
        possible: list[Part] = [None, *range(len(labels))]
        return [part for part in possible if self.curves(part).is_file()]

    def drawn(self, labels: Sequence[str]) -> list[Path]:
        """Datalists of the synthetic images that were drawn, in the order of :meth:`parts`."""
        possible = [self.synthetic(part) for part in (None, *range(len(labels)))]
        return [path for path in possible if path.is_file()]

    def _folder(self, kind: str, part: Part) -> Path:
        suffix = "" if part is None else f"-{part}"
        return self.seed_folder / f"{self.prefix}{kind}{suffix}"
