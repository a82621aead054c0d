"""Which arithmetic a run uses, from one knob and what the hardware can do."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

__all__ = ["cpu_has_bfloat16", "resolve_precision"]

BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
CHOICES = (False, True, "bf16", "fp16", "auto")

logger = logging.getLogger(__name__)


def cpu_has_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor multiplies bfloat16 itself; elsewhere it is slower than float32.

    Args:
        cpuinfo: What Linux says about the processor.
    """
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return not BFLOAT16_FLAGS.isdisjoint(flags.split())


def resolve_precision(
    amp: bool | str, amp_kwargs: Mapping[str, Any] | None, device: torch.device
) -> tuple[bool, dict[str, Any]]:
    """Whether to use mixed precision, and the arguments of :class:`torch.autocast`.

    Args:
        amp: ``False``, ``"bf16"``, ``"fp16"``, ``"auto"`` (bfloat16 where the hardware has it,
            else half precision on a GPU, else none), or MONAI's ``True`` (the device's default).
        amp_kwargs: Arguments given beside it; with a ``dtype`` of their own they win.
        device: Where the run computes.

    Returns:
        Whether mixed precision is used, and the arguments.

    Raises:
        ValueError: If the knob is unknown, or means half precision on a CPU.

    Example:
        >>> resolve_precision(False, None, torch.device("cpu"))
        (False, {})
    """
    if amp not in CHOICES:
        raise ValueError(f"`amp` must be one of {CHOICES}, got {amp!r}.")
    kwargs = dict(amp_kwargs or {})
    if isinstance(amp, bool):
        return amp, kwargs
    name = _automatic(device) if amp == "auto" else amp
    if amp == "auto":
        logger.info("Precision on %s: %s.", device.type, name or "float32 (no bfloat16 here)")
    if name is None:
        return False, kwargs
    _check(name, device)
    return True, {"dtype": torch.bfloat16 if name == "bf16" else torch.float16, **kwargs}


def _automatic(device: torch.device) -> str | None:
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    return "bf16" if device.type == "cpu" and cpu_has_bfloat16() else None


def _check(name: str, device: torch.device) -> None:
    if name == "fp16" and device.type == "cpu":
        raise ValueError("`amp` fp16 needs a GPU: on a CPU use --amp auto, bf16 or False.")
    if name == "bf16" and device.type == "cpu" and not cpu_has_bfloat16():
        logger.warning(
            "This CPU has no bfloat16 arithmetic (avx512_bf16, amx_bf16): --amp bf16 is slower "
            "than --amp False here."
        )
