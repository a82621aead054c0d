"""Intracranial haemorrhages of the head phantom: five kinds of varied size, place and shape."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from monai_gan_aug.phantoms.brain import BrainSlice, MassEffect
from monai_gan_aug.phantoms.geometry import (
    ANGLES,
    Array,
    HeadFrame,
    angular_distance,
    ellipse_depth,
    soft_inside,
)

__all__ = ["Haemorrhage", "HaemorrhageKind"]

HIGHEST_VENTRICULAR_LEVEL = 27.0


class HaemorrhageKind(str, Enum):
    """Where the blood is."""

    INTRAPARENCHYMAL = "intraparenchymal"
    SUBDURAL = "subdural"
    EPIDURAL = "epidural"
    SUBARACHNOID = "subarachnoid"
    INTRAVENTRICULAR = "intraventricular"


KIND_SHARES = {
    HaemorrhageKind.INTRAPARENCHYMAL: 0.54,
    HaemorrhageKind.SUBDURAL: 0.14,
    HaemorrhageKind.EPIDURAL: 0.11,
    HaemorrhageKind.SUBARACHNOID: 0.06,
    HaemorrhageKind.INTRAVENTRICULAR: 0.15,
}
INTO_FLUID = (HaemorrhageKind.SUBARACHNOID, HaemorrhageKind.INTRAVENTRICULAR)
SMALL_SHARE = 0.12


@dataclass(frozen=True)
class Haemorrhage:
    """One bleed. Lengths in millimetres, angles in radians.

    Attributes:
        kind: Where the blood is.
        density: HU of the blood.
        centre: ``(x, y)`` of an intraparenchymal bleed.
        angle: Direction of its middle as seen from the middle of the head.
        size: Radius (intraparenchymal), thickness (subdural, epidural) or, for the two bleeds
            into fluid, the share of the fluid that is blood (0..1).
        extent: Half opening angle of a bleed outside the brain; elongation of one inside it.
        turn: Rotation of an intraparenchymal bleed; fluid level of an intraventricular one.
        raggedness: How irregular its edge is.
        oedema: Width of the dark rim.
        level: Where it is thickest.
        reach: How far above and below it thins out.
    """

    kind: HaemorrhageKind
    density: float
    centre: tuple[float, float]
    angle: float
    size: float
    extent: float
    turn: float
    raggedness: float
    oedema: float
    level: float
    reach: float

    @classmethod
    def draw(cls, rng: np.random.Generator, levels: Array) -> "Haemorrhage":
        """A bleed that crosses every one of ``levels``; small ones are the most frequent."""
        shares = dict(KIND_SHARES)
        if levels.max() > HIGHEST_VENTRICULAR_LEVEL:
            shares.pop(HaemorrhageKind.INTRAVENTRICULAR)
        chances = np.array(list(shares.values()))
        kind = list(shares)[rng.choice(len(shares), p=chances / chances.sum())]
        size, extent = _draw_size(rng, kind)
        small = kind not in INTO_FLUID and rng.random() < SMALL_SHARE
        side = rng.choice([-1, 1])
        span = float(np.ptp(levels)) / 2
        return cls(
            kind=kind,
            density=rng.uniform(60, 80),
            centre=_draw_centre(rng, side),
            angle=float(np.arctan2(rng.uniform(-0.9, 0.9), side * rng.uniform(0.2, 1))),
            size=size * rng.uniform(0.35, 0.7) if small else size,
            extent=extent,
            turn=rng.uniform(-np.pi, np.pi),
            raggedness=rng.uniform(0.05, 0.22),
            oedema=rng.uniform(0, 6),
            level=float(levels.mean()) + rng.uniform(-0.5, 0.5) * span,
            reach=span * rng.uniform(1.9, 3.5) + 4,
        )

    def mass_effect(self, level: float) -> MassEffect:
        """How far the brain gives way in the slice at ``level``."""
        thickness = self._layer(level)
        pushed = {
            HaemorrhageKind.INTRAPARENCHYMAL: max(0.0, self.size - 8) * 0.3,
            HaemorrhageKind.SUBDURAL: max(0.0, self.size - 4) * 0.6,
            HaemorrhageKind.EPIDURAL: max(0.0, self.size - 6) * 0.4,
        }.get(self.kind, 0.0)
        inside = self.kind is HaemorrhageKind.INTRAPARENCHYMAL
        across, down = self.centre if inside else (np.cos(self.angle), 60 * np.sin(self.angle))
        return MassEffect(thickness, -float(np.sign(across)) * pushed, float(down) / 2)

    def share(self, frame: HeadFrame, brain: BrainSlice) -> Array:
        """Share of each pixel that is blood, shape ``(H, W)``, in ``[0, 1]``."""
        if self.kind is HaemorrhageKind.INTRAPARENCHYMAL:
            return soft_inside(self._blob(frame, brain), frame.edge + 1.2) * (brain.surface > -1)
        if self.kind in (HaemorrhageKind.SUBDURAL, HaemorrhageKind.EPIDURAL):
            layer = self._layer(frame.level)[frame.direction] * (
                1 + self.raggedness * brain.texture[0]
            )
            edges = np.minimum(layer - brain.depth, brain.depth + frame.edge / 2)
            share: Array = soft_inside(edges, frame.edge + 0.5) * (layer > 0)
            return share
        if self.kind is HaemorrhageKind.SUBARACHNOID:
            near = soft_inside(self.extent - angular_distance(self.angle), 0.5)[frame.direction]
            stained = np.clip(1.8 * brain.cisterns * soft_inside(brain.depth - 1.0, 2.0), 0, 1)
            mottled: Array = np.clip(1 + 0.3 * brain.texture[2], 0.4, 1)
            return self.size * near * stained * mottled
        return self._settled(brain)

    def stain(self, hu: Array, share: Array, frame: HeadFrame, brain: BrainSlice) -> Array:
        """``hu`` with blood in place of ``share`` of each pixel and a dark rim around it."""
        if self.kind is HaemorrhageKind.INTRAPARENCHYMAL and self.oedema > 0:
            rim = soft_inside(self._blob(frame, brain) + self.oedema, 3.0)
            hu = hu - 7 * rim * soft_inside(brain.surface - 2, 2.0) * (1 - brain.ventricles)
        blood: Array = self.density + 2.5 * brain.texture[1]
        return hu + (blood - hu) * share

    def _thinning(self, level: float) -> float:
        return float(np.sqrt(max(0.36, 1 - ((level - self.level) / self.reach) ** 2)))

    def _blob(self, frame: HeadFrame, brain: BrainSlice) -> Array:
        radius = self.size * self._thinning(frame.level)
        radii = (radius, radius * self.extent)
        depth = ellipse_depth(frame.x, frame.y, self.centre, radii, self.turn)
        ragged: Array = brain.texture[0] + brain.texture[2]
        return depth + radius * self.raggedness * ragged

    def _layer(self, level: float) -> Array:
        if self.kind not in (HaemorrhageKind.SUBDURAL, HaemorrhageKind.EPIDURAL):
            return np.zeros_like(ANGLES)
        place = np.minimum(angular_distance(self.angle) / self.extent, 1)
        power = 0.6 if self.kind is HaemorrhageKind.SUBDURAL else 1.0
        height = np.float32(self.size * self._thinning(level))
        layer: Array = height * (1 - place**2) ** np.float32(power)
        return layer

    def _settled(self, brain: BrainSlice) -> Array:
        level = 34 - 60 * self.size
        settled = soft_inside(brain.y - level, 3.0)
        one_side = abs(self.turn) < 1.6
        if one_side:
            settled = settled * soft_inside(np.float32(np.sign(self.turn)) * brain.x, 3.0)
        return brain.ventricles * settled


def _draw_size(rng: np.random.Generator, kind: HaemorrhageKind) -> tuple[float, float]:
    if kind is HaemorrhageKind.INTRAPARENCHYMAL:
        return float(np.exp(rng.uniform(np.log(11), np.log(29)))), rng.uniform(0.65, 1.15)
    if kind is HaemorrhageKind.SUBDURAL:
        return float(np.exp(rng.uniform(np.log(6), np.log(19)))), rng.uniform(0.6, 1.4)
    if kind is HaemorrhageKind.EPIDURAL:
        return float(np.exp(rng.uniform(np.log(10), np.log(27)))), rng.uniform(0.22, 0.5)
    if kind is HaemorrhageKind.SUBARACHNOID:
        return rng.uniform(0.8, 1), rng.uniform(0.6, 1.8)
    return rng.uniform(0.5, 1), 1.0


def _draw_centre(rng: np.random.Generator, side: int) -> tuple[float, float]:
    if rng.random() < 0.45:  # basal ganglia and thalamus
        return side * rng.uniform(10, 32), rng.uniform(-22, 20)
    angle, reach = rng.uniform(-1.35, 1.35), rng.uniform(30, 50)
    return side * reach * float(np.cos(angle)), 1.2 * reach * float(np.sin(angle))
