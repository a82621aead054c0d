"""What a run computes on: its device, threads, rounding, and how networks lie in memory.

Nothing here changes what is computed, but for the rounding that was asked for.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from monai_gan_aug.engines.distributed import synchronise_batch_norm, world_size
from monai_gan_aug.io.cores import physical_cores

__all__ = [
    "Precision",
    "adapt_to_hardware",
    "choose_threads",
    "cpu_has_bfloat16",
    "require_device",
    "resolve_precision",
]

BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
CHOICES = (False, True, "bf16", "fp16", "auto")

logger = logging.getLogger(__name__)


def require_device(device: str | torch.device) -> torch.device:
    """Return ``device`` if it exists on this machine; another is never taken in silence.

    Raises:
        ValueError: If a GPU is asked for that is not there.

    Example:
        >>> require_device("cpu")
        device(type='cpu')
    """
    device = torch.device(device)
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise ValueError(
                f"`device` is {device}, but this machine offers {count} CUDA devices: "
                "use --device cpu, or install a CUDA build of torch and a driver."
            )
    return device


def choose_threads(threads: int | None = None) -> int:
    """Set the number of threads torch computes with, and log the choice and its reason.

    Two threads on one core wait for each other's arithmetic, so there is one thread per physical
    core, shared among the processes ``torchrun`` has started on this machine.

    Args:
        threads: The number itself; nothing to respect ``OMP_NUM_THREADS`` or choose.

    Returns:
        The number.

    Raises:
        ValueError: If it is less than 1.
    """
    if threads is not None:
        if threads < 1:
            raise ValueError(f"`threads` must be at least 1 or null, got {threads}.")
        number, reason = threads, "as asked for"
    elif os.environ.get("OMP_NUM_THREADS", "").isdigit():
        number, reason = int(os.environ["OMP_NUM_THREADS"]), "from OMP_NUM_THREADS"
    else:
        processes = max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
        cores = physical_cores()
        number = max(1, cores // processes)
        reason = f"for {cores} physical cores and {processes} processes"
    torch.set_num_threads(number)
    logger.info("Computing with %d threads on the CPU, %s.", number, reason)
    return number


@dataclass
class Precision:
    """How forward passes are rounded; the default is not at all.

    Args:
        device_type: ``"cpu"`` or ``"cuda"``.
        enabled: Whether mixed precision is used.
        kwargs: Arguments of :class:`torch.autocast` such as ``dtype``.
    """

    device_type: str = "cpu"
    enabled: bool = False
    kwargs: dict[str, Any] = field(default_factory=dict)

    def forward(self) -> torch.autocast:
        """The context of a forward pass."""
        return torch.autocast(self.device_type, enabled=self.enabled, **self.kwargs)

    def exact(self) -> torch.autocast:
        """The context of what must not be rounded: gradients of gradients."""
        return torch.autocast(self.device_type, enabled=False)

    def scaler(self) -> torch.amp.GradScaler:
        """A gradient scaler, which acts only where half precision can underflow."""
        # bfloat16 has the exponents of float32, and CPUs compute in no other
        half = self.device_type == "cuda" and self.kwargs.get("dtype", torch.half) == torch.half
        return torch.amp.GradScaler(self.device_type, enabled=self.enabled and half)


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


def adapt_to_hardware(
    generator: nn.Module,
    discriminator: nn.Module,
    *,
    channels_last: bool = False,
    compiled: bool | str = False,
    sync_batch_norm: bool = False,
    double_backward: bool = False,
) -> None:
    """Change memory format, batch norm and execution of both networks, in place.

    The keys of their states stay as they are.

    Args:
        generator: The generator.
        discriminator: The discriminator.
        channels_last: Store weights channels last, which makes convolutions faster.
        compiled: Whether to call ``compile`` on them, or the name of its backend.
        sync_batch_norm: Whether batch norm sees the batches of all processes.
        double_backward: Whether the discriminator's gradient is differentiated again, which
            compiled networks cannot do: it is not compiled then.

    Raises:
        ValueError: If batch norm is to be synchronised on a CPU.
    """
    if channels_last:
        for network in (generator, discriminator):
            network.to(memory_format=torch.channels_last)
    if sync_batch_norm and world_size() > 1:
        synchronise_batch_norm(generator, discriminator)
    if not compiled:
        return
    backend = compiled if isinstance(compiled, str) else "inductor"
    # the method compiles in place; `torch.compile(network)` would put `_orig_mod.` before all keys
    generator.compile(backend=backend)
    if double_backward:
        logger.info("The discriminator is not compiled: its penalty differentiates twice.")
    else:
        discriminator.compile(backend=backend)
