"""What the classifiers of a study said about external test sets, for ``study.json``."""

from collections.abc import Iterable, Mapping, Sequence

from monai_gan_aug.metrics.weighted import METRICS
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.results import ArmMetrics, ExternalResults, TrainingOverlap
from monai_gan_aug.statistics.estimates import as_estimate
from monai_gan_aug.statistics.study_statistics import StudyStatistics
from monai_gan_aug.studies.arms import Arm
from monai_gan_aug.studies.comparisons import Asked, comparison_rows, conclusion
from monai_gan_aug.studies.layout import SeedLayout
from monai_gan_aug.studies.outcomes import arm_outcome, require_split

__all__ = ["external_results"]


def external_results(
    datalists: Mapping[str, Datalist],
    seeds: Iterable[SeedLayout],
    arms: Sequence[Arm],
    asked: Asked,
    overlap: TrainingOverlap,
) -> tuple[ExternalResults, ...]:
    """Counts, metrics, paired differences and a verdict for every external set.

    The classifiers of all seeds judge the same images. Intervals speak of trainings and patients of
    that place, and no correction is made for the number of sets.

    Args:
        datalists: External sets by name, all images in the test split.
        seeds: Where the seeds lie.
        arms: Arms of the study.
        asked: What the verdict is about.
        overlap: How far the training sets of the seeds are the same patients.

    Raises:
        DataError: If predictions are missing, or belong to another list.
    """
    seeds = list(seeds)
    sets = []
    for name, datalist in datalists.items():
        predictions = [
            arm_outcome(seed, arm, external=name).predictions for seed in seeds for arm in arms
        ]
        for item in predictions:
            require_split(item, datalist)
        statistics = StudyStatistics(predictions, overlap)
        sets.append(
            ExternalResults(
                name=name,
                images=datalist.counts("test"),
                patients=datalist.group_counts("test"),
                grouping=datalist.split.grouping,
                caveats=datalist.caveats,
                arms=tuple(
                    ArmMetrics(
                        arm.name,
                        {
                            key: as_estimate(statistics.metric(arm.name, key), asked.tail)
                            for key in METRICS
                        },
                    )
                    for arm in arms
                ),
                comparisons=comparison_rows(statistics, arms, asked),
                verdict=conclusion(statistics, arms, asked),
            )
        )
    return tuple(sets)
