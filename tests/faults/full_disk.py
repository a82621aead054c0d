"""Run by ``test_disk.py`` in a mount namespace where every folder is tiny or read-only.

Prints, as JSON, what each writer said and what it left behind.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from monai.data import DataLoader
from monai.engines import SupervisedEvaluator

from monai_gan_aug.data import cache as cache_module
from monai_gan_aug.data.cache import ImageCache
from monai_gan_aug.engines.checkpoint import load_checkpoint, save_checkpoint
from monai_gan_aug.engines.handlers import CurveRecorder, TensorBoardWriter
from monai_gan_aug.engines.run_folder import RunFolder
from monai_gan_aug.engines.trained_network import load_network
from monai_gan_aug.generation.sampling import (
    LatentDataset,
    SyntheticSetWriter,
    prepare_latents,
)
from monai_gan_aug.io.hashing import content_id
from monai_gan_aug.networks.dcgan import Generator
from monai_gan_aug.records.datalist import Entry
from monai_gan_aug.records.provenance import TrainingRecord
from monai_gan_aug.transforms.recipe import PreprocessingRecipe
from tests.drawing import draw_noise
from tests.drawing.training import TinyImages, tiny_trainer

RECORD = TrainingRecord("5p117", "key", ("g",), ("i",), ("a", "b"), {"channels": 1})
RECIPE = PreprocessingRecipe(size=64, channels=1)
ROOMY = SimpleNamespace(free=10**12, total=10**12, used=0)


def small_checkpoint(folder: Path) -> None:
    network = Generator(16, 1, 8, width=4, num_classes=2)
    trainer = {"parts": {}, "networks": {"generator": network.state_dict()}}
    content = {"trainer": trainer, "training": RECORD.to_dict(), "labels": ["a", "b"]}
    save_checkpoint(folder, "step_1.pt", content)


def write_checkpoint(folder: Path, plenty: Path) -> None:
    save_checkpoint(folder, "step_2.pt", {"weights": torch.zeros(2**20)})


def draw_images(plenty: Path) -> list[Entry]:
    paths = [draw_noise(plenty / f"{number}.png", number, 64) for number in range(80)]
    return [Entry(path.name, 0, path.stem, content_id(path)) for path in paths]


def write_cache(folder: Path, plenty: Path) -> None:
    cache_module.MAX_SHARD_IMAGES = 30
    ImageCache.build(draw_images(plenty), plenty, RECIPE, folder, workers=0, progress=False)


def write_cache_unwarned(folder: Path, plenty: Path) -> None:
    """Another program fills the disk after the cache has asked how much is free."""
    cache_module.shutil.disk_usage = lambda path: ROOMY
    write_cache(folder, plenty)


def write_samples(folder: Path, plenty: Path) -> None:
    small_checkpoint(plenty / "checkpoints")
    network = Generator(16, 1, 8, width=4, num_classes=2)
    source = load_network(plenty / "checkpoints", "generator", network=network)
    SupervisedEvaluator(
        device="cpu",
        val_data_loader=DataLoader(LatentDataset(40, 8, 2), batch_size=20),
        network=network,
        prepare_batch=prepare_latents,
        decollate=False,
        val_handlers=[SyntheticSetWriter(folder / "set", source)],
    ).run()


def train(run: Path, events: Path, plenty: Path) -> None:
    images = TinyImages(60)
    handlers = [
        RunFolder(run, images),
        CurveRecorder(plenty / "curves.json", every=1),
        TensorBoardWriter(events),
    ]
    tiny_trainer(images, max_epochs=12, steps=10, handlers=handlers, average=False).run()


def write_events(folder: Path, plenty: Path) -> None:
    train(plenty / "run", folder, plenty)


def write_run(folder: Path, plenty: Path) -> None:
    train(folder / "run", plenty / "events", plenty)


STAGES = {
    "checkpoint": write_checkpoint,
    "cache": write_cache,
    "unwarned": write_cache_unwarned,
    "samples": write_samples,
    "events": write_events,
    "readonly-run": write_run,
    "readonly-samples": write_samples,
    "readonly-cache": write_cache,
}


def main(root: Path) -> None:
    """Run every stage on its file system below ``root``."""
    said = {}
    for stage, write in STAGES.items():
        folder, plenty = root / stage, root / f"{stage}-plenty"
        plenty.mkdir()
        if stage == "checkpoint":
            small_checkpoint(folder)
        try:
            write(folder, plenty)
            error = None
        except (Exception, SystemExit) as raised:
            error = f"{type(raised).__name__}: {raised}"
        left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
        said[stage] = {"error": error, "left": left}
    said["checkpoint"]["loads"] = "training" in load_checkpoint(root / "checkpoint")
    said["events"]["checkpoint"] = "trainer" in load_checkpoint(
        root / "events-plenty/run/checkpoints"
    )
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
