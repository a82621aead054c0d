"""The page in a real browser: no script, no request, every picture drawn, nothing cut off."""

import base64
import fcntl
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monai_gan_aug.reports.html import StudyReport

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


class Browser:
    """A headless Chromium driven over its debugging pipe (JSON messages ended by a zero byte)."""

    def __init__(self, profile: Path) -> None:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 30) for fd in (theirs_in, theirs_out)]
        null = os.open(os.devnull, os.O_WRONLY)
        self.process = os.posix_spawn(
            CHROMIUM,
            [CHROMIUM, *FLAGS, f"--user-data-dir={profile}"],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, null, 1),
                (os.POSIX_SPAWN_DUP2, null, 2),
                (os.POSIX_SPAWN_DUP2, high[0], 3),
                (os.POSIX_SPAWN_DUP2, high[1], 4),
            ],
            setpgroup=0,
        )
        for fd in (theirs_in, theirs_out, null, *high):
            os.close(fd)
        self.out, self.into = os.fdopen(ours_out, "wb"), os.fdopen(ours_in, "rb")
        self.count, self.session = 0, ""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def _receive(self) -> dict[str, Any]:
        content = bytearray()
        while (byte := self.into.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("chromium closed the pipe")
            content += byte
        return json.loads(content)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.out.write(json.dumps(message).encode() + b"\0")
        self.out.flush()
        while (answer := self._receive()).get("id") != self.count:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, path: Path, *, width: int, dark: bool = False, media: str = "screen") -> None:
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.call("Emulation.setEmulatedMedia", media=media, features=[feature])
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def evaluate(self, expression: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def screenshot(self) -> bytes:
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    def close(self) -> None:
        self.out.close()
        self.into.close()
        os.killpg(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture(params=["page", "full_page"])
def either(request: pytest.FixtureRequest) -> Path:
    """The report of an earlier record and of one with every part."""
    return request.getfixturevalue(request.param)


def methods(browser: Browser, name: str) -> list[dict[str, Any]]:
    return [event["params"] for event in browser.events if event.get("method") == name]


def test_logs_nothing_and_requests_nothing_outside(browser, either):
    browser.open(either, width=1280)
    browser.evaluate("document.readyState")
    assert methods(browser, "Log.entryAdded") == []
    assert methods(browser, "Runtime.consoleAPICalled") == []
    assert methods(browser, "Runtime.exceptionThrown") == []
    requested = {item["request"]["url"] for item in methods(browser, "Network.requestWillBeSent")}
    assert {url for url in requested if not url.startswith("data:")} == {either.as_uri()}


def test_draws_every_picture(browser, page):
    browser.open(page, width=1280)
    widths = browser.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert widths == [128] * 4


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_fits_the_screen_without_sideways_scrolling(browser, either, width):
    browser.open(either, width=width)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [360, 1280])
def test_long_titles_stay_inside_their_figures(browser, full_study, write_study, width):
    for arm in full_study["arms"]:
        arm["title"] += ", screened for copies of any training patient, then mixed into each batch"
    full_study = json.loads(json.dumps(full_study).replace("PNEUMONIA", "PNEUMONIA, ANY KIND " * 9))
    for grid in full_study["grids"]:
        grid["real"] = grid["synthetic"] = "figures/plain.png"
    browser.open(StudyReport(write_study(full_study)).write(), width=width)
    outside = browser.evaluate(
        """[...document.querySelectorAll("svg text")].filter(text => {
          const inner = text.getBoundingClientRect();
          const outer = text.closest("svg").getBoundingClientRect();
          return inner.width && (inner.left < outer.left - 1 || inner.right > outer.right + 1);
        }).map(text => text.textContent)"""
    )
    assert outside == []


def test_dark_screens_get_light_ink_in_page_and_figures(browser, page):
    browser.open(page, width=1280, dark=True)
    inks = browser.evaluate(
        """[getComputedStyle(document.body).color,
            getComputedStyle(document.querySelector(".forest text[style*='--ink']")).fill]"""
    )
    assert inks == ["rgb(228, 234, 240)"] * 2


def test_hostile_names_run_nothing(browser, study, write_study):
    study["title"] = "<img src=x onerror=document.title='owned'>"
    study["arms"][0]["title"] = "</text></svg><script>document.title='owned'</script>"
    browser.open(StudyReport(write_study(study)).write(), width=1280)
    assert browser.evaluate("document.title") == f"No relevant gain: {study['title']}"
    assert browser.evaluate("document.scripts.length") == 0
    assert browser.evaluate("document.images.length") == 4


def test_paper_shows_what_the_screen_folds_away(browser, page):
    browser.open(page, width=800, media="print")
    height = browser.evaluate("document.querySelector('table.software').offsetHeight")
    assert height > 0


def test_every_drawing_has_a_name_and_a_description(browser, full_page):
    browser.open(full_page, width=1280)
    unnamed = browser.evaluate(
        """[...document.querySelectorAll("svg")].filter(svg => !(
          svg.getAttribute("aria-label").length > 20
          && svg.querySelector(":scope > title").textContent
          && svg.querySelector(":scope > desc").textContent)).length"""
    )
    assert unnamed == 0
    assert browser.evaluate("document.querySelectorAll('svg').length") == 11


def test_words_of_a_figure_do_not_cover_each_other(browser, full_page):
    """Legends, axis titles and tick labels of the curves are apart."""
    browser.open(full_page, width=1280)
    covered = browser.evaluate(
        """[...document.querySelectorAll("#scarcity svg, #curves svg, #gan svg")].flatMap(svg => {
          const words = [...svg.querySelectorAll("text")].map(text =>
            [text.textContent, text.getBoundingClientRect()]);
          return words.flatMap(([a, one], i) => words.slice(i + 1)
            .filter(([, other]) =>
              Math.min(one.right, other.right) - Math.max(one.left, other.left) > 2
              && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 4)
            .map(([b]) => [a, b]));
        })"""
    )
    assert covered == []


def test_dark_screens_recolour_every_mark(browser, full_page):
    """Nothing in a figure keeps a colour of the light page."""
    browser.open(full_page, width=1280, dark=True)
    light = browser.evaluate(
        """[...document.querySelectorAll("svg [style]")].filter(mark =>
          /#[0-9a-f]{6}/.test(mark.getAttribute("style"))).length"""
    )
    assert light == 0
