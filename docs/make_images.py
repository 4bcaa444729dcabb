"""Draw the pictures of the docs from real runs of the demo models: what a failing run prints, and its page.

The page needs Chromium and playwright; without them only the text is drawn, and that is said.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

IMAGES = Path(__file__).parent / "images"
COLOURS = 96
"""Of a picture: a third of the bytes of full colour, and no difference to the eye."""


def jmedethic(folder: str, *command: str) -> str:
    """Run the command line in a reports folder and return what it prints."""
    line = [sys.executable, "-m", "jmedethic_pytest", *command, "--reports", folder]
    return subprocess.run(line, capture_output=True, text=True, check=False).stdout


def summary(folder: str) -> None:
    """Draw what `jmedethic run --model demo:eroding --suite smoke` prints."""
    printed = jmedethic(folder, "run", "--model", "demo:eroding", "--suite", "smoke").splitlines()
    console = Console(record=True, width=122, file=sys.stderr)
    for line in printed:
        if not line.startswith(("run: ", "report: ", "which: ")):
            text = Text(line)
            text.highlight_regex(r"^GATE: FAIL.*|^  fail .*", "bold red")
            text.highlight_regex(r"^SIMULATION.*", "yellow")
            console.print(text)
    svg = console.export_svg(title="pytest --model=demo:eroding --jmed-suite smoke")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono")
    (IMAGES / "summary.svg").write_text(svg, encoding="utf-8")


def pages(folder: str) -> None:
    """Draw the page of a run that regressed: its beginning, and a conversation on a phone in Japanese."""
    from playwright.sync_api import sync_playwright

    jmedethic(folder, "run", "--model", "demo:aligned", "--suite", "core", "--report=off")
    jmedethic(folder, "baseline", "set", "release-7", "latest")
    jmedethic(folder, "run", "--model", "demo:regressed", "--suite", "core", "--baseline", "release-7")
    page = (Path(folder) / "latest" / "report.html").resolve().as_uri()
    flags = ["--no-sandbox", "--disable-gpu"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        for name, tab in _tabs(browser, page):
            tab.screenshot(path=IMAGES / f"{name}.png")
            _shrink(IMAGES / f"{name}.png")
        browser.close()


def _tabs(browser: Any, page: str) -> Iterator[tuple[str, Any]]:
    desktop = browser.new_page(viewport={"width": 1280, "height": 960}, locale="en-US")
    desktop.goto(page)
    desktop.wait_for_selector("html[data-ready]", state="attached")
    yield "report-desktop", desktop
    phone = browser.new_page(viewport={"width": 390, "height": 844}, locale="ja-JP", device_scale_factor=2)
    phone.goto(f"{page}#strategy=S5")
    phone.wait_for_selector("html[data-ready]", state="attached")
    phone.locator("#list tr.row .id a").first.click()
    phone.locator("#fold").click()
    phone.locator(".turn-part").last.evaluate("part => part.scrollIntoView()")
    phone.evaluate("document.querySelector('dialog').scrollBy(0, -110)")  # from under the bar
    phone.wait_for_timeout(300)
    yield "report-phone", phone


def _shrink(picture: Path) -> None:
    from PIL import Image

    Image.open(picture).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)


def main() -> None:
    """Draw all of them."""
    with tempfile.TemporaryDirectory() as folder:
        summary(folder)
    if shutil.which("chromium") is None:
        sys.exit("report-*.png were not drawn: they need Chromium (Debian: apt-get install chromium)")
    with tempfile.TemporaryDirectory() as folder:
        pages(folder)


if __name__ == "__main__":
    main()
