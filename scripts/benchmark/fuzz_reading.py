"""Read thousands of damaged image files: no crash, hang, waste of memory or silent wrong pixels.

Every mutated file is read in a worker process that may take 1 GiB more than it started with and
5 seconds of processor time per file (the process that JPEG is decoded in limits itself). A file may
be read or refused with ``ImageReadError``; anything else is a finding, and so are pixels that
differ from what an oracle says:

* mutations that do not touch pixels must leave them as they were;
* PNG and JPEG that are read must equal Pillow's;
* DICOM that is read must equal pydicom's ``pixel_array`` (rescaled), where pydicom reads it too.

    python scripts/benchmark/fuzz_reading.py --files 20000 --data ../shared/data

Prints a table of outcomes and every finding with the number that reproduces it
(``--only NUMBER``).
"""

import argparse
import collections
import logging
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from PIL import Image, ImageOps
from pydicom.pixels import pixel_array

sys.path.insert(0, str(Path(__file__).resolve().parent))
from mutations import Mutant, mutate

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.reading import DecodedImage, Units, read_image

MEMORY_LIMIT = 2**30
TIME_LIMIT = 5.0
LARGEST_SEED = 600_000
RESCALE = ("RescaleSlope", "RescaleIntercept")
PILLOW_MODES = ("L", "RGB", "I;16")


def seed_files(data: Path | None) -> list[bytes]:
    """Images to damage: pydicom's test files, drawn PNG and JPEG, real ones if there are any."""
    bundled = Path(pydicom.__file__).parent / "data" / "test_files"
    paths = sorted(p for p in bundled.rglob("*.dcm") if p.stat().st_size < LARGEST_SEED)
    if data is not None and data.is_dir():
        paths += sorted((data / "dicom_syntaxes").rglob("*.dcm"))
        for folder, suffix in (
            ("dicom_ct", "dcm"),
            ("xray", "*"),
            ("skin", "jpg"),
            ("malaria", "*"),
        ):
            paths += [p for p in sorted((data / folder).rglob(f"*.{suffix}")) if p.is_file()][:4]
    contents = [path.read_bytes() for path in paths if path.stat().st_size < LARGEST_SEED]
    return [content for content in contents if _is_image(content)] + _drawn_images()


def _is_image(content: bytes) -> bool:
    """Whether ``content`` is PNG, JPEG or DICOM with pixel data (of either byte order)."""
    if content[128:132] == b"DICM":
        return b"\xe0\x7f\x10\x00" in content or b"\x7f\xe0\x00\x10" in content
    return content.startswith((b"\x89PNG", b"\xff\xd8\xff"))


def _drawn_images() -> list[bytes]:
    """Small PNG and JPEG files of every kind that the conversion table names."""
    draw = np.random.default_rng(0)
    smooth = np.linspace(0, 255, 64 * 48).reshape(48, 64).astype(np.uint8)
    colour = np.stack([smooth, smooth[::-1], draw.integers(0, 256, smooth.shape)], -1)
    grey, rgb = Image.fromarray(smooth), Image.fromarray(colour.astype(np.uint8))
    deep = Image.fromarray(draw.integers(0, 65536, (48, 64)).astype(np.uint16))
    pictures = [
        *((image, "PNG", {}) for image in (grey, rgb, deep, grey.convert("1"), rgb.convert("P"))),
        *((image, "PNG", {}) for image in (rgb.convert("RGBA"), grey.convert("LA"))),
        *((image, "JPEG", {}) for image in (grey, rgb, rgb.convert("CMYK"))),
        (rgb, "JPEG", {"progressive": True}),
        (rgb, "JPEG", {"subsampling": 0, "quality": 60}),
    ]
    contents = []
    for image, form, settings in pictures:
        stream = BytesIO()
        image.save(stream, form, **settings)
        contents.append(stream.getvalue())
    return contents * 3


def make_case(seeds: list[bytes], seed: int, number: int) -> tuple[bytes, Mutant]:
    """The original and the mutant of one case, a pure function of its numbers."""
    draw = np.random.default_rng([seed, number])
    original = seeds[draw.integers(len(seeds))]
    return original, mutate(original, draw)


def judge(original: bytes, mutant: Mutant, folder: Path) -> tuple[str, str | None]:
    """Outcome of reading one mutant, and the finding if it is one."""
    path = folder / "mutant"
    path.write_bytes(mutant.content)
    try:
        image = read_image(path)
    except ImageReadError as error:
        if "MemoryError" in str(error):
            return "refused", f"memory: {error}"
        died = "DecoderDied" in str(error)
        return "refused, decoder died apart" if died else "refused", _refused_harmless(
            original, mutant, path
        )
    except BaseException as error:
        return "raised", f"{type(error).__name__}: {error}"
    if mutant.harmless:
        path.write_bytes(original)
        same = np.array_equal(read_image(path).pixels, image.pixels, equal_nan=True)
        return "read, unchanged", None if same else "a harmless change altered the pixels"
    return _compare(image, mutant.content)


def _refused_harmless(original: bytes, mutant: Mutant, path: Path) -> str | None:
    if not mutant.harmless:
        return None
    path.write_bytes(original)
    try:
        read_image(path)
    except ImageReadError:
        return None
    return "a harmless change is refused"


def _compare(image: DecodedImage, content: bytes) -> tuple[str, str | None]:
    expected = _by_pydicom(image, content) if content[128:132] == b"DICM" else _by_pillow(content)
    if expected is None:
        return "read, no oracle", None
    got = image.pixels if image.pixels.shape[0] == 3 else image.pixels[0]
    if got.ndim == 3:
        got = np.moveaxis(got, 0, -1)
    if got.shape != expected.shape or not np.allclose(got, expected, rtol=1e-5, atol=1e-3):
        return "read, differs", f"pixels differ from the oracle's ({got.shape}, {expected.shape})"
    return "read, as the oracle", None


def _by_pillow(content: bytes) -> np.ndarray | None:
    try:
        with Image.open(BytesIO(content)) as image:
            if image.mode not in PILLOW_MODES or "transparency" in image.info:
                return None
            return np.asarray(ImageOps.exif_transpose(image))
    except Exception:
        return None


def _stored_pixels(content: bytes) -> np.ndarray | None:
    """What pydicom reads, in a process of its own: GDCM ends its process on some damaged files."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            packed = BytesIO()
            np.save(packed, pixel_array(BytesIO(content)), allow_pickle=False)
            with os.fdopen(writer, "wb") as stream:
                stream.write(packed.getvalue())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        content = stream.read()
    os.waitpid(child, 0)
    return np.load(BytesIO(content)) if content else None


def _by_pydicom(image: DecodedImage, content: bytes) -> np.ndarray | None:
    """Rescaled pixels as pydicom has them, where no further rule of ours applies."""
    try:
        dataset = pydicom.dcmread(BytesIO(content))
        compressed = dataset.file_meta.TransferSyntaxUID.is_encapsulated
        stored = _stored_pixels(content) if compressed else pixel_array(BytesIO(content))
        if stored is None:
            return None
        photometric = str(dataset.PhotometricInterpretation)
        if {"ModalityLUTSequence", "PixelPaddingValue"} & set(dataset.dir()) or (
            dataset.BitsAllocated == 1
        ):
            return None
        if photometric in ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"):
            return stored if dataset.BitsStored == 8 and stored.ndim == 3 else None
        if photometric != "MONOCHROME2":
            return None
        if image.units in (Units.DISPLAY8, Units.DISPLAY16):
            return stored
        if any(k in dataset and dataset[k].VR != "DS" for k in RESCALE):
            return None
        slope = float(dataset.get("RescaleSlope", 1) or 1)
        return stored.astype(np.float64) * slope + float(dataset.get("RescaleIntercept", 0) or 0)
    except Exception:
        return None


def run_cases(seeds: list[bytes], seed: int, numbers: Iterable[int], state: Any, out: Any) -> None:
    """Judge cases, telling ``state`` (number, time of its start) and ``out`` (results) of each."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_LIMIT
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            original, mutant = make_case(seeds, seed, number)
            state[0], state[1] = number, time.process_time()
            began = time.monotonic()
            outcome, finding = judge(original, mutant, Path(folder))
            seconds = time.monotonic() - began
            out.send((number, mutant.kind, outcome, finding, seconds))
    out.send(None)


class Worker:
    """A process that judges every ``stride``-th case and is replaced when it crashes or hangs."""

    def __init__(self, seeds: list[bytes], seed: int, numbers: list[int]) -> None:
        self.seeds, self.seed, self.numbers = seeds, seed, numbers
        self.results: list[tuple[int, str, str, str | None, float]] = []
        self.done = False
        self._start(numbers)

    def _start(self, numbers: list[int]) -> None:
        context = multiprocessing.get_context("fork")
        self.state = context.Array("d", [-1, 0], lock=False)
        self.pipe, out = context.Pipe(duplex=False)
        arguments = (self.seeds, self.seed, numbers, self.state, out)
        self.process = context.Process(target=run_cases, args=arguments, daemon=True)
        self.process.start()
        out.close()

    def poll(self) -> None:
        """Take results; replace the process if it died or its file takes too long."""
        try:
            while not self.done and self.pipe.poll():
                result = self.pipe.recv()
                self.done = result is None
                if result is not None:
                    self.results.append(result)
        except EOFError:
            self.process.join()
            self._replace(f"crash: exit code {self.process.exitcode}")
            return
        number, since = self.state[:]
        if not self.done and number >= 0 and self._processor_time() - since > TIME_LIMIT:
            self.process.kill()
            self.process.join()
            while self.pipe.poll():
                try:
                    self.results.append(self.pipe.recv())
                except EOFError:
                    break
            self._replace(f"hang: more than {TIME_LIMIT:.0f} s")

    def _processor_time(self) -> float:
        """Seconds of processor time: other programs on the machine make no hang."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _replace(self, finding: str) -> None:
        number = int(self.state[0])
        self.results.append((number, "", finding.split(":")[0], finding, TIME_LIMIT))
        rest = [n for n in self.numbers if n > number]
        if rest:
            self._start(rest)
        else:
            self.done = True


def fuzz(seeds: list[bytes], seed: int, files: int, workers: int) -> list[tuple]:
    """Results of all cases: number, mutation, outcome, finding, seconds."""
    running = [Worker(seeds, seed, list(range(w, files, workers))) for w in range(workers)]
    shown = time.monotonic()
    while not all(worker.done for worker in running):
        for worker in running:
            worker.poll()
        time.sleep(0.02)
        if time.monotonic() - shown > 30:
            shown = time.monotonic()
            print(f"{sum(len(w.results) for w in running)} of {files}", flush=True)
    return sorted(result for worker in running for result in worker.results)


def main() -> int:
    """Run, print the table, return 1 if there is a finding."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--data", type=Path, help="folder of real images to damage as well")
    parser.add_argument("--only", type=int, help="write this mutant to ./mutant and judge it here")
    arguments = parser.parse_args()
    seeds = seed_files(arguments.data)
    if arguments.only is not None:
        original, mutant = make_case(seeds, arguments.seed, arguments.only)
        with tempfile.TemporaryDirectory() as folder:
            print(mutant.kind, judge(original, mutant, Path(folder)))
        Path("mutant").write_bytes(mutant.content)
        return 0
    began = time.monotonic()
    results = fuzz(seeds, arguments.seed, arguments.files, arguments.workers)
    print(
        f"{len(results)} files made from {len(seeds)}, {time.monotonic() - began:.0f} s, ", end=""
    )
    print(f"slowest {max(r[4] for r in results):.2f} s")
    for outcome, count in collections.Counter(r[2] for r in results).most_common():
        print(f"{count:7d}  {outcome}")
    findings = [r for r in results if r[3]]
    for number, kind, _, finding, _ in findings:
        print(f"FINDING {number} ({kind}): {finding}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
