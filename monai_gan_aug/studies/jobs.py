"""One run of a bundle as a job: a folder of its own, done exactly once, in any executor.

A job is plain data, so it travels to another process or another machine. Its folder holds what
the bundle writes, ``job.log`` with everything the bundle printed, and, last of all, ``job.json``:
a job is finished when that file names the identity of the job, and is run (again) otherwise.
"""

import contextlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.hashing import sha256_file, sha256_json
from monai_gan_aug.io.locking import FolderLock
from monai_gan_aug.records.jobs import JobBegun, JobDone
from monai_gan_aug.studies.code_identity import package_sha256

__all__ = ["BundleJob", "JobError", "run_job"]

logger = logging.getLogger(__name__)


class JobError(RuntimeError):
    """A job failed; the message names it, the cause and its log."""


@dataclass(frozen=True)
class BundleJob:
    """One run of a bundle with some of its knobs turned.

    Args:
        name: Shown in progress bars and messages; unique within a study.
        bundle: Folder of the bundle.
        config_files: Names under the bundle's ``configs``, in the order they are merged.
        overrides: Knobs, by their id in the configuration.
        output_dir: Folder of this job alone.
        kind: What kind of work it is; times are summed by it.
        inputs: Files it reads whose content is part of its identity; it waits for the jobs that
            make them.
        outputs: Files it makes for others, without which it is not finished.
        resumable: Keep the folder of an interrupted run, because the bundle resumes from it.
    """

    name: str
    bundle: Path
    config_files: tuple[str, ...]
    overrides: Mapping[str, Any]
    output_dir: Path
    kind: str = "jobs"
    inputs: tuple[Path, ...] = field(default=())
    outputs: tuple[Path, ...] = field(default=())
    resumable: bool = False

    def config_paths(self) -> list[Path]:
        """The configuration files, absolute."""
        return [Path(self.bundle).resolve() / "configs" / name for name in self.config_files]

    def identity(self) -> str:
        """Hash of code, configuration and inputs: the same identity gives the same result.

        Raises:
            DataError: If a configuration file is not there.
        """
        missing = [path.name for path in self.config_paths() if not path.is_file()]
        if missing:
            raise DataError(
                f"The bundle {Path(self.bundle).name} has no configs/{missing[0]}: "
                "check `bundles_dir` and the file names of the study."
            )
        stamps = tuple((str(path), path.stat().st_mtime_ns) for path in self.config_paths())
        return sha256_json(
            {
                "package": package_sha256(),
                "configuration": _merged_sha256(stamps),
                "overrides": json.loads(json.dumps(dict(self.overrides), default=str)),
                "inputs": [sha256_file(path) for path in self.inputs],
            }
        )

    def recorded(self) -> JobDone | None:
        """``job.json``, or nothing if the job was never finished."""
        return JobDone.load_if_sound(self.output_dir / "job.json")

    @property
    def seconds(self) -> float:
        """How long it took; 0 if it is not finished."""
        done = self.recorded()
        return 0.0 if done is None else done.seconds

    def is_finished(self) -> bool:
        """Whether this very job, inputs included, has been completed and its files are there."""
        done = self.recorded()
        return (
            done is not None
            and done.identity == self.identity()
            and all(path.is_file() for path in self.outputs)
        )

    def is_outdated(self) -> bool:
        """Whether it was finished with other code of this package than that of today."""
        done = self.recorded()
        return done is not None and done.code != package_sha256()


@lru_cache(maxsize=256)
def _merged_sha256(stamps: tuple[tuple[str, int], ...]) -> str:
    """Hash of the configuration that files make together: comments and layout do not count."""
    from monai.bundle.config_parser import ConfigParser  # heavy, and studies are also looked at

    merged = ConfigParser.load_config_files([path for path, _ in stamps])
    return sha256_json(json.loads(json.dumps(merged, default=str)))


@contextlib.contextmanager
def _output_into(log: Path) -> Iterator[None]:
    """Send everything this process prints, also from C code, to the end of ``log``."""
    saved = os.dup(1), os.dup(2)
    with log.open("ab") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
        try:
            yield
        finally:
            for descriptor, kept in zip((1, 2), saved, strict=True):
                os.dup2(kept, descriptor)
                os.close(kept)


def run_job(job: BundleJob, code: str | None = None) -> float:
    """Run a job to its end and record it; return the seconds it took.

    An interrupted run is resumed if the bundle can, and otherwise started from an empty folder.
    A finished one is not run again: a cluster may ask twice for the same job, and may ask while
    the first run is still going on, which is then awaited.

    Args:
        job: The job.
        code: Hash of the package where the study runs; whatever is here if not given.

    Raises:
        JobError: If the bundle raises, or makes not all it promised; the folder keeps the log. Or
            if the code here is not that of the study.
    """
    if code is not None and code != package_sha256():
        # Otherwise the study would take the result for one of its own code, or run it for ever.
        raise JobError(
            f"{job.name} was not run: the worker has another version of monai_gan_aug than the "
            "study. Install the same one everywhere, do not change it while a study runs, and run "
            "the study again: it goes on from here."
        )
    lock = FolderLock(job.output_dir.parent / ".jobs" / job.output_dir.name)
    lock.acquire(wait=True)
    try:
        if job.is_finished():
            return job.seconds
        return _run_from_here(job)
    finally:
        lock.release()


def _run_from_here(job: BundleJob) -> float:
    identity = job.identity()
    begun = JobBegun.load_if_sound(job.output_dir / "begun.json")
    same = begun is not None and begun.identity == identity
    if job.output_dir.exists() and not (same and job.resumable):
        shutil.rmtree(job.output_dir)
    JobBegun(identity, job.name).save(job.output_dir / "begun.json")
    start = time.monotonic()
    log = job.output_dir / "job.log"
    try:
        with _output_into(log):
            _run_bundle(job)
    except (Exception, SystemExit) as error:
        raise JobError(
            f"{job.name} failed: {_root_cause(error)} (full text in {job.name}/job.log). "
            "Mend the cause and run the study again: it goes on from here."
        ) from error
    missing = [path.name for path in job.outputs if not path.is_file()]
    if missing:
        raise JobError(
            f"{job.name} ended without {', '.join(missing)} (full text in {job.name}/job.log). "
            "Does the bundle in `bundles_dir` belong to this version of the package?"
        )
    seconds = time.monotonic() - start
    JobDone(identity, job.name, seconds, package_sha256()).save(job.output_dir / "job.json")
    return seconds


def _root_cause(error: BaseException) -> str:
    while type(error) is RuntimeError and error.__cause__ is not None:  # MONAI's wrapping
        error = error.__cause__
    return f"{type(error).__name__}: {error}"


def _run_bundle(job: BundleJob) -> None:
    from monai.bundle.workflows import ConfigWorkflow  # heavy: only workers need it

    workflow = ConfigWorkflow(
        config_file=[str(path) for path in job.config_paths()],
        workflow_type=None,
        **job.overrides,
    )
    workflow.initialize()
    workflow.run()
    workflow.finalize()
