"""Jobs run once, resume or restart, and say what failed."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.studies import jobs
from monai_gan_aug.studies.jobs import JobError, run_job


@pytest.fixture
def job(make_job):
    """The job called one, and changes to it."""
    return lambda text="hello", **more: make_job("one", text, **more)


def test_a_finished_job_is_not_run_again(job):
    assert run_job(job()) == run_job(job())
    assert (job().output_dir / "result.txt").read_text() == "hello"


def test_a_changed_knob_makes_a_new_result(job):
    run_job(job())
    run_job(job(text="other"))
    assert (job().output_dir / "result.txt").read_text() == "other"


def test_a_changed_input_unfinishes_the_job(job, tmp_path):
    made = tmp_path / "input.json"
    made.write_text("1")
    depending = job(inputs=(made,))
    run_job(depending)
    made.write_text("2")
    assert not depending.is_finished()


def test_changed_code_unfinishes_the_job_and_says_so(job, monkeypatch):
    run_job(job())
    assert not job().is_outdated()
    monkeypatch.setattr(jobs, "package_sha256", lambda: "of tomorrow")
    assert job().is_outdated()
    assert not job().is_finished()


def test_a_comment_in_a_configuration_changes_nothing_but_a_value_does(job):
    path = job().config_paths()[0]
    before = job().identity()
    text = path.read_text()
    path.write_text(f"# a remark\n{text}")
    assert job().identity() == before
    path.write_text(f"another: 1\n{text}")
    assert job().identity() != before


def test_a_job_without_its_outputs_is_not_finished(job, tmp_path):
    promised = job(outputs=(job().output_dir / "result.txt",))
    run_job(promised)
    (job().output_dir / "result.txt").unlink()
    assert not promised.is_finished()


def test_a_job_that_makes_not_what_it_promised_fails(job, tmp_path):
    promised = job(outputs=(tmp_path / "never.json",))
    with pytest.raises(JobError, match=r"one ended without never\.json"):
        run_job(promised)
    assert promised.recorded() is None


def test_a_worker_with_other_code_does_not_run_the_job(job):
    with pytest.raises(JobError, match="another version of monai_gan_aug"):
        run_job(job(), code="that of the study")
    assert not job().output_dir.exists()


@pytest.mark.parametrize(("resumable", "expected"), [(True, "kept hello"), (False, "hello")])
def test_an_interrupted_job_resumes_or_starts_over(job, resumable, expected):
    interrupted = job(resumable=resumable)
    run_job(interrupted)
    (interrupted.output_dir / "job.json").unlink()
    (interrupted.output_dir / "result.txt").write_text("kept ")
    run_job(interrupted)
    assert (interrupted.output_dir / "result.txt").read_text() == expected


def test_what_another_configuration_began_is_not_resumed(job):
    begun = job(resumable=True)
    run_job(begun)
    (begun.output_dir / "job.json").unlink()
    run_job(job(text="other", resumable=True))
    assert (begun.output_dir / "result.txt").read_text() == "other"


def test_a_failure_names_the_job_and_keeps_the_log(job):
    failing = replace(job(), config_files=("broken.yaml",))
    with pytest.raises(JobError, match=r"(?s)one failed: .*job\.log"):
        run_job(failing)
    assert not failing.is_finished()
    assert (failing.output_dir / "job.log").is_file()


def test_a_missing_config_is_named(job):
    with pytest.raises(DataError, match=r"configs/absent\.yaml"):
        replace(job(), config_files=("absent.yaml",)).identity()


def test_a_job_asked_for_twice_at_once_is_run_once(job):
    """As a cluster does when it takes a busy worker for lost."""
    with ThreadPoolExecutor(4) as executor:
        futures = [executor.submit(run_job, job()) for _ in range(4)]
        seconds = {future.result() for future in futures}
    assert len(seconds) == 1
    assert (job().output_dir / "result.txt").read_text() == "hello"


def test_a_record_nobody_can_read_is_none(job):
    run_job(job())
    (job().output_dir / "job.json").write_text("{")
    assert job().recorded() is None
    assert not job().is_finished()
    assert json.loads((job().output_dir / "begun.json").read_text())["name"] == "one"
