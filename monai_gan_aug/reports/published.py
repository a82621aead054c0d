"""The table of a publication beside the same table of this study."""

from monai_gan_aug.records.study import Study
from monai_gan_aug.reports.tables import Cell, Column, Interval, Table
from monai_gan_aug.reports.wording import metric_title

__all__ = ["published_table"]


def published_table(study: Study) -> Table:
    """Published numbers and ours with their intervals; without rows if nothing was published.

    Arms that the publication does not have are left out, and so are metrics.
    """
    published = study.published
    if published is None:
        return Table("published", "", (), ())
    columns = [Column("Arm", "arm")]
    for metric in published.metrics:
        title = metric_title(metric)
        columns += [Column(f"{title}, published", f"{metric}_published"), Column(title, metric)]
    rows: list[tuple[Cell, ...]] = []
    for arm in study.arms:
        if arm.name not in published.rows:
            continue
        cells: list[Cell] = [arm.title]
        for metric, value in zip(published.metrics, published.rows[arm.name], strict=True):
            ours = arm.metrics.get(metric)
            cells += [value, None if ours is None else Interval(ours.mean, ours.lower, ours.upper)]
        rows.append(tuple(cells))
    caption = f"{published.caption} (n: {published.n}), beside this study on other images"
    return Table("published", caption, tuple(columns), tuple(rows))
