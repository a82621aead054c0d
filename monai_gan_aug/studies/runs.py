"""The jobs of a benefit study at one number of training patients, stage by stage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from monai_gan_aug.data.training_sets import unlabelled_list, with_more_patients
from monai_gan_aug.errors import DataError
from monai_gan_aug.generation.pseudo_labels import SEMI
from monai_gan_aug.privacy.screening import can_screen
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.studies.arms import Arm, arm, trained_arms
from monai_gan_aug.studies.classifier_runs import (
    LABELLER,
    PSEUDO,
    ClassifierRecipe,
    ClassifierRuns,
)
from monai_gan_aug.studies.data import StudyData
from monai_gan_aug.studies.external import ExternalSet
from monai_gan_aug.studies.gan_runs import GanRecipe, GanRuns
from monai_gan_aug.studies.jobs import BundleJob

__all__ = ["StudyRuns"]

Make = Callable[[int], list[BundleJob]]


@dataclass(frozen=True)
class StudyRuns:
    """All jobs of one number of training patients.

    Args:
        data: The images.
        root: Folder of the study; decoded images lie in its ``cache``.
        folder: Folder of these runs, ``root`` or below it.
        datalists: Split of every seed.
        arms: Arms of the study; what they are chosen or averaged from is trained as well.
        gan: How the GAN is trained.
        semi_gan: How the GAN is trained that learns from unlabelled images as well.
        classifier: How the classifiers are trained.
        selection: Knobs of the GAN bundle's ``select.yaml``.
        unlabelled_images: Unlabelled images at most.
        bundles_dir: Folder of both bundles.
        device: Device of the jobs.
        external: External test sets, by name.
    """

    data: StudyData
    root: Path
    folder: Path
    datalists: Mapping[int, Datalist]
    arms: tuple[Arm, ...]
    gan: GanRecipe
    semi_gan: GanRecipe
    classifier: ClassifierRecipe
    selection: Mapping[str, Any]
    unlabelled_images: int
    bundles_dir: Path
    device: str = "cpu"
    external: Mapping[str, ExternalSet] = field(default_factory=dict)

    @cached_property
    def gans(self) -> GanRuns:
        """The GAN that learns from the labelled training images."""
        return self._gan_runs(self.gan, "", "datalist.json")

    @cached_property
    def semi_gans(self) -> GanRuns:
        """The GAN that learns from unlabelled images as well."""
        return self._gan_runs(self.semi_gan, "semi-", f"{PSEUDO}/{SEMI}")

    @cached_property
    def classifiers(self) -> ClassifierRuns:
        """The classifiers of all arms."""
        return ClassifierRuns(
            self.data,
            self.classifier,
            self.folder,
            self.root,
            self.gans,
            self.semi_gans,
            self.bundles_dir,
            self.device,
        )

    @property
    def trained(self) -> tuple[Arm, ...]:
        """Arms to train, those included that others are chosen or averaged from."""
        return trained_arms(self.arms)

    @property
    def uses_gan(self) -> bool:
        """Whether an arm takes something from the GAN of the labelled images."""
        return any(one.uses_gan and not one.semi for one in self.trained)

    @property
    def uses_semi_gan(self) -> bool:
        """Whether an arm takes something from the GAN that learns from unlabelled images."""
        return any(one.uses_gan and one.semi for one in self.trained)

    def prepare(self) -> None:
        """Write the datalists that arms need besides the split.

        Raises:
            DataError: If the images, or what the GAN makes, cannot support an arm.
        """
        self._refuse_images_without_classes()
        found = self.data.pool(self.root)
        pool, classless = found.entries, found.unlabelled
        unequal = [one.name for one in self.trained if one.unequal]
        for seed, datalist in self.datalists.items():
            sizes = set(datalist.counts("training").values())
            if unequal and len(sizes) == 1:
                raise DataError(
                    f"All classes have {sizes.pop()} training images at seed {seed}, so none is "
                    f"smaller: leave out {', '.join(unequal)}."
                )
            if any(one.unlabelled for one in self.trained):
                images = unlabelled_list(datalist, pool, self.unlabelled_images, classless)
                images.save(self._datalist(seed, "unlabelled.json"))
            for one in self.trained:
                if one.patients > 1:
                    more = with_more_patients(datalist, pool, one.patients)
                    more.save(self._datalist(seed, f"{one.name}.json"))

    def _refuse_images_without_classes(self) -> None:
        for runs, semi in ((self.gans, False), (self.semi_gans, True)):
            needed = [one.name for one in self.trained if one.generated and one.semi == semi]
            if needed and not runs.knows_classes():
                raise DataError(
                    f"{', '.join(needed)} need images with a class, but a GAN with `condition: "
                    f"null` does not know any: leave them out, or change `condition` of "
                    f"`{'semi_gan' if semi else 'gan'}` or its preset."
                )

    def stages(self) -> dict[str, Make]:
        """Functions from a seed to jobs; the jobs of a stage need those of the stages before."""
        runs, trained = self.classifiers, self.trained
        guessed = any(one.guessed for one in trained)
        selected = any(one.source in ("selected", "random_selection") for one in trained)
        drawn = any(one.generated and one.semi for one in trained)
        every: dict[str, Make | None] = {
            "labeller": (lambda seed: [runs.train(seed, arm(LABELLER))]) if guessed else None,
            "guess": (lambda seed: [runs.guess(seed)]) if guessed else None,
            "GAN": self._of_gans(GanRuns.trainings, semi=self.uses_semi_gan),
            "generate": self._of_gans(GanRuns.generations, semi=drawn),
            "quality": self._if_main(self.gans.comparisons),
            "screen": self._if_main(self._screenings),
            "select": (lambda seed: self.gans.selections(seed, self.selection))
            if selected
            else None,
            "classifiers": lambda seed: [runs.train(seed, one) for one in trained],
            "external": lambda seed: [
                runs.judge(seed, one, name, found)
                for name, found in self.external.items()
                for one in trained
            ],
            "choose": lambda seed: [
                runs.choose(seed, one, place)
                for one in self.arms
                if one.chosen_from
                for place in (None, *self.external)
            ],
            "average": lambda seed: [
                runs.average(seed, one, place)
                for one in self.arms
                if one.averaged_from
                for place in (None, *self.external)
            ],
        }
        return {title: make for title, make in every.items() if make is not None}

    def _of_gans(self, make: Callable[[GanRuns, int], list[BundleJob]], *, semi: bool) -> Make:
        """Jobs of the GAN if an arm uses it, and of the one that saw unlabelled images if asked."""
        gans = [*([self.gans] if self.uses_gan else []), *([self.semi_gans] if semi else [])]
        return lambda seed: [job for runs in gans for job in make(runs, seed)]

    def _if_main(self, make: Make) -> Make:
        """Only for a GAN that is used, and the largest training set: nothing reports the others."""
        return make if self.uses_gan and self.folder == self.root else lambda seed: []

    def _screenings(self, seed: int) -> list[BundleJob]:
        return self.gans.screenings(seed) if can_screen(self.datalists[seed]) else []

    def _gan_runs(self, recipe: GanRecipe, prefix: str, datalist_name: str) -> GanRuns:
        labels = next(iter(self.datalists.values())).labels
        return GanRuns(
            self.data,
            recipe,
            self.folder,
            labels,
            self.bundles_dir,
            self.device,
            prefix,
            self.root,
            datalist_name,
        )

    def _datalist(self, seed: int, name: str) -> Path:
        return self.data.datalist_path(self.folder, seed, name)
