"""JSON values become typed records, or are refused by their place; the way back is exact."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.parsing import parse, plain


@dataclass(frozen=True)
class Point:
    x: float
    name: str | None = None
    tags: tuple[str, ...] = ()


def test_fills_defaults():
    assert parse(Point, {"x": 1}, "f") == Point(1.0)


def test_refuses_a_key_it_does_not_know_by_its_place():
    with pytest.raises(DataError, match=r"^f: points\[0\]\.later is not known .*again"):
        parse(tuple[Point, ...], [{"x": 1, "later": True}], "f: points")


def test_walks_nested_types():
    value = {"a": {"x": 1, "tags": ["t"]}}
    assert parse(dict[str, Point], value, "f: p") == {"a": Point(1.0, tags=("t",))}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, True),
        (int, 1.0),
        (float, "1"),
        (float, True),
        (float, float("inf")),
        (float, None),
        (bool, 1),
        (str, 3),
        (str, "a\x00b"),
        (str, "\ud800"),
        (Literal["a", "b"], "c"),
        (tuple[int, ...], {"0": 1}),
        (dict[str, int], [1]),
        (Point, []),
        (float, 10**400),
        (tuple[int, str], [1]),
        (object, {"a": [float("nan")]}),
        (Mapping[str, int], {"\x00": 1}),
    ],
)
def test_refuses_what_does_not_fit(kind: Any, value: Any):
    with pytest.raises(DataError, match=r"^f: place.* must be"):
        parse(kind, value, "f: place")


def test_names_the_place_of_a_missing_key():
    with pytest.raises(DataError, match=r"^study.json: points\[1\]\.x is missing"):
        parse(tuple[Point, ...], [{"x": 1}, {}], "study.json: points")


@dataclass(frozen=True)
class Nested:
    points: Mapping[str, Point]
    pair: tuple[int, str]
    kind: Literal["a", "b"]
    settings: Mapping[str, object]
    best: Point | None = None


def test_the_way_back_is_exact_and_leaves_out_what_is_not_there():
    value = Nested(
        {"p": Point(0.5, "n", ("t", "u"))}, (1, "x"), "b", {"deep": {"list": [1, None, "text"]}}
    )
    content = json.loads(json.dumps(plain(value)))
    assert "best" not in content
    assert "name" in content["points"]["p"]
    assert parse(Nested, content, "f") == value


def test_misfits_are_named_from_the_outside_in():
    content = {"points": {"p": {"x": "1"}}, "pair": [1, "x"], "kind": "a", "settings": {}}
    with pytest.raises(DataError, match=r"^f: points\.p\.x must be a finite number, got '1'"):
        parse(Nested, content, "f")


def test_line_breaks_and_letters_of_any_language_are_text():
    text = "Röntgen\n\t胸部 \u202f\u00a0"
    assert parse(str, text, "f") == text


def test_what_json_does_not_have_is_not_written():
    with pytest.raises(TypeError, match="Path"):
        plain({"a": Path()})


def test_a_type_the_parser_does_not_know_is_a_mistake_of_the_programmer():
    with pytest.raises(TypeError, match="not supported"):
        parse(set, [], "f")
