"""The benefit study: the whole path for several seeds, stage by stage, restartable anywhere.

Every stage leaves files in the study's folder and is skipped when they are there and still
belong to the same settings::

    output_dir/
      pool.json                     every image with label and patient, near-duplicates grouped
      cache/                        the decoded images
      seed-0/datalist.json          the split of this seed
      seed-0/gan/                   one run of the GAN bundle (or gan-<class>/, one per class)
      seed-0/synthetic/             its images and their datalist
      seed-0/quality/               kernel distance and diversity beside real-versus-real
      seed-0/arm-<name>/            one run of the classifier bundle per arm
      study.json                    everything a report needs
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monai_gan_aug.data.datalist import Datalist
from monai_gan_aug.engines.locking import FolderLock
from monai_gan_aug.errors import DataError
from monai_gan_aug.evaluation.arms import Arm, arm
from monai_gan_aug.evaluation.executors import job_executor
from monai_gan_aug.evaluation.gan_runs import GanRecipe, GanRuns
from monai_gan_aug.evaluation.jobs import BundleJob, run_jobs
from monai_gan_aug.evaluation.pictures import draw_grids
from monai_gan_aug.evaluation.published import PublishedTable
from monai_gan_aug.evaluation.study_data import StudyData, preprocessing
from monai_gan_aug.evaluation.study_record import Comparison, StudyRecord, write_record

__all__ = ["Study"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Study:
    """Whether synthetic images help the same classifier, on one data set.

    Args:
        title: What the images and classes are, for the report.
        data: The images and how their patients are split.
        output_dir: Folder of the study; nothing is written elsewhere.
        seeds: One split, GAN and set of classifiers per seed.
        gan: How the GAN is trained.
        classifier: Knobs of ``augmentation_classifier``.
        arms: Names from :data:`monai_gan_aug.evaluation.arms.ARMS`.
        comparison: Arguments of :class:`~monai_gan_aug.evaluation.study_record.Comparison`.
        network: ``configs/network_<…>.yaml`` of the classifier bundle.
        published: Numbers of a publication to stand beside in the report.
        show_real_images: Put real training images beside the synthetic ones in the report.
        bundles_dir: Folder that holds both bundles.
        device: Device of the jobs, ``"cpu"`` or ``"cuda"``.
        workers: Processes; the number of usable cores if not given.
        scheduler: Address of a dask scheduler whose workers run the jobs instead.

    Raises:
        DataError: If the seeds or the comparison's arms do not make a study.
        ValueError: If an arm is unknown.
    """

    title: str
    data: StudyData
    output_dir: str
    seeds: Sequence[int]
    arms: Sequence[str]
    comparison: Mapping[str, Any]
    gan: GanRecipe = field(default_factory=GanRecipe)
    classifier: Mapping[str, Any] = field(default_factory=dict)
    network: str = "small_cnn"
    published: PublishedTable | None = None
    show_real_images: bool = True
    bundles_dir: str = "bundles"
    device: str = "cpu"
    workers: int | None = None
    scheduler: str | None = None

    def __post_init__(self) -> None:
        for name in self.arms:
            arm(name)
        missing = set(Comparison(**self.comparison).names) - set(self.arms)
        if missing:
            raise DataError(f"The comparison needs arms that are not run: {sorted(missing)}.")
        if len(set(self.seeds)) != len(self.seeds) or len(self.seeds) < 2:
            raise DataError(
                f"`seeds` must be two or more different numbers, got {list(self.seeds)}: one run "
                "cannot show how much luck matters."
            )

    def run(self, executor: Executor | None = None) -> Path:
        """Run what is not finished and return the path of ``study.json``.

        Args:
            executor: Anything with ``submit``; a local process pool if not given.

        Raises:
            DataError: If the data cannot support the study, or another run writes its folder.
            JobError: If a run of a bundle fails.
        """
        lock = FolderLock(self._folder)
        lock.acquire()
        try:
            return self._run(executor)
        finally:
            lock.release()

    def _run(self, executor: Executor | None) -> Path:
        start = time.monotonic()
        datalists = self.data.splits(self._folder, self.seeds)
        self.data.decode(self._folder, self.gan.image)
        gan = self._gan_runs(next(iter(datalists.values())).labels)
        stages: dict[str, Callable[[int], list[BundleJob]]] = {
            "GAN": gan.trainings,
            "generate": gan.generations,
            "quality": gan.comparisons,
            "classifiers": lambda seed: [self._classifier(seed, arm(n), gan) for n in self.arms],
        }
        with ExitStack() as stack:
            chosen = executor or stack.enter_context(job_executor(self.workers, self.scheduler))
            seconds = {
                title: run_jobs(
                    [job for seed in self.seeds for job in make(seed)], chosen, title=f"{title:<12}"
                )
                for title, make in stages.items()
            }
        return write_record(
            StudyRecord(
                folder=self._folder,
                name=self.data.name,
                title=self.title,
                datalists=datalists,
                arms=tuple(arm(name) for name in self.arms),
                comparison=Comparison(**self.comparison),
                recipe=self._recipe_summary(),
                grids=self._grids(datalists, gan),
                published=self.published,
                stages=seconds,
                seconds=time.monotonic() - start,
            )
        )

    @property
    def _folder(self) -> Path:
        return Path(self.output_dir).resolve()

    def _gan_runs(self, labels: Sequence[str]) -> GanRuns:
        bundles = Path(self.bundles_dir).resolve()
        return GanRuns(self.data, self.gan, self._folder, labels, bundles, self.device)

    def _classifier(self, seed: int, chosen: Arm, gan: GanRuns) -> BundleJob:
        root = Path(self.bundles_dir).resolve() / "augmentation_classifier"
        output_dir = self._folder / f"seed-{seed}" / f"arm-{chosen.name}"
        synthetic = gan.synthetic(seed) if chosen.synthetic else []
        return BundleJob(
            name=f"seed-{seed}/arm-{chosen.name}",
            bundle=root,
            config_files=(
                "common.yaml",
                f"network_{self.network}.yaml",
                chosen.config_file,
                "train.yaml",
            ),
            overrides={
                "bundle_root": str(root),
                **self.data.knobs(self._folder, seed),
                "device": f"$torch.device('{self.device}')",
                "output_dir": str(output_dir),
                **self.classifier,
                "synthetic": [str(path) for path in synthetic],
            },
            output_dir=output_dir,
            inputs=(self.data.datalist_path(self._folder, seed), *synthetic),
        )

    def _grids(self, datalists: Mapping[int, Datalist], gan: GanRuns) -> list[dict[str, Any]]:
        seed = self.seeds[0]
        return draw_grids(
            self._folder,
            datalists[seed],
            gan.synthetic(seed),
            dataset_dir=self.data.root,
            recipe=preprocessing({**self.data.image, **self.gan.image}),
            cache_dir=self._folder / "cache",
            seed=seed,
            show_real=self.show_real_images,
        )

    def _recipe_summary(self) -> dict[str, Any]:
        return {
            "preprocessing": dict(self.data.image),
            "split": dict(self.data.split),
            "gan": {
                "preset": self.gan.preset,
                "per class": self.gan.per_class,
                "samples per class": self.gan.samples_per_class,
                **self.gan.image,
                **self.gan.knobs,
            },
            "classifier": {"network": self.network, **self.classifier},
            "metric": Comparison(**self.comparison).metric,
        }
