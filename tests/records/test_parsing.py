from dataclasses import dataclass
from typing import Any, Literal

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.records.parsing import parse


@dataclass(frozen=True)
class Point:
    x: float
    name: str | None = None
    tags: tuple[str, ...] = ()


def test_fills_defaults_and_ignores_unknown_keys():
    assert parse(Point, {"x": 1, "later": True}, "f") == Point(1.0)


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
    ],
)
def test_refuses_what_does_not_fit(kind: Any, value: Any):
    with pytest.raises(DataError, match=r"^f: place .*must be"):
        parse(kind, value, "f: place")


def test_names_the_place_of_a_missing_key():
    with pytest.raises(DataError, match=r"^study.json: points\[1\]\.x is missing"):
        parse(tuple[Point, ...], [{"x": 1}, {}], "study.json: points")
