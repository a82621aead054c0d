"""The model card says what the study recorded, and goes into copies of bundles only."""

import json
import re
import shutil
from pathlib import Path

import pytest
from monai.bundle import ConfigParser

from monai_gan_aug.errors import DataError
from monai_gan_aug.reports.bundle_card import BundleCard
from monai_gan_aug.reports.contents import gather
from monai_gan_aug.reports.html import StudyReport
from monai_gan_aug.reports.model_card import model_card

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"
SECTIONS = (
    "Verdict",
    "Intended use",
    "Out of scope",
    "Data",
    "Recipe of preprocessing, GAN and classifier",
    "Results on the test patients",
    "How it failed, as far as anyone looked",
    "Copies and privacy",
    "Licence",
    "Hashes",
)


@pytest.fixture
def card(full_study, write_study):
    return model_card(gather(write_study(full_study)))


@pytest.fixture(params=["medical_image_gan", "augmentation_classifier"])
def bundle(request, tmp_path):
    """A copy of a bundle that ships with the package."""
    return Path(shutil.copytree(BUNDLES / request.param, tmp_path / request.param))


@pytest.fixture
def classifier(tmp_path):
    return Path(shutil.copytree(BUNDLES / "augmentation_classifier", tmp_path / "copy"))


def metadata(folder):
    return json.loads((folder / "configs" / "metadata.json").read_text())


def test_has_every_section_in_order(card):
    assert tuple(re.findall(r"^## (.+)$", card, re.MULTILINE)) == SECTIONS


def test_says_what_the_study_found_and_how_it_failed(card, full_study):
    plain = card.replace("\\", "")
    assert full_study["verdict"]["sentence"] in plain
    assert full_study["dataset"]["caveats"][0] in plain
    assert "Guards raised alarms in 1 of 3 GAN runs" in plain
    assert "KID (lower is better): worse than real in 3 of 3 repeats." in plain
    assert "0 of 500 images flagged" in plain
    for one in full_study["external"]:
        assert f"- {one['name']}: {one['verdict']['word']}. {one['verdict']['sentence']}" in plain
        assert one["caveats"][0] in plain
    for record in full_study["seeds"]:
        assert record["split_sha256"] in plain


def test_a_study_without_screen_or_quality_says_so(study, write_study):
    study["screening"] = study["quality"] = []
    study["curves"]["gan"] = []
    card = model_card(gather(write_study(study)))
    assert "Nobody looked for copies of training images." in card
    assert "Image quality was not measured." in card
    assert "There is no record of a GAN run." in card


def test_nothing_in_it_is_active(full_study, write_study):
    full_study["title"] = full_study["dataset"]["grouping"] = "<script>x</script> [a](http://b)"
    card = model_card(gather(write_study(full_study)))
    assert "<script" not in card
    assert not re.search(r"(?<!\\)\]\(", card)


def test_stands_beside_the_figures(full_page):
    card = (full_page.parent / "report_files" / "model_card.md").read_text()
    assert card.startswith("# Model card: Paediatric chest X-ray")


def test_fills_the_metadata_of_a_copy_and_leaves_the_rest(bundle, full_study, write_study):
    before = metadata(bundle)
    BundleCard(write_study(full_study), bundle).write()
    after = metadata(bundle)
    filled = {"intended_use", "data_source", "image_classes", "eval_metrics", "monai_gan_aug"}
    assert {key for key in after if before.get(key) != after[key]} == filled
    assert after["changelog"] == before["changelog"]
    assert "NORMAL, PNEUMONIA" in after["image_classes"]
    assert "2400 images of 1230 patients" in after["data_source"]
    block = after["monai_gan_aug"]
    assert block["verdict"] == full_study["verdict"]["word"]
    assert [s["split_sha256"] for s in block["seeds"]] == [
        s["split_sha256"] for s in full_study["seeds"]
    ]


def test_a_classifier_gets_the_metrics_of_an_arm(classifier, full_study, write_study):
    path = write_study(full_study)
    for name in (None, "warm_start"):
        BundleCard(path, classifier, arm=name).write()
        arms = {arm["name"]: arm for arm in full_study["arms"]}
        metrics = arms[name or "real_plus_synthetic"]["metrics"]
        found = metadata(classifier)
        assert found["eval_metrics"] == {k: v["mean"] for k, v in metrics.items()}
        auc = found["monai_gan_aug"]["metrics"]["auc"]
        assert (auc["lower"], auc["upper"]) == (metrics["auc"]["lower"], metrics["auc"]["upper"])


def test_a_generator_gets_quality_beside_real_images(tmp_path, full_study, write_study):
    copy = Path(shutil.copytree(BUNDLES / "medical_image_gan", tmp_path / "copy"))
    BundleCard(write_study(full_study), copy).write()
    found = metadata(copy)
    assert found["eval_metrics"] == {"kid": pytest.approx(0.071)}
    assert found["monai_gan_aug"]["metrics"]["kid"]["real_versus_real"] == pytest.approx(0.004)


def test_the_former_readme_stays_as_usage(classifier, full_study, write_study):
    former = (classifier / "docs" / "README.md").read_text()
    card = BundleCard(write_study(full_study), classifier)
    card.write()
    first = (classifier / "docs" / "README.md").read_text()
    card.write()
    assert (classifier / "docs" / "README.md").read_text() == first
    assert (classifier / "docs" / "usage.md").read_text() == former
    assert "# Model card" in first
    assert "(usage.md)" in first


@pytest.mark.parametrize("name", ["medical_image_gan", "augmentation_classifier"])
def test_the_bundles_of_the_package_stay_as_they_are(name, full_study, write_study):
    before = (BUNDLES / name / "configs" / "metadata.json").read_bytes()
    with pytest.raises(DataError, match="copy the folder"):
        BundleCard(write_study(full_study), BUNDLES / name).write()
    assert (BUNDLES / name / "configs" / "metadata.json").read_bytes() == before


def test_a_folder_that_is_no_bundle_is_refused_untouched(tmp_path, full_study, write_study):
    with pytest.raises(DataError, match="name a copy of a bundle"):
        BundleCard(write_study(full_study), tmp_path / "empty").write()
    assert not (tmp_path / "empty").exists()


def test_an_unknown_arm_is_refused_untouched(classifier, full_study, write_study):
    before = (classifier / "docs" / "README.md").read_text()
    with pytest.raises(DataError, match="`arm` must be one of"):
        BundleCard(write_study(full_study), classifier, arm="x").write()
    assert (classifier / "docs" / "README.md").read_text() == before


def test_is_built_from_a_configuration(classifier, full_study, write_study):
    config = {
        "card": {
            "_target_": "monai_gan_aug.reports.bundle_card.BundleCard",
            "study": str(write_study(full_study)),
            "bundle_dir": str(classifier),
        }
    }
    ConfigParser(config).get_parsed_content("card").write()
    assert "monai_gan_aug" in metadata(classifier)


def test_no_card_of_real_images(full_study, write_study):
    """The card of a bundle holds no picture at all, so it may go where the images may not."""
    report = StudyReport(write_study(full_study), include_real=False)
    for card in (model_card(report.contents), model_card(StudyReport(report.study).contents)):
        assert "![" not in card
        assert "shows real images" not in card
