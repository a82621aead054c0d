"""JSON values to typed, frozen dataclasses and back; whatever does not fit is refused by its place.

A field of a dataclass is a key of the JSON object, under the same name. What a type allows:

=====================  ==========================================================================
``str``                text without control characters (line breaks and tabs are fine)
``int``, ``bool``      as JSON has them, never one for the other
``float``              a finite number
``Literal[...]``       one of these
``X | None``           nothing, or ``X``; a field that is nothing by default is not written then
``tuple[X, ...]``      a list of ``X``; ``tuple[X, Y]`` a list of just these
``Mapping[str, X]``    an object with any keys (``dict`` as well)
``object``             anything JSON has, such as the settings of a run
=====================  ==========================================================================
"""

import math
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from monai_gan_aug.errors import DataError

__all__ = ["JSON_SHAPE", "JsonShape", "Misfit", "parse", "plain"]

T = TypeVar("T")
Reader = Callable[[Any], Any]

JSON_SHAPE = "json_shape"
"""Key of a field's ``metadata`` that holds its :class:`JsonShape`."""
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # and halves of surrogates
SCALARS = frozenset((str, int, float, bool, type(None)))
LONGEST_SHOWN = 60


class Misfit(Exception):
    """A value that does not fit.

    Args:
        problem: The rule and what came, to stand behind the place.
        place: Keys and positions from the outermost value to this one; may be empty.
    """

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self._steps = [place] if place else []

    def inside(self, step: str) -> "Misfit":
        """This misfit as its container sees it; ``step`` is ``.key`` or ``[position]``."""
        self._steps.append(step)
        return self

    @property
    def place(self) -> str:
        """Where it is, such as ``arms[2].role``; empty for the outermost value."""
        return "".join(reversed(self._steps)).removeprefix(".")


@dataclass(frozen=True)
class JsonShape:
    """A field that has another shape in JSON than in Python.

    Args:
        kind: Type of the JSON value.
        read: From a value of ``kind`` to that of the field; may raise :class:`Misfit`.
        write: The way back.
    """

    kind: Any
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


def parse(
    kind: type[T],
    value: object,
    where: str,
    *,
    remedy: str = "run the study again to rewrite it",
    error: type[DataError] = DataError,
) -> T:
    """Return ``value`` as ``kind``.

    Args:
        kind: A dataclass, or one of the types in the table above.
        value: What ``json.loads`` gave.
        where: What holds the value, for the error message: a file, with ``: `` and a place in it.
        remedy: The next step, for the error message.
        error: Class of the error.

    Raises:
        DataError: If a key is missing or unknown, a type or choice is wrong, a number is not
            finite, or a text holds control characters.

    Example:
        >>> parse(tuple[float, ...], [1, 0.5], "study.json: per_seed")
        (1.0, 0.5)
        >>> parse(int, "6", "study.json: steps")
        Traceback (most recent call last):
        ...
        monai_gan_aug.errors.DataError: study.json: steps must be a whole number, got '6': run ...
    """
    read: Reader = reader(cast("Any", kind))
    try:
        return cast("T", read(value))
    except Misfit as misfit:
        joint = "" if misfit.place[:1] in ("", "[") else "." if ": " in where else ": "
        raise error(f"{where}{joint}{misfit.place} {misfit.problem}: {remedy}.") from None


def plain(value: object) -> Any:
    """``value`` in what JSON has: the inverse of :func:`parse`.

    A field whose value is nothing, and whose default is nothing, is left out.

    Raises:
        TypeError: If there is something in it that JSON does not have.

    Example:
        >>> plain({"a": (1, 2)})
        {'a': [1, 2]}
    """
    if type(value) in SCALARS:
        return value
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if is_dataclass(value):
        content = {}
        kind: Any = type(value)
        for name, is_optional, write in _layout(kind):
            item = getattr(value, name)
            if item is not None or not is_optional:
                content[name] = write(item)
        return content
    if isinstance(value, str | int | float):  # a NumPy float, or a text enumeration
        return value
    raise TypeError(f"A record cannot hold {type(value).__name__}, which JSON does not have.")


@cache
def _layout(kind: Any) -> list[tuple[str, bool, Callable[[Any], Any]]]:
    """Name, whether nothing is the default, and the way to JSON of every field."""
    return [
        (field.name, field.default is None, getattr(field.metadata.get(JSON_SHAPE), "write", plain))
        for field in fields(kind)
    ]


@cache
def reader(kind: Any) -> Reader:
    """The function from JSON values to ``kind``; it raises :class:`Misfit`.

    It is put together once per type, so that a hundred thousand rows cost little more than
    making their objects.

    Raises:
        TypeError: If ``kind`` is none of the types in the table above.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in SCALAR_READERS:
        return SCALAR_READERS[kind]
    if is_dataclass(kind):
        return _record_reader(kind)
    if origin is tuple and arguments[-1] is Ellipsis:
        return _list_reader(reader(arguments[0]))
    if origin is tuple:
        return _row_reader([reader(argument) for argument in arguments])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _object_reader(reader(arguments[1]))
    if origin in (Union, types.UnionType) and type(None) in arguments and len(arguments) == 2:
        inner = reader(next(item for item in arguments if item is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is Literal:
        return _choice_reader(arguments)
    raise TypeError(f"`kind` {kind!r} is not supported.")


def _record_reader(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers: dict[str, Reader] = {}
    required = set()
    for field in fields(kind):
        shape = field.metadata.get(JSON_SHAPE)
        readers[field.name] = reader(hints[field.name]) if shape is None else _shaped(shape)
        if field.default is MISSING and field.default_factory is MISSING:
            required.add(field.name)

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _misfit("an object", value)
        content = {}
        key = None
        try:
            for key, item in value.items():
                read_field = readers.get(key)
                if read_field is None:
                    raise Misfit("is not known to this version")
                content[key] = read_field(item)
        except Misfit as misfit:
            raise misfit.inside(f".{ascii(key)[1:-1]}") from None
        if not content.keys() >= required:
            name = next(name for name in readers if name in required and name not in content)
            raise Misfit("is missing", f".{name}")
        return kind(**content)

    return read


def _shaped(shape: JsonShape) -> Reader:
    inner = reader(shape.kind)
    return lambda value: shape.read(inner(value))


def _list_reader(inner: Reader) -> Reader:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _misfit("a list", value)
        items = []
        position = 0
        try:
            for position, item in enumerate(value):  # noqa: B007  (the place of a misfit)
                items.append(inner(item))
        except Misfit as misfit:
            raise misfit.inside(f"[{position}]") from None
        return tuple(items)

    return read


def _row_reader(inner: Sequence[Reader]) -> Reader:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) != len(inner):
            raise _misfit(f"a list of {len(inner)}", value)
        return tuple(one(item) for one, item in zip(inner, value, strict=True))

    return read


def _object_reader(inner: Reader) -> Reader:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _misfit("an object", value)
        content = {}
        key = None
        try:
            for key, item in value.items():
                content[_text(key)] = inner(item)
        except Misfit as misfit:
            raise misfit.inside(f".{ascii(key)[1:-1]}") from None
        return content

    return read


def _choice_reader(choices: tuple[Any, ...]) -> Reader:
    def read(value: Any) -> Any:
        if value not in choices:
            raise _misfit(f"one of {list(choices)}", value)
        return value

    return read


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _misfit("text", value)
    # most text is printable, which is cheaper to see than that it has no control character
    if not value.isprintable() and CONTROL.search(value):
        raise _misfit("text without control characters", value)
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:  # `True` is an `int` as well
        raise _misfit("a whole number", value)
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _misfit("true or false", value)
    return value


def _number(value: Any) -> float:
    try:
        if type(value) in (float, int) and math.isfinite(value):
            return float(value)
    except OverflowError:  # a whole number beyond the range of floats
        pass
    raise _misfit("a finite number", value)


def _anything(value: Any) -> Any:
    """Whatever JSON has, its numbers and texts checked."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        _number(value)
        return value
    if isinstance(value, list):
        return list(_list_reader(_anything)(value))
    return _object_reader(_anything)(value)


SCALAR_READERS: dict[Any, Reader] = {
    str: _text,
    int: _whole,
    bool: _truth,
    float: _number,
    object: _anything,
}


def _misfit(rule: str, value: object) -> Misfit:
    shown = ascii(value)
    shown = shown if len(shown) <= LONGEST_SHOWN else f"{shown[: LONGEST_SHOWN - 3]}..."
    return Misfit(f"must be {rule}, got {shown}")
