"""What a study found, written into a copy of a bundle that is to be passed on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.atomic import write_bytes, write_json
from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.reports.contents import Contents, gather
from monai_gan_aug.reports.model_card import INTENDED_USE, model_card

__all__ = ["BundleCard"]

SHIPPED = Path(__file__).resolve().parents[2] / "bundles"
MARK = "<!-- model card written by monai_gan_aug -->"


@dataclass(frozen=True)
class BundleCard:
    """Fill ``configs/metadata.json`` and ``docs/README.md`` of a copy of a bundle from a study.

    In the metadata, ``eval_metrics``, ``intended_use``, ``data_source`` and ``image_classes`` are
    set, and a block ``monai_gan_aug`` with verdict, intervals and hashes; everything else, the
    change log included, stays as it was. A bundle that outputs images gets the numbers of image
    quality, any other those of the classifier. The model card becomes ``docs/README.md``; a former
    one becomes ``docs/usage.md``.

    Args:
        study: The ``study.json`` file.
        bundle_dir: The copy. The bundles of this package itself are refused.
        arm: Whose metrics stand in a classifier's metadata; by default the arm of the verdict.

    Example:
        In a configuration::

            card:
              _target_: monai_gan_aug.reports.bundle_card.BundleCard
              study: '@output_dir + /study.json'
              bundle_dir: release/augmentation_classifier
            run:
            - $@card.write()
    """

    study: str | Path
    bundle_dir: str | Path
    arm: str | None = None

    def write(self) -> Path:
        """Write both files; return the path of the metadata.

        Raises:
            DataError: If the study cannot be used, the folder is no bundle or one that ships with
                this package, or the study has no such arm.
        """
        folder = Path(self.bundle_dir)
        metadata = folder / "configs" / "metadata.json"
        if folder.resolve().is_relative_to(SHIPPED):
            raise DataError(
                f"{folder.name} ships with the package and stays as it is: copy the folder, and "
                "name the copy as `bundle_dir`."
            )
        content = _read(metadata)
        contents = gather(self.study, include_real=False)
        filled = self._filled(contents, content)  # refuses before anything is written
        usage, readme = folder / "docs" / "usage.md", folder / "docs" / "README.md"
        card = f"{MARK}\n\n{model_card(contents)}"
        if readme.is_file() and not readme.read_text(encoding="utf-8").startswith(MARK):
            write_bytes(usage, readme.read_bytes())
        if usage.is_file():
            card += "\n## Use\n\nHow to run this bundle, and its knobs: [usage.md](usage.md).\n"
        write_bytes(readme, card.encode())
        write_json(metadata, content | filled)
        return metadata

    def _filled(self, contents: Contents, content: dict[str, Any]) -> dict[str, Any]:
        study = contents.study
        generates = _output_kind(content) == "image"
        metrics = _quality(study) if generates else _classifier(study, self.arm)
        labels = ", ".join(study.dataset.labels)
        images, patients = (
            sum(count.values()) for count in (study.dataset.images, study.dataset.patients)
        )
        whose = f" of {patients} patients" if study.has_patients else ""
        return {
            "intended_use": INTENDED_USE,
            "data_source": f"{study.title}: {images} images{whose}",
            "image_classes": f"one class per label of the datalist: {labels}",
            "eval_metrics": {name: values["value"] for name, values in metrics.items()},
            "monai_gan_aug": {
                "study": study.name,
                "created": study.created,
                "package": study.provenance.package,
                "verdict": study.verdict.word,
                "sentence": study.verdict.sentence,
                "look": study.verdict.look,
                "arm": None if generates else self.arm or study.verdict.arm,
                "metrics": metrics,
                "seeds": [
                    {
                        "seed": record.seed,
                        "split_sha256": record.split_sha256,
                        "checkpoint_sha256": [gan.checkpoint_sha256 for gan in record.gans],
                    }
                    for record in study.seeds
                ],
            },
        }


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"`bundle_dir` {path.parents[1].name} has no readable configs/metadata.json ({error}): "
            "name a copy of a bundle."
        ) from error
    if not isinstance(content, dict):
        raise DataError(f"{path.name} must hold an object: name a copy of a bundle.")
    return content


def _output_kind(content: dict[str, Any]) -> Any:
    place: Any = content
    for key in ("network_data_format", "outputs", "pred", "type"):
        place = place.get(key) if isinstance(place, dict) else None
    return place


def _classifier(study: StudyRecord, name: str | None) -> dict[str, dict[str, float | None]]:
    name = name or study.verdict.arm
    arms = {arm.name: arm for arm in study.arms}
    if name not in arms:
        raise DataError(f"`arm` must be one of {sorted(arms)}, got {name!r}.")
    return {
        metric: {"value": estimate.mean, "lower": estimate.lower, "upper": estimate.upper}
        for metric, estimate in arms[name].metrics.items()
    }


def _quality(study: StudyRecord) -> dict[str, dict[str, float | None]]:
    pairs: dict[str, list[tuple[float, float]]] = {}
    for row in study.quality_rows:
        if row.label is None:
            pairs.setdefault(row.metric, []).append((row.value, row.real_versus_real))
    return {
        metric: {
            "value": sum(value for value, _ in rows) / len(rows),
            "real_versus_real": sum(real for _, real in rows) / len(rows),
        }
        for metric, rows in pairs.items()
    }
