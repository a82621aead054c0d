"""How a network was made, as plain data: a checkpoint keeps it, and the network is made again.

A definition is a dictionary as MONAI's configurations have them, with the dotted name of a class
under ``_target_`` and its arguments beside it; an argument may be a definition itself. All
arguments are written down, defaults included, so that a later version with other defaults builds
the same network.
"""

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from numbers import Integral, Real
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from torch import nn

from monai_gan_aug.errors import DataError

__all__ = [
    "DEFAULT_TRUSTED",
    "TARGET",
    "Definition",
    "DescribedNetwork",
    "build_network",
    "definition_of",
    "describe",
    "make_network",
    "makes_networks",
]

Definition = dict[str, Any]
"""``_target_`` and arguments: nothing, truth values, numbers, text, lists and dictionaries."""
TARGET, REQUIRES = "_target_", "_requires_"
DEFAULT_TRUSTED = ("monai_gan_aug.networks", "monai_gan_aug.published", "monai.networks")
"""Packages whose networks are built without asking."""
FETCHING = {"pretrained": False, "pretrained_url": None, "checkpoint": None}
"""Arguments of MONAI's networks that read or download weights, and what switches them off."""

Factory = TypeVar("Factory", bound=Callable[..., nn.Module])


class DescribedNetwork(nn.Module):
    """Base of networks that know how they were made.

    Attributes:
        definition: What :func:`build_network` makes such a network of; nothing if an argument is
            no plain value, or the class cannot be found by its name.

    Example:
        >>> from monai_gan_aug.networks.stock import StockDiscriminator
        >>> StockDiscriminator(32).definition["image_size"]
        32
    """

    definition: Definition | None

    # In `__new__`, which sees the arguments of whichever subclass is made, and before `__init__`
    # can change them. Copying and unpickling call it without arguments and then restore the value.
    def __new__(cls, *args: Any, **kwargs: Any) -> "DescribedNetwork":
        """An instance that remembers its arguments."""
        network: DescribedNetwork = super().__new__(cls)
        network.__dict__["definition"] = _definition(cls, args, kwargs)
        return network


def definition_of(network: nn.Module) -> Definition | None:
    """How ``network`` was made, or nothing if it does not know."""
    definition = getattr(network, "definition", None)  # which a foreign network may use otherwise
    return definition if isinstance(definition, dict) and TARGET in definition else None


def describe(
    network: nn.Module,
    factory: Callable[..., nn.Module],
    arguments: Mapping[str, Any],
    requires: str | None = None,
) -> None:
    """Note that ``factory(**arguments)`` makes ``network``.

    Args:
        network: The network.
        factory: A function marked with :func:`makes_networks`.
        arguments: All its arguments, by name.
        requires: A module that must have been imported before, if there is one.
    """
    definition = _definition(factory, (), arguments)
    if definition is not None and requires is not None:
        definition[REQUIRES] = requires
    network.__dict__["definition"] = definition


def makes_networks(factory: Factory) -> Factory:
    """Mark a function as one that does nothing but build a network: it may stand in a definition.

    Example:
        >>> @makes_networks
        ... def linear(width: int) -> nn.Module:
        ...     return nn.Linear(width, 1)
    """
    factory.makes_networks = True  # type: ignore[attr-defined]
    return factory


def make_network(target: str, **arguments: Any) -> nn.Module:
    """Build a network of any class in such a way that it knows how it was made.

    For configurations whose network is no :class:`DescribedNetwork`, such as MONAI's own.

    Args:
        target: Dotted name of the class.
        arguments: Its arguments.

    Raises:
        ValueError: If an argument cannot be written down.
        DataError: As :func:`build_network` does.

    Example:
        >>> network = make_network("monai.networks.nets.FullyConnectedNet",
        ...     in_channels=4, out_channels=2, hidden_channels=[8])
        >>> build_network(definition_of(network))(torch.zeros(3, 4)).shape
        torch.Size([3, 2])
    """
    try:
        definition = _plain({TARGET: target, **arguments})
    except _NotPlainError:
        raise ValueError(
            f"Arguments of {target} must be numbers, text, lists, dictionaries or networks that "
            f"know how they were made, got {arguments}."
        ) from None
    return build_network(definition, trusted=[target.rpartition(".")[0]])


def build_network(definition: Mapping[str, Any], trusted: Sequence[str] = ()) -> nn.Module:
    """A new network with random weights.

    A definition comes out of a checkpoint, which is data and may come from anywhere: nothing is
    imported or called but networks of :data:`DEFAULT_TRUSTED` and of ``trusted``, text is never
    evaluated, and pretrained weights are never fetched.

    Args:
        definition: ``_target_`` and arguments.
        trusted: Further packages or modules whose networks may be built.

    Raises:
        DataError: If a name is not trusted, is no network, or does not take the arguments.
    """
    prefixes = (*DEFAULT_TRUSTED, *([trusted] if isinstance(trusted, str) else trusted))
    parts = list(_parts(definition))
    if not parts or parts[0] is not definition:
        raise DataError(f"A definition of a network names it under `{TARGET}`, got {definition}.")
    for part in parts:  # all names are looked at before anything is imported
        _require_trusted(part[TARGET], prefixes)
        if REQUIRES in part:
            _require_trusted(part[REQUIRES], prefixes)
    for part in parts:
        if REQUIRES in part:
            _imported(part[REQUIRES], part[TARGET])
    makers = {part[TARGET]: _maker(part[TARGET], prefixes) for part in parts}
    return _built(definition, makers)


def _built(definition: Mapping[str, Any], makers: Mapping[str, Callable[..., Any]]) -> nn.Module:
    target = definition[TARGET]
    maker = makers[target]
    arguments = {
        name: _argument(value, makers)
        for name, value in definition.items()
        if name not in (TARGET, REQUIRES)
    }
    # the weights come from the checkpoint: none are read or downloaded, not even by default
    parameters = _signature(maker).parameters
    arguments |= {name: off for name, off in FETCHING.items() if name in {*parameters, *arguments}}
    try:
        network: nn.Module = maker(**arguments)
    except (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError) as error:
        raise DataError(
            f"{target} cannot be built as the checkpoint says ({error}): it belongs to another "
            "version of its package. Install that one, or give the network as `network_def`."
        ) from error
    if definition_of(network) is None:
        network.__dict__["definition"] = dict(definition)
    return network


def _argument(value: Any, makers: Mapping[str, Callable[..., Any]]) -> Any:
    if isinstance(value, Mapping):
        if TARGET in value:
            return _built(value, makers)
        return {name: _argument(item, makers) for name, item in value.items()}
    if isinstance(value, list):
        return [_argument(item, makers) for item in value]
    return value


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """A definition and every one inside it."""
    if isinstance(value, Mapping):
        if TARGET in value:
            yield value
        for item in value.values():
            yield from _parts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _parts(item)


def _require_trusted(name: Any, prefixes: Sequence[str]) -> None:
    if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
        raise DataError(f"{name!r} is no name of a network: do not use this checkpoint.")
    if not _is_trusted(name, prefixes):
        package = name.rpartition(".")[0] or name
        raise DataError(
            f"The network {name} belongs to none of the packages whose networks are built "
            f"unasked ({', '.join(DEFAULT_TRUSTED)}). If you trust it and whoever made the "
            f"checkpoint, name it with --trusted_networks \"['{package}']\"."
        )


def _imported(module: str, target: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except (ImportError, ValueError) as error:
        raise _not_installed(target, error) from error


def _not_installed(target: str, why: object) -> DataError:
    return DataError(
        f"The network {target} is not installed ({why}): install its package in the version that "
        "the checkpoint was trained with, or give the network as `network_def`."
    )


def _maker(target: str, prefixes: Sequence[str]) -> Callable[..., Any]:
    """The class or function behind a trusted name, if it makes networks and nothing else."""
    module, _, name = target.rpartition(".")
    maker: Callable[..., Any] | None = getattr(_imported(module, target), name, None)
    if maker is None:
        raise _not_installed(target, f"no {name} in {module}")
    # what a trusted module has imported from elsewhere (`os`, `torch.hub`) is not trusted
    of_here = _is_trusted(getattr(maker, "__module__", None) or "", prefixes)
    is_network = isinstance(maker, type) and issubclass(maker, nn.Module)
    if not of_here or not (is_network or getattr(maker, "makes_networks", False) is True):
        raise DataError(f"{target} is no network, so it is not built: do not use this checkpoint.")
    return maker


def _is_trusted(name: str, prefixes: Sequence[str]) -> bool:
    wholes = [prefix.rstrip(".") for prefix in prefixes]
    return any(name == whole or name.startswith(f"{whole}.") for whole in wholes if whole)


class _NotPlainError(Exception):
    """An argument that cannot be written down."""


def _definition(
    maker: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Definition | None:
    """Name and arguments of a call, or nothing if they cannot be written down."""
    name = maker.__qualname__
    if maker.__module__ == "__main__" or "." in name:  # nobody could import it by its name
        return None
    signature = _signature(maker)
    try:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        arguments: dict[str, Any] = {}
        for parameter in signature.parameters.values():
            value = bound.arguments[parameter.name]
            if parameter.kind is parameter.VAR_KEYWORD:
                arguments |= value
            elif parameter.kind is not parameter.VAR_POSITIONAL:
                arguments[parameter.name] = value
            elif value:  # arguments without a name
                return None
        return {TARGET: f"{maker.__module__}.{name}", **_plain(arguments)}
    except (TypeError, _NotPlainError):  # wrong arguments: the call itself will say so better
        return None


def _signature(maker: Callable[..., Any]) -> inspect.Signature:
    """The arguments of a class or function; not those of :meth:`DescribedNetwork.__new__`."""
    if not isinstance(maker, type):
        return inspect.signature(maker)
    of_init = inspect.signature(maker.__init__)  # type: ignore[misc]
    return of_init.replace(parameters=list(of_init.parameters.values())[1:])


def _plain(value: Any) -> Any:
    """The same as truth values, numbers, text, lists and dictionaries; modules as definitions."""
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if Path(value).is_absolute():  # no paths of this machine in checkpoints
            raise _NotPlainError
        return str(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, nn.Module) and (definition := definition_of(value)) is not None:
        return definition
    raise _NotPlainError
