"""The table of arms: every knob against the files it replaces, and rows that suit one another."""

import pytest
import yaml

import monai_gan_aug.published  # noqa: F401  (its classifiers register themselves)
from monai_gan_aug.bundle import knob
from monai_gan_aug.networks.classifiers import CLASSIFIERS, registered_classifier
from monai_gan_aug.studies.arms import ARMS, RENAMED, ROWS, arm, arms_needed_by
from monai_gan_aug.studies.shipped import bundles_folder

CONFIGS = bundles_folder() / "augmentation_classifier" / "configs"
DEFAULTS = {  # copied from the last common.yaml that held them as plain values
    "image_size": 32,
    "channels": 1,
    "augmentation": "light",
    "mixup": 0.0,
    "cutmix": 0.0,
    "steps_multiplier": 1,
    "extra_images": "generated",
    "synthetic_fraction": 0.0,
    "warm_start_fraction": 0.0,
    "balance": "weighted",
    "semi_supervised": False,
    "entropy_weight": 0.0,
    "consistency_weight": 0.0,
    "adversarial_weight": 0.0,
    "total_steps": 600,
    "batch_size": 32,
    "dropout": 0.2,
}
ARM_FILES = {  # copied from the last arm_*.yaml; those that are not here turned nothing
    "balanced_by_synthetic": {"balance": "synthetic"},
    "classical_strong": {"augmentation": "strong"},
    "classical_twice": {"steps_multiplier": 2},
    "copycat": {"extra_images": "copycat", "synthetic_fraction": 0.5},
    "cutmix": {"cutmix": 1.0},
    "duplicated_reals": {"extra_images": "duplicated", "synthetic_fraction": 0.5},
    "filtered": {"synthetic_fraction": 0.5},
    "filtered_at_random": {"synthetic_fraction": 0.5},
    "label_shuffled": {"extra_images": "shuffled", "synthetic_fraction": 0.5},
    "minority_only": {"balance": "minority", "synthetic_fraction": 0.5},
    "mixup": {"mixup": 0.2},
    "oversampled": {"balance": "weighted"},
    "plain_draws": {"balance": "none"},
    "pseudo_labels": {"extra_images": "pseudo", "synthetic_fraction": 0.5},
    "real": {"augmentation": "none"},
    "real_plus_synthetic": {"synthetic_fraction": 0.5},
    "real_plus_synthetic_25": {"synthetic_fraction": 0.25},
    "real_plus_synthetic_75": {"synthetic_fraction": 0.75},
    "semi_supervised": {
        "semi_supervised": True,
        "entropy_weight": 0.15,
        "adversarial_weight": 0.5,
    },
    "semi_supervised_consistency": {
        "semi_supervised": True,
        "entropy_weight": 0.15,
        "consistency_weight": 1.0,
    },
    "semi_supervised_entropy": {"semi_supervised": True, "entropy_weight": 0.15},
    "unlabelled_gan_synthetic": {"synthetic_fraction": 0.5},
    "synthetic_only": {"synthetic_fraction": 1.0},
    "warm_start": {"warm_start_fraction": 0.3333},
}
NETWORK_FILES = {  # copied from the last network_*.yaml
    "small_cnn": {"learning_rate": 4e-3},
    "discriminator": {"learning_rate": 1e-3},
    "resnet18": {"learning_rate": 5e-4},
    "resnet50": {"learning_rate": 5e-4},
    "densenet121": {"learning_rate": 5e-4},
    **{f"efficientnet-b{number}": {"learning_rate": 5e-4} for number in range(8)},
    "bone_xray": {"image_size": 64, "channels": 3, "dropout": 0.5, "learning_rate": 1e-3},
    "head_ct": {"image_size": 32, "channels": 1, "learning_rate": 1e-4, "batch_size": 16},
    "malaria_cnn": {"image_size": 64, "channels": 3, "dropout": 0.0, "learning_rate": 1e-3},
    "malaria_resnet": {"image_size": 64, "channels": 3, "dropout": 0.0, "learning_rate": 1e-3},
    "siim_isic": {
        "image_size": 128,
        "channels": 3,
        "learning_rate": 1e-4,
        "batch_size": 64,
        "total_steps": 2400,
    },
}


@pytest.fixture(scope="module")
def knobs():
    """The knobs of common.yaml that arms and networks turn, as it asks for them."""
    common = yaml.safe_load((CONFIGS / "common.yaml").read_text())
    asking = {
        name: value
        for name, value in common.items()
        if isinstance(value, dict) and value.get("_target_") == "monai_gan_aug.bundle.knob"
    }
    for name, value in asking.items():
        assert (value["name"], value["arm"], value["network"]) == (name, "@arm", "@network")
    return {name: value["default"] for name, value in asking.items()}


def test_there_are_as_many_arms_and_networks_as_there_were_files():
    assert len(ARMS) == 36
    assert set(CLASSIFIERS) == set(NETWORK_FILES)


@pytest.mark.parametrize("network", NETWORK_FILES)
@pytest.mark.parametrize("name", [row.name for row in ROWS if row.trained])
def test_every_knob_has_the_value_of_the_files(name, network, knobs):
    """An arm's file came behind the network's, and that behind common.yaml."""
    wanted = {**DEFAULTS, **NETWORK_FILES[network], **ARM_FILES.get(name, {})}
    assert set(wanted) == set(knobs)
    for key, value in wanted.items():
        resolved = knob(key, arm=name, network=network, default=knobs[key])
        assert type(resolved) is type(value)
        assert resolved == value


def test_an_arm_that_is_derived_is_not_trained_as_something_else(knobs):
    with pytest.raises(ValueError, match="predictions of classical and discriminator_init"):
        knob("balance", arm="averaged", network="small_cnn", default="weighted")


def test_rows_have_names_titles_and_descriptions_of_their_own():
    assert len({row.about for row in ROWS}) == len(ROWS)
    assert all(row.about.endswith(".") for row in ROWS)
    assert len({row.name for row in ROWS}) == len({row.title for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_refers_to_rows_that_suit_it(row):
    members = [arm(name) for name in row.members]
    assert all(member.trained for member in members)
    if not row.trained:
        assert len(members) >= 2
        assert not row.knobs
    if row.matched_control:
        matched = arm(row.matched_control)
        assert matched.role != "candidate"
        # as dear as the arm itself
        assert len(matched.members) == len(members)
        assert "steps_multiplier" not in {**row.knobs, **matched.knobs}
    if row.role == "control":
        gan_without_the_idea = {"label_shuffled", "filtered_at_random"}
        assert not any(member.uses_gan for member in members) or row.name in gan_without_the_idea


def test_arms_that_others_are_made_of_are_trained_once():
    needed = arms_needed_by(map(arm, ["averaged", "classical_tuned", "averaged_controls"]))
    assert [row.name for row in needed] == [
        "classical",
        "discriminator_init",
        "classical_strong",
        "discriminator_scratch",
    ]


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_name_is_refused_with_the_new(old, new):
    assert new in ARMS
    with pytest.raises(ValueError, match=f"{old}.*{new}"):
        arm(old)


def test_a_misspelt_arm_is_refused_with_the_near_ones():
    with pytest.raises(ValueError, match="did you mean classical_strong or"):
        arm("clasical_strong")


def test_an_arm_like_no_other_is_refused_with_all_of_them():
    with pytest.raises(ValueError, match="choose from real, plain_draws"):
        arm("xyz")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("efficientnet_b3", "efficientnet-b3"),
        ("system_s1", "siim_isic"),
        ("system_s3", "bone_xray"),
        ("resnet_50", "resnet50"),
    ],
)
def test_an_old_or_misspelt_network_is_refused_with_the_one_that_is_meant(name, meant):
    with pytest.raises(ValueError, match=f"did you mean {meant}"):
        registered_classifier(name)
