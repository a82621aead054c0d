"""Every expression in a configuration is Python, and every reference leads somewhere."""

from pathlib import Path

import pytest
from monai.bundle import ConfigExpression, ConfigParser, ReferenceResolver

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = sorted(ROOT.glob("configs/*/*.yaml"))
FILES = [*EXPERIMENTS, *sorted(ROOT.glob("bundles/*/configs/*.yaml"))]
RUNS = sorted(ROOT.glob("bundles/*/configs/run_*.yaml"))


def strings(config, place=""):
    """Every string below ``config`` with its place, as ``("train::trainer", "…")``."""
    if isinstance(config, str):
        yield place, config
    elif isinstance(config, dict | list):
        for _, below, value in ReferenceResolver.iter_subconfigs(place, config):
            yield from strings(value, below)


def broken_expressions(config):
    """Places of expressions that are not Python once MONAI has put in what they refer to."""
    broken = []
    for place, value in strings(config):
        if ConfigExpression.is_expression(value):
            names = ReferenceResolver.match_refs_pattern(value)
            code = ReferenceResolver.update_refs_pattern(value, names)[1:].strip()
            try:
                is_import = ConfigExpression.is_import_statement(value)
                compile(code, place, "exec" if is_import else "eval")
            except SyntaxError:
                broken.append(place)
    return broken


def dangling_references(config):
    """``(place, id)`` of references to ids that the configuration does not have."""
    parser = ConfigParser(config)
    parser.resolve_macro_and_relative_ids()
    return [
        (place, name)
        for place, value in strings(parser.get())
        for name in ReferenceResolver.match_refs_pattern(value)
        if name not in parser
    ]


def name_of(path):
    return f"{path.parents[1].name}/{path.stem}"


def kind(path):
    """Of what a file is one of several: networks of a GAN, of a classifier, arms."""
    if isinstance(ConfigParser.load_config_file(path).get("discriminator_def"), dict):
        return "networks of a GAN"
    return next((start for start in ("network_", "arm_") if path.name.startswith(start)), None)


def combinations(run):
    """The files that an argument file lists, and the same with each other preset in its place."""
    named = ConfigParser.load_config_file(run)["config_file"]
    names = [named] if isinstance(named, str) else named
    listed = [run.parent / Path(name).name for name in names]
    yield listed
    kinds = {path: kind(path) for path in sorted(run.parent.glob("*.yaml"))}
    for index, path in enumerate(listed):
        for preset in kinds:
            if kinds[path] and kinds[preset] == kinds[path]:
                yield [*listed[:index], preset, *listed[index + 1 :]]


def test_every_preset_of_a_gan_is_combined():
    run = next(path for path in RUNS if name_of(path) == "medical_image_gan/run_train")
    assert len(list(combinations(run))) > 18


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_expressions_are_python(path):
    assert broken_expressions(ConfigParser.load_config_file(path)) == []


@pytest.mark.parametrize("path", EXPERIMENTS, ids=name_of)
def test_references_of_an_experiment_lead_somewhere(path):
    assert dangling_references(ConfigParser.load_config_file(path)) == []


@pytest.mark.parametrize("run", RUNS, ids=name_of)
def test_references_of_a_run_lead_somewhere_with_every_preset(run):
    for files in combinations(run):
        config = ConfigParser.load_config_files([str(file) for file in files])
        assert dangling_references(config) == [], [file.name for file in files]


@pytest.mark.parametrize(
    "broken",
    [
        "$@output_dir + '/classifier + '/study.json'",
        "$@output_dir +",
        "$@study.run(",
        "$x = @study",
        "$import torch.",
    ],
)
def test_a_planted_broken_expression_is_found(broken):
    config = {"output_dir": "runs", "study": 1, "report": {"study": [broken]}}
    assert broken_expressions(config) == ["report::study::0"]


@pytest.mark.parametrize(
    "fine",
    ["$@output_dir + '/study.json'", "$import torch", "$[@a::b, @a::b::0]", "$ @a", "@a", "a $b ="],
)
def test_a_sound_string_is_not_called_broken(fine):
    assert broken_expressions({"x": fine}) == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("@output_dri", ["output_dri"]),
        ("$@output_dir + @study::x", ["study::x"]),
        ("@study::0", []),
        ("@##output_dir", []),
        ("%output_dir", []),
        ("someone@example.org", []),
    ],
)
def test_a_planted_dangling_reference_is_found(value, found):
    config = {"output_dir": "runs", "study": ["a"], "report": {"study": value}}
    assert [name for _, name in dangling_references(config)] == found
