"""The runs of one GAN of an experiment: which checkpoint its images come from."""

import numpy as np
import pytest

from monai_gan_aug.data.sources import CsvSource
from monai_gan_aug.engines.checkpoint import load_checkpoint
from monai_gan_aug.io.hashing import sha256_file
from monai_gan_aug.records.provenance import SyntheticDatalist
from monai_gan_aug.studies.bundle_runs import BundleRuns
from monai_gan_aug.studies.data import StudyData
from monai_gan_aug.studies.gan_runs import GanRecipe, GanRuns
from monai_gan_aug.studies.jobs import run_job
from monai_gan_aug.studies.layout import StudyLayout
from monai_gan_aug.studies.shipped import bundles_folder
from tests.drawing import draw_halves

SMALL = {"generator_width": 4, "discriminator_width": 4, "latent_size": 8, "batch_size": 8}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = draw_halves(tmp_path_factory.mktemp("images"), 24, seed=0)
    return StudyData(
        name="halves",
        dataset_dir=str(root),
        source=CsvSource("labels.csv", image="path", label="label", patient="patient"),
        image={"image_size": 16, "channels": 1},
        key_file=str(root / "patients.key"),
        split={"training_patients_per_class": 5, "validation_patients_per_class": 4},
    )


@pytest.mark.parametrize("per_class", [False, True])
def test_images_come_from_the_checkpoint_nearest_to_the_validation_images(
    data, per_class, tmp_path
):
    knobs = {**SMALL, "max_epochs": 4, "steps_per_epoch": 2, "learning_rate": 0.02}
    recipe = GanRecipe(knobs=knobs, samples_per_class=3, per_class=per_class, best_by_kid=True)
    layout = StudyLayout(tmp_path)
    labels = data.splits(layout, [0])[0].labels
    data.decode(layout)
    runs = GanRuns(BundleRuns(data, layout, bundles_folder()), recipe, labels)
    for job in (*runs.trainings(0), *runs.generations(0)):
        run_job(job)
    for listed in runs.synthetic(0):
        gan = listed.parent.parent / listed.parent.name.replace("synthetic", "gan")
        best, used = gan / "checkpoints" / "best", SyntheticDatalist.load(listed).provenance
        assert used.checkpoint_sha256 == sha256_file(next(best.glob("*.pt")))
        kept = load_checkpoint(best)["best"]
        assert kept["metric"] == "kid"
        assert np.isfinite(kept["value"])
    assert recipe.summary()["checkpoint"] == "nearest to validation images"


def test_the_last_checkpoint_is_used_unless_asked_otherwise(data, tmp_path):
    shared = BundleRuns(data, StudyLayout(tmp_path), bundles_folder())
    runs = GanRuns(shared, GanRecipe(), ["left", "right"])
    assert runs.checkpoint(0) == tmp_path / "seed-0" / "gan" / "checkpoints" / "latest.json"
    assert "best_by_kid.yaml" not in runs.trainings(0)[0].config_files


@pytest.mark.parametrize(
    ("old", "new"), [("system_s0", "isic2016"), ("system_s1_wgan128", "siim_isic_wgan128")]
)
def test_a_former_name_of_a_preset_is_refused_by_naming_the_new_one(old, new):
    assert (bundles_folder() / "medical_image_gan" / "configs" / f"{new}.yaml").is_file()
    with pytest.raises(ValueError, match=f"'{old}' is called '{new}' now"):
        GanRecipe(preset=old)
