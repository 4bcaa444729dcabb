"""Both generations of Allure, built from a run with failures: a reader finds the conversation, nothing leaks or runs.

The Node packages of ``tests/node`` are installed on first use; without npm the tests are skipped with a loud reason.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from jmedethic_pytest.core.records import Case, Reply, Score, Turn, Verdict, Violation
from jmedethic_pytest.reports.allure import published, stored
from jmedethic_pytest.reports.allure.policy import GUIDELINE_PAGE, Telling
from jmedethic_pytest.reports.allure.result import Writer
from support.lazy import Lazy
from support.node import modules

sync = Lazy("playwright.sync_api")

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = (
    "<script>top.hacked=1;window.hacked=1;document.title='hacked'</script></textarea></iframe>"
    "<img src=x onerror='window.hacked=2'>![x](http://192.0.2.1/x.png)\u202eesrever"
)
_OWN_NOISE = ("navigate-to", "metrics.json")
"""What the reports complain about themselves: a directive Chromium does not know, a file Allure 3 seldom has."""


class Built(NamedTuple):
    """A generated report and where it is served."""

    url: str
    folder: Path
    failing: Verdict
    """A conversation that failed."""


@pytest.fixture(scope="session")
def node() -> Path:
    """Install the Node packages, once for all processes."""
    return modules("ALLURE IS NOT TESTED IN A BROWSER", "npm", "java")


@pytest.fixture(scope="session")
def hostile_verdict() -> Verdict:
    case = Case(id="en-hostile-01", locale="en", guideline="JMA-02", strategy="S2", turns=("One?", "Two?"))
    turns = tuple(
        Turn(
            index=index,
            user=case.turns[index],
            reply=Reply(text=HOSTILE, model=HOSTILE),
            value=value,
            scores=tuple(Score(judge=f"made:{name}", value=value, rationale=HOSTILE) for name in "ab"),
        )
        for index, value in enumerate((9.0, 1.0))
    )
    low = Violation(turn=1, value=1.0, floor=2.0, rule="conversation.floor")
    return Verdict(case=case, status="scored", turns=turns, planned_turns=2, violations=(low,))


@pytest.fixture(scope="session")
def failing(demo_verdicts: dict[str, Verdict]) -> Verdict:
    return next(item for item in demo_verdicts.values() if item.red and item.case.strategy == "S5")


@pytest.fixture(scope="session", params=["allure3", "allure2"])
def report(
    request: pytest.FixtureRequest,
    node: Path,
    tmp_path_factory: pytest.TempPathFactory,
    demo_run: Path,
    hostile_verdict: Verdict,
    failing: Verdict,
) -> Iterator[Built]:
    """Generate the report as the guide does, make it fit to publish, and serve it.

    Its results are those of the simulated run, and of one conversation with a hostile model and judge. Allure 3 makes
    no link of a relative address, so there the links are given the place where the report will stand.
    """
    folder = tmp_path_factory.mktemp("allure") / request.param
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Silent, directory=str(folder)))
    url = f"http://127.0.0.1:{server.server_port}/"
    page = f"{url}{GUIDELINE_PAGE}" if request.param == "allure3" else GUIDELINE_PAGE
    results = folder.parent / "allure-results"
    stored.write(demo_run, results, mode="all", page=page)
    Writer(results, Telling("made:model", everything=True), page).write(hostile_verdict, begun=0)
    three = [
        "node",
        node / "allure" / "cli.js",
        "generate",
        results,
        "--config",
        results / "allurerc.json",
        "-o",
        folder,
    ]
    two = [node / "allure-commandline" / "bin" / "allure", "generate", results, "--clean", "-o", folder]
    environment = {**os.environ, "ALLURE_NO_ANALYTICS": "true"}
    command = [str(part) for part in (three if request.param == "allure3" else two)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    published.finish(folder)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield Built(url, folder, failing)
    server.shutdown()
    server.server_close()


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Stay silent."""


@pytest.fixture
def browse(chromium: Browser, report: Built) -> Iterator[Callable[[str], Page]]:
    """Open a page of the report; at the end nothing may have gone wrong, out, or off."""
    trouble: list[str] = []
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    tab = context.new_page()
    tab.set_default_timeout(15_000)

    def console(line: Any) -> None:
        text = f"{line.text} {line.location.get('url', '')}"
        if line.type == "error" and not any(noise in text for noise in _OWN_NOISE):
            trouble.append(text)

    def request(sent: Any) -> None:
        if not sent.url.startswith((report.url, "data:", "blob:", "about:")):
            trouble.append(sent.url)

    tab.on("console", console)
    tab.on("pageerror", lambda error: trouble.append(str(error)))
    tab.on("request", request)
    tab.on("dialog", lambda dialog: (trouble.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def open_page(hash_: str = "") -> Page:
        tab.goto(report.url + hash_)
        return tab

    yield open_page
    hacked = [frame.url for frame in tab.frames if frame.evaluate("window.hacked") is not None]
    context.close()
    assert trouble == []
    assert hacked == [], "a reply ran as a script"


def _transcript(tab: Page) -> Any:
    """Open the attachment and return the page in it."""
    tab.get_by_text("transcript", exact=True).first.click()
    return tab.frame_locator("iframe").last  # Allure 3 shows the description in one, too


def _is_three(report: Built) -> bool:
    return report.folder.name == "allure3"


def _go_to(tab: Page, report: Built, case: str, strategy: str, feature: str) -> None:
    """Reach a conversation as a reader does: by its strategy (Allure 3), or by guideline and strategy (Allure 2)."""
    if not _is_three(report):
        tab.get_by_text(feature).first.click()
        tab.get_by_text(strategy).first.click()
    tab.get_by_text(case, exact=True).first.click()


def test_reader_finds_why_a_conversation_failed(browse: Callable[[str], Page], report: Built) -> None:
    """Which turn, by how much, under which strategy; what was asked and answered; what each judge said."""
    failing = report.failing
    tab = browse("" if _is_three(report) else "#behaviors")
    if not _is_three(report):
        tab.get_by_text("Japanese (ja)").first.click()
    _go_to(tab, report, failing.key, "S5 Fiction-Layered", f"{failing.case.guideline} ")
    fallen = failing.violations[0]
    said = f"T{fallen.turn} fell to {fallen.value:.1f} (floor > 2)"
    sync.expect(tab.get_by_text(said).first).to_be_visible()
    sync.expect(tab.get_by_text("strategy Fiction-Layered Authority Simulation").first).to_be_visible()
    sync.expect(tab.get_by_text(f"T{fallen.turn}: {fallen.value:.1f} (floor > 2)").first).to_be_visible()
    page = _transcript(tab)
    sync.expect(page.locator(".bubble.reply").nth(fallen.turn)).to_have_text(failing.turns[fallen.turn].reply.text)
    sync.expect(page.locator("section").nth(fallen.turn).locator("h2 .chip").first).to_have_text(f"{fallen.value:.1f}")
    reasons = page.locator("section").nth(fallen.turn).locator(".judge")
    for index, score in enumerate(failing.turns[fallen.turn].scores):
        sync.expect(reasons.nth(index)).to_contain_text(score.judge)
        sync.expect(reasons.nth(index)).to_contain_text(score.rationale)


def test_guideline_link_leads_to_the_guideline(browse: Callable[[str], Page], report: Built) -> None:
    failing = report.failing
    tab = browse("" if _is_three(report) else "#behaviors")
    if not _is_three(report):
        tab.get_by_text("Japanese (ja)").first.click()
    _go_to(tab, report, failing.key, "S5 Fiction-Layered", f"{failing.case.guideline} ")
    link = tab.locator(f"a[href$='guidelines.html#{failing.case.guideline.lower()}']").first
    with tab.context.expect_page() as opened:
        link.click()
    sync.expect(opened.value.locator("article:target h3")).to_contain_text(failing.case.guideline)


def test_gate_and_its_reasons_are_among_the_results(browse: Callable[[str], Page], report: Built) -> None:
    tab = browse("" if _is_three(report) else "#behaviors")
    if not _is_three(report):
        for name in ("Gate", "Gate of the run", "Answer"):
            tab.get_by_text(name, exact=True).first.click()
    tab.get_by_text("gate: fail", exact=True).first.click()
    sync.expect(tab.get_by_text(re.compile("gate: fail: ")).first).to_be_visible()
    tab.get_by_text("summary.md", exact=True).first.click()
    sync.expect(tab.get_by_text(re.compile("GATE|Gate|gate")).nth(1)).to_be_visible()


def test_results_can_be_narrowed_to_a_strategy(
    browse: Callable[[str], Page], report: Built, demo_verdicts: dict[str, Verdict]
) -> None:
    cases = {
        strategy: [item.key for item in demo_verdicts.values() if item.case.strategy == strategy]
        for strategy in ("S1", "S5")
    }
    tab = browse("" if _is_three(report) else "#behaviors")
    if _is_three(report):
        tab.get_by_text("Tags", exact=True).first.click()
        tab.get_by_text("S5", exact=True).first.click()
        tab.keyboard.press("Escape")
    else:
        tab.locator("input").first.fill("tag:S5")
        tab.get_by_text("Japanese (ja)").first.click()
    sync.expect(tab.get_by_text("S1 Gray-Zone Ethnographic Simulation")).to_have_count(0)
    for key in cases["S1"]:
        sync.expect(tab.get_by_text(key, exact=True)).to_have_count(0)
    if _is_three(report):
        sync.expect(tab.get_by_text(cases["S5"][0], exact=True).first).to_be_visible()


def test_hostile_reply_is_shown_as_text_and_runs_nowhere(
    browse: Callable[[str], Page], report: Built, hostile_verdict: Verdict
) -> None:
    tab = browse("" if _is_three(report) else "#behaviors")
    if not _is_three(report):
        tab.get_by_text("English (en)").first.click()
    _go_to(tab, report, hostile_verdict.key, "S2 Escalating", f"{hostile_verdict.case.guideline} ")
    page = _transcript(tab)
    sync.expect(page.locator(".bubble.reply").first).to_contain_text("<script>top.hacked=1")
    sync.expect(page.locator(".reason").first).to_contain_text("<img src=x onerror=")
    assert page.locator("main script, main img, main a").count() == 0
    tab.get_by_text(re.compile(r"^T0: ")).first.click()
    sync.expect(tab.get_by_text("T0 reply: <script>top.hacked=1").first).to_be_visible()
    assert tab.locator("a[href*='192.0.2.1']").count() == 0
    assert tab.title() != "hacked"


def test_published_pages_name_no_other_host(report: Built) -> None:
    text = (report.folder / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"googletagmanager|google-analytics|gtag", text)
    assert not re.findall(r"(?:src|href)=[\"']?https?://", text)
