"""JSON values to frozen dataclasses, refusing whatever does not fit, with the place named."""

import math
import types
import unicodedata
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from monai_gan_aug.errors import DataError

__all__ = ["parse"]

REMEDY = "run the study again to rewrite it"
UNPRINTABLE = {"Cc", "Cs"}  # control characters and halves of surrogate pairs


def parse(kind: Any, value: Any, where: str) -> Any:
    """Return ``value`` as ``kind``; keys that ``kind`` does not know are ignored.

    Args:
        kind: A dataclass, ``tuple[X, ...]``, ``dict[str, X]``, ``X | None``, ``Literal[...]``,
            ``Any`` or one of ``str``, ``bool``, ``int``, ``float`` (finite).
        value: What ``json.loads`` gave.
        where: Path of the value, for the error message.

    Raises:
        DataError: If a key is missing, a type or choice is wrong, a number is not finite, or a
            text holds control characters.

    Example:
        >>> parse(tuple[float, ...], [1, 0.5], "study.json: per_seed")
        (1.0, 0.5)
        >>> parse(int, "6", "study.json: steps")
        Traceback (most recent call last):
        ...
        monai_gan_aug.errors.DataError: study.json: steps must be a whole number, got '6': run ...
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if is_dataclass(kind):
        return _record(kind, value, where)
    if origin is tuple:
        _require(isinstance(value, list), where, "a list", value)
        return tuple(parse(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        _require(isinstance(value, Mapping), where, "an object", value)
        pairs = ((_text(key, f"{where} key"), item) for key, item in value.items())
        return {key: parse(arguments[1], item, f"{where}.{key}") for key, item in pairs}
    if origin in (Union, types.UnionType):
        inner = next(argument for argument in arguments if argument is not type(None))
        return None if value is None else parse(inner, value, where)
    if origin is Literal:
        _require(value in arguments, where, f"one of {list(arguments)}", value)
        return value
    return _scalar(kind, value, where)


def _record(kind: Any, value: Any, where: str) -> Any:
    _require(isinstance(value, Mapping), where, "an object", value)
    hints = _hints(kind)
    content = {}
    for field in fields(kind):
        if field.name in value:
            content[field.name] = parse(
                hints[field.name], value[field.name], _at(where, field.name)
            )
        elif field.default is MISSING and field.default_factory is MISSING:
            raise DataError(f"{_at(where, field.name)} is missing: {REMEDY}.")
    return kind(**content)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _at(where: str, key: str) -> str:
    return f"{where}.{key}" if ": " in where else f"{where}: {key}"


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is str:
        return _text(value, where)
    if kind is bool:
        _require(isinstance(value, bool), where, "true or false", value)
        return value
    if kind is int:
        _require(type(value) is int, where, "a whole number", value)
        return value
    if kind is float:
        finite = type(value) in (int, float) and math.isfinite(value)
        _require(finite, where, "a finite number", value)
        return float(value)
    raise TypeError(f"`kind` {kind!r} is not supported.")


def _text(value: Any, where: str) -> str:
    _require(isinstance(value, str), where, "text", value)
    clean = all(c in "\n\t" or unicodedata.category(c) not in UNPRINTABLE for c in value)
    _require(clean, where, "text without control characters", value)
    return str(value)


def _require(condition: bool, where: str, rule: str, value: Any) -> None:
    if not condition:
        shown = ascii(value)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        raise DataError(f"{where} must be {rule}, got {shown}: {REMEDY}.")
