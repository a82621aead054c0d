import logging

import pytest
import torch

from monai_gan_aug.engines import threads
from monai_gan_aug.engines.threads import choose_threads, physical_cores


@pytest.fixture(autouse=True)
def _unchanged(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    yield
    torch.set_num_threads(before)


def topology(folder, siblings):
    for number, text in enumerate(siblings):
        path = folder / f"cpu{number}" / "topology"
        path.mkdir(parents=True)
        (path / "thread_siblings_list").write_text(f"{text}\n")
    return folder


@pytest.mark.parametrize(
    ("siblings", "cores"),
    [(["0", "1"], 2), (["0-1", "0-1"], 1), (["0,2", "1,3", "0,2", "1,3"], 2), (["0"], 1)],
)
def test_two_threads_of_a_core_count_once(tmp_path, monkeypatch, siblings, cores):
    monkeypatch.setattr(
        threads.os, "sched_getaffinity", lambda pid: set(range(len(siblings))), raising=False
    )
    assert physical_cores(topology(tmp_path, siblings)) == cores


def test_a_process_confined_to_one_cpu_has_one_core(tmp_path, monkeypatch):
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda pid: {1}, raising=False)
    assert physical_cores(topology(tmp_path, ["0", "1"])) == 1


def test_the_number_asked_for_wins_and_is_logged(monkeypatch, caplog):
    caplog.set_level(logging.INFO, logger="monai_gan_aug")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert choose_threads(2) == torch.get_num_threads() == 2
    assert "2 threads on the CPU, as asked for" in caplog.text


def test_the_environment_is_respected(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(threads, "physical_cores", lambda: 8)
    assert choose_threads() == torch.get_num_threads() == 1


@pytest.mark.parametrize(("processes", "expected"), [(None, 2), ("2", 1), ("5", 1)])
def test_processes_share_the_cores(monkeypatch, processes, expected):
    monkeypatch.setattr(threads, "physical_cores", lambda: 2)
    if processes:
        monkeypatch.setenv("LOCAL_WORLD_SIZE", processes)
    assert choose_threads() == expected


def test_no_threads_are_refused():
    with pytest.raises(ValueError, match="`threads` must be at least 1"):
        choose_threads(0)
