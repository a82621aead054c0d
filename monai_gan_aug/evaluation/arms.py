"""The arms of a benefit study: what each trains on, and what role it plays in the verdict."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["ARMS", "Arm", "arm"]

Role = Literal["reference", "control", "candidate"]


@dataclass(frozen=True)
class Arm:
    """One way to train the same classifier.

    Args:
        name: Names ``configs/arm_<name>.yaml`` of the classifier bundle.
        title: Shown in reports.
        role: ``control`` arms use no synthetic image and set the bar; ``candidate`` arms use
            them; ``reference`` arms are shown for orientation.
        synthetic: Whether the arm reads synthetic images.
    """

    name: str
    title: str
    role: Role
    synthetic: bool

    @property
    def config_file(self) -> str:
        """File of the classifier bundle that turns its knobs to this arm."""
        return f"arm_{self.name}.yaml"


ARMS: dict[str, Arm] = {
    item.name: item
    for item in (
        Arm("real", "Real, no augmentation", "reference", synthetic=False),
        Arm("classical", "Real + classical augmentation", "control", synthetic=False),
        Arm("classical_twice", "Real + classical, twice the steps", "control", synthetic=False),
        Arm("mixup", "Real + MixUp", "control", synthetic=False),
        Arm("synthetic_only", "Synthetic only", "candidate", synthetic=True),
        Arm("real_plus_synthetic", "Real + synthetic", "candidate", synthetic=True),
        Arm("balanced_by_synthetic", "Small classes topped up", "candidate", synthetic=True),
        Arm("warm_start", "Warm start on synthetic, then real", "candidate", synthetic=True),
    )
}


def arm(name: str) -> Arm:
    """The arm called ``name``.

    Raises:
        ValueError: If there is none, with the names there are.

    Example:
        >>> arm("classical").role
        'control'
    """
    if name not in ARMS:
        raise ValueError(f"Unknown arm {name!r}: choose from {list(ARMS)}.")
    return ARMS[name]
