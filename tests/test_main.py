"""The command line as a user types it."""

import json

import numpy as np
import pytest

from monai_gan_aug.__main__ import main
from monai_gan_aug.io.png import write_png
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.plan import PlanRecord
from monai_gan_aug.studies.shipped import configs_folder


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two classes of eight patients with two images each, and a key of their own."""
    monkeypatch.setenv("MONAI_GAN_AUG_KEY_FILE", str(tmp_path / "patient.key"))
    draw = np.random.default_rng(0)
    for name in ("ill", "well"):
        for patient in range(8):
            for number in range(2):
                path = tmp_path / "images" / name / f"{name}{patient}_{number}.png"
                write_png(path, draw.integers(0, 256, (1, 16, 16), dtype=np.uint8))
    return tmp_path


def test_prepare_writes_a_datalist_grouped_by_patient(folder, capsys):
    out = folder / "datalist.json"
    images = str(folder / "images")
    assert main(["prepare", images, "--out", str(out), "--patient-pattern", r"([a-z]+\d)_"]) == 0
    datalist = Datalist.load(out)
    assert len(datalist.entries()) == 32
    assert len(datalist.groups()) == 16
    assert datalist.sha256[:12] in capsys.readouterr().out


def test_prepare_lists_unlabelled_images_apart(folder, capsys):
    draw = np.random.default_rng(1)
    for number in range(3):
        path = folder / "images" / "unsorted" / f"new{number}_0.png"
        write_png(path, draw.integers(0, 256, (1, 16, 16), dtype=np.uint8))
    words = ["prepare", str(folder / "images"), "--out", str(folder / "datalist.json")]
    words += ["--patient-pattern", r"([a-z]+\d)_", "--unlabelled", "unsorted"]
    assert main(words) == 0
    assert "unlabelled  3 images of 3 patients: " in capsys.readouterr().out
    assert len(Datalist.load(folder / "datalist.unlabelled.json").training) == 3


def test_prepare_without_patients_is_refused_with_the_next_step(folder, capsys):
    out = folder / "datalist.json"
    assert main(["prepare", str(folder / "images"), "--out", str(out)]) == 2
    assert "group" in capsys.readouterr().err
    assert not out.exists()


def test_inspect_counts_the_images(folder, capsys):
    assert main(["inspect", str(folder / "images"), "--sheet", str(folder / "sheet.png")]) == 0
    assert "32 images" in capsys.readouterr().out
    assert (folder / "sheet.png").is_file()


def test_phantoms_are_drawn_by_class(tmp_path):
    arguments = ["phantoms", str(tmp_path), "--patients", "2", "--slices", "1", "--size", "32"]
    assert main(arguments) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["haemorrhage", "normal"]


def test_bundles_are_listed_and_copied(tmp_path, capsys):
    assert main(["bundles"]) == 0
    printed = capsys.readouterr().out
    assert "medical_image_gan: " in printed
    assert "your_data.yaml" in printed
    assert main(["bundles", "copy", "medical_image_gan", str(tmp_path / "mine")]) == 0
    assert (tmp_path / "mine" / "configs" / "train.yaml").is_file()
    assert main(["bundles", "copy", "medical_image_gan", str(tmp_path / "mine")]) == 2
    assert main(["bundles", "copy", "medical_image_gan"]) == 2
    assert "NAME DIR" in capsys.readouterr().err


def test_a_missing_study_is_an_error_not_a_traceback(tmp_path, capsys):
    (tmp_path / "study.json").write_text(json.dumps({"schema": 1}))
    assert main(["report", str(tmp_path / "study.json")]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_prepare_takes_slices_by_rule(tmp_path, monkeypatch):
    monkeypatch.setenv("MONAI_GAN_AUG_KEY_FILE", str(tmp_path / "patient.key"))
    main(["phantoms", str(tmp_path / "ct"), "--patients", "14", "--slices", "5", "--size", "32"])
    out = tmp_path / "datalist.json"
    rule = ["--every", "2", "--region", "0.2", "1.0", "--content", "0", "100"]
    assert main(["prepare", str(tmp_path / "ct"), "--kind", "dicom", "--out", str(out), *rule]) == 0
    assert len(Datalist.load(out).entries()) == 2 * 14


def test_prepare_lists_what_it_left_out(folder, capsys):
    (folder / "images" / "ill" / "ill0_9.png").touch()
    out = folder / "datalist.json"
    words = ["prepare", str(folder / "images"), "--out", str(out), "--group", "none"]
    assert main([*words, "--on-error", "skip", "--max-bad-fraction", "0.1"]) == 0
    assert "datalist.rejected.txt" in capsys.readouterr().out
    assert "ill0_9.png is empty" in (folder / "datalist.rejected.txt").read_text()


def test_inspect_lists_what_it_rejects(folder, capsys):
    (folder / "images" / "ill" / "ill0_9.png").touch()
    rejected = folder / "rejected.txt"
    assert main(["inspect", str(folder / "images"), "--rejected", str(rejected)]) == 0
    assert "1 unreadable" in capsys.readouterr().out
    assert rejected.read_text().startswith("ill/ill0_9.png is empty")


@pytest.fixture
def planned(folder):
    """The words that plan a study of the folder."""
    datalist = folder / "datalist.json"
    images = str(folder / "images")
    main(["prepare", images, "--out", str(datalist), "--patient-pattern", r"([a-z]+\d)_"])
    config = str(configs_folder() / "studies" / "your_data.yaml")
    words = ["plan", "--config_file", config, "--dataset_dir", images]
    return [*words, "--datalist", str(datalist), "--output_dir", str(folder / "study")]


def test_plan_is_shown_without_a_trace_and_then_written(planned, folder, capsys):
    assert main([*planned, "--seeds", "[3, 4, 5]", "--dry_run"]) == 0
    assert "seeds: 3, 4, 5" in capsys.readouterr().out
    assert not (folder / "study").exists()
    assert main([*planned, "--seeds", "[3, 4, 5]"]) == 0
    plan = PlanRecord.load(folder / "study" / "plan.json")
    assert (plan.first.seeds, plan.first.baseline) == ((3, 4, 5), "classical")


def test_plan_refuses_a_knob_that_is_none(planned):
    with pytest.raises(SystemExit, match="seeds"):
        main([*planned, "--sedes", "[3]"])


def test_other_commands_refuse_what_they_do_not_know(folder):
    with pytest.raises(SystemExit):
        main(["inspect", str(folder / "images"), "--sheets"])
