"""The device a run was asked to use, or an error: never another one in silence."""

import torch

__all__ = ["require_device"]


def require_device(device: str | torch.device) -> torch.device:
    """Return ``device`` if it exists on this machine.

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
