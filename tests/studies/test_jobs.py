"""Jobs run once, resume or restart, and say what failed."""

import json
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.studies import jobs
from monai_gan_aug.studies.jobs import BundleJob, JobError, run_job, run_jobs

CONFIG = """
output_dir: .
text: nothing
path: "$@output_dir + '/result.txt'"
run:
- "$open(@path, 'a').write(@text)"
"""
BROKEN = CONFIG.replace(".write(@text)", ".no_such_method()")


class InlineExecutor(Executor):
    """Runs in this process, and counts."""

    def __init__(self):
        self.submitted = 0

    def submit(self, function, /, *args, **kwargs):
        self.submitted += 1
        future = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


@pytest.fixture
def bundle(tmp_path):
    configs = tmp_path / "bundle" / "configs"
    configs.mkdir(parents=True)
    (configs / "run.yaml").write_text(CONFIG)
    (configs / "broken.yaml").write_text(BROKEN)
    (configs / "logging.conf").write_text(
        Path(__file__).parents[2].joinpath("configs/studies/logging.conf").read_text()
    )
    (configs / "metadata.json").write_text("{}")
    return tmp_path / "bundle"


def job(bundle, name="one", text="hello", **more):
    folder = bundle.parent / "out" / name
    knobs = {"output_dir": str(folder), "text": text}
    return BundleJob(name, bundle, ("run.yaml",), knobs, folder, **more)


def test_a_finished_job_is_not_run_again(bundle):
    executor = InlineExecutor()
    run_jobs([job(bundle)], executor, title="test")
    run_jobs([job(bundle)], executor, title="test")
    assert executor.submitted == 1
    assert (bundle.parent / "out/one/result.txt").read_text() == "hello"


def test_a_changed_knob_makes_a_new_result(bundle):
    run_job(job(bundle))
    run_job(job(bundle, text="other"))
    assert (bundle.parent / "out/one/result.txt").read_text() == "other"


def test_a_changed_input_unfinishes_the_job(bundle, tmp_path):
    made = tmp_path / "input.json"
    made.write_text("1")
    depending = job(bundle, inputs=(made,))
    run_job(depending)
    made.write_text("2")
    assert not depending.is_finished()


@pytest.mark.parametrize(("resumable", "expected"), [(True, "kept hello"), (False, "hello")])
def test_an_interrupted_job_resumes_or_starts_over(bundle, resumable, expected):
    interrupted = job(bundle, resumable=resumable)
    run_job(interrupted)
    (interrupted.output_dir / "job.json").unlink()
    (interrupted.output_dir / "result.txt").write_text("kept ")
    run_job(interrupted)
    assert (interrupted.output_dir / "result.txt").read_text() == expected


def test_a_failure_names_the_job_and_keeps_the_log(bundle):
    failing = replace(job(bundle), config_files=("broken.yaml",))
    with pytest.raises(JobError, match=r"(?s)one failed: .*job\.log"):
        run_jobs([failing], InlineExecutor(), title="test")
    assert not failing.is_finished()
    assert (failing.output_dir / "job.log").is_file()


def test_a_missing_config_is_named(bundle):
    with pytest.raises(DataError, match=r"configs/absent\.yaml"):
        replace(job(bundle), config_files=("absent.yaml",)).identity()


def test_any_executor_will_do(bundle):
    with ThreadPoolExecutor(1) as executor:
        run_jobs([job(bundle, name) for name in "ab"], executor, title="test")
    assert json.loads((bundle.parent / "out/b/job.json").read_text())["name"] == "b"


def test_a_log_gets_a_line_per_job_instead_of_a_bar(bundle, monkeypatch, capfd):
    lines = []
    monkeypatch.setattr(jobs.logger, "info", lambda text, *values: lines.append(text % values))
    run_jobs([job(bundle, name) for name in "ab"], InlineExecutor(), title="Arms")
    assert lines[0] == "Arms: 2 jobs, 2 to do."
    assert {line.split(" (")[0] for line in lines[1:]} in (
        {"1 of 2: a", "2 of 2: b"},
        {"1 of 2: b", "2 of 2: a"},
    )
    assert "job/s" not in capfd.readouterr().err


def test_a_job_asked_for_twice_at_once_is_run_once(bundle):
    """As a cluster does when it takes a busy worker for lost."""
    with ThreadPoolExecutor(4) as executor:
        futures = [executor.submit(run_job, job(bundle)) for _ in range(4)]
        seconds = {future.result() for future in futures}
    assert len(seconds) == 1
    assert (bundle.parent / "out/one/result.txt").read_text() == "hello"


class LosingExecutor(InlineExecutor):
    """A cluster that gives a job up."""

    def submit(self, function, /, *args, **kwargs):
        future = Future()
        future.set_exception(ConnectionError("all workers are gone"))
        return future


def test_a_job_given_up_by_its_cluster_is_named(bundle):
    with pytest.raises(JobError, match=r"one was given up: ConnectionError: all workers"):
        run_jobs([job(bundle)], LosingExecutor(), title="test")
