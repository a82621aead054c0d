"""Every expression in a configuration is Python, and every reference leads somewhere."""

import itertools
from pathlib import Path

import pytest
from monai.bundle import ConfigExpression, ConfigParser, ReferenceResolver

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = sorted(ROOT.glob("configs/*/*.yaml"))
FILES = [*EXPERIMENTS, *sorted(ROOT.glob("bundles/*/configs/*.yaml"))]
RUNS = sorted(ROOT.glob("bundles/*/configs/run_*.yaml"))
PRESETS = (("family_", "stock_"),)


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


def combinations(run):
    """The files that an argument file lists, and the same with each other preset in its place."""
    listed = [
        run.parent / Path(file).name for file in ConfigParser.load_config_file(run)["config_file"]
    ]
    yield listed
    for index, kinds in itertools.product(range(len(listed)), PRESETS):
        if listed[index].name.startswith(kinds):
            for kind in kinds:
                for preset in sorted(run.parent.glob(f"{kind}*.yaml")):
                    yield [*listed[:index], preset, *listed[index + 1 :]]


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
