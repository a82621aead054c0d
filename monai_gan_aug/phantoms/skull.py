"""Skull, scalp and head rest of the head phantom."""

from dataclasses import dataclass

import numpy as np

from monai_gan_aug.phantoms.geometry import (
    ANGLES,
    Array,
    HeadFrame,
    SmoothFields,
    angular_distance,
    blend,
    harmonics,
    soft_inside,
)

__all__ = ["Skull"]

AIR, FAT, SKIN, MUSCLE = -1000.0, -95.0, 55.0, 58.0
WIDEST_LEVEL = 8.0
FRONT, BACK = -np.pi / 2, np.pi / 2


@dataclass(frozen=True)
class Skull:
    """The bony case of one patient and what lies outside it. Lengths in millimetres.

    Attributes:
        inner_radius: Middle of the head to the inner table at the widest level, over `ANGLES`.
        crest: Inward bulge of the inner table, over `ANGLES`.
        thickness: Of the bone, over `ANGLES`.
        scalp: Thickness of the scalp, over `ANGLES`.
        muscle: Share of the scalp that is muscle (the temples), over `ANGLES`.
        table_thickness: Of the dense inner and outer tables.
        table_density: HU of the tables.
        diploe_density: HU of the marrow between them.
        height: Half height of the vault above its widest level.
        rest: ``(radius, half opening in radians, HU)`` of the head rest.
        grain: One fine field that varies the marrow and the fat.
    """

    inner_radius: Array
    crest: Array
    thickness: Array
    scalp: Array
    muscle: Array
    table_thickness: float
    table_density: float
    diploe_density: float
    height: float
    rest: tuple[float, float, float]
    grain: SmoothFields

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Skull":
        """A skull of random size, shape, thickness and density."""
        temples = sum(np.exp(-((angular_distance(side) / 0.5) ** 2)) for side in (-0.25, -2.9))
        crest = rng.uniform(0, 4) * np.exp(-((angular_distance(FRONT) / 0.05) ** 2))
        crest += rng.uniform(1, 7) * np.exp(-((angular_distance(BACK) / 0.14) ** 2))
        thickness = rng.uniform(4.8, 8) * (1 + harmonics(rng, range(1, 9), 0.14)) - 1.6 * temples
        scalp = rng.uniform(3.5, 7) * (1 + harmonics(rng, range(1, 6), 0.25)) + 4 * temples
        return cls(
            inner_radius=_inner_radius(rng),
            crest=crest.astype(np.float32),
            thickness=np.maximum(thickness, 3.5).astype(np.float32),
            scalp=np.maximum(scalp, 2.5).astype(np.float32),
            muscle=np.clip(1.3 * temples, 0, 1).astype(np.float32),
            table_thickness=rng.uniform(1.4, 2.4),
            table_density=rng.uniform(1050, 1500),
            diploe_density=rng.uniform(450, 850),
            height=rng.uniform(78, 95),
            rest=(
                rng.uniform(104, 116),
                rng.uniform(1.2, 1.9),
                rng.choice([-960.0, -960.0, -100.0, 100.0]),
            ),
            grain=SmoothFields.draw(rng, 1, 64),
        )

    @property
    def length(self) -> float:
        """Longest diameter of the head, scalp included."""
        return 2 * float((self.inner_radius + self.thickness + self.scalp).max())

    def scale(self, level: float) -> float:
        """Width of the vault at ``level`` relative to its widest."""
        return float(np.sqrt(max(0.2, 1 - ((level - WIDEST_LEVEL) / self.height) ** 2)))

    def depth(self, frame: HeadFrame) -> Array:
        """Millimetres from the inner table into the head, negative in the bone and beyond."""
        inner = self.inner_radius * np.float32(self.scale(frame.level))
        slope = np.gradient(inner, ANGLES[1] - ANGLES[0]) / inner
        obliquity = (1 / np.sqrt(1 + slope**2)).astype(np.float32)
        within: Array = (inner[frame.direction] - frame.radius) * obliquity[frame.direction]
        return within - self.crest[frame.direction]

    def paint(self, frame: HeadFrame, depth: Array, brain: Array) -> Array:
        """HU of the whole slice: ``brain`` inside, then bone, scalp, air and head rest."""
        grain = self.grain.at(frame.level, len(frame.x))[0]
        thickness = (self.thickness + self.crest)[frame.direction]
        beyond = -depth - thickness
        # a sloping vault crosses the slice obliquely, so its edges are smeared
        slope = abs(frame.level - WIDEST_LEVEL) / self.height
        edge = frame.edge + 3.0 * slope
        hu = blend(brain, self._bone(-depth, beyond, grain, edge), soft_inside(-depth, edge))
        scalp = self.scalp[frame.direction]
        hu = blend(hu, self._scalp(frame, beyond, scalp, grain), soft_inside(beyond, edge))
        outside = soft_inside(beyond - scalp, frame.edge)
        return blend(hu, self._surroundings(frame), outside)

    def _bone(self, above: Array, beyond: Array, grain: Array, edge: float) -> Array:
        tables = soft_inside(self.table_thickness - above, edge + 0.6) + soft_inside(
            self.table_thickness + beyond, edge + 0.6
        )
        marrow = self.diploe_density + 110 * grain
        return blend(marrow, self.table_density, np.minimum(tables, 1))

    def _scalp(self, frame: HeadFrame, beyond: Array, scalp: Array, grain: Array) -> Array:
        muscle = self.muscle[frame.direction] * soft_inside(scalp - 3.5 - beyond, 1.5)
        tissue = blend(np.full_like(beyond, FAT) + 14 * grain, MUSCLE + 14 * grain, muscle)
        skin = soft_inside(beyond - scalp + 2.4, frame.edge)
        galea = soft_inside(0.9 - np.abs(beyond - 0.35 * scalp), frame.edge)
        return blend(tissue, SKIN, np.maximum(skin, galea * (1 - self.muscle[frame.direction])))

    def _surroundings(self, frame: HeadFrame) -> Array:
        radius, opening, density = self.rest
        down = frame.y + np.float32(8)
        gap = np.abs(np.sqrt(frame.x**2 + down**2) - radius)
        reach = (angular_distance(BACK) < opening)[frame.direction]
        shell = soft_inside(1.1 - gap, frame.edge) * reach
        return blend(np.full_like(frame.x, AIR), density, shell)


def _inner_radius(rng: np.random.Generator) -> Array:
    half_width, half_length = rng.normal(67, 2.8), rng.normal(81, 3.4)
    power = rng.uniform(2.05, 2.4)
    taper = 1 + rng.uniform(0.03, 0.12) * np.sin(ANGLES)
    across = np.abs(np.cos(ANGLES) / (half_width * taper)) ** power
    along = np.abs(np.sin(ANGLES) / half_length) ** power
    radius = (across + along) ** (-1 / power)
    return (radius + harmonics(rng, range(2, 8), 1.7)).astype(np.float32)
