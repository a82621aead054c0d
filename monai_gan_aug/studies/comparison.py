"""Several GANs on the same splits: image quality beside real-versus-real, and beside a publication.

Every run is a job of its own folder and is skipped when it is finished::

    output_dir/
      pool.json  cache/  seed-0/datalist.json      as in a benefit study
      seed-0/<gan>-gan/ <gan>-synthetic/ <gan>-quality/
      figures/<gan>-….png                          images of the first seed
      comparison.json  comparison.md  comparison.csv
"""

import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import write_bytes
from monai_gan_aug.io.locking import FolderLock
from monai_gan_aug.records.comparison import ComparedGan, ComparisonRecord
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.quality import QualityFile
from monai_gan_aug.records.study_parts import PublishedTable, SeedQuality
from monai_gan_aug.studies.comparison_table import comparison_csv, comparison_markdown
from monai_gan_aug.studies.data import StudyData, preprocessing
from monai_gan_aug.studies.executors import job_executor
from monai_gan_aug.studies.gan_runs import GanRecipe, GanRuns
from monai_gan_aug.studies.jobs import BundleJob, run_jobs
from monai_gan_aug.studies.pictures import draw_grids

__all__ = ["GanComparison"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GanComparison:
    """Train, generate and judge several GANs under one roof.

    Args:
        title: What the images and classes are.
        data: The images and how their patients are split.
        gans: What is trained, by the name of its row.
        output_dir: Folder of the comparison; nothing is written elsewhere.
        seeds: One split and one training of every GAN per seed.
        metrics: Columns of the table; every metric of ``quality.json`` if not given.
        published: Numbers to stand beside.
        bundles_dir: Folder that holds the bundles.
        device: Device of the jobs, ``"cpu"`` or ``"cuda"``.
        workers: Processes; the number of usable cores if not given.
        scheduler: Address of a dask scheduler whose workers run the jobs instead.

    Raises:
        DataError: If there is no GAN, or seeds repeat.
    """

    title: str
    data: StudyData
    gans: Mapping[str, GanRecipe]
    output_dir: str
    seeds: Sequence[int]
    metrics: Sequence[str] | None = None
    published: PublishedTable | None = None
    bundles_dir: str = "bundles"
    device: str = "cpu"
    workers: int | None = None
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if not self.gans:
            raise DataError("`gans` is empty: name at least one.")
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise DataError(f"`seeds` must be different numbers, got {list(self.seeds)}.")

    def run(self, executor: Executor | None = None) -> Path:
        """Run what is not finished and return the path of ``comparison.json``.

        Args:
            executor: Anything with ``submit``; a local process pool if not given.

        Raises:
            DataError: If the data cannot support it, or another run writes its folder.
            JobError: If a run of a bundle fails.
        """
        with FolderLock(self._folder):
            return self._run(executor)

    def _run(self, executor: Executor | None) -> Path:
        datalists = self.data.splits(self._folder, self.seeds)
        first = datalists[self.seeds[0]]
        runs = {name: self._runs(name, first.labels) for name in self.gans}
        for image in {json.dumps(dict(r.recipe.image), sort_keys=True) for r in runs.values()}:
            self.data.decode(self._folder, json.loads(image))
        with ExitStack() as stack:
            chosen = executor or stack.enter_context(job_executor(self.workers, self.scheduler))
            for title, make in (
                ("GAN", GanRuns.trainings),
                ("generate", GanRuns.generations),
                ("quality", GanRuns.comparisons),
            ):
                jobs = [job for seed in self.seeds for r in runs.values() for job in make(r, seed)]
                run_jobs(jobs, chosen, title=f"{title:<12}")
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
        path = self._folder / "comparison.json"
        record.save(path)
        table = comparison_markdown(record, self.metrics)
        write_bytes(path.with_suffix(".md"), table.encode())
        write_bytes(path.with_suffix(".csv"), comparison_csv(record).encode())
        logger.info("\n%s", table)
        return path

    @property
    def _folder(self) -> Path:
        return Path(self.output_dir).resolve()

    def _runs(self, name: str, labels: Sequence[str]) -> GanRuns:
        bundles = Path(self.bundles_dir).resolve()
        return GanRuns(
            self.data, self.gans[name], self._folder, labels, bundles, self.device, f"{name}-"
        )

    def _gan(self, name: str, runs: GanRuns, datalists: Mapping[int, Datalist]) -> ComparedGan:
        seed = self.seeds[0]
        grids = draw_grids(
            self._folder,
            datalists[seed],
            runs.synthetic(seed),
            dataset_dir=self.data.root,
            recipe=preprocessing({**self.data.image, **runs.recipe.image}),
            cache_dir=self._folder / "cache",
            seed=seed,
            prefix=f"{name}-",
        )
        return ComparedGan(
            name=name,
            recipe=asdict(runs.recipe),
            seconds={str(s): _seconds(runs.trainings(s)) for s in self.seeds},
            quality=tuple(
                SeedQuality(s, QualityFile.load(runs.quality_path(s)).rows) for s in self.seeds
            ),
            grids=grids,
        )


def _seconds(jobs: Sequence[BundleJob]) -> float:
    return round(sum(job.seconds for job in jobs), 1)
