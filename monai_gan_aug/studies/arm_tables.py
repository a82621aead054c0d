"""The tables of arms in the documentation, made of the rows of :mod:`monai_gan_aug.studies.arms`.

``python -m monai_gan_aug.studies.arm_tables`` writes them anew, from the root of a checkout.
"""

import re
from collections.abc import Callable
from pathlib import Path

from monai_gan_aug.studies.arms import ROWS, Arm, Role

__all__ = ["with_tables", "write_tables"]

NOTHING = "\N{EN DASH}"
MARKED = re.compile(r"(<!-- arms: (\w+) -->\n).*?(<!-- /arms -->)", re.DOTALL)


def _name(row: Arm) -> str:
    return f"`{row.name}`"


def _about(row: Arm) -> str:
    return row.about


def _matched_control(row: Arm) -> str:
    return f"`{row.matched_control}`" if row.matched_control else NOTHING


def _knobs(row: Arm) -> str:
    def plain(value: object) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    turned = [f"`{name}: {plain(value)}`" for name, value in row.knobs.items()]
    return ", ".join(turned) or NOTHING


def _needs(row: Arm) -> str:
    """What has to be given to the classifier bundle besides the arm's name."""
    if not row.trained:
        return f"no training: a study derives it from `{'` and `'.join(row.members)}`"
    needs = []
    if row.generated:
        needs.append("`--synthetic`")
    if row.source in ("pseudo", "unlabelled"):
        needs.append(f"`--{row.source}`")
    if row.discriminator:
        needs.append("`network_discriminator.yaml`")
    if row.discriminator == "trained":
        needs.append("`--gan_checkpoint`")
    if row.patients > 1:
        needs.append("a datalist with more patients")
    return ", ".join(needs) or NOTHING


Columns = dict[str, Callable[[Arm], str]]
TABLES: dict[str, tuple[tuple[Role, ...], Columns]] = {
    "controls": (("control",), {"arm": _name, "asks whether a gain is merely one of": _about}),
    "candidates": (
        ("candidate",),
        {"arm": _name, "how it uses the GAN": _about, "matched control": _matched_control},
    ),
    "references": (("reference",), {"arm": _name, "what it trains on": _about}),
    "knobs": (
        ("reference", "control", "candidate"),
        {"`--arm`": _name, "knobs it turns": _knobs, "what it needs": _needs},
    ),
}


def _table(kind: str) -> str:
    roles, columns = TABLES[kind]
    lines = [list(columns), ["---"] * len(columns)]
    lines += [[cell(row) for cell in columns.values()] for row in ROWS if row.role in roles]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def with_tables(text: str) -> str:
    """``text`` with the table of arms written anew between every pair of markers.

    Args:
        text: Markdown; ``<!-- arms: controls -->`` begins a table (or ``candidates``,
            ``references``, ``knobs``), ``<!-- /arms -->`` ends it.

    Raises:
        KeyError: If a marker names another table.
    """
    return MARKED.sub(lambda match: f"{match[1]}{_table(match[2])}{match[3]}", text)


def write_tables(root: Path) -> list[Path]:
    """Write the tables in the Markdown files of a checkout anew; return the files that have some.

    Args:
        root: Folder of the checkout.
    """
    marked = []
    for path in sorted((*root.glob("docs/*.md"), *root.glob("bundles/*/docs/*.md"))):
        text = path.read_text(encoding="utf-8")
        if MARKED.search(text):
            path.write_text(with_tables(text), encoding="utf-8")
            marked.append(path)
    return marked


if __name__ == "__main__":
    write_tables(Path.cwd())
