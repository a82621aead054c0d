"""The jobs of a benefit study at one number of training patients."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from monai_gan_aug.data.training_sets import unlabelled_list, with_more_patients
from monai_gan_aug.errors import DataError
from monai_gan_aug.privacy.screening import can_screen
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.studies.arms import LABELLER, Arm, arms_needed_by
from monai_gan_aug.studies.arms import arm as arm_called
from monai_gan_aug.studies.bundle_runs import KINDS, BundleRuns
from monai_gan_aug.studies.classifier_runs import ClassifierRecipe, ClassifierRuns
from monai_gan_aug.studies.external import ExternalSet
from monai_gan_aug.studies.gan_runs import GanRecipe, GanRuns
from monai_gan_aug.studies.jobs import BundleJob
from monai_gan_aug.studies.layout import GanLayout, SeedLayout

__all__ = ["Recipes", "StudyRuns"]


@dataclass(frozen=True)
class Recipes:
    """How everything in a study is made.

    Args:
        gan: How the GAN is trained.
        unlabelled_gan: How the GAN is trained that learns from unlabelled images as well.
        classifier: How the classifiers are trained.
        selection: Knobs of the GAN bundle's ``select.yaml``.
        unlabelled_images: Unlabelled images at most.
    """

    gan: GanRecipe
    unlabelled_gan: GanRecipe
    classifier: ClassifierRecipe
    selection: Mapping[str, Any]
    unlabelled_images: int


def _unlabelled_gan(seed: SeedLayout) -> GanLayout:
    return seed.unlabelled_gan


def _with_guesses(seed: SeedLayout) -> Path:
    return seed.guesses.enlarged


@dataclass(frozen=True)
class StudyRuns:
    """All jobs of one number of training patients.

    Args:
        runs: What the jobs share.
        datalists: Split of every seed.
        arms: Arms of the study; what they are chosen or averaged from is trained as well.
        recipes: How everything is made.
        external: External test sets, by name.
    """

    runs: BundleRuns
    datalists: Mapping[int, Datalist]
    arms: tuple[Arm, ...]
    recipes: Recipes
    external: Mapping[str, ExternalSet] = field(default_factory=dict)

    @cached_property
    def gans(self) -> GanRuns:
        """The GAN that learns from the labelled training images."""
        return GanRuns(self.runs, self.recipes.gan, self._labels)

    @cached_property
    def unlabelled_gans(self) -> GanRuns:
        """The GAN that learns from unlabelled images as well."""
        recipe = self.recipes.unlabelled_gan
        return GanRuns(self.runs, recipe, self._labels, _unlabelled_gan, _with_guesses)

    @cached_property
    def classifiers(self) -> ClassifierRuns:
        """The classifiers of all arms."""
        return ClassifierRuns(self.runs, self.recipes.classifier, self.gans, self.unlabelled_gans)

    @property
    def trained(self) -> tuple[Arm, ...]:
        """Arms to train, those included that others are chosen or averaged from."""
        return arms_needed_by(self.arms)

    @property
    def uses_gan(self) -> bool:
        """Whether an arm takes something from the GAN of the labelled images."""
        return any(arm.uses_gan and not arm.unlabelled_gan for arm in self.trained)

    @property
    def uses_unlabelled_gan(self) -> bool:
        """Whether an arm takes something from the GAN that learns from unlabelled images."""
        return any(arm.uses_gan and arm.unlabelled_gan for arm in self.trained)

    def prepare(self) -> None:
        """Write the datalists that arms need besides the split.

        Raises:
            DataError: If the images, or what the GAN makes, cannot support an arm.
        """
        self._refuse_images_without_classes()
        pool = self.runs.data.pool(self.runs.layout)
        unequal = [arm.name for arm in self.trained if arm.unequal_classes]
        for seed, datalist in self.datalists.items():
            place = self.runs.layout.seed(seed)
            sizes = set(datalist.counts("training").values())
            if unequal and len(sizes) == 1:
                raise DataError(
                    f"All classes have {sizes.pop()} training images at seed {seed}, so none is "
                    f"smaller: leave out {', '.join(unequal)}."
                )
            if any(arm.unlabelled for arm in self.trained):
                images = unlabelled_list(
                    datalist, pool.entries, self.recipes.unlabelled_images, pool.unlabelled
                )
                images.save(place.unlabelled)
            for arm in self.trained:
                if arm.patients > 1:
                    more = with_more_patients(datalist, pool.entries, arm.patients)
                    more.save(place.more_patients(arm.name))

    def _refuse_images_without_classes(self) -> None:
        for gans, unlabelled in ((self.gans, False), (self.unlabelled_gans, True)):
            needed = [
                arm.name
                for arm in self.trained
                if arm.generated and arm.unlabelled_gan == unlabelled
            ]
            if needed and not gans.knows_classes():
                raise DataError(
                    f"{', '.join(needed)} need images with a class, but a GAN with `condition: "
                    f"null` does not know any: leave them out, or change `condition` of "
                    f"`{'unlabelled_gan' if unlabelled else 'gan'}` or its preset."
                )

    def jobs(self) -> list[BundleJob]:
        """Everything to be run; what waits for what is said by their inputs and outputs."""
        jobs = [job for seed in self.datalists for job in self._jobs_of_seed(seed)]
        return sorted(jobs, key=lambda job: KINDS.index(job.kind))

    def _jobs_of_seed(self, seed: int) -> list[BundleJob]:
        arms, classifiers = list(self.trained), self.classifiers
        jobs: list[BundleJob] = []
        if any(arm.guessed for arm in arms):
            if arm_called(LABELLER) not in arms:
                arms.insert(0, arm_called(LABELLER))
            jobs.append(classifiers.guess(seed))
        if self.uses_gan:
            jobs += [*self.gans.trainings(seed), *self.gans.generations(seed)]
            if self.runs.layout.is_main:  # nothing reports those of smaller training sets
                jobs += self.gans.comparisons(seed)
                if can_screen(self.datalists[seed]):
                    jobs += self.gans.screenings(seed)
        if any(arm.selected for arm in arms):
            jobs += self.gans.selections(seed, self.recipes.selection)
        if self.uses_unlabelled_gan:
            jobs += self.unlabelled_gans.trainings(seed)
        if any(arm.generated and arm.unlabelled_gan for arm in arms):
            jobs += self.unlabelled_gans.generations(seed)
        jobs += [classifiers.train(seed, arm) for arm in arms]
        jobs += [
            classifiers.judge(seed, arm, name, external)
            for name, external in self.external.items()
            for arm in self.trained
        ]
        return jobs

    @property
    def _labels(self) -> tuple[str, ...]:
        return next(iter(self.datalists.values())).labels
