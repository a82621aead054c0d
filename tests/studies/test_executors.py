"""Jobs in local processes and on the workers of a real dask cluster, one of which is killed."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.studies.executors import cluster_executor, job_executor
from monai_gan_aug.studies.job_queue import run_jobs
from monai_gan_aug.studies.jobs import BundleJob

CONFIG = """
output_dir: .
seconds: 0.0
shared: .
pid:
  _target_: os.getpid
event:
  _target_: threading.Event
run:
- "$open(@shared + '/begun', 'a').write(str(@pid) + ' ')"
- "$@event.wait(@seconds)"
- "$open(@shared + '/done', 'a').write(@output_dir + ' ')"
"""


@pytest.fixture
def make_job(tmp_path):
    configs = tmp_path / "bundle" / "configs"
    configs.mkdir(parents=True)
    (configs / "run.yaml").write_text(CONFIG)
    logging = Path(__file__).parents[2] / "configs/studies/logging.conf"
    (configs / "logging.conf").write_text(logging.read_text())
    (configs / "metadata.json").write_text("{}")

    def make(name, seconds=0.0):
        folder = tmp_path / "out" / name
        knobs = {"output_dir": str(folder), "shared": str(tmp_path), "seconds": seconds}
        return BundleJob(name, tmp_path / "bundle", ("run.yaml",), knobs, folder)

    return make


def lines(path):
    return path.read_text().split() if path.is_file() else []


@pytest.mark.slow
def test_runs_in_fresh_processes_and_prints_into_the_log(make_job, tmp_path, capfd):
    with job_executor(1) as executor:
        run_jobs([make_job("one")], executor, title="test")
    assert "configs execute" not in capfd.readouterr().out
    assert len(lines(tmp_path / "done")) == 1
    assert int(lines(tmp_path / "begun")[0]) != os.getpid()


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_loses_and_repeats_nothing(make_job, tmp_path):
    distributed = pytest.importorskip("distributed")
    jobs = [make_job(f"job-{number}", seconds=0.5) for number in range(5)]

    def kill_one_worker():
        while len(lines(tmp_path / "done")) < 1 or len(lines(tmp_path / "begun")) < 3:
            time.sleep(0.05)
        os.kill(int(lines(tmp_path / "begun")[-1]), signal.SIGKILL)

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        killer = threading.Thread(target=kill_one_worker, daemon=True)
        killer.start()
        with job_executor(scheduler=cluster.scheduler_address) as executor:
            run_jobs(jobs, executor, title="test")
        killer.join(timeout=30)
        assert len(lines(tmp_path / "begun")) >= 6  # one was begun again elsewhere
        with cluster_executor(cluster.scheduler_address) as executor:
            run_jobs(jobs, executor, title="test")
    assert sorted(lines(tmp_path / "done")) == sorted(str(job.output_dir) for job in jobs)
    assert all(job.is_finished() for job in jobs)


def test_an_address_without_a_scheduler_is_an_error():
    pytest.importorskip("distributed")
    with (
        pytest.raises(DataError, match="No dask scheduler answers"),
        cluster_executor("tcp://127.0.0.1:9", seconds=0.5),
    ):
        pass
