"""A hash of the code that decides what a job makes: changed code never reuses old results."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from monai_gan_aug.io.hashing import sha256_file, sha256_json

__all__ = ["code_files", "package_sha256"]

PACKAGE = Path(__file__).resolve().parents[1]
WITHOUT_JOBS = ("reports", "statistics", "studies", "phantoms", "bundles", "configs")
USED_BY_JOBS = ("studies/arms.py", "studies/jobs.py")


def code_files(package: Path = PACKAGE) -> Iterator[Path]:
    """The Python files of the package that a job may run, in a fixed order.

    What decides no number of a job is left out: what only happens before or after all jobs
    (statistics, how jobs are put together), and the wording of tables and reports. So mending a
    report does not train every network anew. Configurations have a place of their own in the
    identity of a job.

    Args:
        package: Folder of the package.
    """
    for path in sorted(package.rglob("*.py")):
        relative = path.relative_to(package)
        used = relative.parts[0] not in (*WITHOUT_JOBS, "__main__.py")
        if used or relative.as_posix() in USED_BY_JOBS:
            yield path


@cache
def package_sha256() -> str:
    """Hash of names and content of :func:`code_files`, taken once per process."""
    return sha256_json(
        {path.relative_to(PACKAGE).as_posix(): sha256_file(path) for path in code_files()}
    )
