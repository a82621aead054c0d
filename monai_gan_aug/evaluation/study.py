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
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monai_gan_aug.data.cache import ImageCache
from monai_gan_aug.data.datalist import Datalist
from monai_gan_aug.data.pooling import Pool
from monai_gan_aug.data.sources import Source
from monai_gan_aug.data.splitting import draw_split
from monai_gan_aug.engines.locking import FolderLock
from monai_gan_aug.errors import DataError
from monai_gan_aug.evaluation.arms import Arm, arm
from monai_gan_aug.evaluation.jobs import BundleJob, job_executor, run_jobs
from monai_gan_aug.evaluation.pictures import draw_grids
from monai_gan_aug.evaluation.pool import kept_pool
from monai_gan_aug.evaluation.study_record import Comparison, StudyRecord, write_record
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

__all__ = ["Study"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Study:
    """Whether synthetic images help the same classifier, on one data set.

    Args:
        name: Short name, for folders and files.
        title: What the images and classes are, for the report.
        dataset_dir: Root of the images.
        output_dir: Folder of the study; nothing is written elsewhere.
        source: Where labels and patients come from (:mod:`monai_gan_aug.data.sources`).
        image: Knobs of :class:`~monai_gan_aug.transforms.recipe.PreprocessingRecipe`, named as in
            the bundles: ``image_size``, ``channels``, ``windows``, ``fit``.
        split: Arguments of :func:`monai_gan_aug.data.splitting.draw_split`.
        seeds: One split, GAN and set of classifiers per seed.
        gan: Knobs of ``medical_image_gan``.
        classifier: Knobs of ``augmentation_classifier``.
        arms: Names from :data:`monai_gan_aug.evaluation.arms.ARMS`.
        samples_per_class: Synthetic images per class and seed.
        comparison: Arguments of :class:`~monai_gan_aug.evaluation.study_record.Comparison`.
        gan_family: ``configs/family_<…>.yaml`` of the GAN bundle.
        network: ``configs/network_<…>.yaml`` of the classifier bundle.
        gan_per_class: One unconditional GAN per class instead of one conditional GAN.
        classes: Classes to use, in label order; all if not given.
        group: ``"none"`` to say that there is no patient id.
        caveats: Sentences the report must carry.
        show_real_images: Put real training images beside the synthetic ones in the report.
        bundles_dir: Folder that holds both bundles.
        key_file: Secret key of the patient hashes; the user's own if not given.
        device: Device of the jobs, ``"cpu"`` or ``"cuda"``.
        workers: Processes; the number of usable cores if not given.
    """

    name: str
    title: str
    dataset_dir: str
    output_dir: str
    source: Source
    image: Mapping[str, Any]
    split: Mapping[str, Any]
    seeds: Sequence[int]
    arms: Sequence[str]
    samples_per_class: int
    comparison: Mapping[str, Any]
    gan: Mapping[str, Any] = field(default_factory=dict)
    classifier: Mapping[str, Any] = field(default_factory=dict)
    gan_family: str = "dcgan"
    network: str = "small_cnn"
    gan_per_class: bool = False
    classes: Sequence[str] | None = None
    group: str | None = None
    caveats: Sequence[str] = ()
    show_real_images: bool = True
    bundles_dir: str = "bundles"
    key_file: str | None = None
    device: str = "cpu"
    workers: int | None = None

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
        if not self.dataset_dir or not Path(self.dataset_dir).is_dir():
            raise DataError("`dataset_dir` is not a folder: give it with --dataset_dir.")

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
        pool = self._pool()
        datalists = {seed: self._datalist(pool, seed) for seed in self.seeds}
        logger.info("Decoding the images of the study once.")
        ImageCache.build(pool.entries, self._images, self._recipe, self._folder / "cache")
        with ExitStack() as stack:
            chosen = executor or stack.enter_context(job_executor(self.workers))
            stages = {
                title: run_jobs(jobs(), chosen, title=f"{title:<12}")
                for title, jobs in (
                    ("GAN", lambda: self._each_seed(self._gan_jobs)),
                    ("generate", lambda: self._each_seed(self._generation_jobs)),
                    ("quality", lambda: self._each_seed(self._quality_jobs)),
                    ("classifiers", lambda: self._each_seed(self._classifier_jobs)),
                )
            }
        return write_record(
            StudyRecord(
                folder=self._folder,
                name=self.name,
                title=self.title,
                datalists=datalists,
                arms=tuple(arm(name) for name in self.arms),
                comparison=Comparison(**self.comparison),
                recipe=self._recipe_summary(),
                grids=self._grids(datalists),
                stages=stages,
                seconds=time.monotonic() - start,
            )
        )

    @property
    def _folder(self) -> Path:
        return Path(self.output_dir).resolve()

    @property
    def _images(self) -> Path:
        return Path(self.dataset_dir).resolve()

    @property
    def _recipe(self) -> PreprocessingRecipe:
        knobs = dict(self.image)
        return PreprocessingRecipe(size=knobs.pop("image_size"), **knobs)

    def _pool(self) -> Pool:
        return kept_pool(
            self._folder / "pool.json",
            self.source,
            self._images,
            classes=self.classes,
            key_file=self.key_file,
            group=self.group,
        )

    def _datalist(self, pool: Pool, seed: int) -> Datalist:
        datalist = draw_split(
            pool.entries,
            pool.labels,
            seed=seed,
            grouping=pool.grouping,
            key_fingerprint=pool.key_fingerprint,
            name=self.name,
            caveats=(*self.caveats, *pool.caveats),
            **self.split,
        )
        datalist.save(self._seed_folder(seed) / "datalist.json")
        return datalist

    def _seed_folder(self, seed: int) -> Path:
        return self._folder / f"seed-{seed}"

    def _each_seed(self, make: Any) -> list[BundleJob]:
        return [job for seed in self.seeds for job in make(seed)]

    def _class_sets(self) -> dict[str, list[str] | None]:
        if not self.gan_per_class:
            return {"": None}
        return {f"-{position}": [name] for position, name in enumerate(self._pool().labels)}

    def _common_knobs(self, seed: int, output_dir: Path) -> dict[str, Any]:
        return {
            "dataset_dir": str(self._images),
            "datalist": str(self._seed_folder(seed) / "datalist.json"),
            "cache_dir": str(self._folder / "cache"),
            "output_dir": str(output_dir),
            "device": f"$torch.device('{self.device}')",
            "seed": seed,
            **self.image,
        }

    def _job(
        self,
        bundle: str,
        files: tuple[str, ...],
        seed: int,
        folder: str,
        knobs: Mapping[str, Any],
        inputs: Sequence[Path] = (),
        resumable: bool = False,
    ) -> BundleJob:
        root = Path(self.bundles_dir).resolve() / bundle
        output_dir = self._seed_folder(seed) / folder
        return BundleJob(
            name=f"seed-{seed}/{folder}",
            bundle=root,
            config_files=("common.yaml", *files),
            overrides={
                "bundle_root": str(root),
                **self._common_knobs(seed, output_dir),
                **knobs,
            },
            output_dir=output_dir,
            inputs=(self._seed_folder(seed) / "datalist.json", *inputs),
            resumable=resumable,
        )

    def _gan_job(self, seed: int, stage: str, folder: str, **more: Any) -> BundleJob:
        files = (f"family_{self.gan_family}.yaml", f"{stage}.yaml")
        knobs = {**self.gan, **more.pop("knobs")}
        return self._job("medical_image_gan", files, seed, folder, knobs, **more)

    def _gan_jobs(self, seed: int) -> list[BundleJob]:
        return [
            self._gan_job(
                seed,
                "train",
                f"gan{suffix}",
                knobs={"only_labels": labels, "resume": True},
                resumable=True,
            )
            for suffix, labels in self._class_sets().items()
        ]

    def _checkpoint(self, seed: int, suffix: str) -> Path:
        return self._seed_folder(seed) / f"gan{suffix}" / "checkpoints" / "latest.json"

    def _generation_jobs(self, seed: int) -> list[BundleJob]:
        return [
            self._gan_job(
                seed,
                "inference",
                f"synthetic{suffix}",
                knobs={
                    "only_labels": labels,
                    "ckpt_path": str(self._checkpoint(seed, suffix)),
                    "samples_per_class": self.samples_per_class,
                    "synthetic_dir": str(self._seed_folder(seed) / f"synthetic{suffix}"),
                },
                inputs=[self._checkpoint(seed, suffix)],
            )
            for suffix, labels in self._class_sets().items()
        ]

    def _synthetic(self, seed: int) -> list[Path]:
        return [
            self._seed_folder(seed) / f"synthetic{suffix}" / "datalist.json"
            for suffix in self._class_sets()
        ]

    def _quality_jobs(self, seed: int) -> list[BundleJob]:
        synthetic = self._synthetic(seed)
        knobs = {"synthetic": [str(path) for path in synthetic]}
        return [self._gan_job(seed, "evaluate", "quality", knobs=knobs, inputs=synthetic)]

    def _classifier_jobs(self, seed: int) -> list[BundleJob]:
        return [self._classifier_job(seed, arm(name)) for name in self.arms]

    def _classifier_job(self, seed: int, chosen: Arm) -> BundleJob:
        synthetic = self._synthetic(seed) if chosen.synthetic else []
        return self._job(
            "augmentation_classifier",
            (f"network_{self.network}.yaml", chosen.config_file, "train.yaml"),
            seed,
            f"arm-{chosen.name}",
            {**self.classifier, "synthetic": [str(path) for path in synthetic]},
            inputs=synthetic,
        )

    def _grids(self, datalists: Mapping[int, Datalist]) -> list[dict[str, Any]]:
        seed = self.seeds[0]
        return draw_grids(
            self._folder,
            datalists[seed],
            self._synthetic(seed),
            dataset_dir=self._images,
            recipe=self._recipe,
            cache_dir=self._folder / "cache",
            seed=seed,
            show_real=self.show_real_images,
        )

    def _recipe_summary(self) -> dict[str, Any]:
        return {
            "preprocessing": dict(self.image),
            "split": dict(self.split),
            "gan": {
                "family": self.gan_family,
                "per class": self.gan_per_class,
                "samples per class": self.samples_per_class,
                **self.gan,
            },
            "classifier": {"network": self.network, **self.classifier},
            "metric": Comparison(**self.comparison).metric,
        }
