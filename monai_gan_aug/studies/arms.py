"""The arms of a benefit study: what each trains on, and what role it plays in the verdict."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

__all__ = ["ARMS", "Arm", "arm", "trained_arms"]

Role = Literal["reference", "control", "candidate"]
Source = Literal["", "generated", "selected", "random_selection", "pseudo", "unlabelled"]
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
            random, or unlabelled images with guessed classes. ``unlabelled`` images are not mixed
            in, but learned from without a class.
        discriminator: The classifier is made of the GAN's discriminator, with these weights.
        semi: The GAN is one that learned from unlabelled images as well.
        patients: Times the training patients, from those the split leaves out.
        unequal: Whether it needs classes of different size.
        matched_control: The arm that shares everything with it but the idea.
        chosen_from: It is not trained: it is whichever of these did best on the validation split.
        averaged_from: It is not trained: it averages the probabilities of these.
    """

    name: str
    title: str
    role: Role
    source: Source = ""
    discriminator: Weights = ""
    semi: bool = False
    patients: int = 1
    unequal: bool = False
    matched_control: str = ""
    chosen_from: tuple[str, ...] = ()
    averaged_from: tuple[str, ...] = ()

    @property
    def config_file(self) -> str:
        """File of the classifier bundle that turns its knobs to this arm."""
        return f"arm_{self.name}.yaml"

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the arms whose trainings it rests on; itself if it is trained."""
        return self.chosen_from or self.averaged_from or (self.name,)

    @property
    def generated(self) -> bool:
        """Whether it mixes in images of the GAN, all of them or some."""
        return self.source in ("generated", "selected", "random_selection")

    @property
    def uses_gan(self) -> bool:
        """Whether it takes images or weights from a GAN of the study."""
        return self.generated or self.discriminator == "trained"

    @property
    def unlabelled(self) -> bool:
        """Whether it needs patients the split leaves out, without their classes."""
        return self.guessed or self.source == "unlabelled"

    @property
    def guessed(self) -> bool:
        """Whether it needs guesses of the classes of those patients."""
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
    Arm(
        "semi_supervised_entropy",
        "Real + unlabelled, sure of their classes",
        "control",
        source="unlabelled",
    ),
    Arm(
        "semi_supervised_consistency",
        "Real + unlabelled, sure of their classes and consistent",
        "control",
        source="unlabelled",
    ),
    Arm(
        "pseudo_averaged",
        "Average of classical and guessed classes",
        "control",
        averaged_from=("classical", "pseudo_labels"),
    ),
    Arm(
        "averaged_controls",
        "Average of classical and discriminator's architecture from scratch",
        "control",
        averaged_from=("classical", "discriminator_scratch"),
    ),
)
CANDIDATES = (
    Arm("synthetic_only", "Synthetic only", "candidate", source="generated"),
    Arm(
        "real_plus_synthetic",
        "Real + synthetic",
        "candidate",
        source="generated",
        matched_control="label_shuffled",
    ),
    Arm("real_plus_synthetic_25", "Real + 25 % synthetic", "candidate", source="generated"),
    Arm("real_plus_synthetic_75", "Real + 75 % synthetic", "candidate", source="generated"),
    Arm(
        "minority_only",
        "Synthetic in small classes only",
        "candidate",
        source="generated",
        unequal=True,
        matched_control="oversampled",
    ),
    Arm("balanced_by_synthetic", "Small classes topped up", "candidate", source="generated"),
    Arm("warm_start", "Warm start on synthetic, then real", "candidate", source="generated"),
    Arm(
        "filtered",
        "Real + selected synthetic",
        "candidate",
        source="selected",
        matched_control="filtered_at_random",
    ),
    Arm(
        "discriminator_init",
        "Begun from the discriminator",
        "candidate",
        discriminator="trained",
        matched_control="discriminator_scratch",
    ),
    Arm(
        "semi_synthetic",
        "Real + synthetic, GAN with unlabelled",
        "candidate",
        source="generated",
        semi=True,
        matched_control="pseudo_labels",
    ),
    Arm(
        "semi_discriminator_init",
        "Begun from it, GAN with unlabelled",
        "candidate",
        discriminator="trained",
        semi=True,
        matched_control="discriminator_scratch",
    ),
    Arm(
        "semi_supervised",
        "Discriminator of a semi-supervised GAN",
        "candidate",
        source="unlabelled",
        matched_control="semi_supervised_consistency",
    ),
    Arm(
        "semi_supervised_averaged",
        "Average of classical and semi-supervised GAN",
        "candidate",
        matched_control="pseudo_averaged",
        averaged_from=("classical", "semi_supervised"),
    ),
    Arm(
        "averaged",
        "Average of classical and begun from the discriminator",
        "candidate",
        matched_control="averaged_controls",
        averaged_from=("classical", "discriminator_init"),
    ),
    Arm(
        "semi_averaged",
        "Average of classical and begun from it, GAN with unlabelled",
        "candidate",
        matched_control="averaged_controls",
        averaged_from=("classical", "semi_discriminator_init"),
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


def trained_arms(arms: Iterable[Arm]) -> tuple[Arm, ...]:
    """The arms to train for ``arms``: themselves, or what they are chosen or averaged from.

    Example:
        >>> [one.name for one in trained_arms([arm("averaged"), arm("classical")])]
        ['classical', 'discriminator_init']
    """
    names = [name for one in arms for name in one.members]
    return tuple(arm(name) for name in dict.fromkeys(names))
