"""Training batches of real and synthetic images in a fixed share, and controls for the latter.

A gain of generated images may come from seeing more images, from noise that regularises, or from
repeating the training images. A control offers one such cause and nothing else, in the same place
of the same batches. Whatever is mixed in passes the same check for leaks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np
import torch

from monai_gan_aug.data.batches import Batch, check_position, index_stream
from monai_gan_aug.data.datasets import CachedImages, SyntheticImages
from monai_gan_aug.data.streams import (
    BalancedStream,
    IndexStream,
    PermutationStream,
    SharedStream,
    ToppedUpStream,
)
from monai_gan_aug.errors import DataError
from monai_gan_aug.keys import DataKeys
from monai_gan_aug.records.provenance import (
    Provenance,
    SyntheticDatalist,
    SyntheticEntry,
    check_chain,
)

__all__ = [
    "EXTRA_IMAGES",
    "ControlImages",
    "ExtraImages",
    "LabelShuffled",
    "MixedBatches",
    "images_to_add",
]

ExtraImages = Literal["generated", "duplicated", "copycat", "shuffled", "pseudo"]
EXTRA_IMAGES = ("generated", "duplicated", "copycat", "shuffled", "pseudo")
SALT = 7_919
COPIES = 8
REAL_SALT, SYNTHETIC_SALT, TOP_UP_SALT, MINORITY_SALT = 0, 1, 2, 3


class ControlImages:
    """Real images in the place of synthetic ones: as they are, or slightly moved and noisy.

    Args:
        real: Where the images come from. What they were taken from goes into their provenance, so
            a set of held-out patients is refused like a GAN that saw them.
        kind: Recorded as the settings of the set.
        copies: Versions of every image; with one, the images are as they are. Others are what a
            generator would make that memorises: moved by up to ``shift`` and with noise of
            deviation ``noise``, always the same for the same index.
        shift: Largest movement, as a share of the image size; one pixel at least.
        noise: Standard deviation of the noise, as a share of the range of intensities.
        seed: Makes the versions.

    Attributes:
        lists: One datalist with provenance, as :class:`SyntheticImages` has.
        targets: Labels, ``int64`` of shape ``(N * copies,)``.

    Raises:
        ValueError: If ``copies`` is less than 1.
    """

    def __init__(
        self,
        real: CachedImages,
        kind: str,
        *,
        copies: int = 1,
        shift: float = 0.03,
        noise: float = 0.02,
        seed: int = 0,
    ) -> None:
        if copies < 1:
            raise ValueError(f"`copies` must be at least 1, got {copies}.")
        self.real = real
        self.recipe = real.recipe
        self.label_names = real.label_names
        self.copies = copies
        self.reach = max(1, round(shift * real.recipe.size)) if copies > 1 else 0
        self.noise = noise if copies > 1 else 0.0
        self.seed = seed
        self.ids = [id_ for _ in range(copies) for id_ in real.ids]
        self.targets = np.tile(real.targets, copies)
        self.lists = (_as_datalist(real, kind, copies, seed),)

    def __len__(self) -> int:
        return len(self.targets)

    def batch(self, indices: np.ndarray | Sequence[int]) -> Batch:
        """Images ``(B, C, H, W)`` of the type in the cache, and labels ``(B,)``."""
        indices = np.asarray(indices, dtype=np.int64)
        images = self.real.batch(indices % len(self.real))
        if self.copies > 1:
            pixels = images[DataKeys.IMAGE].numpy()
            moved = [self._version(image, int(i)) for image, i in zip(pixels, indices, strict=True)]
            images[DataKeys.IMAGE] = torch.from_numpy(np.stack(moved))
        return images

    def _version(self, pixels: np.ndarray, index: int) -> np.ndarray:
        """One image ``(C, H, W)``, moved (its border repeated) and noisy."""
        draw = np.random.default_rng([self.seed, SALT, index])
        reach = self.reach
        down, right = draw.integers(0, 2 * reach + 1, 2)
        padded = np.pad(pixels, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
        height, width = pixels.shape[1:]
        moved = padded[:, down : down + height, right : right + width]
        largest = np.iinfo(pixels.dtype).max
        noisy = moved + draw.normal(0, self.noise * largest, pixels.shape)
        return np.clip(np.rint(noisy), 0, largest).astype(pixels.dtype)


class LabelShuffled:
    """Synthetic images with their labels dealt out again: as many of each class, to any image.

    What such a set still gains cannot come from what the GAN knows about the classes.

    Args:
        synthetic: The images.
        seed: Makes the permutation.
    """

    def __init__(self, synthetic: SyntheticImages, *, seed: int = 0) -> None:
        self.synthetic = synthetic
        self.recipe = synthetic.recipe
        self.label_names = synthetic.label_names
        self.ids = synthetic.ids
        self.targets = np.random.default_rng([seed, SALT]).permutation(synthetic.targets)
        labels = iter(self.targets.tolist())
        self.lists = tuple(
            replace(
                datalist,
                training=tuple(replace(entry, label=next(labels)) for entry in datalist.training),
                provenance=replace(
                    datalist.provenance,
                    settings={**datalist.provenance.settings, "labels": f"shuffled, seed {seed}"},
                ),
            )
            for datalist in synthetic.lists
        )

    def __len__(self) -> int:
        return len(self.targets)

    def batch(self, indices: np.ndarray | Sequence[int]) -> Batch:
        """Images ``(B, C, H, W)`` and the labels dealt to them ``(B,)``."""
        indices = np.asarray(indices, dtype=np.int64)
        images = self.synthetic.batch(indices)[DataKeys.IMAGE]
        return {DataKeys.IMAGE: images, DataKeys.LABEL: torch.from_numpy(self.targets[indices])}


def images_to_add(
    kind: ExtraImages,
    real: CachedImages,
    generated: SyntheticImages,
    pseudo: CachedImages | None = None,
    *,
    seed: int = 0,
) -> SyntheticImages | ControlImages | LabelShuffled:
    """The set that is mixed into the batches, by the name that the knob ``extra_images`` gives it.

    Args:
        kind: ``"generated"``; ``"duplicated"``: the training images themselves; ``"copycat"``:
            slightly moved and noisy versions of them; ``"shuffled"``: the generated images with
            permuted labels; ``"pseudo"``: images whose classes were guessed.
        real: The training images.
        generated: Images of a GAN.
        pseudo: Images with guessed classes.
        seed: Makes permutations and versions.

    Raises:
        ValueError: If the kind is unknown.
        DataError: If the images it needs are not given, or a GAN drew them without a class.
    """
    if kind not in EXTRA_IMAGES:
        raise ValueError(f"`extra_images` must be one of {EXTRA_IMAGES}, got {kind!r}.")
    if kind == "duplicated":
        return ControlImages(real, kind)
    if kind == "copycat":
        return ControlImages(real, kind, copies=COPIES, seed=seed)
    if kind == "pseudo":
        if pseudo is None:
            raise DataError("There are no guessed classes: give a datalist with --pseudo.")
        return ControlImages(pseudo, kind)
    for datalist in generated.lists:
        datalist.require_classes()
    return generated if kind == "generated" else LabelShuffled(generated, seed=seed)


def _as_datalist(real: CachedImages, kind: str, copies: int, seed: int) -> SyntheticDatalist:
    pairs = zip(real.ids, real.targets.tolist(), strict=True)
    return SyntheticDatalist(
        labels=real.datalist.labels,
        training=tuple(
            SyntheticEntry(id_, real.datalist.labels.index(real.label_names[label]), id_)
            for id_, label in pairs
        ),
        provenance=Provenance(
            checkpoint_sha256=f"no checkpoint: {kind}",
            training=real.training_record(),
            seed=seed,
            settings={"mixed in": kind, "versions": copies},
        ),
        name=kind,
    )


OneSet: TypeAlias = SyntheticImages | ControlImages | LabelShuffled


class MixedBatches:
    """Like :class:`monai_gan_aug.data.batches.BatchLoader`, with synthetic images mixed in.

    The first ``warm_start_fraction`` of all batches is purely synthetic; afterwards
    ``synthetic_fraction`` of the images are. A share that is no whole number per batch is met on
    average, as evenly as possible. Real images come first in a batch.

    Args:
        real: Training images of patients.
        synthetic: Synthetic images (or a control in their place, see
            :mod:`monai_gan_aug.data.mixing`), a sequence of such sets, or ``None``.
        batch_size: Images per batch.
        steps: Batches per pass of a ``for`` loop.
        synthetic_fraction: Share of synthetic images, in ``[0, 1]``.
        warm_start_fraction: Share of ``total_steps`` that is purely synthetic, in ``[0, 1]``.
        balance: ``"none"``: every image of a kind equally often. ``"weighted"``: classes have
            equal shares among the real and among the synthetic images. ``"synthetic"``: every
            class is topped up by synthetic images to the size of the largest, so the classes are
            equal and the largest stays purely real (``synthetic_fraction`` must be 0).
            ``"minority"``: classes have equal shares; ``synthetic_fraction`` of the images of
            every class but the largest are synthetic.
        seed: Makes the stream.
        total_steps: Batches of the whole training, if it is more than one pass.

    Raises:
        ValueError: If a number is out of range, or settings contradict each other.
        DataError: If synthetic images are asked for and there are none, or all classes are equally
            large and only the smaller ones should get some.
        ProvenanceError: If a GAN saw validation or test patients of ``real``.
    """

    def __init__(
        self,
        real: CachedImages,
        synthetic: OneSet | Sequence[OneSet] | None,
        batch_size: int,
        steps: int,
        *,
        synthetic_fraction: float = 0.0,
        warm_start_fraction: float = 0.0,
        balance: Literal["none", "weighted", "synthetic", "minority"] = "none",
        seed: int = 0,
        total_steps: int | None = None,
    ) -> None:
        _check_numbers(batch_size, steps, synthetic_fraction, warm_start_fraction)
        if balance == "synthetic" and synthetic_fraction:
            raise ValueError(
                "`balance='synthetic'` decides the share itself: leave `synthetic_fraction` at 0, "
                f"got {synthetic_fraction}."
            )
        self.dataset = real
        self.batch_size = batch_size
        self.steps = steps
        self.position = 0
        self._synthetic = _Synthetic(real, synthetic)
        if (synthetic_fraction or warm_start_fraction) and not len(self._synthetic):
            raise DataError("There are no synthetic images to mix in: generate them first.")
        share = Fraction(synthetic_fraction).limit_denominator(10_000)
        self._share = Fraction(0) if balance == "minority" else share
        self._warm_steps = round(warm_start_fraction * (total_steps or steps))
        plain = "weighted" if balance in ("synthetic", "minority") else balance
        self._synthetic_stream = None
        if len(self._synthetic):
            self._synthetic_stream = index_stream(
                self._synthetic.targets, plain, seed, SYNTHETIC_SALT
            )
        if balance == "synthetic":
            self._stream = self._topped_up(seed)
        elif balance == "minority":
            self._stream = self._minority(seed, share)
        else:
            self._stream = index_stream(real.targets, balance, seed, REAL_SALT)

    def _topped_up(self, seed: int) -> IndexStream:
        real, extra = self.dataset.targets, self._synthetic.targets
        classes = range(len(self.dataset.label_names))
        largest = max(int((real == label).sum()) for label in classes)
        return BalancedStream(
            [
                ToppedUpStream(
                    np.flatnonzero(real == label),
                    np.flatnonzero(extra == label),
                    largest,
                    len(real),
                    [seed, TOP_UP_SALT, label],
                )
                for label in classes
            ]
        )

    def _minority(self, seed: int, share: Fraction) -> IndexStream:
        real, extra = self.dataset.targets, self._synthetic.targets
        counts = np.bincount(real, minlength=len(self.dataset.label_names))
        if counts.min() == counts.max():
            raise DataError(
                f"Every class has {counts[0]} images, so none is smaller: leave the arm "
                "`minority_only` (`balance: minority`) out."
            )
        streams: list[IndexStream] = []
        for label, count in enumerate(counts):
            salt = [seed, MINORITY_SALT, label]
            stream: IndexStream = PermutationStream(np.flatnonzero(real == label), [*salt, 0])
            if count < counts.max() and share:
                own = np.flatnonzero(extra == label) + len(real)
                if not len(own):
                    raise DataError(
                        f"There are no synthetic images of {self.dataset.label_names[label]}: "
                        "generate images for every minority class."
                    )
                stream = SharedStream(stream, PermutationStream(own, [*salt, 1]), share)
            streams.append(stream)
        return BalancedStream(streams)

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[Batch]:
        for _ in range(self.steps):
            indices = self.indices(self.position)
            self.position += 1
            yield self._gather(indices)

    def indices(self, position: int) -> np.ndarray:
        """Indices of the batch at ``position``, shape ``(B,)``.

        A synthetic image's index is shifted by the number of real images.
        """
        size = self.batch_size
        if position < self._warm_steps:
            return self._draw_synthetic(position * size, size)
        mixed = position - self._warm_steps
        # exact fractions: what one batch is short of, a later one gets, without any drift
        begin, end = (int(self._share * size * n) for n in (mixed, mixed + 1))
        real = self._stream.at(np.arange(mixed * size - begin, (mixed + 1) * size - end))
        extra = self._draw_synthetic(self._warm_steps * size + begin, end - begin)
        return np.concatenate([real, extra])

    def _draw_synthetic(self, begin: int, count: int) -> np.ndarray:
        if self._synthetic_stream is None:
            return np.empty(0, dtype=np.int64)
        drawn = self._synthetic_stream.at(np.arange(begin, begin + count))
        return drawn + len(self.dataset)

    def _gather(self, indices: np.ndarray) -> Batch:
        is_real = indices < len(self.dataset)
        parts: list[Batch] = []
        if is_real.any():
            parts.append(self.dataset.batch(indices[is_real]))
        if not is_real.all():
            parts.append(self._synthetic.batch(indices[~is_real] - len(self.dataset)))
        return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}

    def state_dict(self) -> dict[str, int]:
        """Batches drawn so far, as ``{"position": int}``."""
        return {"position": self.position}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Continue behind the batches that were drawn when ``state`` was taken."""
        self.position = check_position(state)


class _Synthetic:
    """Several synthetic sets as one, checked for leaks, with the labels of the real set."""

    def __init__(self, real: CachedImages, synthetic: OneSet | Sequence[OneSet] | None) -> None:
        if synthetic is None:
            synthetic = []
        sets = [synthetic] if isinstance(synthetic, OneSet) else list(synthetic)
        self.sets = [image_set for image_set in sets if len(image_set)]
        for image_set in self.sets:
            for datalist in image_set.lists:
                check_chain(real.datalist, datalist)
            if image_set.recipe.sha256 != real.recipe.sha256:
                raise ValueError(
                    "Real and synthetic images must share one preprocessing recipe: build both "
                    "data sets with the same `recipe`."
                )
        targets = [_renamed(image_set, real.label_names) for image_set in self.sets]
        known = [np.flatnonzero(target >= 0) for target in targets]
        self._home = np.repeat(np.arange(len(known)), [len(places) for places in known])
        self._place = np.array([p for places in known for p in places], dtype=np.int64)
        self.targets = np.array(
            [t for target in targets for t in target[target >= 0]], dtype=np.int64
        )

    def __len__(self) -> int:
        return len(self.targets)

    def batch(self, indices: np.ndarray) -> Batch:
        """Images ``(B, C, H, W)`` and labels ``(B,)``, grouped by the set they come from."""
        images, labels = [], []
        for number, image_set in enumerate(self.sets):
            here = indices[self._home[indices] == number]
            if len(here):
                images.append(image_set.batch(self._place[here])[DataKeys.IMAGE])
                labels.append(torch.from_numpy(self.targets[here]))
        return {DataKeys.IMAGE: torch.cat(images), DataKeys.LABEL: torch.cat(labels)}


def _renamed(synthetic: OneSet, names: Sequence[str]) -> np.ndarray:
    """Labels by the position of their class in ``names``; -1 for a class that is not there."""
    position = [names.index(n) if n in names else -1 for n in synthetic.label_names]
    labels: np.ndarray = np.array(position, dtype=np.int64)[synthetic.targets]
    return labels


def _check_numbers(batch_size: int, steps: int, synthetic: float, warm_start: float) -> None:
    if batch_size < 1 or steps < 1:
        raise ValueError(
            f"`batch_size` and `steps` must be at least 1, got {batch_size} and {steps}."
        )
    for name, value in (("synthetic_fraction", synthetic), ("warm_start_fraction", warm_start)):
        if not 0 <= value <= 1:
            raise ValueError(f"`{name}` must lie in [0, 1], got {value}.")
