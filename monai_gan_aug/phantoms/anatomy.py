"""Head CT phantoms: a random patient, drawn in HU, with or without a haemorrhage."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monai_gan_aug.phantoms.brain import Brain, MassEffect
from monai_gan_aug.phantoms.geometry import Array, HeadFrame
from monai_gan_aug.phantoms.haemorrhage import Haemorrhage, HaemorrhageKind
from monai_gan_aug.phantoms.scanner import Scanner
from monai_gan_aug.phantoms.skull import Skull

__all__ = ["PhantomPatient", "draw_patient"]

AVERAGE_RADIUS = 72.4
LEVELS = (-3.0, 50.0)
HIGHEST_FIRST_LEVEL = 24.0
SMALLEST_BLEED = 25.0
"""Area in square millimetres that a bleed must show on every slice."""


@dataclass(frozen=True)
class PhantomPatient:
    """One examination of one patient.

    Attributes:
        hu: Hounsfield units, int16, shape ``(slices, H, W)``, from the lowest slice to the highest;
            the first row is the patient's front, the first column the patient's right.
        blood: Share of each pixel that is blood, float32, same shape, in ``[0, 1]``. Zero in a
            patient without a haemorrhage; on every slice of one with, at least 25 square
            millimetres.
        kind: Where the blood is, or ``None``.
        spacing: Width of a pixel in millimetres.
        scanner: Acquisition settings.
        levels: Millimetres of every slice above the foramina of Monro, shape ``(slices,)``.
    """

    hu: NDArray[np.int16]
    blood: Array
    kind: HaemorrhageKind | None
    spacing: float
    scanner: Scanner
    levels: Array

    @property
    def positive(self) -> bool:
        """Whether the patient bleeds; by the labelling rule, the label of every slice too."""
        return self.kind is not None


def draw_patient(
    seed: int | tuple[int, ...], positive: bool, slices: int = 3, size: int = 256
) -> PhantomPatient:
    """A patient drawn from ``seed``: anatomy and scanner always, a haemorrhage if ``positive``.

    **Labelling rule.** The label belongs to the patient: every slice of a positive patient crosses
    the haemorrhage, so every slice has its patient's label. Calcifications, a dense falx or sinus,
    old infarcts, streaks and motion occur in either class at the same rate.

    The anatomy, the scanner and the bleed come from separate streams, so the same seed gives the
    same head with and without the haemorrhage, and the same head at every ``size``.

    Args:
        seed: Non-negative seed, or several.
        positive: Whether to draw a haemorrhage.
        slices: Number of slices, at least 1.
        size: Rows and columns, at least 32; 256 and 512 are customary.

    Raises:
        ValueError: If ``slices`` or ``size`` is too small or ``seed`` negative.

    Example:
        >>> patient = draw_patient(7, positive=True, slices=2, size=64)
        >>> patient.hu.shape, bool(patient.blood.any(axis=(1, 2)).all())
        ((2, 64, 64), True)
    """
    if slices < 1 or size < 32:
        raise ValueError(f"Need `slices` >= 1 and `size` >= 32, got {slices} and {size}.")
    anatomy, examination, bleeding, noise = _streams(seed)
    skull = Skull.draw(anatomy)
    brain = Brain.draw(anatomy, float(np.median(skull.inner_radius)) / AVERAGE_RADIUS)
    scanner = Scanner.draw(examination, skull.length)
    levels = _slice_levels(examination, slices, scanner.slice_spacing)
    spacing = round(scanner.field_of_view / size, 6)
    frames = [
        HeadFrame.of_slice(size, spacing, float(level), scanner.roll, scanner.centre)
        for level in levels
    ]
    sections = [(frame, skull.depth(frame)) for frame in frames]
    if positive:
        kind, brains, blood = _paint_bleeding(bleeding, brain, sections, levels)
    else:
        kind, brains = None, [brain.paint(*section, MassEffect.none()).hu for section in sections]
        blood = np.zeros((slices, size, size), dtype=np.float32)
    scans = [
        scanner.acquire(noise, skull.paint(frame, depth, hu), frame, depth)
        for (frame, depth), hu in zip(sections, brains, strict=True)
    ]
    return PhantomPatient(np.stack(scans), blood, kind, spacing, scanner, levels)


def _streams(seed: int | tuple[int, ...]) -> list[np.random.Generator]:
    entropy = [seed] if isinstance(seed, int) else list(seed)
    if min(entropy, default=0) < 0:
        raise ValueError(f"`seed` must not be negative, got {seed}.")
    return [np.random.default_rng(child) for child in np.random.SeedSequence(entropy).spawn(4)]


def _slice_levels(rng: np.random.Generator, slices: int, spacing: float) -> Array:
    lowest, highest = LEVELS
    step = min(spacing, round((highest - lowest) / max(slices - 1, 1), 2))
    room = highest - lowest - step * (slices - 1)
    first = lowest + rng.uniform(0, max(0, min(room, HIGHEST_FIRST_LEVEL - lowest)))
    levels: Array = np.round(first, 1) + step * np.arange(slices)
    return levels


def _paint_bleeding(
    rng: np.random.Generator, brain: Brain, sections: list[tuple[HeadFrame, Array]], levels: Array
) -> tuple[HaemorrhageKind, list[Array], Array]:
    while True:  # a bleed into fluid that this brain lacks is drawn again
        bleed = Haemorrhage.draw(rng, levels)
        painted, shares = [], []
        for frame, depth in sections:
            around = brain.paint(frame, depth, bleed.mass_effect(frame.level))
            share = bleed.share(frame, around)
            if share.sum() * frame.edge**2 < SMALLEST_BLEED:
                break
            painted.append(bleed.stain(around.hu, share, frame, around))
            shares.append(share)
        else:
            return bleed.kind, painted, np.stack(shares).astype(np.float32)
