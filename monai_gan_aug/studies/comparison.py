"""Several GANs on the same splits: image quality beside real-versus-real, and beside a publication.

Every run is a job of its own folder (:mod:`monai_gan_aug.studies.layout`) and is skipped when it is
finished. The table lies beside ``comparison.json``, as Markdown and as CSV.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import write_bytes
from monai_gan_aug.io.locking import FolderLock
from monai_gan_aug.records.comparison import ComparedGan, ComparisonRecord
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.quality import QualityFile
from monai_gan_aug.records.study_parts import PublishedTable, SeedQuality
from monai_gan_aug.studies.bundle_runs import KINDS, BundleRuns
from monai_gan_aug.studies.comparison_table import comparison_csv, comparison_markdown
from monai_gan_aug.studies.data import StudyData, preprocessing
from monai_gan_aug.studies.executors import job_executor
from monai_gan_aug.studies.gan_runs import GanRecipe, GanRuns
from monai_gan_aug.studies.job_queue import run_jobs
from monai_gan_aug.studies.layout import GanLayout, SeedLayout, StudyLayout
from monai_gan_aug.studies.pictures import draw_grids
from monai_gan_aug.studies.shipped import bundles_folder

__all__ = ["GanComparison"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GanComparison:
    """Train, generate and judge several GANs under one roof.

    Args:
        title: What the images and classes are.
        data: The images and how their patients are split.
        gans: What is trained, by the name of its row: arguments of
            :class:`~monai_gan_aug.studies.gan_runs.GanRecipe` that are not ``shared``.
        output_dir: Folder of the comparison; nothing is written elsewhere.
        seeds: One split and one training of every GAN per seed.
        shared: Arguments of the recipes of all of them.
        metrics: Columns of the table; every metric of ``quality.json`` if not given.
        published: Numbers to stand beside.
        bundles_dir: Folder that holds the bundles; those of the package if not given.
        device: Device of the jobs, ``"cpu"`` or ``"cuda"``.
        workers: Processes; the number of usable cores if not given.
        scheduler: Address of a dask scheduler whose workers run the jobs instead.

    Raises:
        DataError: If there is no GAN, or seeds repeat.
    """

    title: str
    data: StudyData
    gans: Mapping[str, Mapping[str, Any]]
    output_dir: str
    seeds: Sequence[int]
    shared: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[str] | None = None
    published: PublishedTable | None = None
    bundles_dir: str | None = None
    device: str = "cpu"
    workers: int | None = None
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if not self.gans:
            raise DataError("`gans` is empty: name at least one.")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise DataError(f"`seeds` must be different numbers, got {list(self.seeds)}.")
        self.recipes()

    def recipes(self) -> dict[str, GanRecipe]:
        """What is trained, by the name of its row.

        Raises:
            DataError: If a recipe has no argument of that name.
        """
        recipes = {}
        for name, own in self.gans.items():
            try:
                recipes[name] = GanRecipe(**{**self.shared, **own})
            except TypeError as error:
                raise DataError(f"`gans` of {name} is no recipe of a GAN: {error}.") from error
        return recipes

    def run(self, executor: Executor | None = None) -> Path:
        """Run what is not finished and return the path of ``comparison.json``.

        Args:
            executor: Anything with ``submit``; a local process pool if not given.

        Raises:
            DataError: If the data cannot support it, or another run writes its folder.
            JobError: If a run of a bundle fails.
        """
        with FolderLock(self._layout.root):
            return self._run(executor)

    def _run(self, executor: Executor | None) -> Path:
        datalists = self.data.splits(self._layout, self.seeds)
        first = datalists[self.seeds[0]]
        runs = {name: self._runs(name, first.labels) for name in self.gans}
        for image in {json.dumps(dict(r.recipe.image), sort_keys=True) for r in runs.values()}:
            self.data.decode(self._layout, json.loads(image))
        jobs = [
            job
            for seed in self.seeds
            for gan in runs.values()
            for job in (*gan.trainings(seed), *gan.generations(seed), *gan.comparisons(seed))
        ]
        jobs.sort(key=lambda job: KINDS.index(job.kind))
        with ExitStack() as stack:
            workers = executor or stack.enter_context(job_executor(self.workers, self.scheduler))
            run_jobs(jobs, workers, title=self.data.name)
        return self._write(
            ComparisonRecord(
                name=self.data.name,
                title=self.title,
                caveats=first.caveats,
                patients={
                    str(seed): {part: datalist.group_counts(part) for part in ("training", "test")}
                    for seed, datalist in datalists.items()
                },
                gans=tuple(self._gan(name, runs[name], datalists) for name in self.gans),
                published=self.published,
            )
        )

    def _write(self, record: ComparisonRecord) -> Path:
        path = self._layout.comparison
        record.save(path)
        table = comparison_markdown(record, self.metrics)
        write_bytes(path.with_suffix(".md"), table.encode())
        write_bytes(path.with_suffix(".csv"), comparison_csv(record).encode())
        logger.info("\n%s", table)
        return path

    @property
    def _layout(self) -> StudyLayout:
        return StudyLayout(Path(self.output_dir).resolve())

    def _runs(self, name: str, labels: Sequence[str]) -> GanRuns:
        bundles = Path(self.bundles_dir).resolve() if self.bundles_dir else bundles_folder()
        shared = BundleRuns(self.data, self._layout, bundles, self.device)
        return GanRuns(shared, self.recipes()[name], labels, partial(_gan_called, f"{name}-"))

    def _gan(self, name: str, runs: GanRuns, datalists: Mapping[int, Datalist]) -> ComparedGan:
        seed = self.seeds[0]
        grids = draw_grids(
            self._layout.root,
            datalists[seed],
            runs.synthetic(seed),
            dataset_dir=self.data.root,
            recipe=preprocessing({**self.data.image, **runs.recipe.image}),
            cache_dir=self._layout.cache,
            seed=seed,
            prefix=f"{name}-",
        )
        return ComparedGan(
            name=name,
            recipe=asdict(runs.recipe),
            seconds={
                str(seed): round(sum(job.seconds for job in runs.trainings(seed)), 1)
                for seed in self.seeds
            },
            quality=tuple(
                SeedQuality(seed, QualityFile.load(runs.layout(seed).quality).rows)
                for seed in self.seeds
            ),
            grids=grids,
        )


def _gan_called(prefix: str, seed: SeedLayout) -> GanLayout:
    return seed.gan(prefix)
