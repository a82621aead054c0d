import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise

import pytest
import yaml
from monai.bundle import ConfigParser

from monai_gan_aug.errors import DataError
from monai_gan_aug.reports.html import StudyReport

HOSTILE = "<script>alert('x')</script>\"'&{{7*7}}"
VOID = {"meta", "link", "img", "br", "hr"}


class Reader(HTMLParser):
    """Tags with attributes, text, and whether every tag is closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        closed = self.open.pop()
        if closed != tag:
            raise ValueError(f"</{tag}> closes <{closed}>")

    def handle_data(self, data):
        self.words.append(data)

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def read(path):
    return Reader(path.read_text(encoding="utf-8"))


@pytest.fixture(params=["page", "full_page"])
def either(request):
    """The report of a small study and of one with every part."""
    return request.getfixturevalue(request.param)


def test_stands_beside_the_study_with_markdown_and_tables(page):
    names = {path.name for path in page.parent.iterdir()}
    assert {"report.html", "report.md", "report_files", "study.json"} <= names
    tables = {path.stem for path in (page.parent / "report_files").glob("*.csv")}
    assert {"arms", "comparisons", "quality", "cohort", "seeds"} <= tables


def test_is_the_same_every_time(page, study, write_study):
    first = page.read_bytes()
    assert StudyReport(write_study(study)).write().read_bytes() == first


def test_can_be_written_elsewhere(study, write_study, tmp_path):
    report = StudyReport(str(write_study(study)))
    page = report.write(str(tmp_path / "out" / "xray.html"))
    assert page == tmp_path / "out" / "xray.html"
    assert (tmp_path / "out" / "xray_files" / "forest.svg").is_file()


def test_refuses_another_suffix(study, write_study):
    with pytest.raises(ValueError, match=r"must end in \.html, got 'report.pdf'"):
        StudyReport(write_study(study)).write("report.pdf")


def test_says_the_verdict_before_any_other_section(page):
    text = read(page).text
    order = [
        "Verdict: No relevant gain",
        "brings no relevant gain in AUC",
        "Next: nothing",
        "Read this first",
    ]
    order += ["Did it change the classifier?", "Arms Every way", "Provenance What is needed"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "40 + 80\u201382" in text


def test_carries_everything_inside(either):
    content = either.read_text(encoding="utf-8")
    reader = Reader(content)
    assert all(image["src"].startswith("data:image/png") for image in reader.all("img"))
    assert reader.all("script") == []
    assert all(link["href"] == "data:," for link in reader.all("link"))
    assert all(anchor["href"].startswith("#") for anchor in reader.all("a"))
    addresses = set(re.findall(r"https?://[^\"'\s<]+", content))
    assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"@import|url\((?!#)", content)


def test_is_well_formed_with_unique_ids_and_whole_links(either):
    reader = read(either)
    assert reader.open == []
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {anchor["href"][1:] for anchor in reader.all("a")} <= set(ids)
    labels = [a["aria-labelledby"] for _, a in reader.tags if "aria-labelledby" in a]
    assert set(labels) <= set(ids)


def test_is_readable_without_eyes(either):
    reader = read(either)
    assert reader.all("html") == [{"lang": "en"}]
    assert all(image["alt"] for image in reader.all("img"))
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in reader.all("svg"))
    drawings = len(reader.all("svg"))
    assert drawings == len(reader.all("desc")) == len(reader.all("title")) - 1  # the page's own
    assert all(cell["scope"] in ("row", "col") for cell in reader.all("th"))
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


@pytest.mark.parametrize("word", ["helps", "harms", "no relevant gain", "underpowered"])
def test_every_verdict_has_its_word_and_sign(study, write_study, word):
    study["verdict"]["word"] = word
    text = Reader(StudyReport(write_study(study)).render()).text
    sign = {"helps": "\u25b2", "harms": "\u25bc", "no relevant gain": "\u25cb", "underpowered": "?"}
    assert f"{sign[word]} Verdict: {word.capitalize()}" in text


def test_a_study_that_can_see_nothing_says_so(study, write_study):
    study["verdict"]["minimum_detectable_effect"] = 2.41
    page = StudyReport(write_study(study)).write().read_text()
    assert "none, however large" in page


def test_hostile_names_are_inert_everywhere(full_study, write_study):
    study = json.loads(json.dumps(full_study).replace("PNEUMONIA", json.dumps(HOSTILE)[1:-1]))
    for grid in study["grids"]:
        grid["real"] = grid["synthetic"] = "figures/plain.png"
    for one in [*study["external"], *(e for point in study["sweep"] for e in point["external"])]:
        one["name"] = one["name"].replace("_hospital", HOSTILE)
    study["external"][0].update(grouping=HOSTILE, caveats=[HOSTILE])
    study["external"][0]["verdict"]["sentence"] = HOSTILE
    study["name"] = study["title"] = study["verdict"]["sentence"] = HOSTILE
    study["dataset"].update(grouping=HOSTILE, caveats=[HOSTILE])
    study["arms"][0]["title"] = study["curves"]["gan"][0]["name"] = HOSTILE
    study["recipe"]["gan"][HOSTILE] = study["provenance"]["machine"] = HOSTILE
    reader = read(StudyReport(write_study(study)).write())
    assert reader.open == []
    assert reader.all("script") == []
    assert HOSTILE in reader.text
    assert not any(key.startswith("on") for _, a in reader.tags for key in a)


def test_leaves_real_images_out_on_request_and_removes_old_ones(study, write_study):
    path = write_study(study)
    StudyReport(path).write()
    real = path.parent / "report_files" / "grid-0-real.png"
    assert real.is_file()
    reader = read(StudyReport(path, include_real=False).write())
    assert not real.exists()
    assert len(reader.all("img")) == 2
    assert "shows real images" not in reader.text


def test_shows_a_study_without_curves_quality_or_grids(study, write_study):
    study.update(curves={}, quality=[], grids=[])
    reader = read(StudyReport(write_study(study)).write())
    assert reader.all("img") == []
    links = {anchor["href"] for anchor in reader.all("a")}
    assert not {"#images", "#curves", "#gan", "#quality", "#scarcity"} & links


def test_a_small_study_shows_none_of_the_parts_it_lacks(page):
    text = read(page).text
    for part in ("Claims after correction", "Other test sets", "currency of real", "Calibration."):
        assert part not in text
    assert "Whether a guard raised an alarm was not recorded." in text


def test_every_part_of_a_full_study_is_shown(full_page):
    reader = read(full_page)
    for part in (
        "No candidate beats every control after correction.",
        "no number would do",
        "What was planned",
        "Two repeats share 15% of their training patients on average",
        "Other test sets",
        "On other_hospital, the difference is half of that at home.",
        "Does it matter how many patients there are?",
        "\u2248 171 real patients [fewer than 120 to 412]",
        "Precision and recall.",
        "Calibration.",
        "rolled back from step 1400 to 1200",
        "all classes, with unlabelled images",
        "Validation AUC",
        "split.training_patients_per_class",
    ):
        assert part in reader.text
    tables = {path.stem for path in (full_page.parent / "report_files").glob("*.csv")}
    assert {
        "claims",
        "sample-size-equivalent",
        "selection",
        "external",
        "external-arms",
        "external-sweep",
    } <= tables
    assert {"guards", "splits", "sweep", "sweep-arms"} <= tables
    drawn = {path.stem for path in (full_page.parent / "report_files").glob("*.svg")}
    assert {"scarcity", "precision-recall", "calibration", "gan-1"} <= drawn


def test_folds_away_training_curves_after_the_fourth(study, write_study):
    study["curves"]["gan"] = [dict(study["curves"]["gan"][0], name=f"class {i}") for i in range(7)]
    reader = read(StudyReport(write_study(study)).write())
    assert "3 more" in reader.text
    assert reader.open == []


def test_missing_picture_leaves_no_half_report(study, write_study):
    path = write_study(study)
    (path.parent / "figures" / "real_0_NORMAL.png").unlink()
    with pytest.raises(DataError, match=r"figures/real_0_NORMAL.png is missing"):
        StudyReport(path).write()
    assert not (path.parent / "report.html").exists()


def test_is_built_from_a_configuration(study, write_study):
    config = yaml.safe_load(
        f"""
        report:
          _target_: monai_gan_aug.reports.html.StudyReport
          study: {write_study(study)}
          include_real: false
        """
    )
    report = ConfigParser(config).get_parsed_content("report")
    assert report.write().name == "report.html"


def test_imports_nothing_heavy():
    code = (
        "import sys, monai_gan_aug.reports.html;"
        "print(sorted({'torch', 'monai', 'scipy', 'sklearn', 'pydicom'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
