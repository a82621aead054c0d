import pytest

from monai_gan_aug.io import cores
from monai_gan_aug.io.cores import physical_cores, usable_cores


@pytest.fixture
def allow(monkeypatch):
    """Pretend that the process may run on some processors only."""

    def allow(processors):
        monkeypatch.setattr(
            cores.os, "sched_getaffinity", lambda pid: set(processors), raising=False
        )

    return allow


def topology(root, siblings):
    for number, text in enumerate(siblings):
        path = root / f"sys/devices/system/cpu/cpu{number}/topology"
        path.mkdir(parents=True)
        (path / "thread_siblings_list").write_text(f"{text}\n")
    return root


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")


@pytest.mark.parametrize(
    ("siblings", "expected"),
    [(["0", "1"], 2), (["0-1", "0-1"], 1), (["0,2", "1,3", "0,2", "1,3"], 2), (["0"], 1)],
)
def test_two_threads_of_a_core_count_once(tmp_path, allow, siblings, expected):
    allow(range(len(siblings)))
    assert physical_cores(topology(tmp_path, siblings)) == expected
    assert usable_cores(tmp_path) == len(siblings)


def test_a_process_confined_to_one_processor_has_one_core(tmp_path, allow):
    allow({1})
    assert physical_cores(topology(tmp_path, ["0", "1"])) == usable_cores(tmp_path) == 1


def test_a_system_without_affinity_has_all_it_says(tmp_path, monkeypatch):
    monkeypatch.delattr(cores.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(cores.os, "cpu_count", lambda: 6)
    assert usable_cores(tmp_path) == physical_cores(tmp_path) == 6


SECOND = {"proc/self/cgroup": "0::/job/step"}
FIRST = {"proc/self/cgroup": "3:memory:/other\n2:cpu,cpuacct:/job"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"sys/fs/cgroup/job/step/cpu.max": "200000 100000"}, 2),
        ({"sys/fs/cgroup/job/step/cpu.max": "max 100000"}, 8),
        ({"sys/fs/cgroup/job/step/cpu.max": "150000 100000"}, 2),
        ({"sys/fs/cgroup/job/step/cpu.max": "1000 100000"}, 1),
        # what a group around it, or the container's own at the top, is granted
        ({"sys/fs/cgroup/job/cpu.max": "300000 100000"}, 3),
        ({"sys/fs/cgroup/cpu.max": "300000 100000"}, 3),
        (
            {
                "sys/fs/cgroup/job/cpu.max": "400000 100000",
                "sys/fs/cgroup/job/step/cpu.max": "500000 100000",
            },
            4,
        ),
    ],
)
def test_a_quota_of_time_is_a_number_of_processors(tmp_path, allow, files, expected):
    allow(range(8))
    write(tmp_path, SECOND | files)
    assert usable_cores(tmp_path) == physical_cores(tmp_path) == expected


@pytest.mark.parametrize(("quota", "expected"), [("200000", 2), ("-1", 8)])
def test_the_older_control_groups_are_understood(tmp_path, allow, quota, expected):
    allow(range(8))
    folder = "sys/fs/cgroup/cpu/job"
    write(
        tmp_path,
        FIRST | {f"{folder}/cpu.cfs_quota_us": quota, f"{folder}/cpu.cfs_period_us": "100000"},
    )
    assert usable_cores(tmp_path) == expected


def test_a_quota_beyond_the_affinity_changes_nothing(tmp_path, allow):
    allow(range(2))
    write(tmp_path, SECOND | {"sys/fs/cgroup/cpu.max": "900000 100000"})
    assert usable_cores(tmp_path) == 2
