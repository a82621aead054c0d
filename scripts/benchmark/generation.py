"""Speed of generating and writing: beside the recipe of MONAI's mednist_gan, and plain dcmwrite.

OMP_NUM_THREADS=1 python scripts/benchmark/generation.py
"""

import argparse
import logging
import shutil
import tempfile
from io import BytesIO
from pathlib import Path

import torch
from comparison import compare, print_heading
from monai.data import DataLoader
from monai.engines import SupervisedEvaluator
from monai.transforms import SaveImage
from pydicom import dcmread, dcmwrite

from monai_gan_aug.engines.checkpoint import save_checkpoint
from monai_gan_aug.engines.trained_network import load_network
from monai_gan_aug.generation.formats import image_encoder
from monai_gan_aug.generation.sampling import (
    LatentDataset,
    SyntheticSetWriter,
    prepare_latents,
)
from monai_gan_aug.networks.dcgan import Generator
from monai_gan_aug.records.provenance import TrainingRecord

RECIPE = {"channels": 1, "windows": ["brain"]}


def generate(folder: Path, checkpoints: Path, network: Generator, count: int) -> None:
    """A whole synthetic set with its datalist, as the bundle makes it."""
    shutil.rmtree(folder, ignore_errors=True)
    source = load_network(checkpoints, "generator", network=network)
    SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(LatentDataset(count // 2, 64, 2), batch_size=64),
        network=network,
        prepare_batch=prepare_latents,
        decollate=False,
        val_handlers=[SyntheticSetWriter(folder, source)],
    ).run()


def generate_as_mednist_gan(folder: Path, network: Generator, count: int) -> None:
    """One latent at a time through the generator and SaveImage."""
    save = SaveImage(
        folder, "", ".png", resample=False, scale=255, separate_folder=False, print_log=False
    )
    with torch.no_grad():
        for latent in torch.randn(count, 1, 64):
            save((network(latent, torch.zeros(1, dtype=torch.long))[0] + 1) / 2)


def compare_sets(folder: Path, count: int) -> None:
    """Images generated and written."""
    network = Generator(64, 1, 64, width=8, num_classes=2).eval()
    record = TrainingRecord("5p117", "key", ("g",), ("i",), ("a", "b"), RECIPE).to_dict()
    trainer = {"parts": {}, "networks": {"generator": network.state_dict()}}
    content = {"trainer": trainer, "training": record, "labels": ["a", "b"]}
    save_checkpoint(folder / "checkpoints", "step_1.pt", content)
    ways = {
        "ours": lambda: generate(folder / "ours", folder / "checkpoints", network, count),
        "mednist_gan's recipe": lambda: generate_as_mednist_gan(folder / "stock", network, count),
    }
    targets = {"mednist_gan's recipe": 4.0}
    compare("generate + write PNG 64", ways, count, targets=targets)


def compare_dicom(folder: Path, count: int) -> None:
    """DICOM files encoded and written, against pydicom writing a data set that is ready."""
    encode = image_encoder("dicom", RECIPE)
    images = torch.rand(count, 1, 64, 64) * 2 - 1
    prepared = dcmread(BytesIO(encode(images[0], 1)))
    prepared.walk(lambda dataset, element: None)

    def ours() -> None:
        for number, image in enumerate(images):
            (folder / f"{number}.dcm").write_bytes(encode(image, number + 1))

    def plain() -> None:
        for number in range(count):
            dcmwrite(folder / f"{number}.dcm", prepared, enforce_file_format=True)

    ways = {"ours, from a tensor": ours, "dcmwrite, prepared": plain}
    compare("write DICOM 64", ways, count, targets={"dcmwrite, prepared": 0.8})


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=512)
    count = parser.parse_args().images
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    print_heading()
    with tempfile.TemporaryDirectory() as name:
        compare_sets(Path(name), count)
        compare_dicom(Path(name), count)


if __name__ == "__main__":
    main()
