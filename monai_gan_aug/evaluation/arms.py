"""The arms of a benefit study: what each trains on, and what role it plays in the verdict."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["ARMS", "Arm", "arm"]

Role = Literal["reference", "control", "candidate"]
Source = Literal["", "generated", "selected", "random_selection", "pseudo"]
Weights = Literal["", "trained", "random"]


@dataclass(frozen=True)
class Arm:
    """One way to train the same classifier.

    Args:
        name: Names ``configs/arm_<name>.yaml`` of the classifier bundle.
        title: Shown in reports.
        role: ``control`` arms use nothing a GAN knows and set the bar; ``candidate`` arms use
            it; ``reference`` arms are shown for orientation.
        source: What is mixed in: images of the GAN, those of them that were selected, as many at
            random, or unlabelled images with guessed classes.
        discriminator: The classifier is made of the GAN's discriminator, with these weights.
        semi: The GAN is one that learned from unlabelled images as well.
        patients: Times the training patients, from those the split leaves out.
        unequal: Whether it needs classes of different size.
        twin: The arm that shares everything with it but the idea.
        chosen_from: It is not trained: it is whichever of these did best on the validation split.
    """

    name: str
    title: str
    role: Role
    source: Source = ""
    discriminator: Weights = ""
    semi: bool = False
    patients: int = 1
    unequal: bool = False
    twin: str = ""
    chosen_from: tuple[str, ...] = ()

    @property
    def config_file(self) -> str:
        """File of the classifier bundle that turns its knobs to this arm."""
        return f"arm_{self.name}.yaml"

    @property
    def gan(self) -> bool:
        """Whether a GAN must have been trained for it."""
        return self.source in ("generated", "selected", "random_selection") or (
            self.discriminator == "trained"
        )

    @property
    def unlabelled(self) -> bool:
        """Whether it needs patients the split leaves out, with guessed classes."""
        return self.semi or self.source == "pseudo"


REFERENCES = (
    Arm("real", "Real, no augmentation", "reference"),
    Arm("plain_draws", "Real + classical, classes as they come", "reference"),
    Arm(
        "filtered_at_random",
        "Real + synthetic, as many as selected",
        "reference",
        source="random_selection",
    ),
    Arm("oracle_2", "Twice the real patients", "reference", patients=2),
    Arm("oracle_4", "Four times the real patients", "reference", patients=4),
)
CONTROLS = (
    Arm("classical", "Real + classical augmentation", "control"),
    Arm("classical_twice", "Real + classical, twice the steps", "control"),
    Arm("classical_strong", "Real + strong classical augmentation", "control"),
    Arm(
        "classical_tuned",
        "Real + light or strong, by validation",
        "control",
        chosen_from=("classical", "classical_strong"),
    ),
    Arm("oversampled", "Small classes drawn more often", "control"),
    Arm("mixup", "Real + MixUp", "control"),
    Arm("cutmix", "Real + CutMix", "control"),
    Arm("duplicated_reals", "Real + the same images again", "control"),
    Arm("copycat", "Real + slightly changed copies", "control"),
    Arm("label_shuffled", "Real + synthetic, labels shuffled", "control", source="generated"),
    Arm(
        "discriminator_scratch",
        "Discriminator's architecture, from scratch",
        "control",
        discriminator="random",
    ),
    Arm("pseudo_labels", "Real + unlabelled, guessed classes", "control", source="pseudo"),
)
CANDIDATES = (
    Arm("synthetic_only", "Synthetic only", "candidate", source="generated"),
    Arm(
        "real_plus_synthetic",
        "Real + synthetic",
        "candidate",
        source="generated",
        twin="label_shuffled",
    ),
    Arm("real_plus_synthetic_25", "Real + 25 % synthetic", "candidate", source="generated"),
    Arm("real_plus_synthetic_75", "Real + 75 % synthetic", "candidate", source="generated"),
    Arm(
        "minority_only",
        "Synthetic in small classes only",
        "candidate",
        source="generated",
        unequal=True,
        twin="oversampled",
    ),
    Arm("balanced_by_synthetic", "Small classes topped up", "candidate", source="generated"),
    Arm("warm_start", "Warm start on synthetic, then real", "candidate", source="generated"),
    Arm(
        "filtered",
        "Real + selected synthetic",
        "candidate",
        source="selected",
        twin="filtered_at_random",
    ),
    Arm(
        "discriminator_init",
        "Begun from the discriminator",
        "candidate",
        discriminator="trained",
        twin="discriminator_scratch",
    ),
    Arm(
        "semi_synthetic",
        "Real + synthetic, GAN with unlabelled",
        "candidate",
        source="generated",
        semi=True,
        twin="pseudo_labels",
    ),
    Arm(
        "semi_discriminator_init",
        "Begun from it, GAN with unlabelled",
        "candidate",
        discriminator="trained",
        semi=True,
        twin="discriminator_scratch",
    ),
)
ARMS: dict[str, Arm] = {item.name: item for item in (*REFERENCES, *CONTROLS, *CANDIDATES)}


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
