"""Where the images came from, and what is needed to check or repeat a study."""

from collections.abc import Callable, Mapping, Sequence

from monai_gan_aug.records.study import StudyRecord
from monai_gan_aug.records.study_parts import SeedRecord
from monai_gan_aug.reports.table import Cell, Column, Table
from monai_gan_aug.reports.wording import NO_VALUE, duration

__all__ = ["cohort_table", "recipe_table", "seeds_table", "software_table", "timing_table"]

SPLITS = ("training", "validation", "test")


def cohort_table(study: StudyRecord) -> Table:
    """Patients and images per class in the pool and in each split (mean over seeds)."""
    columns = [Column("Class", "class")]
    for what in ("patients", "images"):
        columns.append(Column(f"{what.capitalize()}, all", f"{what}_all"))
        columns.extend(
            Column(f"{what.capitalize()}, {split}", f"{what}_{split}", digits=1) for split in SPLITS
        )
    rows = []
    for label in study.dataset.labels:
        row: list[Cell] = [label]
        for pool, splits in (
            (study.dataset.patients, [record.patients for record in study.seeds]),
            (study.dataset.images, [record.images for record in study.seeds]),
        ):
            row.append(pool[label])
            row += [_mean([counts.of(split)[label] for counts in splits]) for split in SPLITS]
        rows.append(tuple(row))
    caption = "Patients and images per class, and in each split (mean over seeds)"
    return Table("cohort", caption, tuple(columns), tuple(rows))


def _mean(counts: list[int]) -> int | float:
    return counts[0] if len(set(counts)) == 1 else sum(counts) / len(counts)


def seeds_table(study: StudyRecord) -> Table:
    """The chain of hashes of every seed and every GAN, also with fewer training patients."""
    columns: tuple[Column, ...] = (
        Column("Training patients", "training_patients_per_class"),
        Column("Seed", "seed"),
        Column("Split SHA-256", "split_sha256", code=True),
        Column("GAN", "gan"),
        Column("Learned from SHA-256", "gan_split_sha256", code=True),
        Column("Checkpoint SHA-256", "checkpoint_sha256", code=True),
        Column("Synthetic set SHA-256", "synthetic_sha256", code=True),
    )
    rows = _hash_rows("all", study.seeds)
    own = {record.split_sha256 for record in study.seeds}
    fewer = [p for p in study.sweep if not own & {record.split_sha256 for record in p.seeds}]
    for point in fewer:
        rows += _hash_rows(str(point.training_patients_per_class), point.seeds)
    if not fewer:  # the first column would say the same everywhere
        columns, rows = columns[1:], [row[1:] for row in rows]
    caption = "Splits of every seed, and what every GAN learned from, became and drew"
    return Table("seeds", caption, columns, tuple(rows))


def _hash_rows(patients: str, seeds: Sequence[SeedRecord]) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for record in seeds:
        place = (patients, str(record.seed), record.split_sha256)
        for gan in record.gans:
            hashes = (gan.split_sha256, gan.checkpoint_sha256, gan.synthetic_sha256 or NO_VALUE)
            rows.append((*place, gan.name, *hashes))
        if not record.gans:
            rows.append((*place, "none", *[NO_VALUE] * 3))
    return rows


def recipe_table(study: StudyRecord) -> Table:
    """All settings, flattened to dotted names."""
    settings: list[tuple[Cell, ...]] = [("metric", study.recipe.metric)]
    recipe = study.recipe
    parts: dict[str, Mapping[str, object]] = {
        "preprocessing": recipe.preprocessing,
        "split": recipe.split,
        "gan": recipe.gan,
        "classifier": recipe.classifier,
        **{f"quality.{row.metric}": row.method for row in study.quality_rows},
        **({"screening": study.screening[0].recipe} if study.screening else {}),
    }
    for name, values in parts.items():
        _walk(name, values, lambda place, text: settings.append((place, text)))
    columns = (Column("Setting", "setting", code=True), Column("Value", "value", code=True))
    return Table("recipe", "Settings of the study", columns, tuple(settings))


def _walk(name: str, value: object, visit: Callable[[str, str], None]) -> None:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            _walk(f"{name}.{key}", item, visit)
    elif isinstance(value, list | tuple):
        visit(name, ", ".join(str(item) for item in value) or "none")
    else:
        visit(name, "none" if value is None or value == {} else str(value))


def software_table(study: StudyRecord) -> Table:
    """Package, versions, machine and key fingerprint."""
    provenance = study.provenance
    rows: list[tuple[Cell, ...]] = [("monai_gan_aug", provenance.package)]
    rows.extend(provenance.versions.items())
    rows.append(("machine", provenance.machine))
    rows.append(("patient key fingerprint", provenance.key_fingerprint or "none"))
    columns = (Column("Part", "part"), Column("Version", "version", code=True))
    return Table("software", "Software and machine", columns, tuple(rows))


def timing_table(study: StudyRecord) -> Table:
    """Time per stage and its share of the whole."""
    total = study.timing.total_seconds
    rows: list[tuple[Cell, ...]] = [
        (stage.name, duration(stage.seconds), _share(stage.seconds, total))
        for stage in study.timing.stages
    ]
    rows.append(("total", duration(total), ""))
    columns = (Column("Stage", "stage"), Column("Time", "time"), Column("Share", "share"))
    return Table("timing", "Wall-clock time of every stage", columns, tuple(rows))


def _share(seconds: float, total: float) -> str:
    return f"{seconds / total:.0%}" if total > 0 else NO_VALUE
