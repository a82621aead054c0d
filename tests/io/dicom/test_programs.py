"""Synthetic DICOM in other programs: dcmtk shows it, Orthanc stores it and gives it back."""

import json
import shutil
import subprocess
import sys
import textwrap
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from monai_gan_aug.io.dicom.writing import SyntheticSeries, encode_synthetic_dicom
from monai_gan_aug.io.image import Units

RNG = np.random.default_rng(0)
IMAGES = {
    "hounsfield": ((RNG.random((1, 24, 32)) * 400 - 160).astype(np.float32), Units.HU),
    "grey 8": (RNG.integers(0, 256, (1, 24, 32), dtype=np.uint8), Units.DISPLAY8),
    "grey 16": (RNG.integers(0, 65536, (1, 24, 32), dtype=np.uint16), Units.DISPLAY16),
    "colour": (RNG.integers(0, 256, (3, 24, 32), dtype=np.uint8), Units.DISPLAY8),
}
RENDERER = shutil.which("dcm2img") or shutil.which("dcmj2pnm")

ORTHANC = """
    import json, subprocess, sys, time, urllib.request
    from pathlib import Path

    folder = Path(sys.argv[1])
    (folder / "store").mkdir()
    settings = {
        "Name": "test", "StorageDirectory": str(folder / "store"), "HttpPort": 8042,
        "IndexDirectory": str(folder / "store"), "DicomServerEnabled": False,
        "RemoteAccessAllowed": False, "AuthenticationEnabled": False, "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    program = [sys.argv[2], str(folder / "orthanc.json")]
    server = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(path, content=None):
        with urllib.request.urlopen("http://127.0.0.1:8042" + path, content, timeout=10) as answer:
            return answer.read()

    try:
        for _ in range(150):
            try:
                ask("/system")
                break
            except OSError:
                time.sleep(0.2)
        said = {}
        for path in sorted(folder.glob("*.dcm")):
            instance = json.loads(ask("/instances", path.read_bytes()))["ID"]
            tags = json.loads(ask(f"/instances/{instance}/simplified-tags"))
            same = ask(f"/instances/{instance}/file") == path.read_bytes()
            preview = ask(f"/instances/{instance}/preview")
            said[path.name] = {"same": same, "tags": tags, "preview": len(preview)}
        said["series"] = len(json.loads(ask("/series")))
        print(json.dumps(said))
    finally:
        server.terminate()
        server.wait(20)
"""


def write_all(folder, series=None):
    for number, (name, (pixels, units)) in enumerate(IMAGES.items()):
        path = folder / f"{name}.dcm"
        path.write_bytes(
            encode_synthetic_dicom(pixels, units=units, series=series, number=number + 1)
        )


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="dcmtk is not installed")
@pytest.mark.parametrize("name", IMAGES)
def test_dcmdump_reads_every_element(tmp_path, name):
    write_all(tmp_path)
    ran = subprocess.run(
        ["dcmdump", str(tmp_path / f"{name}.dcm")], capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""
    assert "(7fe0,0010)" in ran.stdout


@pytest.mark.skipif(RENDERER is None, reason="dcmtk is not installed")
@pytest.mark.parametrize("name", ["grey 8", "colour"])
def test_dcmtk_renders_the_same_pixels(tmp_path, name):
    write_all(tmp_path)
    ran = subprocess.run([RENDERER, str(tmp_path / f"{name}.dcm")], capture_output=True, check=True)
    with Image.open(BytesIO(ran.stdout)) as image:
        shown = np.atleast_3d(np.asarray(image))
    np.testing.assert_array_equal(np.moveaxis(shown, -1, 0), IMAGES[name][0])


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    """What an Orthanc that can reach nothing says of the files it was given."""
    program = shutil.which("Orthanc") or shutil.which("orthanc")
    if program is None:
        pytest.skip("Orthanc is not installed")
    alone = ["unshare", "-rn", "sh", "-c"]
    if subprocess.run([*alone, "ip link set lo up"], capture_output=True).returncode != 0:
        pytest.skip("this machine does not let tests make a network namespace")
    folder = tmp_path_factory.mktemp("orthanc")
    write_all(folder, SyntheticSeries.new())
    (folder / "ask.py").write_text(textwrap.dedent(ORTHANC))
    words = f"'{sys.executable}' '{folder / 'ask.py'}' '{folder}' '{program}'"
    ran = subprocess.run(
        [*alone, f"ip link set lo up && exec {words}"], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return folder, json.loads(ran.stdout.splitlines()[-1])


def test_orthanc_gives_back_what_it_was_given(orthanc):
    _, said = orthanc
    assert [name for name in IMAGES if not said[f"{name}.dcm"]["same"]] == []


def test_orthanc_files_a_set_as_one_series(orthanc):
    assert orthanc[1]["series"] == 1


def test_orthanc_understands_header_and_pixels(orthanc):
    folder, said = orthanc
    for name in IMAGES:
        tags = said[f"{name}.dcm"]["tags"]
        assert tags["SOPInstanceUID"] == dcmread(folder / f"{name}.dcm").SOPInstanceUID
        assert tags["Rows"] == "24"
        assert said[f"{name}.dcm"]["preview"] > 100
