"""``python -m monai_gan_aug``: prepare, inspect, plan, draw phantoms, find bundles, report.

Training and generating run through ``python -m monai.bundle run``.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["main"]


def _inspect(arguments: argparse.Namespace) -> None:
    from monai_gan_aug.io.contact_sheet import contact_sheet
    from monai_gan_aug.io.inspection import inspect_folder

    inspection = inspect_folder(
        arguments.source, decode=arguments.decode, rejected=arguments.rejected
    )
    print(inspection.table())
    if arguments.rejected and arguments.rejected.is_file():
        print(f"Every file that was skipped or is unreadable: {arguments.rejected}")
    if arguments.sheet:
        contact_sheet(arguments.source, arguments.sheet)
        print(f"Contact sheet: {arguments.sheet} (shows real images: keep it with the data)")


def _source(arguments: argparse.Namespace) -> Any:
    from monai_gan_aug.data import sources

    kind = arguments.kind or ("csv" if arguments.csv else "folder")
    if kind == "csv":
        return sources.CsvSource(
            csv=arguments.csv or "labels.csv",
            image=arguments.image,
            label=arguments.label,
            patient=arguments.patient,
        )
    if kind == "json":
        return sources.JsonPerImageSource(label=arguments.label, patient=arguments.patient)
    if kind == "dicom":
        return sources.DicomTreeSource()
    return sources.FolderSource(patient_pattern=arguments.patient_pattern)


def _images(arguments: argparse.Namespace) -> tuple[Any, list[str]]:
    """The :class:`LabelledSource` that the arguments name, and what reports must say of it."""
    from monai_gan_aug.data.pooling import LabelledSource

    root, group, caveats = arguments.source, arguments.group, list(arguments.caveat)
    if arguments.published:
        from monai_gan_aug.published.layouts import layout

        known = layout(arguments.published, arguments.source)
        source, root, group = known.source, known.root, known.group
        images = len(source.records(root))
        print(f"{arguments.published}: {images} of {known.expected} published images.")
        if images != known.expected:
            caveats.append(f"Holds {images} of the {known.expected} published images.")
        caveats += known.caveats
    else:
        source = _source(arguments)
    source.slices, source.on_error = _slice_rule(arguments), arguments.on_error
    named = LabelledSource(
        source, root, arguments.classes, arguments.unlabelled, arguments.key, group
    )
    return named, caveats


def _slice_rule(arguments: argparse.Namespace) -> Any:
    """The rule that any option about slices asks for, or ``None``."""
    from monai_gan_aug.data.slices import SliceRule

    named = ("every", "region", "plane", "content", "share")
    given = {name: getattr(arguments, name) for name in named}
    given = {name: value for name, value in given.items() if value is not None}
    return SliceRule(**given) if given or arguments.slices else None


def _prepare(arguments: argparse.Namespace) -> None:
    from monai_gan_aug.data.pooling import PoolingRules
    from monai_gan_aug.data.preparation import prepare
    from monai_gan_aug.data.sources import unlabelled_path
    from monai_gan_aug.records.datalist import SPLITS, Datalist

    images, caveats = _images(arguments)
    rejected = arguments.rejected or arguments.out.with_suffix(".rejected.txt")
    datalist = prepare(
        images,
        arguments.out,
        fractions=tuple(arguments.fractions),
        seed=arguments.seed,
        limit=arguments.limit,
        rules=PoolingRules(arguments.on_duplicates, arguments.max_bad_fraction, rejected),
        name=arguments.name or arguments.published or arguments.source.resolve().name,
        caveats=caveats,
    )
    for split in SPLITS:
        counts, patients = datalist.counts(split), datalist.group_counts(split)
        row = ", ".join(f"{k}: {counts[k]} images of {patients[k]} patients" for k in counts)
        print(f"{split:<11} {row}")
    if arguments.unlabelled:
        classless = Datalist.load(unlabelled_path(arguments.out))
        counted = f"{len(classless.training)} images of {len(classless.groups())} patients"
        print(f"unlabelled  {counted}: {unlabelled_path(arguments.out)}")
        for caveat in classless.caveats[1:]:
            print(f"            {caveat}")
    print(f"Patients from {datalist.split.grouping}. Split hash {datalist.sha256[:12]}.")
    if rejected.is_file():
        print(f"Images left out, with reasons: {rejected}")
    print(f"Written: {arguments.out} (paths are relative to {images.root})")


def _phantoms(arguments: argparse.Namespace) -> None:
    from monai_gan_aug.phantoms.series import class_counts, write_phantom_series

    write_phantom_series(
        arguments.out,
        class_counts(arguments.patients, arguments.positive_fraction),
        slices=arguments.slices,
        size=arguments.size,
        seed=arguments.seed,
    )
    print(f"Phantom head-CT series: {arguments.out}")


def _plan(arguments: argparse.Namespace) -> None:
    from monai_gan_aug.bundle import configured

    study = configured("study", arguments.config_file, arguments.knobs)
    record = study.planned()
    for part, words in record.plan.in_words().items():
        print(f"{part.removeprefix('the ')}: {words}")
    for change in record.changes:
        print(f"Changed after results were seen: {change}")
    if not arguments.dry_run:
        print(f"Written: {study.write_plan()}")


def _report(arguments: argparse.Namespace) -> None:
    from monai_gan_aug.reports.html import StudyReport

    report = StudyReport(arguments.study, include_real=not arguments.no_real)
    written = report.write(arguments.out)
    verdict = report.contents.study.verdict
    print(f"Report: {written}\nVerdict: {verdict.word}. {verdict.sentence} {verdict.next_step}")


def _bundles(arguments: argparse.Namespace) -> None:
    from monai_gan_aug.studies import shipped

    if arguments.action == "copy":
        if arguments.name is None or arguments.dir is None:
            raise ValueError("`bundles copy` needs what to copy and where to: NAME DIR")
        print(f"Copied to edit: {shipped.copy_shipped(arguments.name, arguments.dir)}")
        return
    for name, folder in shipped.shipped_folders().items():
        print(f"{name}: {folder}")
        if folder.parent == shipped.configs_folder():
            print(f"  {', '.join(sorted(path.name for path in folder.glob('*.yaml')))}")
    print(
        "\nStart a bundle in its folder, a study in any (each file says how in its first lines):\n"
        f"  python -m monai.bundle run --config_file {shipped.configs_folder()}"
        "/studies/your_data.yaml --dataset_dir … --datalist …"
    )


def _cache(arguments: argparse.Namespace) -> None:
    from monai_gan_aug.data import cache_folder

    caches = cache_folder.list_caches(arguments.dir)
    if arguments.action == "info":
        print(cache_folder.cache_table(caches))
    elif arguments.action == "verify":
        damaged = cache_folder.verify_caches(caches)
        print(f"{sum(cache.images for cache in caches)} images checked.")
        if damaged:
            raise ValueError(
                f"{len(damaged)} shards are damaged ({', '.join(damaged[:5])}): "
                "the next run decodes their images again"
            )
    else:
        freed = cache_folder.prune_caches(caches, arguments.keep)
        print(f"{freed / 1e6:.1f} MB freed.")


class _Version(argparse.Action):
    """Say which version this is, and end; looked up only if somebody asks."""

    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:
        from monai_gan_aug import __version__

        parser.exit(message=f"{__version__}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m monai_gan_aug",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    inspect = commands.add_parser("inspect", help="say what is in a folder, and what is unreadable")
    inspect.add_argument("source", type=Path, help="folder of images")
    inspect.add_argument("--decode", action="store_true", help="decode every image as well")
    inspect.add_argument(
        "--rejected", type=Path, help="list every skipped or unreadable file, with its reason, here"
    )
    inspect.add_argument("--sheet", type=Path, help="also write a contact sheet (PNG) here")
    inspect.set_defaults(run=_inspect)

    prepare = commands.add_parser("prepare", help="label and split a folder by patient")
    _add_prepare_arguments(prepare)
    prepare.set_defaults(run=_prepare)

    phantoms = commands.add_parser("phantoms", help="draw phantom head-CT series as DICOM")
    phantoms.add_argument("out", type=Path, help="new folder: <class>/<patient>/<slice>.dcm")
    phantoms.add_argument("--patients", type=int, default=120)
    phantoms.add_argument("--positive-fraction", type=float, default=0.5)
    phantoms.add_argument("--slices", type=int, default=3, help="slices per patient")
    phantoms.add_argument("--size", type=int, default=256, help="rows and columns")
    phantoms.add_argument("--seed", type=int, default=0)
    phantoms.set_defaults(run=_phantoms)

    cache = commands.add_parser("cache", help="look at, check or empty a cache of decoded images")
    cache.add_argument("action", choices=("info", "verify", "prune"))
    cache.add_argument("dir", type=Path, help="`cache_dir` of the runs")
    cache.add_argument(
        "--keep", nargs="*", default=[], metavar="RECIPE", help="prune: recipes to keep (see info)"
    )
    cache.set_defaults(run=_cache)

    bundles = commands.add_parser(
        "bundles", help="say where bundles and configurations of studies are, or copy one"
    )
    bundles.add_argument("action", choices=("list", "copy"), nargs="?", default="list")
    bundles.add_argument("name", nargs="?", metavar="NAME", help="copy: a name of the list")
    bundles.add_argument("dir", nargs="?", type=Path, metavar="DIR", help="copy: the new folder")
    bundles.set_defaults(run=_bundles)

    plan = commands.add_parser(
        "plan",
        help="write what a study will ask, before it trains",
        epilog="Knobs of the configuration follow as for `python -m monai.bundle run`.",
        allow_abbrev=False,
    )
    plan.add_argument("--config_file", required=True, help="configuration of a study")
    plan.add_argument("--dry_run", action="store_true", help="show the plan, write nothing")
    plan.set_defaults(run=_plan)

    report = commands.add_parser("report", help="rebuild the report of a study")
    report.add_argument("study", type=Path, help="study.json")
    report.add_argument("--out", type=Path, help="report.html (default: beside study.json)")
    report.add_argument("--no-real", action="store_true", help="leave out real images")
    report.set_defaults(run=_report)
    return parser


def _add_prepare_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", type=Path, help="root of the images")
    add("--out", type=Path, required=True, help="datalist.json to write")
    add("--kind", choices=("folder", "csv", "json", "dicom"), help="default: folder per class")
    add("--published", metavar="NAME", help="the folder is a published set: see docs/systems")
    add("--csv", help="CSV of image, label and patient, relative to the source")
    add("--image", default="image", help="CSV column of the image path")
    add("--label", default="label", help="CSV column, or dotted JSON key, of the label")
    add("--patient", help="CSV column, or dotted JSON key, of the patient")
    add("--patient-pattern", help="regular expression with one group: the patient in a file name")
    add("--group", choices=("none",), help="there is no patient id: every image is its own patient")
    add("--classes", nargs="+", help="use these classes only, in this order")
    add("--unlabelled", metavar="LABEL", help="of images without a class: they get a list beside")
    add(
        "--fractions",
        nargs=3,
        type=float,
        default=(0.7, 0.15, 0.15),
        metavar=("TRAIN", "VAL", "TEST"),
    )
    add("--seed", type=int, default=0)
    add("--limit", type=int, help="reduce to this many images, keeping the class ratio")
    add("--key", type=Path, help="file of the secret key that hashes patient ids")
    add("--name", help="name of the data set in reports")
    add(
        "--caveat",
        action="append",
        default=[],
        help="sentence for every report (repeatable)",
    )
    add("--on-error", choices=("raise", "skip"), default="raise")
    add("--max-bad-fraction", type=float, default=0.02, help="skip: largest part that may be bad")
    add("--rejected", type=Path, help="list of images at fault (default: beside the datalist)")
    add("--on-duplicates", choices=("refuse", "group"), default="refuse")
    _add_slice_arguments(parser)


def _add_slice_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("slices of series, multi-frame files and volumes")
    group.add_argument("--slices", action="store_true", help="take each; the rules below do, too")
    group.add_argument("--every", type=int, metavar="N", help="take every n-th slice")
    group.add_argument(
        "--region",
        nargs=2,
        type=float,
        metavar=("FROM", "TO"),
        help="part of the body along the series: 0 is its lower end, 1 its upper one",
    )
    group.add_argument("--plane", choices=("axial", "coronal", "sagittal"), help="of volumes")
    group.add_argument(
        "--content",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="values, in HU for CT, that --share of the pixels must have",
    )
    group.add_argument("--share", type=float, help="see --content (default: 0.05)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code (2 for bad data, with the reason on stderr)."""
    parser = _parser()
    arguments, knobs = parser.parse_known_args(argv)
    arguments.knobs = knobs
    if knobs and arguments.run is not _plan:
        parser.error(f"unrecognized arguments: {' '.join(knobs)}")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        arguments.run(arguments)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
