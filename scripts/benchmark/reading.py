"""Reading speed: a CT slice and a photograph to 64 pixels, beside MONAI and plain Pillow.

    OMP_NUM_THREADS=1 python scripts/benchmark/reading.py

Prints the table of docs/performance.md: task, way, milliseconds per image, and how many times as
long as ours it takes.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from comparison import compare, print_heading
from monai.data import PydicomReader
from monai.transforms import Compose, EnsureChannelFirst, LoadImage, Resize, ScaleIntensityRange
from PIL import Image
from pydicom import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from monai_gan_aug.data import decoding
from monai_gan_aug.data.decoding import decode_images
from monai_gan_aug.io.reading import read_image
from monai_gan_aug.records.datalist import Entry
from monai_gan_aug.transforms.recipe import PreprocessingRecipe


def write_slices(folder: Path, count: int) -> list[Path]:
    """CT slices of 512 x 512 and 16 bits, with a header as long as a scanner's."""
    draw = np.random.default_rng(0)
    paths = []
    for number in range(count):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, generate_uid()
        dataset.Modality, dataset.PatientID = "CT", "1"
        dataset.ImagePositionPatient, dataset.PixelSpacing = [0, 0, number], [0.5, 0.5]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.Rows, dataset.Columns, dataset.PixelRepresentation = 512, 512, 0
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        block = dataset.private_block(0x0009, "SCANNER", create=True)
        for element in range(60):
            block.add_new(element, "LO", f"value {element}")
        dataset.PixelData = draw.integers(0, 4096, (512, 512), dtype=np.uint16).tobytes()
        paths.append(folder / f"{number}.dcm")
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def compare_slices(folder: Path, count: int) -> None:
    """Ours against MONAI's loader and transforms, one process."""
    paths = write_slices(folder, count)
    recipe = PreprocessingRecipe(size=64, windows=["brain"])
    monai = Compose(
        [
            LoadImage(reader=PydicomReader(swap_ij=False), image_only=True),
            EnsureChannelFirst(),
            ScaleIntensityRange(0.0, 80.0, 0.0, 1.0, clip=True),
            Resize((64, 64), mode="area"),
        ]
    )
    ways = {
        "ours": lambda: [recipe(read_image(path)) for path in paths],
        "MONAI LoadImage + transforms": lambda: [monai(path) for path in paths],
    }
    targets = {"MONAI LoadImage + transforms": 5.0}
    compare("CT 512 -> 64", ways, count, targets=targets)


def compare_processes(folder: Path, count: int) -> None:
    """The decoding of a whole set in two processes against one."""
    decoding.WORTH_STARTING_WORKERS_S = 0.0
    available = len(list(folder.glob("*.dcm")))
    entries = [Entry(f"{n % available}.dcm", 0, "g", "") for n in range(count)]
    recipe = PreprocessingRecipe(size=64, windows=["brain"])

    def run(workers: int) -> None:
        for _ in decode_images(entries, folder, recipe, workers=workers, progress=False):
            pass

    run(2)  # starts the processes
    ways = {"ours, 2 processes": lambda: run(2), "ours, 1 process": lambda: run(1)}
    compare("CT 512 -> 64, set", ways, count, turns=4, targets={"ours, 1 process": 1.9})


def compare_photographs(folder: Path, count: int) -> None:
    """Ours, with the draft decoding of JPEG, against plain Pillow."""
    draw = np.random.default_rng(0)
    paths = []
    for number in range(count):
        rough = Image.fromarray(draw.integers(0, 256, (64, 64, 3), dtype=np.uint8))
        paths.append(folder / f"{number}.jpg")
        rough.resize((1024, 1024), Image.Resampling.BICUBIC).save(paths[-1], quality=90)
    recipe = PreprocessingRecipe(size=64, channels=3, fit="stretch")

    box = Image.Resampling.BOX

    def plain(path: Path, filtering: Image.Resampling | None = None) -> np.ndarray:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB").resize((64, 64), filtering))

    ways = {
        "ours": lambda: [recipe(read_image(path, target_size=64)) for path in paths],
        "Pillow decode + resize (its default)": lambda: [plain(path) for path in paths],
        "Pillow decode + resize (BOX)": lambda: [plain(path, box) for path in paths],
    }
    targets = {"Pillow decode + resize (its default)": 3.0}
    compare("JPEG 1024 -> 64", ways, count, targets=targets)


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100)
    count = parser.parse_args().images
    torch.set_num_threads(1)
    print_heading()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare_slices(folder, count)
        compare_photographs(folder, count)
        compare_processes(folder, 60 * count)


if __name__ == "__main__":
    main()
