"""The arms of a benefit study, one row each: what each trains on, and its role in the verdict.

A new arm is a new row of :data:`ROWS`. The tables of the documentation are made of the rows
(:mod:`monai_gan_aug.studies.arm_tables`).
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["ARMS", "BASELINE", "LABELLER", "ROWS", "Arm", "Role", "arm", "arms_needed_by"]

Role = Literal["reference", "control", "candidate"]
Source = Literal["", "generated", "selected", "random_selection", "pseudo", "unlabelled"]
Weights = Literal["", "trained", "random"]

BASELINE = "classical"
"""The arm that everything is read against."""
LABELLER = BASELINE
"""The arm that guesses the classes of unlabelled images for others."""


@dataclass(frozen=True)
class Arm:
    """One way to train the same classifier.

    Args:
        name: What ``--arm`` of the classifier bundle calls it.
        title: Shown in reports.
        role: ``control`` arms set the bar: they use nothing a GAN knows, or leave out the idea of
            a candidate; ``candidate`` arms use a GAN; ``reference`` arms are shown for orientation.
        about: What it trains on, or what a gain over it rules out: a row of the documentation.
        knobs: Knobs of the classifier bundle it turns.
        source: What is mixed in: images of the GAN, those of them that were selected, as many at
            random, or unlabelled images with guessed classes. ``unlabelled`` images are not mixed
            in, but learned from without a class.
        discriminator: The classifier is made of the GAN's discriminator, with these weights.
        unlabelled_gan: The GAN is the one that learned from unlabelled images as well.
        patients: Times the training patients, from those the split leaves out.
        unequal_classes: Whether it needs classes of different size.
        matched_control: The arm that shares everything with it but the idea.
        chosen_from: It is not trained: it is whichever of these did best on the validation split.
        averaged_from: It is not trained: it averages the probabilities of these.
    """

    name: str
    title: str
    role: Role
    about: str = ""
    knobs: Mapping[str, Any] = field(default_factory=dict, hash=False)
    source: Source = ""
    discriminator: Weights = ""
    unlabelled_gan: bool = False
    patients: int = 1
    unequal_classes: bool = False
    matched_control: str = ""
    chosen_from: tuple[str, ...] = ()
    averaged_from: tuple[str, ...] = ()

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the arms whose trainings it rests on; itself if it is trained."""
        return self.chosen_from or self.averaged_from or (self.name,)

    @property
    def trained(self) -> bool:
        """Whether it has a training of its own; others are derived from the arms of theirs."""
        return self.members == (self.name,)

    @property
    def generated(self) -> bool:
        """Whether it mixes in images of the GAN, all of them or some."""
        return self.source == "generated" or self.selected

    @property
    def selected(self) -> bool:
        """Whether it needs a selection among the images of the GAN."""
        return self.source in ("selected", "random_selection")

    @property
    def uses_gan(self) -> bool:
        """Whether it takes images or weights from a GAN of the study."""
        return self.generated or self.discriminator == "trained"

    @property
    def rivals_every_candidate(self) -> bool:
        """Whether no candidate may be clearly worse: a control with no more labels.

        A control that mixes in a choice of the GAN's images as they are is one of the choice only.
        """
        return self.role == "control" and self.patients == 1 and not self.selected

    @property
    def unlabelled(self) -> bool:
        """Whether it needs patients the split leaves out, without their classes."""
        return self.guessed or self.source == "unlabelled"

    @property
    def guessed(self) -> bool:
        """Whether it needs guesses of the classes of those patients."""
        return self.unlabelled_gan or self.source == "pseudo"


ROWS = (
    Arm(
        "real",
        "Real, no augmentation",
        "reference",
        "Real images as they are.",
        knobs={"augmentation": "none"},
    ),
    Arm(
        "plain_draws",
        "Real + classical, classes as they come",
        "reference",
        "The baseline with every image equally often, so that large classes fill the batches: "
        "what drawing the classes alike is worth.",
        knobs={"balance": "none"},
    ),
    Arm(
        "oracle_2",
        "Twice the real patients",
        "reference",
        "The baseline with twice the real patients.",
        patients=2,
    ),
    Arm(
        "oracle_4",
        "Four times the real patients",
        "reference",
        "The baseline with four times the real patients.",
        patients=4,
    ),
    Arm(
        "classical",
        "Real + classical augmentation",
        "control",
        "Nothing: this is the baseline, real images with light classical augmentation.",
    ),
    Arm(
        "classical_twice",
        "Real + classical, twice the steps",
        "control",
        "More training. If it gains, the baseline was not at its plateau: raise `total_steps`.",
        knobs={"steps_multiplier": 2},
    ),
    Arm(
        "classical_strong",
        "Real + strong classical augmentation",
        "control",
        "More augmentation: stronger turns, zooms, shifts, contrast and noise.",
        knobs={"augmentation": "strong"},
    ),
    Arm(
        "classical_tuned",
        "Real + light or strong, by validation",
        "control",
        "Choosing: light or strong augmentation, whichever did better on the validation split.",
        chosen_from=("classical", "classical_strong"),
    ),
    Arm(
        "oversampled",
        "Small classes drawn more often",
        "control",
        "Drawing small classes more often: what the baseline does as well, unless "
        "`balance: none` is given.",
        knobs={"balance": "weighted"},
    ),
    Arm(
        "mixup",
        "Real + MixUp",
        "control",
        "Blending pairs of images, which needs no GAN.",
        knobs={"mixup": 0.2},
    ),
    Arm(
        "cutmix",
        "Real + CutMix",
        "control",
        "Patches of one image in another, labelled by area, which need no GAN.",
        knobs={"cutmix": 1.0},
    ),
    Arm(
        "duplicated_reals",
        "Real + the same images again",
        "control",
        "Other batches: the training images stand in the place of the synthetic ones, so nothing "
        "new is shown. Its difference from the baseline is luck, and shows how large luck is.",
        knobs={"extra_images": "duplicated", "synthetic_fraction": 0.5},
    ),
    Arm(
        "copycat",
        "Real + slightly changed copies",
        "control",
        "Small changes: eight moved and slightly noisy versions of each training image, which is "
        "what a generator offers that has memorised them.",
        knobs={"extra_images": "copycat", "synthetic_fraction": 0.5},
    ),
    Arm(
        "label_shuffled",
        "Real + synthetic, labels shuffled",
        "control",
        "Regularisation: the synthetic images with permuted labels keep everything but what the "
        "GAN knows about the classes.",
        knobs={"extra_images": "shuffled", "synthetic_fraction": 0.5},
        source="generated",
    ),
    Arm(
        "filtered_at_random",
        "Real + synthetic, as many as selected",
        "control",
        "Fewer synthetic images: as many as `filtered` has, without the choice.",
        knobs={"synthetic_fraction": 0.5},
        source="random_selection",
    ),
    Arm(
        "discriminator_scratch",
        "Discriminator's architecture, from scratch",
        "control",
        "Another architecture: that of `discriminator_init` with random weights.",
        discriminator="random",
    ),
    Arm(
        "pseudo_labels",
        "Real + unlabelled, guessed classes",
        "control",
        "Unlabelled images as such: half of every batch, their classes guessed by the baseline.",
        knobs={"extra_images": "pseudo", "synthetic_fraction": 0.5},
        source="pseudo",
    ),
    Arm(
        "semi_supervised_entropy",
        "Real + unlabelled, sure of their classes",
        "control",
        "Unlabelled images without any GAN: predictions for them should be sure.",
        knobs={"semi_supervised": True, "entropy_weight": 0.15},
        source="unlabelled",
    ),
    Arm(
        "semi_supervised_consistency",
        "Real + unlabelled, sure of their classes and consistent",
        "control",
        "The same, and alike for two augmentations of one image "
        "([Xie et al. 2020](https://arxiv.org/abs/1904.12848)).",
        knobs={"semi_supervised": True, "entropy_weight": 0.15, "consistency_weight": 1.0},
        source="unlabelled",
    ),
    Arm(
        "pseudo_averaged",
        "Average of classical and guessed classes",
        "control",
        "The same unlabelled images and an average: the mean of `classical` and `pseudo_labels`.",
        averaged_from=("classical", "pseudo_labels"),
    ),
    Arm(
        "averaged_controls",
        "Average of classical and discriminator's architecture from scratch",
        "control",
        "Averaging: the mean of `classical` and `discriminator_scratch`, two classifiers that err "
        "differently.",
        averaged_from=("classical", "discriminator_scratch"),
    ),
    Arm(
        "synthetic_only",
        "Synthetic only",
        "candidate",
        "Synthetic images and nothing else.",
        knobs={"synthetic_fraction": 1.0},
        source="generated",
    ),
    Arm(
        "real_plus_synthetic",
        "Real + synthetic",
        "candidate",
        "Half of every batch is synthetic.",
        knobs={"synthetic_fraction": 0.5},
        source="generated",
        matched_control="label_shuffled",
    ),
    Arm(
        "real_plus_synthetic_25",
        "Real + 25 % synthetic",
        "candidate",
        "A quarter of every batch is synthetic.",
        knobs={"synthetic_fraction": 0.25},
        source="generated",
    ),
    Arm(
        "real_plus_synthetic_75",
        "Real + 75 % synthetic",
        "candidate",
        "Three quarters of every batch are synthetic.",
        knobs={"synthetic_fraction": 0.75},
        source="generated",
    ),
    Arm(
        "minority_only",
        "Synthetic in small classes only",
        "candidate",
        "Half of the images of every class but the largest are synthetic; refused if all classes "
        "are equally large.",
        knobs={"balance": "minority", "synthetic_fraction": 0.5},
        source="generated",
        unequal_classes=True,
        matched_control="oversampled",
    ),
    Arm(
        "balanced_by_synthetic",
        "Small classes topped up",
        "candidate",
        "Small classes are topped up with synthetic images to the size of the largest.",
        knobs={"balance": "synthetic"},
        source="generated",
    ),
    Arm(
        "warm_start",
        "Warm start on synthetic, then real",
        "candidate",
        "The first third of the steps on synthetic images, the rest on real ones.",
        knobs={"warm_start_fraction": 0.3333},
        source="generated",
    ),
    Arm(
        "filtered",
        "Real + selected synthetic",
        "candidate",
        "Synthetic images that `select.yaml` chose (`selection`, by default an out-of-fold "
        "probability of their class of at least 0.5).",
        knobs={"synthetic_fraction": 0.5},
        source="selected",
        matched_control="filtered_at_random",
    ),
    Arm(
        "discriminator_init",
        "Begun from the discriminator",
        "candidate",
        "The discriminator's feature layers, pooled to a grid, with a new linear head, all "
        "fine-tuned.",
        discriminator="trained",
        matched_control="discriminator_scratch",
    ),
    Arm(
        "unlabelled_gan_synthetic",
        "Real + synthetic, GAN with unlabelled",
        "candidate",
        "Half of every batch is synthetic, of a GAN that also learned from unlabelled images.",
        knobs={"synthetic_fraction": 0.5},
        source="generated",
        unlabelled_gan=True,
        matched_control="pseudo_labels",
    ),
    Arm(
        "unlabelled_gan_discriminator_init",
        "Begun from it, GAN with unlabelled",
        "candidate",
        "As `discriminator_init`, of a GAN that also learned from unlabelled images.",
        discriminator="trained",
        unlabelled_gan=True,
        matched_control="discriminator_scratch",
    ),
    Arm(
        "semi_supervised",
        "Discriminator of a semi-supervised GAN",
        "candidate",
        "Its discriminator *is* the classifier: a GAN learns from labelled and unlabelled images "
        "in one training ([Salimans et al. 2016](https://arxiv.org/abs/1606.03498)).",
        knobs={"semi_supervised": True, "entropy_weight": 0.15, "adversarial_weight": 0.5},
        source="unlabelled",
        matched_control="semi_supervised_consistency",
    ),
    Arm(
        "semi_supervised_averaged",
        "Average of classical and semi-supervised GAN",
        "candidate",
        "The mean of the probabilities of `classical` and `semi_supervised`.",
        matched_control="pseudo_averaged",
        averaged_from=("classical", "semi_supervised"),
    ),
    Arm(
        "averaged",
        "Average of classical and begun from the discriminator",
        "candidate",
        "The mean of the probabilities of `classical` and `discriminator_init`.",
        matched_control="averaged_controls",
        averaged_from=("classical", "discriminator_init"),
    ),
    Arm(
        "unlabelled_gan_averaged",
        "Average of classical and begun from it, GAN with unlabelled",
        "candidate",
        "The mean of the probabilities of `classical` and `unlabelled_gan_discriminator_init`.",
        matched_control="averaged_controls",
        averaged_from=("classical", "unlabelled_gan_discriminator_init"),
    ),
)
ARMS: dict[str, Arm] = {row.name: row for row in ROWS}
RENAMED = {
    "semi_synthetic": "unlabelled_gan_synthetic",
    "semi_discriminator_init": "unlabelled_gan_discriminator_init",
    "semi_averaged": "unlabelled_gan_averaged",
}


def arm(name: str) -> Arm:
    """The arm called ``name``.

    Raises:
        ValueError: If there is none, with the names that are near, or the new one of an old name.

    Example:
        >>> arm("classical").role
        'control'
    """
    if name not in ARMS:
        if name in RENAMED:
            raise ValueError(f"The arm {name!r} is called {RENAMED[name]!r} now.")
        near = difflib.get_close_matches(name, ARMS)
        meant = f"did you mean {' or '.join(near)}? There are" if near else "choose from"
        raise ValueError(f"Unknown `arm` {name!r}: {meant} {', '.join(ARMS)}.")
    return ARMS[name]


def arms_needed_by(arms: Iterable[Arm]) -> tuple[Arm, ...]:
    """The arms to train for ``arms``: themselves, or what they are chosen or averaged from.

    Example:
        >>> [row.name for row in arms_needed_by([arm("averaged"), arm("classical")])]
        ['classical', 'discriminator_init']
    """
    names = [name for row in arms for name in row.members]
    return tuple(arm(name) for name in dict.fromkeys(names))
