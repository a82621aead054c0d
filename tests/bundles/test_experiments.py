"""Every experiment's configuration can be built, and names presets and arms that exist."""

from pathlib import Path

import pytest
from monai.bundle import ConfigParser

import monai_gan_aug.published  # noqa: F401  (its classifiers register themselves)
from monai_gan_aug.networks.classifiers import CLASSIFIERS
from monai_gan_aug.records.datalist import Datalist, Entry, SplitRecord
from monai_gan_aug.reports.wording import METRIC_TITLES

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = sorted(ROOT.glob("configs/*/*.yaml"))


@pytest.fixture(params=EXPERIMENTS, ids=lambda path: path.stem)
def parser(request, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    parser = ConfigParser()
    parser.read_config(str(request.param))
    parser["dataset_dir"] = str(tmp_path)
    if "datalist" in parser:
        parser["datalist"] = str(tmp_path / "datalist.json")
        entries = [(Entry(f"{n}.png", n % 2, f"p{n}", str(n)),) for n in range(3)]
        Datalist(("a", "b"), *entries, SplitRecord(0, "none")).save(tmp_path / "datalist.json")
    return parser


def test_is_built(parser):
    names = [name for name in ("study", "comparison") if name in parser]
    assert names
    for name in names:
        assert parser.get_parsed_content(name).data.root.is_dir()


def recipes_of(parser):
    """Every recipe of a GAN, with what they share."""
    recipes = [parser["gan"]] if "gan" in parser else []
    shared = parser.get("shared", {})
    if "gans" in parser:
        recipes += [{**shared, **recipe} for recipe in parser["gans"].values()]
    return recipes


def test_presets_are_there(parser):
    assert recipes_of(parser)
    for recipe in recipes_of(parser):
        assert (ROOT / f"bundles/medical_image_gan/configs/{recipe['preset']}.yaml").is_file()


def test_knobs_of_the_gan_are_knobs(parser):
    for recipe in recipes_of(parser):
        files = [
            str(ROOT / f"bundles/medical_image_gan/configs/{name}.yaml")
            for name in ("common", recipe["preset"], "train")
        ]
        assert set(recipe["knobs"]) <= set(ConfigParser.load_config_files(files))


def test_networks_are_registered(parser):
    if "study" in parser:
        assert parser["study"].get("network", "small_cnn") in CLASSIFIERS


def test_runs_everything_it_defines(parser):
    told = " ".join(parser["run"])
    for name in ("study", "comparison", "report"):
        assert (f"@{name}." in told) == (name in parser)


def test_metrics_have_names_that_are_used(parser):
    named = [n for key in ("study", "comparison") for n in _metrics(parser.get(key) or {})]
    assert set(named) <= set(METRIC_TITLES)


def _metrics(experiment):
    yield from experiment.get("metrics") or []
    yield from (experiment.get("published") or {}).get("metrics", [])
    if "comparison" in experiment:
        yield experiment["comparison"]["metric"]
