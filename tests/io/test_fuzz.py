"""A few hundred mutated files of ``scripts/benchmark/fuzz_reading.py``; the script runs 20,000."""

import importlib.util
import sys
from pathlib import Path

import pytest

from monai_gan_aug.io.image import DecodedImage

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "benchmark" / "fuzz_reading.py"


@pytest.fixture(scope="module")
def fuzzer():
    if not Path("/proc/self/statm").exists():
        pytest.skip("memory and time are guarded through /proc")
    spec = importlib.util.spec_from_file_location("fuzz_reading", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(SCRIPT.parent))


def test_no_mutated_file_crashes_hangs_or_lies(fuzzer):
    results = fuzzer.fuzz(fuzzer.seed_files(None), seed=1, files=400, workers=1)
    assert len(results) == 400
    assert [result for result in results if result[3]] == []


def test_the_fuzzer_notices_wrong_pixels(fuzzer, monkeypatch, tmp_path):
    read = fuzzer.read_image

    def lie(path):
        image = read(path)
        return DecodedImage(image.pixels + 1, image.units)

    monkeypatch.setattr(fuzzer, "read_image", lie)
    content = fuzzer.seed_files(None)[-1]
    outcome, finding = fuzzer.judge(content, fuzzer.Mutant(content, "none"), tmp_path)
    assert outcome == "read, differs"
    assert finding is not None


def test_the_fuzzer_notices_any_other_exception(fuzzer, monkeypatch, tmp_path):
    def fail(path):
        raise KeyError("x")

    monkeypatch.setattr(fuzzer, "read_image", fail)
    assert fuzzer.judge(b"", fuzzer.Mutant(b"", "none"), tmp_path)[1] == "KeyError: 'x'"
