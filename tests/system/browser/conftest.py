"""Debian's Chromium, offline, and stored runs to look at: a simulated one, and runs made of given verdicts.

Without Chromium these tests are skipped with a loud reason; where ``CI`` is set they fail instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jmedethic_pytest import evaluate
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.gate.outcome import load
from jmedethic_pytest.store import runs as run_files
from support.lazy import Lazy
from support.once import once, shared_folder
from support.stored_runs import store, verdict

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["once", "shared_folder"]
page = Lazy("jmedethic_pytest.reports.page")
CASES = Path(__file__).resolve().parents[3] / "benchmark_cases"
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_FLAGS += ["--disable-component-update", "--disable-sync", "--in-process-gpu"]
_WITHOUT = ["WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "SpareRendererForSitePerProcess"]
"""What costs more than our own pages beside each of them: the lists of an address bar, and a process in reserve."""
_WITHOUT += ["HttpsUpgrades", "MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding"]
"""Of Playwright's own list, which ours takes the place of."""
_FLAGS += [f"--disable-features={','.join(_WITHOUT)}"]
_OPEN = ExitStack()


# ---------------------------------------------------------------- browser


@pytest.fixture
def chromium() -> Browser:
    """The browser of this process; each test opens contexts of its own in it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        reason = "NOT TESTED IN A BROWSER: report.html needs Chromium (Debian: apt-get install chromium)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return _launch(path)


@cache
def _launch(path: str) -> Browser:
    from playwright.sync_api import sync_playwright

    driver = _OPEN.enter_context(sync_playwright())
    browser = driver.chromium.launch(executable_path=path, args=_FLAGS)
    _OPEN.callback(browser.close)
    return browser


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """Close the browser when a test of another folder comes next.

    Playwright keeps an event loop running in this thread; open for longer, it would stop every asynchronous test that
    the same process runs afterwards.
    """
    yield
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        _OPEN.close()
        _launch.cache_clear()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page in a fresh offline context; at the end nothing may have gone wrong or out.

    Console errors, script errors and requests to anything but the file itself fail the test. A script given as
    ``before`` runs ahead of the page's own; then the page may never become ready, and nobody waits for it.
    """
    contexts, trouble = [], []

    def open_page(
        file: Path, hash_: str = "", *, width: int = 1280, locale: str = "en-US", before: str = "", **options: Any
    ) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 850}, locale=locale, **options)
        context.set_offline(True)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(10_000)
        address = file.as_uri()
        tab.on("console", lambda line: trouble.append(line.text) if line.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: trouble.append(str(error)))
        tab.on("request", lambda request: None if request.url.split("#")[0] == address else trouble.append(request.url))
        tab.on("dialog", lambda dialog: (trouble.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        if before:
            tab.add_init_script(before)
        tab.goto(address + hash_)
        if options.get("java_script_enabled", True) and not before:
            tab.wait_for_selector("html[data-ready]", state="attached")
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert trouble == []


@pytest.fixture
def audit() -> Callable[[Page], list[str]]:
    """Return what a page lacks for weak eyes and screen readers: texts without contrast, controls without names."""
    scripts = [Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("contrast.js", "nameless.js")]
    return lambda tab: [found for script in scripts for found in tab.evaluate(script)]


# ---------------------------------------------------------------- runs


@pytest.fixture(scope="session")
def demo_run(once: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of the eroding simulation over the smoke suite, reports included."""

    def run() -> Path:
        reports = tmp_path_factory.mktemp("reports")
        outcome = evaluate("demo:eroding", cases=CASES, suite="smoke", cache="off", reports=reports)
        assert outcome.gate.answer == "fail"
        assert outcome.info.note == ""
        return outcome.path

    return once("browser-run", run)


@pytest.fixture(scope="session")
def demo_verdicts(demo_run: Path) -> dict[str, Verdict]:
    """The verdicts of that run by their key."""
    return {verdict.key: verdict for verdict in run_files.read_verdicts(demo_run)}


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Store a run of given verdicts as if it had just ended; return its folder. Reports are not written."""
    return partial(store, tmp_path)


@pytest.fixture
def make_page(make_run: Callable[..., Path]) -> Callable[..., Path]:
    """Store a run of given verdicts and write its page without plots; return the page."""

    def make(verdicts: list[Verdict], **changes: Any) -> Path:
        path = make_run(verdicts, **changes)
        return page.write(load(path), path)

    return make


@pytest.fixture
def made_verdict() -> Callable[..., Verdict]:
    return verdict
