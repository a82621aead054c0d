"""Jobs in local processes and on the workers of a real dask cluster, one of which is killed."""

import fcntl
import os
import select
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.studies.executors import cluster_executor, job_executor
from monai_gan_aug.studies.job_queue import run_jobs
from monai_gan_aug.studies.jobs import BundleJob

HANGING_S = 120
"""No test depends on it: jobs that never begin end as a failure."""
CONFIG = """
imports:
- $import fcntl
- $import os
output_dir: .
shared: .
name: $os.path.basename(@output_dir)
pid: $os.getpid()
run:
- "$print(@name, @pid, file=open(@shared + '/begun', 'a'))"
- "$print(@name, @pid, file=open(@shared + '/news', 'w'))"
- "$fcntl.flock(open(@shared + '/gate ' + @name), fcntl.LOCK_SH)"
- "$print(@name, @pid, file=open(@shared + '/done', 'a'))"
"""


class Gates:
    """Jobs that say when they begin and wait until they are let through.

    Args:
        folder: Where their bundle, their gates and their results are.
    """

    def __init__(self, folder):
        self.folder = folder
        self.held = {}
        configs = folder / "bundle" / "configs"
        configs.mkdir(parents=True)
        (configs / "run.yaml").write_text(CONFIG)
        logging = Path(__file__).parents[2] / "configs/studies/logging.conf"
        (configs / "logging.conf").write_text(logging.read_text())
        (configs / "metadata.json").write_text("{}")
        os.mkfifo(folder / "news")
        # Open both ways: no job waits for a reader, and reading does not end between two jobs.
        self.news = open(os.open(folder / "news", os.O_RDWR))  # noqa: PTH123, SIM115

    def job(self, name):
        """A job; its gate is closed."""
        self.held[name] = (self.folder / f"gate {name}").open("w")
        fcntl.flock(self.held[name], fcntl.LOCK_EX)
        folder = self.folder / "out" / name
        knobs = {"output_dir": str(folder), "shared": str(self.folder)}
        return BundleJob(name, self.folder / "bundle", ("run.yaml",), knobs, folder)

    def next(self):
        """Name and process of the job that begins next."""
        if not select.select([self.news], [], [], HANGING_S)[0]:
            pytest.fail("no job began")
        name, pid = self.news.readline().split()
        return name, int(pid)

    def open(self, *names):
        """Let these jobs through, now and whenever they are run again."""
        for name in names or list(self.held):
            self.held.pop(name).close()

    def lines(self, name):
        """Who has begun, or is done: name and process."""
        return [line.split() for line in (self.folder / name).read_text().splitlines()]


@pytest.fixture
def gates(tmp_path):
    gates = Gates(tmp_path)
    yield gates
    gates.open()
    gates.news.close()


@pytest.mark.slow
def test_runs_in_fresh_processes_and_prints_into_the_log(gates, capfd):
    job = gates.job("one")
    gates.open("one")
    with job_executor(1) as executor:
        run_jobs([job], executor, title="test")
    assert "configs execute" not in capfd.readouterr().out
    [(name, pid)] = gates.lines("begun")
    assert gates.lines("done") == [[name, pid]]
    assert int(pid) != os.getpid()


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_loses_and_repeats_nothing(gates):
    distributed = pytest.importorskip("distributed")
    jobs = [gates.job(f"job-{number}") for number in range(5)]

    def kill_one_worker():
        """Once it has finished a job and begun another."""
        try:
            first, pid = gates.next()
            gates.next()
            gates.open(first)
            killed, again = gates.next()
            os.kill(again, signal.SIGKILL)
            return killed, pid == again
        finally:
            gates.open()

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        with ThreadPoolExecutor(1) as here:
            killing = here.submit(kill_one_worker)
            with job_executor(scheduler=cluster.scheduler_address) as executor:
                run_jobs(jobs, executor, title="test")
        killed, had_finished_one = killing.result()
        assert had_finished_one
        begun = Counter(name for name, _ in gates.lines("begun"))
        assert begun[killed] == 2  # begun again elsewhere
        with cluster_executor(cluster.scheduler_address) as executor:
            run_jobs(jobs, executor, title="test")
    assert sorted(name for name, _ in gates.lines("done")) == [job.name for job in jobs]
    assert all(job.is_finished() for job in jobs)


def test_an_address_without_a_scheduler_is_an_error():
    pytest.importorskip("distributed")
    with (
        pytest.raises(DataError, match="No dask scheduler answers"),
        cluster_executor("tcp://127.0.0.1:9", seconds=0.5),
    ):
        pass
