"""The copy screen: does a synthetic set repeat its training images, or tell who they were?

It looks for what it knows how to look for. A clean result is no proof of privacy.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from monai_gan_aug.data.datasets import CachedImages, SyntheticImages
from monai_gan_aug.data.image_sets import ImageSet, load_set
from monai_gan_aug.engines.grids import tile_images
from monai_gan_aug.engines.trained_network import TrainedNetwork
from monai_gan_aug.errors import DataError
from monai_gan_aug.generation.filtering import write_filtered
from monai_gan_aug.io.atomic import write_json
from monai_gan_aug.io.png import write_png
from monai_gan_aug.metrics.features import extract
from monai_gan_aug.privacy.discriminator_attack import discriminator_scores
from monai_gan_aug.privacy.membership import membership_auc
from monai_gan_aug.privacy.spaces import (
    ClassFindings,
    FeatureSpace,
    PixelSpace,
    screen_class,
)
from monai_gan_aug.quality.families import Row
from monai_gan_aug.records.datalist import Datalist
from monai_gan_aug.records.provenance import check_chain

__all__ = ["CAVEAT", "CopyScreen", "can_screen"]

logger = logging.getLogger(__name__)
ALL_CLASSES = "all classes together"
CAVEAT = "A screen finds copies it knows how to look for; a clean result is no proof of privacy."
SCREENED = "datalist_screened.json"
PAIRS_SHOWN = 10
MINIMUM_PATIENTS = 10
Choice = Literal["report", "drop", "block"]


def can_screen(datalist: Datalist, minimum_patients: int = MINIMUM_PATIENTS) -> bool:
    """Whether every class has patients enough for a screen, in training and in test."""
    counts = [datalist.group_counts(split) for split in ("training", "test")]
    return min(min(one.values()) for one in counts) >= minimum_patients


@dataclass
class CopyScreen:
    """Search a synthetic set for near copies of training images and for signs of membership.

    Args:
        training: Images the generator was trained on.
        held_out: Real images of other patients, never seen by the generator.
        synthetic: Paths of synthetic datalists.
        path: Where ``screening.json`` goes; it names images by content id.
        cache_dir: Where decoded images lie.
        extractor: Images to features. It must not have learned from the training images, or it
            would itself set them apart from the held-out ones.
        near_copies: ``"report"`` them; ``"drop"`` them from a new ``datalist_screened.json``
            beside each datalist; or ``"block"``: write that datalist only if there are none.
        copy_ratio: A near copy is closer to a training image than this times its distance to the
            nearest held-out image.
        minimum_patients: Patients of each class needed among training and held-out images.
        closest_pairs: Write ``closest_pairs.png``. It shows real patients: keep it with the data.
        discriminator: The generator's opponent, for membership inference; nothing to leave it out.
        batch_size: Images per forward pass.
        seed: Seed of halves, thinning and bootstrap.
        device: Device of extractor and discriminator.

    Raises:
        ValueError: If a setting is unknown or out of range.
    """

    training: CachedImages
    held_out: CachedImages
    synthetic: Sequence[str | Path]
    path: str | Path
    cache_dir: str | Path
    extractor: nn.Module
    near_copies: Choice = "report"
    copy_ratio: float = 0.5
    minimum_patients: int = MINIMUM_PATIENTS
    closest_pairs: bool = False
    discriminator: TrainedNetwork | None = None
    batch_size: int = 256
    seed: int = 0
    device: Any = "cpu"

    def __post_init__(self) -> None:
        if self.near_copies not in ("report", "drop", "block"):
            raise ValueError(f"`near_copies` is report, drop or block, got {self.near_copies!r}.")
        if not 0 < self.copy_ratio < 1 or self.minimum_patients < 2:
            raise ValueError(
                "`copy_ratio` must be between 0 and 1 and `minimum_patients` at least 2, got "
                f"{self.copy_ratio} and {self.minimum_patients}."
            )

    def run(self) -> dict[str, Any]:
        """Screen, write ``screening.json``, and drop or block near copies.

        Returns:
            The content of ``screening.json``.

        Raises:
            ProvenanceError: If the generator saw held-out patients, or the discriminator is not
                that of the generator.
            DataError: If a class has too few patients, there are no synthetic images, or
                near copies block the export.
        """
        if not self.synthetic:
            raise DataError("`synthetic` names no synthetic datalist: generate one first.")
        paths = [Path(path) for path in self.synthetic]
        for path in paths:  # of an earlier screen
            path.with_name(SCREENED).unlink(missing_ok=True)
        source = SyntheticImages(paths, self.training.recipe, self.cache_dir)
        for one in source.lists:
            check_chain(self.training.datalist, one)
        every = 10**9
        sets = [load_set(one, every, self.seed) for one in (self.training, self.held_out, source)]
        self._require_patients(sets[0], sets[1])
        if not source.know_classes:
            sets = [one.without_classes() for one in sets]
        found = self._spaces(*sets)
        content = self._content(found, sets, source)
        write_json(Path(self.path), content)
        logger.info("%s %s", content["conclusion"], CAVEAT)
        if self.closest_pairs:
            self._draw(found["pixels"], *sets)
        self._export(paths, sets[2], {item["id"] for item in content["near_copies"]})
        return content

    def _require_patients(self, *sets: ImageSet) -> None:
        for label, name in enumerate(self.training.label_names):
            counts = [len(set(one.of_class(label).groups)) for one in sets]
            if min(counts) < self.minimum_patients:
                raise DataError(
                    f"{name} has {counts[0]} training and {counts[1]} held-out patients; a screen "
                    f"needs {self.minimum_patients} each: use a larger held-out split, or lower "
                    "`minimum_patients` knowing that the result will be worth less."
                )

    def _spaces(
        self, training: ImageSet, held_out: ImageSet, synthetic: ImageSet
    ) -> dict[str, dict[int, ClassFindings]]:
        spaces: dict[str, Callable[[ImageSet], Any]] = {
            "pixels": PixelSpace,
            "features": lambda images: FeatureSpace(images, self._embed),
        }
        found: dict[str, dict[int, ClassFindings]] = {name: {} for name in spaces}
        for label in sorted(set(synthetic.labels.tolist())):
            of_class = [one.of_class(label) for one in (training, held_out, synthetic)]
            for name, make in spaces.items():
                found[name][label] = screen_class(
                    make(of_class[0]), *of_class, copy_ratio=self.copy_ratio, seed=self.seed
                )
        return found

    def _embed(self, images: Tensor) -> Tensor:
        return extract(self.extractor, images, device=self.device, batch_size=self.batch_size)

    def _content(
        self,
        found: dict[str, dict[int, ClassFindings]],
        sets: Sequence[ImageSet],
        source: SyntheticImages,
    ) -> dict[str, Any]:
        recipe = {
            "copy_ratio": self.copy_ratio,
            "image": self.training.recipe.to_dict(),
            **{f"features_{k}": v for k, v in getattr(self.extractor, "recipe", {}).items()},
        }
        rows = [row for space, classes in found.items() for row in _space_rows(space, classes)]
        rows += self._discriminator_rows(sets[0], sets[1], source)
        names = self.training.label_names if source.know_classes else (ALL_CLASSES,)
        copies = list(self._near_copies(found, sets, names))
        return {
            "caveat": CAVEAT,
            "conclusion": _conclusion(len(copies), len(sets[2]), rows),
            "setting": self.near_copies,
            "images": len(sets[2]),
            "near_copies": copies,
            "recipe": {**recipe, **dict(zip(SETS, map(len, sets), strict=True))},
            "rows": [row.to_dict() for row in rows],
        }

    def _near_copies(
        self,
        found: dict[str, dict[int, ClassFindings]],
        sets: Sequence[ImageSet],
        names: Sequence[str],
    ) -> Any:
        """Every flagged image once, with what flagged it and the training image it repeats."""
        for label, pixels in found["pixels"].items():
            features = found["features"][label]
            training, synthetic = (sets[i].of_class(label) for i in (0, 2))
            for row in torch.nonzero(pixels.flagged | features.flagged).flatten().tolist():
                chosen = pixels if pixels.flagged[row] else features
                flags = {"pixels": pixels.flagged[row], "features": features.flagged[row]}
                yield {
                    "id": synthetic.ids[row],
                    "class": names[label],
                    "training_id": training.ids[int(chosen.nearest[row])],
                    "seen_in": [name for name, flag in flags.items() if flag],
                    "distance_pixels": round(float(pixels.distance[row]), 4),
                }

    def _discriminator_rows(
        self, training: ImageSet, held_out: ImageSet, source: SyntheticImages
    ) -> list[Row]:
        if self.discriminator is None:
            logger.info("Left out: membership by discriminator (no checkpoint given).")
            return []
        scores = discriminator_scores(
            self.discriminator,
            source.lists,
            training,
            held_out,
            device=self.device,
            seed=self.seed,
        )
        return [_auc_row("membership_by_discriminator", *scores, {"score": "logit"})]

    def _draw(self, classes: dict[int, ClassFindings], *sets: ImageSet) -> None:
        """Generated images above, their nearest training images below, the closest first."""
        pairs = []
        for label, found in classes.items():
            training, _, synthetic = (one.of_class(label) for one in sets)
            for row in found.distance.argsort()[:PAIRS_SHOWN].tolist():
                partner = training.images[int(found.nearest[row])]
                pairs.append((float(found.distance[row]), synthetic.images[row], partner))
        chosen = sorted(pairs, key=lambda pair: pair[0])[:PAIRS_SHOWN]
        sheet = [pair[1] for pair in chosen] + [pair[2] for pair in chosen]
        picture = tile_images(torch.stack(sheet), len(chosen), gap=2)
        write_png(Path(self.path).with_name("closest_pairs.png"), picture)

    def _export(self, paths: Sequence[Path], synthetic: ImageSet, copies: set[str]) -> None:
        if self.near_copies == "report":
            return
        if self.near_copies == "block" and copies:
            raise DataError(
                f"{len(copies)} generated images are near copies of training images: nothing is "
                "exported. Look at them with --closest_pairs True, train with more patients or "
                "stronger augmentation, or take them out with --near_copies drop."
            )
        kept = set(synthetic.ids) - copies
        for path in paths:
            settings = {"screen": self.near_copies, "copy_ratio": self.copy_ratio}
            write_filtered(path, SCREENED, kept, {**settings, "near_copies": len(copies)})


SETS = ("training", "held_out", "synthetic")


def _space_rows(space: str, classes: dict[int, ClassFindings]) -> list[Row]:
    """The numbers of one space; what depends on the class is averaged over classes."""
    parts = list(classes.values())
    recipe = {"space": space}

    def share(name: str) -> float:
        return float(np.mean(torch.cat([getattr(one, name) for one in parts]).float().numpy()))

    def median(name: str) -> float:
        return float(np.mean([getattr(one, name).median().item() for one in parts]))

    def mean(name: str) -> float:
        return float(np.mean([getattr(one, name) for one in parts]))

    membership = [membership_auc([one.membership for one in parts])]
    membership.append(membership_auc([one.membership_control for one in parts]))
    return [
        Row(f"near_copies_{space}", share("flagged"), share("flagged_control"), True, recipe),
        Row(f"distance_ratio_{space}", median("ratio"), median("ratio_control"), False, recipe),
        Row(f"authentic_{space}", mean("authentic"), mean("authentic_control"), False, recipe),
        _auc_row(f"membership_by_distance_{space}", membership[0], membership[1], recipe),
    ]


def _auc_row(name: str, found: Any, control: Any, recipe: dict[str, Any]) -> Row:
    value, ends = found
    low, high = control[1]
    recipe = {**recipe, "control": "two halves of the training patients"}
    row = Row(name, value, control[0], True, recipe, ends)
    logger.info("%s %.3f, control %.3f [%.3f, %.3f]", name, value, control[0], low, high)
    return row


def _conclusion(copies: int, images: int, rows: Sequence[Row]) -> str:
    signs = [
        f"{row.metric.replace('_', ' ')} {row.value:.2f} [{row.interval[0]:.2f}, "
        f"{row.interval[1]:.2f}]"
        for row in rows
        if row.interval is not None and row.interval[0] > 0.5
    ]
    said = [f"{copies} of {images} generated images are near copies of training images"]
    if not copies:
        said = [f"No near copies among {images} generated images"]
    said.append(f"training patients stand out: {'; '.join(signs)}" if signs else "")
    return "; ".join(part for part in said if part) + "."
