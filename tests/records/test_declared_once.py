"""Every field of a record is written and read: nothing drifts off, none is waited for in vain."""

import ast
import importlib
import pkgutil
from collections import Counter
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path

import monai_gan_aug.records
from monai_gan_aug.records.datalist import SPLITS
from monai_gan_aug.records.files import FileRecord

PACKAGE = Path(monai_gan_aug.records.__file__).parents[1]
FOR_PEOPLE = {
    # a person who opens the file reads these; no program does
    ("JobBegun", "name"): "says which job a folder belongs to",
    ("JobDone", "name"): "says which job a folder belongs to",
    ("ScreeningFile", "setting"): "says what was done about near copies",
    ("SelectionFile", "settings"): "stands in the provenance of the images as well",
    ("NearCopy", "training_id"): "names the training image to look at",
    ("NearCopy", "seen_in"): "says what flagged the image",
    ("NearCopy", "distance_pixels"): "says how close the two are",
    ("QualityRow", "set"): "names the line of a table",
}


FROM_CONFIGURATIONS = {"PublishedTable"}
BY_NAME_OF_THE_SPLIT = {"Datalist", "Splits"}  # through `entries(split)` and `of(split)`


def record_classes():
    classes = []
    for info in pkgutil.iter_modules(monai_gan_aug.records.__path__):
        module = importlib.import_module(f"monai_gan_aug.records.{info.name}")
        classes += [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and is_dataclass(value)
            and value.__module__ == module.__name__
        ]
    return [kind for kind in classes if kind.__name__ not in ("Misfit", "JsonShape")]


@cache
def uses():
    """Names of attributes read, and of keywords given, outside the declarations themselves."""
    read, filled = Counter(), Counter()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                read[node.attr] += not path.is_relative_to(PACKAGE / "records")
            elif isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                for position in range(len(node.args)):
                    filled[name, position] += 1
                for keyword in node.keywords:
                    filled[name, keyword.arg] += 1
    for path in (PACKAGE / "reports" / "templates").iterdir():
        for word in path.read_text().replace("[", ".").split("."):
            read[word.split(" ")[0].split("}")[0].split("|")[0].split(")")[0]] += 1
    return read, filled


RECORDS = record_classes()
FIELDS = [(kind, field.name) for kind in RECORDS for field in fields(kind)]


def test_what_is_written_is_read():
    read, _ = uses()
    splits = {(kind.__name__, name) for kind, name in FIELDS if name in SPLITS} & {
        (kind, name) for kind in BY_NAME_OF_THE_SPLIT for name in SPLITS
    }
    known = FOR_PEOPLE.keys() | splits
    unread = {(kind.__name__, name) for kind, name in FIELDS if not read[name]}
    assert unread - known == set()


def test_what_is_read_is_written():
    """Some call of the class gives the field, by its name or by its place."""
    _, filled = uses()
    unwritten = set()
    for kind, name in FIELDS:
        place = [field.name for field in fields(kind)].index(name)
        makers = [kind.__name__, *(sub.__name__ for sub in kind.__subclasses__())]
        given = any(filled[maker, how] for maker in makers for how in (name, None, place))
        if not given and not filled["replace", name]:
            unwritten.add((kind.__name__, name))
    assert {item for item in unwritten if item[0] not in FROM_CONFIGURATIONS} == set()


def test_exceptions_are_still_fields():
    known = {(kind.__name__, name) for kind, name in FIELDS}
    assert FOR_PEOPLE.keys() <= known


def test_only_records_write_json():
    """Files of the toolkit are records; the two exceptions are files of others."""
    others = {"io/atomic.py", "records/files.py", "reports/bundle_card.py"}
    writers = set()
    for path in PACKAGE.rglob("*.py"):
        names = {
            node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)
        }
        if "write_json" in names:
            writers.add(path.relative_to(PACKAGE).as_posix())
    assert writers <= others | {"studies/averaging.py", "studies/choice.py"}


def test_every_file_says_what_it_is_and_what_to_do():
    kinds = [kind for kind in RECORDS if issubclass(kind, FileRecord)]
    assert len(kinds) >= 18
    for kind in kinds:
        assert kind.KIND
        assert kind.REMEDY
        assert kind.SCHEMA >= 1
    names = [kind.KIND for kind in kinds]
    assert len(set(names)) == len(names)


def test_a_record_has_its_name_to_itself():
    """No class of the package is called like a record."""
    declared = {kind.__name__ for kind in RECORDS}
    places = Counter(
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and node.name in declared
    )
    assert {name for name, count in places.items() if count > 1} == set()
