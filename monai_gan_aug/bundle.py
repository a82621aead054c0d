"""What the configurations of the bundles need besides the toolkit's parts.

Configurations name it by ``_target_``; in the package, only the command line imports it.
"""

import difflib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from fire.parser import DefaultParseValue  # type: ignore[import-untyped]
from monai.bundle.config_parser import ConfigParser

import monai_gan_aug.published  # noqa: F401  (its classifiers register themselves)
from monai_gan_aug.networks.classifiers import registered_classifier
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.studies.arms import arm as arm_called

__all__ = ["class_count", "configured", "explain_errors", "knob", "refuse_unknown_overrides"]

ARGUMENTS_OF_RUN = {
    "run_id",
    "init_id",
    "final_id",
    "meta_file",
    "config_file",
    "logging_file",
    "tracking",
    "args_file",
}


def class_count(
    condition: str | None, only_labels: Sequence[str] | None, datalist: str | Path
) -> int:
    """How many classes a GAN is conditional on; 0 for an unconditional one.

    Args:
        condition: ``"class"``, or ``None`` for an unconditional GAN.
        only_labels: The classes it is restricted to, if any.
        datalist: The datalist, whose classes count otherwise.

    Returns:
        The number; 2 if there is neither restriction nor file, so that a configuration can be
        looked at without data.

    Raises:
        ValueError: If ``condition`` is unknown.

    Example:
        >>> class_count("class", ["benign", "malignant", "unclear"], "absent.json")
        3
        >>> class_count("class", ["benign"], "absent.json")
        0
    """
    if condition not in ("class", None):
        raise ValueError(f"`condition` must be 'class' or null, got {condition!r}.")
    if condition is None:
        return 0
    count = 2
    if only_labels:
        count = len([only_labels] if isinstance(only_labels, str) else only_labels)
    elif Path(datalist).is_file():
        count = len(Datalist.load(Path(datalist)).labels)
    return count if count > 1 else 0


def knob(name: str, arm: str, network: str, default: Any) -> Any:
    """The value of a knob of the classifier bundle that arms and networks turn.

    Args:
        name: Name of the knob.
        arm: Name of an arm (:data:`monai_gan_aug.studies.arms.ARMS`), whose value comes first.
        network: Name of a classifier (:data:`monai_gan_aug.networks.classifiers.CLASSIFIERS`).
        default: The value if neither sets it.

    Raises:
        ValueError: If arm or network are unknown, or the arm is not trained.

    Example:
        >>> knob("augmentation", arm="classical_strong", network="small_cnn", default="light")
        'strong'
    """
    row = arm_called(arm)
    if not row.trained:
        raise ValueError(
            f"The arm {arm!r} is not trained: a study computes it from the predictions of "
            f"{' and '.join(row.members)}. Train those."
        )
    return {name: default, **registered_classifier(network).knobs, **row.knobs}[name]


def configured(part: str, config_file: str, words: Sequence[str] = ()) -> Any:
    """A part of a configuration, made as ``python -m monai.bundle run`` would make it.

    Args:
        part: Its key, such as ``"study"``.
        config_file: The configuration.
        words: Knobs of the command line, such as ``["--seeds", "[0, 1]"]``.

    Raises:
        SystemExit: If a knob is unknown; the message goes to the terminal, the exit code is 1.
        ValueError: If the configuration has no such part.
    """
    config = ConfigParser.load_config_files(config_file)
    if part not in config:
        raise ValueError(
            f"{Path(config_file).name} has no `{part}`: name a configuration with one."
        )
    given = dict(_named(words))
    for key in given:
        _require_known(key, config)
    parser = ConfigParser(config)
    parser.update(given)
    return parser.get_parsed_content(part)


def explain_errors() -> None:
    """End an uncaught error with one line that says what to do, below MONAI's tracebacks."""
    sys.excepthook = _explain


def _explain(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    sys.__excepthook__(kind, error, traceback)
    while type(error) is RuntimeError and error.__cause__ is not None:  # MONAI's wrapping
        error = error.__cause__
    sys.stderr.write(f"\nerror: {error or type(error).__name__}\n")


def refuse_unknown_overrides(arguments: Sequence[str] | None = None) -> None:
    """Refuse a knob that the configuration does not have, naming the nearest ones.

    MONAI adds a misspelt ``--learningrate 5`` to the configuration without a word.

    Args:
        arguments: The command line, ``sys.argv`` by default; anything but
            ``python -m monai.bundle run`` is left alone.

    Raises:
        SystemExit: If a knob is unknown; the message goes to the terminal, the exit code is 1.
    """
    arguments = list(sys.argv if arguments is None else arguments)
    if arguments[1:2] != ["run"] or Path(arguments[0]).parts[-2:-1] != ("bundle",):
        return
    given = dict(_named(arguments[2:]))
    if "args_file" in given:
        given = {**ConfigParser.load_config_file(given["args_file"]), **given}
    config = ConfigParser.load_config_files(given["config_file"])
    for key in given.keys() - ARGUMENTS_OF_RUN:
        _require_known(key, config)


def _named(arguments: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """``--key value`` and ``--key=value`` pairs, read as Fire reads them."""
    for index, word in enumerate(arguments):
        if word.startswith("--"):
            key, equals, value = word[2:].partition("=")
            following = arguments[index + 1 : index + 2]
            if not equals and following and not following[0].startswith("--"):
                value = following[0]
            yield key.replace("-", "_"), DefaultParseValue(value)


def _require_known(key: str, config: Mapping[str, Any]) -> None:
    """Follow ``a::b::c`` into the configuration; the last part of an object may be new."""
    level: Any = config
    parts = key.lstrip("+").replace("#", "::").split("::")
    for depth, part in enumerate(parts):
        names = list(level) if isinstance(level, Mapping) else []
        is_argument = depth == len(parts) - 1 and "_target_" in names
        if isinstance(level, Mapping) and part not in level and not is_argument:
            near = difflib.get_close_matches(part, names, n=3, cutoff=0.5) or names
            raise SystemExit(  # an exception would drown in MONAI's own and their tracebacks
                f"error: --{key} is no knob of this configuration: did you mean {', '.join(near)}?"
            )
        level = level.get(part) if isinstance(level, Mapping) else None
