from types import SimpleNamespace

import numpy as np
import pytest
import torch
from monai.data import DataLoader
from monai.engines import SupervisedEvaluator
from PIL import Image

from monai_gan_aug.engines.checkpoint import save_checkpoint
from monai_gan_aug.engines.trained_network import load_network
from monai_gan_aug.errors import DataError, ProvenanceError
from monai_gan_aug.generation.sampling import (
    LatentDataset,
    SyntheticSetWriter,
    prepare_latents,
)
from monai_gan_aug.io.hashing import content_id, sha256_file
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.networks.dcgan import Generator
from monai_gan_aug.records.provenance import SyntheticDatalist, TrainingRecord


def checkpoint(folder, network, labels=("a", "b", "c"), learned=("c", "a"), **more):
    record = TrainingRecord("5p117", "key", ("g1",), ("i1",), learned, {"channels": 1})
    content = {
        "trainer": {"parts": {}, "networks": {"generator": network.state_dict()}},
        "training": record.to_dict(),
        "labels": list(labels),
        **more,
    }
    return save_checkpoint(folder, "step_1.pt", content)


def generate(folder, ckpt, network, per_class=5, batch_size=4, seed=0):
    source = load_network(ckpt, "generator", network=network)
    writer = SyntheticSetWriter(folder, source, seed=seed, columns=3)
    dataset = LatentDataset(per_class, network.latent_size, network.num_classes, seed)
    SupervisedEvaluator(
        device="cpu",
        val_data_loader=DataLoader(dataset, batch_size=batch_size),
        network=network,
        prepare_batch=prepare_latents,
        decollate=False,
        val_handlers=[writer],
    ).run()
    return SyntheticDatalist.load(folder / "datalist.json")


@pytest.fixture
def trained(tmp_path):
    torch.manual_seed(1)
    network = Generator(16, 1, 8, width=4, num_classes=2)
    digest = checkpoint(tmp_path / "checkpoints", network)
    return SimpleNamespace(network=network, digest=digest, folder=tmp_path / "checkpoints")


def fresh(num_classes=2, width=4):
    torch.manual_seed(2)
    return Generator(16, 1, 8, width=width, num_classes=num_classes)


def test_the_set_names_its_origin(trained, tmp_path):
    made = generate(tmp_path / "set", trained.folder, fresh())
    assert made.provenance.checkpoint_sha256 == trained.digest
    assert made.provenance.checkpoint_sha256 == sha256_file(trained.folder / "step_1.pt")
    assert made.provenance.training.split_sha256 == "5p117"
    assert made.provenance.training.labels == ("c", "a")


def test_classes_of_the_generator_become_those_of_the_data(trained, tmp_path):
    made = generate(tmp_path / "set", trained.folder, fresh())
    assert made.labels == ("a", "b", "c")
    assert [entry.label for entry in made.training] == [2] * 5 + [0] * 5


def test_images_are_what_the_generator_draws(trained, tmp_path):
    made = generate(tmp_path / "set", trained.folder, fresh())
    dataset = LatentDataset(5, 8, 2, seed=0)
    expected = trained.network.eval()(dataset.latents, dataset.labels).detach()
    levels = np.rint((expected.numpy() + 1) * 127.5)
    for entry, image in zip(made.training, levels, strict=True):
        path = tmp_path / "set" / entry.image
        assert np.abs(np.asarray(Image.open(path)) - image[0]).max() <= 1
        assert content_id(path) == entry.id


def test_the_batch_size_does_not_matter(trained, tmp_path):
    sets = [
        generate(tmp_path / str(size), trained.folder, fresh(), batch_size=size) for size in (3, 10)
    ]
    latents = [LatentDataset(5, 8, 2, seed=0).latents for _ in range(2)]
    assert torch.equal(*latents)
    assert [len(made.training) for made in sets] == [10, 10]


def test_averaged_weights_come_first(tmp_path):
    torch.manual_seed(0)
    network, average = fresh(), fresh()
    with torch.no_grad():
        average.blocks[0].linear.weight.add_(1)
    parts = {
        "trainer": {
            "parts": {"average": average.state_dict()},
            "networks": {"generator": network.state_dict()},
        }
    }
    checkpoint(tmp_path, network, **parts)
    loaded = load_network(tmp_path, "generator", network=fresh()).network
    assert torch.equal(loaded.blocks[0].linear.weight, average.blocks[0].linear.weight)


def test_a_finished_set_is_not_overwritten(trained, tmp_path):
    generate(tmp_path / "set", trained.folder, fresh())
    with pytest.raises(DataError, match="holds a synthetic set already"):
        generate(tmp_path / "set", trained.folder, fresh())


def test_an_unfinished_set_is_written_anew(trained, tmp_path):
    (tmp_path / "set/images").mkdir(parents=True)
    (tmp_path / "set/images/0000099.png").write_bytes(b"left by a kill")
    made = generate(tmp_path / "set", trained.folder, fresh())
    names = sorted(f"images/{path.name}" for path in (tmp_path / "set/images").iterdir())
    assert names == sorted(entry.image for entry in made.training)


def test_another_architecture_is_refused_before_anything_is_written(trained, tmp_path):
    with pytest.raises(DataError, match=r"blocks\.0\.linear\.weight: shape"):
        generate(tmp_path / "set", trained.folder, fresh(width=8))
    assert not (tmp_path / "set").exists()


def test_a_checkpoint_without_a_record_is_refused(tmp_path):
    content = {"trainer": {"parts": {}, "networks": {"generator": fresh().state_dict()}}}
    save_checkpoint(tmp_path, "x.pt", content)
    with pytest.raises(ProvenanceError, match="what its networks saw"):
        load_network(tmp_path, "generator", network=fresh())


def test_latents_are_a_function_of_the_seed():
    first, same, other = (LatentDataset(3, 4, 2, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.latents, same.latents)
    assert not torch.equal(first.latents, other.latents)
    assert [int(first[i][DataKeys.LABEL]) for i in range(6)] == [0, 0, 0, 1, 1, 1]


def test_rejects_no_images_per_class():
    with pytest.raises(ValueError, match="got 0"):
        LatentDataset(0, 4)


def test_truncation_scales_the_same_latents_and_is_recorded(trained, tmp_path):
    whole, half = LatentDataset(3, 4), LatentDataset(3, 4, truncation=0.5)
    assert torch.equal(half.latents, whole.latents * 0.5)
    made = generate(tmp_path / "set", trained.folder, fresh())
    assert made.provenance.settings["truncation"] == 1.0


@pytest.mark.parametrize("truncation", [0.0, 1.5])
def test_rejects_truncations_out_of_range(truncation):
    with pytest.raises(ValueError, match=f"got {truncation}"):
        LatentDataset(3, 4, truncation=truncation)


def test_images_drawn_without_a_class_say_so(tmp_path):
    network = fresh(num_classes=0)
    checkpoint(tmp_path / "checkpoints", network)
    made = generate(tmp_path / "set", tmp_path / "checkpoints", fresh(num_classes=0))
    assert not made.knows_classes
    with pytest.raises(DataError, match=r"one GAN of c, a.*--only_labels"):
        made.require_classes()


def test_a_gan_of_one_class_knows_it(trained, tmp_path):
    checkpoint(tmp_path / "one", fresh(num_classes=0), learned=("c",))
    assert generate(tmp_path / "set", tmp_path / "one", fresh(num_classes=0)).knows_classes
    assert generate(tmp_path / "both", trained.folder, fresh()).knows_classes
