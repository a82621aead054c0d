"""The queue: what is ready runs, what waits is not lost, and what cannot work is refused first."""

import json
import random
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.studies import job_queue, jobs
from monai_gan_aug.studies.executors import process_executor
from monai_gan_aug.studies.job_queue import run_jobs
from monai_gan_aug.studies.jobs import JobError


@pytest.fixture
def chain(make_job):
    """Jobs by name; each reads the results of those behind its name."""

    def build(waits_for, **more):
        def result(name):
            return make_job(name).output_dir / "result.txt"

        return [
            make_job(name, inputs=tuple(map(result, others)), outputs=(result(name),), **more)
            for name, others in waits_for.items()
        ]

    return build


DIAMOND = {"d": "bc", "b": "a", "c": "a", "a": "", "e": ""}


def test_every_job_runs_once_and_after_those_it_waits_for(chain, here):
    run_jobs(chain(DIAMOND), here, title="test")
    assert sorted(here.names) == list("abcde")
    for name, others in DIAMOND.items():
        assert all(here.names.index(other) < here.names.index(name) for other in others)


def test_the_order_is_the_same_every_time_and_long_rows_go_first(chain, here):
    run_jobs(chain(DIAMOND), here, title="test")
    assert here.names == list("aebcd")


@pytest.mark.parametrize("seed", range(3))
def test_results_do_not_depend_on_the_order_of_the_list(chain, here, seed):
    listed = chain(DIAMOND)
    random.Random(seed).shuffle(listed)
    run_jobs(listed, here, title="test")
    assert all(job.is_finished() for job in listed)
    run_jobs(listed, here, title="test")
    assert sorted(here.names) == list("abcde")


class ByHand(Executor):
    """Jobs end when the test says so."""

    def __init__(self):
        self.begun = {}

    def submit(self, function, /, *arguments):
        future = Future()
        self.begun[arguments[0].name] = (future, function, arguments)
        self.step()
        return future

    def step(self):
        """Called whenever a job is handed over."""

    def end(self, name):
        future, function, arguments = self.begun[name]
        future.set_result(function(*arguments))


def test_a_job_begins_while_others_of_the_first_are_still_under_way(chain):
    """Stage after stage, `second` would wait for `slow`."""

    class Slow(ByHand):
        def step(self):
            if "second" in self.begun:
                self.end("second")
                self.end("slow")
            elif len(self.begun) == 2:
                self.end("first")

    executor = Slow()
    run_jobs(chain({"first": (), "slow": (), "second": ("first",)}), executor, title="test")
    assert list(executor.begun) == ["first", "slow", "second"]


def test_a_failure_cancels_what_is_not_started(chain):
    class Failing(ByHand):
        def step(self):
            if len(self.begun) == 3:
                self.begun["a"][0].set_exception(JobError("a failed: its log says why"))

    executor = Failing()
    with pytest.raises(JobError, match="a failed"):
        run_jobs(chain({"a": "", "b": "", "c": "", "d": "a"}), executor, title="test")
    assert set(executor.begun) == set("abc")
    assert executor.begun["b"][0].cancelled()
    assert executor.begun["c"][0].cancelled()


def test_jobs_that_wait_for_one_another_are_refused_before_anything_runs(chain, here):
    with pytest.raises(DataError, match=r"a waits for .* waits for"):
        run_jobs(chain({"x": "", "a": "c", "b": "a", "c": "b"}), here, title="test")
    assert here.names == []


def test_an_input_that_nobody_makes_is_refused_before_anything_runs(chain, here, tmp_path):
    ready, odd = chain({"a": "", "b": ""})
    odd = replace(odd, inputs=(tmp_path / "absent" / "datalist.json",))
    with pytest.raises(DataError, match=r"b needs absent/datalist\.json"):
        run_jobs([ready, odd], here, title="test")
    assert here.names == []


def test_two_jobs_cannot_make_the_same_file(chain, here):
    first, second = chain({"a": "", "b": ""})
    with pytest.raises(DataError, match=r"a and b both make result\.txt"):
        run_jobs([first, replace(second, outputs=first.outputs)], here, title="test")
    assert here.names == []


def test_an_input_that_was_made_anew_makes_its_readers_anew(chain, here):
    run_jobs(chain({"a": "", "b": "a", "c": ""}), here, title="test")
    here.names.clear()
    changed = chain({"a": "", "b": "a", "c": ""})
    changed[0] = replace(changed[0], overrides={**changed[0].overrides, "text": "other"})
    run_jobs(changed, here, title="test")
    assert here.names == ["a", "b"]


def test_an_input_that_was_made_again_alike_leaves_its_readers_alone(chain, here):
    listed = chain({"a": "", "b": "a"})
    run_jobs(listed, here, title="test")
    (listed[0].output_dir / "job.json").unlink()
    here.names.clear()
    run_jobs(listed, here, title="test")
    assert here.names == ["a"]


def test_seconds_are_summed_by_kind_earlier_runs_included(chain, here):
    listed = [
        replace(job, kind=kind)
        for job, kind in zip(
            chain({"a": "", "b": "", "c": "a"}), ("GAN", "other", "GAN"), strict=True
        )
    ]
    first = run_jobs(listed, here, title="test")
    assert list(first) == ["GAN", "other"]
    own = {job.name: json.loads((job.output_dir / "job.json").read_text()) for job in listed}
    assert first["GAN"] == pytest.approx(own["a"]["seconds"] + own["c"]["seconds"])
    assert run_jobs(listed, here, title="test") == first


def test_nothing_to_do_is_no_error(here):
    assert run_jobs([], here, title="test") == {}


def test_any_executor_will_do(chain):
    listed = chain(DIAMOND)
    with ThreadPoolExecutor(1) as executor:
        run_jobs(listed, executor, title="test")
    assert all(job.is_finished() for job in listed)


def test_a_log_gets_a_line_per_job_instead_of_a_bar(chain, here, monkeypatch, capfd):
    lines = []
    monkeypatch.setattr(job_queue.logger, "info", lambda text, *values: lines.append(text % values))
    listed = chain({"a": "", "b": "a", "c": ""})
    run_jobs(listed[2:], here, title="Study")
    lines.clear()
    run_jobs(listed, here, title="Study")
    assert [line.split(" (")[0] for line in lines] == [
        "Study: 3 jobs, 2 to do.",
        "1 of 2: a",
        "2 of 2: b",
    ]
    assert "job/s" not in capfd.readouterr().err


def test_changed_code_is_said_before_finished_jobs_run_again(chain, here, monkeypatch):
    run_jobs(chain({"a": "", "b": "a"}), here, title="test")
    for module in (jobs, job_queue):
        monkeypatch.setattr(module, "package_sha256", lambda: "of tomorrow")
    said = []
    monkeypatch.setattr(
        job_queue.logger, "warning", lambda text, *values: said.append(text % values)
    )
    run_jobs(chain({"a": "", "b": "a"}), here, title="test")
    assert here.names == ["a", "b", "a", "b"]
    assert len(said) == 1
    assert said[0].startswith("2 finished jobs are run again, because the code")


class LosingExecutor(Executor):
    """A cluster that gives a job up."""

    def submit(self, function, /, *arguments, **options):
        future = Future()
        future.set_exception(ConnectionError("all workers are gone"))
        return future


def test_a_job_given_up_by_its_cluster_is_named(chain):
    with pytest.raises(JobError, match=r"a was given up: ConnectionError: all workers"):
        run_jobs(chain({"a": ""}), LosingExecutor(), title="test")


DYING = """
output_dir: .
text: nothing
path: "$@output_dir + '/result.txt'"
run:
- "$__import__('os').kill(__import__('os').getpid(), 9)"
"""


@pytest.mark.slow
def test_a_killed_worker_loses_nothing_and_repeats_nothing(chain, tmp_path):
    """The second job kills its process; mended, the study goes on with it."""
    listed = chain({"a": "", "b": "a", "c": "b"})
    config = tmp_path / "bundle" / "configs" / "dying.yaml"
    config.write_text(DYING)
    dying = replace(listed[1], config_files=("dying.yaml",))
    with process_executor(1) as executor, pytest.raises(JobError, match="was killed"):
        run_jobs([listed[0], dying, listed[2]], executor, title="test")
    assert listed[0].is_finished()
    assert (dying.output_dir / "begun.json").is_file()
    assert not dying.is_finished()
    with process_executor(1) as executor:
        run_jobs(listed, executor, title="test")
    for job in listed:
        assert (job.output_dir / "result.txt").read_text() == "hello"
