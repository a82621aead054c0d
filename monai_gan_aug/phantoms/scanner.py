"""What a CT scanner does to the head: dose, blur, noise, cupping, streaks and motion."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from monai_gan_aug.phantoms.geometry import ANGLES, Array, HeadFrame, harmonics

__all__ = ["Scanner"]

NOISE_AT_100_MAS = 5.2
"""Standard deviation in HU of one millimetre pixels in a 5 mm slice at 100 mAs."""


@dataclass(frozen=True)
class Scanner:
    """Acquisition settings and faults of one examination.

    Attributes:
        field_of_view: Width of the image in millimetres.
        slice_thickness: Millimetres.
        slice_spacing: Millimetres between the middles of slices.
        gantry_tilt: Degrees.
        exposure: Tube load in mAs; noise falls with its square root.
        blur: Standard deviation of the point spread in millimetres.
        cutoff: Frequency in 1/mm above which the kernel damps the noise.
        cupping: HU by which brain next to the skull is too bright.
        offset: HU by which the calibration is off.
        streaks: Strength of streaks in HU, 0 for none.
        streak_source: Where they come from, millimetres from the middle of the head.
        motion: Millimetres that the head moved during the rotation, 0 for none.
        roll: Rotation of the head in the image, radians.
        centre: Offset of the head from the middle of the image, millimetres.
    """

    field_of_view: float
    slice_thickness: float
    slice_spacing: float
    gantry_tilt: float
    exposure: float
    blur: float
    cutoff: float
    cupping: float
    offset: float
    streaks: float
    streak_source: tuple[float, float]
    motion: float
    roll: float
    centre: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator, head_length: float) -> "Scanner":
        """Random settings around a clinical head protocol; ``head_length`` must fit the image."""
        streaks = rng.uniform(2, 8) if rng.random() < 0.15 else 0.0
        angle = rng.uniform(-np.pi, np.pi)
        motion = rng.uniform(1.5, 6) if rng.random() < 0.08 else 0.0
        thickness = float(rng.choice([4.0, 5.0, 7.0]))
        return cls(
            field_of_view=round(max(head_length * rng.uniform(1.04, 1.11), 215.0)),
            slice_thickness=thickness,
            slice_spacing=thickness + float(rng.choice([0.0, 0.0, 1.0, 2.0])),
            gantry_tilt=float(rng.choice([0.0, round(rng.uniform(-5, 22), 1)])),
            exposure=float(rng.integers(90, 380)),
            blur=rng.uniform(0.35, 0.7),
            cutoff=rng.uniform(0.28, 0.5),
            cupping=rng.uniform(1, 7),
            offset=rng.normal(0, 1.2),
            streaks=streaks,
            streak_source=(85 * float(np.cos(angle)), 105 * float(np.sin(angle))),
            motion=motion,
            roll=np.deg2rad(rng.normal(0, 3.5)),
            centre=(rng.normal(0, 2), rng.normal(0, 2.5)),
        )

    def acquire(
        self, rng: np.random.Generator, hu: Array, frame: HeadFrame, depth: Array
    ) -> NDArray[np.int16]:
        """The slice as reconstructed: ``hu`` degraded, as whole HU in the 12-bit CT range.

        Args:
            rng: Source of noise.
            hu: Ideal slice, shape ``(H, W)``.
            frame: Its frame.
            depth: Millimetres below the inner table, same shape.

        Returns:
            int16, same shape, in ``[-1024, 3071]``.
        """
        head = np.clip((depth + 18) / 10, 0, 1)
        image = ndimage.gaussian_filter(hu, self.blur / frame.edge, truncate=3.0)
        if self.motion:
            image = self._moved(rng, image, frame)
        image = image + self._cupping(depth)
        if self.streaks:
            image = image + self._streaks(rng, frame) * head
        noise = self._noise(rng, len(hu), frame.edge)
        image = image + noise * (0.35 + 0.65 * np.clip((depth + 25) / 75, 0, 1))
        stored: NDArray[np.int16] = np.clip(np.rint(image), -1024, 3071).astype(np.int16)
        return stored

    def _cupping(self, depth: Array) -> Array:
        inside = np.clip(depth + 1, 0, 1)
        return inside * (self.offset + self.cupping * np.exp(-np.maximum(depth, 0) / 6))

    def _noise(self, rng: np.random.Generator, size: int, spacing: float) -> Array:
        across, down = np.fft.rfftfreq(size, spacing), np.fft.fftfreq(size, spacing)
        frequency = np.sqrt(across[None, :] ** 2 + down[:, None] ** 2).astype(np.float32)
        transfer = np.sqrt(frequency + 0.01) * np.exp(-((frequency / self.cutoff) ** 2))
        transfer = transfer.astype(np.float32)
        transfer *= np.float32(1 / np.sqrt(np.mean(transfer**2)))
        white = rng.standard_normal((size, size), dtype=np.float32)
        sigma = NOISE_AT_100_MAS * np.sqrt(100 / self.exposure * 5 / self.slice_thickness)
        noise: Array = fft.irfft2(fft.rfft2(white) * transfer, (size, size))
        return np.float32(sigma) * noise

    def _streaks(self, rng: np.random.Generator, frame: HeadFrame) -> Array:
        x, y = frame.x - self.streak_source[0], frame.y - self.streak_source[1]
        pattern: Array = harmonics(rng, range(8, 50), 7.0)
        turns = np.arctan2(y, x) * (len(ANGLES) / (2 * np.pi)) + len(ANGLES) / 2
        fading: Array = np.exp(-np.sqrt(x * x + y * y) / 70)
        streaks: Array = np.float32(self.streaks) * pattern[turns.astype(np.int32) % len(ANGLES)]
        return streaks * fading

    def _moved(self, rng: np.random.Generator, image: Array, frame: HeadFrame) -> Array:
        angle = rng.uniform(-np.pi, np.pi)
        step = self.motion / frame.edge
        shift = (step * np.sin(angle), step * np.cos(angle))
        ghost: Array = ndimage.shift(image, shift, order=1, mode="nearest")
        return 0.65 * image + 0.35 * ghost
