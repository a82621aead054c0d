"""Brain of the head phantom: gyri, grey and white matter, ventricles, falx and calcifications."""

from dataclasses import dataclass

import numpy as np

from monai_gan_aug.phantoms.geometry import (
    ANGLES,
    Array,
    HeadFrame,
    SmoothFields,
    along_levels,
    angular_distance,
    blend,
    ellipse_depth,
    harmonics,
    soft_inside,
    stroke_depth,
)

__all__ = ["Brain", "BrainSlice", "MassEffect"]

# Right half of the lateral ventricles: (x, y, radius) from frontal to occipital horn, per level.
VENTRICLE_LEVELS = (-10.0, 2.0, 16.0, 28.0, 36.0)
VENTRICLE_PATHS = np.array(
    [
        [(13, -38, -3), (8, -28, -3), (7, -18, -3), (20, 12, -6), (27, 28, 1.5), (31, 42, 0.5)],
        [(14, -37, 2.0), (8, -29, 3.2), (4, -19, 2.0), (19, 12, -6), (25, 30, 4.0), (27, 45, 1.2)],
        [(14, -33, 1.0), (9, -25, 4.0), (8, -8, 3.6), (12, 10, 4.0), (20, 28, 5.0), (24, 42, 1.5)],
        [(13, -22, -1), (12, -15, 2.0), (13, -2, 3.2), (15, 10, 3.2), (18, 22, 2.0), (20, 30, -2)],
        [(13, -22, -5), (12, -15, -4), (13, -2, -3), (15, 10, -3), (18, 22, -4), (20, 30, -5)],
    ],
    dtype=np.float32,
)
SYLVIAN_FISSURE = np.array(
    [
        (72, -22, 1.0),
        (60, -17, 1.5),
        (50, -19, 1.2),
        (43, -16, 1.9),
        (39, -8, 1.1),
        (38, 1, 1.0),
        (42, 9, 1.4),
        (50, 12, 0.8),
        (57, 18, 0.4),
    ],
    dtype=np.float32,
)
QUADRIGEMINAL_CISTERN = np.array([(14, 21, 0.8), (7, 26, 1.6), (0, 25, 2.2)], dtype=np.float32)


@dataclass(frozen=True)
class MassEffect:
    """How a haemorrhage deforms the brain around it.

    Attributes:
        thickness: Millimetres of brain pushed off the skull, over `ANGLES`.
        shift: Millimetres the midline is pushed to the patient's left (negative: right).
        shift_centre: Where along the midline, in millimetres behind the middle.
    """

    thickness: Array
    shift: float = 0.0
    shift_centre: float = 0.0

    @classmethod
    def none(cls) -> "MassEffect":
        """An undisturbed brain."""
        return cls(np.zeros_like(ANGLES))


@dataclass(frozen=True)
class BrainSlice:
    """One painted slice and the maps that a haemorrhage needs; every array is ``(H, W)``.

    Attributes:
        hu: Brain, cerebrospinal fluid, falx and calcifications, in HU.
        depth: Millimetres below the inner table.
        surface: Millimetres below the surface of the brain.
        cisterns: Share of each pixel that is fluid outside the ventricles.
        ventricles: Share of each pixel that is fluid in the ventricles.
        x: Millimetres to the left of the (shifted) midline.
        y: Millimetres behind the middle of the brain.
        texture: Three fine smooth fields of unit standard deviation, shape ``(3, H, W)``.
    """

    hu: Array
    depth: Array
    surface: Array
    cisterns: Array
    ventricles: Array
    x: Array
    y: Array
    texture: Array


@dataclass(frozen=True)
class Brain:
    """The brain of one patient. Lengths in millimetres, densities in HU.

    Attributes:
        grey: Density of grey matter.
        white: Density of white matter.
        fluid: Density of cerebrospinal fluid.
        gap: Width of the fluid between skull and brain, over `ANGLES`.
        sulci: Angle to the nearest sulcus, its half width and its length, shape ``(3, angles)``.
        skew: Lean of the sulci, over `ANGLES`.
        ventricle_scale: Factor on the width of the ventricles.
        asymmetry: Relative difference in width between left and right ventricle.
        fissure: Half width of the midline fissure.
        falx_density: Density of the falx.
        sinus_density: Density of the blood in the superior sagittal sinus.
        leukoaraiosis: HU by which white matter around the ventricles is darkened.
        calcifications: Rows ``(x, y, radius, HU, level, reach)``.
        scar: ``(x, y, radius, HU change)`` of an old infarct; radius 0 for none.
        scale: Size of the brain relative to the average.
        warp: Two coarse fields that displace everything.
        texture: Three fine fields.
    """

    grey: float
    white: float
    fluid: float
    gap: Array
    sulci: Array
    skew: Array
    ventricle_scale: float
    asymmetry: float
    fissure: float
    falx_density: float
    sinus_density: float
    leukoaraiosis: float
    calcifications: tuple[tuple[float, ...], ...]
    scar: tuple[float, float, float, float]
    scale: float
    warp: SmoothFields
    texture: SmoothFields

    @classmethod
    def draw(cls, rng: np.random.Generator, scale: float) -> "Brain":
        """A brain of random age (atrophy), folding, density and calcification."""
        atrophy = rng.beta(1.6, 2.2)
        white = rng.normal(28.5, 1.2)
        gap = (0.3 + 2.6 * atrophy) * (1 + harmonics(rng, range(1, 5), 0.35))
        gap *= 1 + 0.8 * atrophy * np.exp(-((angular_distance(-np.pi / 2) / 0.9) ** 2))
        return cls(
            grey=white + rng.uniform(5.5, 9),
            white=white,
            fluid=rng.uniform(4, 10),
            gap=np.maximum(gap, 0.1).astype(np.float32),
            sulci=_draw_sulci(rng, atrophy),
            skew=harmonics(rng, range(2, 9), 0.9),
            ventricle_scale=rng.uniform(0.55, 0.95) + 0.95 * atrophy,
            asymmetry=rng.normal(0, 0.12),
            fissure=0.35 + 1.1 * atrophy * rng.uniform(0.5, 1),
            falx_density=rng.uniform(42, 62),
            sinus_density=rng.uniform(44, 72),
            leukoaraiosis=9 * max(0.0, atrophy - 0.3) * rng.uniform(0, 1.6),
            calcifications=_draw_calcifications(rng),
            scar=_draw_scar(rng),
            scale=scale,
            warp=SmoothFields.draw(rng, 2, 10),
            texture=SmoothFields.draw(rng, 3, 36),
        )

    def paint(self, frame: HeadFrame, depth: Array, mass: MassEffect) -> BrainSlice:
        """Draw the slice of ``frame``, ``depth`` millimetres below the inner table."""
        warp, texture = (
            self.warp.at(frame.level, len(depth)),
            self.texture.at(frame.level, len(depth)),
        )
        y = (frame.y + 2.0 * warp[1]) / np.float32(self.scale)
        bend = mass.shift * np.exp(-(((y - mass.shift_centre) / 32) ** 2))
        x = (frame.x + 1.6 * warp[0] - bend * soft_inside(depth - 8, 30)) / np.float32(self.scale)
        surface = depth - (self.gap + mass.thickness)[frame.direction]
        folds, ribbon = self._folds(frame, surface, 2.6 * texture[0])
        fissures, insula = self._fissures(frame, x, y, texture)
        ventricles, near_ventricle = self._ventricles(frame, x, y, 0.5 * texture[0])
        deep = self._deep_nuclei(frame, x, y)
        cisterns = np.maximum(np.maximum(folds, fissures), 1 - soft_inside(surface, frame.edge))
        grey = np.maximum(np.maximum(ribbon, insula), deep)
        white = self.white - self.leukoaraiosis * near_ventricle * (1 + 0.3 * texture[2])
        hu = white + (self.grey - white) * grey + 0.9 * texture[1]
        hu = self._scarred(hu, x, y, texture[2])
        hu = blend(hu, self.fluid, np.maximum(cisterns, ventricles))
        hu = self._dense_parts(hu, frame, x, y, depth)
        return BrainSlice(hu, depth, surface, cisterns, ventricles, x, y, texture)

    def _folds(self, frame: HeadFrame, surface: Array, wobble: Array) -> tuple[Array, Array]:
        inward = np.maximum(surface, 0)
        turned = frame.turned(wobble + self.skew[frame.direction] * inward + 0.4 * frame.level)
        away, half, length = (table[turned] for table in self.sulci)
        arc = away * frame.radius
        half = half * np.clip((length - surface) / 5, -1, 1) + 0.8 * half * np.exp(-inward / 2.5)
        folds = soft_inside(half - arc, frame.edge)
        lining = soft_inside(
            np.minimum(half + 2.9 + 0.4 * wobble - arc, length + 3.5 - surface), 2.0
        )
        return folds, np.maximum(lining, soft_inside(3.4 - surface, 2.0))

    def _fissures(
        self, frame: HeadFrame, x: Array, y: Array, texture: Array
    ) -> tuple[Array, Array]:
        front = along_levels(frame.level, (0, 14, 32), (-38, -42, 4))
        back = along_levels(frame.level, (0, 14, 32), (30, 40, 4))
        reach = np.maximum(front - y, y - back)
        midline = np.minimum(self.fissure * (1.1 + texture[1]) - np.abs(x), reach)
        openness = along_levels(frame.level, (-10, 6, 14, 20), (-0.7, -1.0, -1.5, -5))
        bent = np.abs(x + 3 * texture[2]), y - 0.3 * frame.level + 3 * texture[0]
        sylvian = stroke_depth(*bent, SYLVIAN_FISSURE) + openness + self.fissure + 0.4 * texture[1]
        cistern = along_levels(frame.level, (-10, 4, 8), (-0.7, -1.2, -6))
        quadrigeminal = stroke_depth(np.abs(x), y, QUADRIGEMINAL_CISTERN) + cistern + self.fissure
        depth = np.maximum(np.maximum(midline, sylvian), quadrigeminal)
        lining = np.maximum(np.minimum(midline + 2.8, reach), sylvian + 3.0)
        return soft_inside(depth, frame.edge), soft_inside(lining, 2.0)

    def _ventricles(
        self, frame: HeadFrame, x: Array, y: Array, wobble: Array
    ) -> tuple[Array, Array]:
        path = _interpolate(VENTRICLE_PATHS, VENTRICLE_LEVELS, frame.level)
        widened = np.where(path[:, 2] > 0, path[:, 2] * self.ventricle_scale, path[:, 2])
        path = np.column_stack((path[:, :2], widened))
        lateral = stroke_depth(np.abs(x), y, path) + wobble
        lateral = lateral + 2.5 * self.asymmetry * np.clip(x / 6, -1, 1)
        third = along_levels(frame.level, (-8, 4, 8), (1.6, 1.4, -3)) * self.ventricle_scale
        third_depth = stroke_depth(x, y, np.array([(0, -14, third * 0.6), (0, 12, third)]))
        ventricles = soft_inside(np.maximum(lateral, third_depth), frame.edge)
        septum = soft_inside(0.5 - np.abs(x), frame.edge) * (y < -4) * (frame.level > -2)
        return ventricles * (1 - 0.8 * septum * (third < 0)), np.exp(-np.maximum(-lateral, 0) / 9)

    def _deep_nuclei(self, frame: HeadFrame, x: Array, y: Array) -> Array:
        side = np.abs(x)
        thalamus = ellipse_depth(side, y, (10, 9), (8, 13), -0.35)
        lentiform = ellipse_depth(side, y, (23, -7), (7, 15), -0.3)
        caudate = ellipse_depth(side, y, (14, -24), (5, 8), 0.4)
        upper = soft_inside(np.maximum(thalamus, caudate), 2.5)
        lower = soft_inside(lentiform, 2.5)
        nuclei: Array = np.maximum(
            along_levels(frame.level, (10, 17), (1, 0)) * upper,
            along_levels(frame.level, (8, 13), (1, 0)) * lower,
        )
        return nuclei

    def _scarred(self, hu: Array, x: Array, y: Array, texture: Array) -> Array:
        across, down, radius, change = self.scar
        if radius == 0:
            return hu
        depth = ellipse_depth(x, y, (across, down), (radius, 1.3 * radius)) + 2 * texture
        return hu + np.float32(change) * soft_inside(depth, 4.0)

    def _dense_parts(self, hu: Array, frame: HeadFrame, x: Array, y: Array, depth: Array) -> Array:
        front = along_levels(frame.level, (0, 30, 45), (-46, -30, 0))
        back = along_levels(frame.level, (0, 30, 45), (46, 32, 0))
        falx = np.minimum(0.5 - np.abs(x), np.maximum(front - y, y - back))
        hu = blend(hu, self.falx_density, soft_inside(falx, frame.edge))
        sinus = 5.5 - depth - 0.9 * np.abs(x)
        hu = blend(hu, self.sinus_density, soft_inside(sinus, 1.5) * (y > 0))
        for across, down, radius, density, level, reach in self.calcifications:
            shrunk = radius * (1 - abs(frame.level - level) / reach)
            if shrunk > 0:
                spot = ellipse_depth(x, y, (across, down), (shrunk, 1.2 * shrunk))
                hu = blend(hu, density, soft_inside(spot, frame.edge))
        return hu


def _interpolate(paths: Array, levels: tuple[float, ...], level: float) -> Array:
    flat = paths.reshape(len(levels), -1)
    columns = [along_levels(level, levels, tuple(column)) for column in flat.T]
    return np.array(columns, dtype=np.float32).reshape(paths.shape[1:])


def _draw_sulci(rng: np.random.Generator, atrophy: float) -> Array:
    count = int(rng.integers(26, 38))
    steps = rng.uniform(0.55, 1.45, count)
    centres = np.cumsum(steps) / steps.sum() * 2 * np.pi + rng.uniform(0, 2 * np.pi)
    away = np.stack([angular_distance(centre) for centre in centres])
    nearest = away.argmin(axis=0)
    half = rng.uniform(0.1, 0.6, count) + atrophy * rng.uniform(0.1, 1.2, count)
    length = rng.uniform(5, 24, count)
    return np.stack((away.min(axis=0), half[nearest], length[nearest])).astype(np.float32)


def _draw_calcifications(rng: np.random.Generator) -> tuple[tuple[float, ...], ...]:
    spots = []
    if rng.random() < 0.65:  # pineal gland
        for _ in range(rng.integers(1, 4)):
            place = rng.normal(0, 1.5), rng.normal(21, 1.5)
            spots.append((*place, rng.uniform(0.8, 2.1), rng.uniform(80, 350), 3.0, 9.0))
    for side in (-1, 1):  # choroid plexus of the trigones
        if rng.random() < 0.55:
            place = side * rng.normal(24, 1.5), rng.normal(31, 2.5)
            spots.append(
                (*place, rng.uniform(1, 2.7), rng.uniform(60, 300), rng.normal(9, 3), 12.0)
            )
    if rng.random() < 0.15:  # globus pallidus, both sides
        radius, density = rng.uniform(1.5, 4), rng.uniform(45, 120)
        spots.extend((side * 19.0, -4.0, radius, density, 3.0, 12.0) for side in (-1, 1))
    if rng.random() < 0.3:  # falx
        place = rng.normal(0, 0.5), rng.choice([-1, 1]) * rng.uniform(45, 68)
        spots.append((*place, rng.uniform(1, 2.5), rng.uniform(100, 500), rng.uniform(5, 40), 14.0))
    if rng.random() < 0.08:  # small calcified meningioma or old granuloma
        angle, reach = rng.uniform(-np.pi, np.pi), rng.uniform(35, 62)
        place = reach * np.cos(angle), 1.15 * reach * np.sin(angle)
        spots.append(
            (*place, rng.uniform(1.5, 4.5), rng.uniform(60, 200), rng.uniform(0, 40), 25.0)
        )
    return tuple(spots)


def _draw_scar(rng: np.random.Generator) -> tuple[float, float, float, float]:
    if rng.random() > 0.15:
        return 0.0, 0.0, 0.0, 0.0
    side, down = rng.choice([-1, 1]) * rng.uniform(18, 50), rng.uniform(-45, 50)
    return side, down, rng.uniform(3, 15), -rng.uniform(5, 16)
