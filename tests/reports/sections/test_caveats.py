import pytest

from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.sections.caveats import reading_caveats


@pytest.fixture
def caveats(write_study):
    return lambda study, **options: " ".join(
        reading_caveats(StudyRecord.load(write_study(study)), **options)
    )


def test_sound_study_is_not_scolded(study, caveats):
    text = caveats(study)
    for phrase in (
        "No patient ids",
        "can still be improved",
        "training time",
        "Only",
        "real images",
    ):
        assert phrase not in text


def test_missing_patient_ids_are_said(study, caveats):
    study["dataset"]["grouping"] = "none"
    assert "No patient ids" in caveats(study)


def test_an_unfinished_baseline_is_said(study, caveats):
    study["comparisons"][0]["difference"].update(lower=0.001)
    assert "can still be improved without synthetic images: Real + classical, twice" in caveats(
        study
    )


def test_an_unfinished_baseline_is_said_when_lower_is_better(study, caveats):
    study["verdict"]["metric"] = "brier"
    for comparison in study["comparisons"]:
        comparison["metric"] = "brier"
    study["comparisons"][0]["difference"].update(mean=-0.02, lower=-0.03, upper=-0.01)
    assert "can still be improved" in caveats(study)


def test_extra_training_steps_are_said(study, caveats):
    study["arms"][3]["steps"] = 5000
    assert "trained for 5000 steps, its controls for 1200 at most" in caveats(study)


def test_few_seeds_are_said(study, caveats):
    study["seeds"] = study["seeds"][:1]
    curves = study["curves"]
    for part in (curves["gan"], curves["classifier"], study["quality"], study["screening"]):
        part[:] = [item for item in part if item["seed"] == 0]
    estimates = [comparison["difference"] for comparison in study["comparisons"]]
    estimates += [value for arm in study["arms"] for value in arm["metrics"].values()]
    for estimate in estimates:
        del estimate["per_seed"][1:]
    assert "Only one repeat" in caveats(study)


def test_unplanned_comparisons_are_counted(study, caveats):
    assert "4 more comparisons were made in AUC" in caveats(study)


def test_real_images_are_said_where_they_are_shown(study, caveats):
    assert "shows real images of training patients" in caveats(study, shows_real=True)


def test_the_data_sets_of_the_result_are_counted(study, full_study, caveats):
    assert "on one data set, not a medical device" in caveats(study)
    assert "on one data set and 2 other test sets" in caveats(full_study)
