"""The site of the documentation: built strictly, read in a browser at three widths, searched in Japanese."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCRIPT = Path(__file__).resolve().parents[3] / "docs" / "make_site.py"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture(scope="module")
def site(once: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("zensical") is None:
        pytest.skip("NOT TESTED: the site of the documentation needs pip install 'jmedethic-pytest[docs]'")
    return once("docs-site", lambda: _built(tmp_path_factory.mktemp("docs") / "site"))


def _built(target: Path) -> Path:
    done = subprocess.run([sys.executable, SCRIPT, "--output", target], capture_output=True, text=True)
    assert done.returncode == 0, f"a dead link, or an anchor that is not there:\n{done.stdout}{done.stderr}"
    return target


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_pages_are_there_in_both_languages_and_load_nothing_from_elsewhere(site: Path) -> None:
    english, japanese = site, site / "ja"
    for folder in (english, japanese):
        assert (folder / "docs" / "images" / "report-desktop.png").is_file()
    titles = {
        name: (japanese / "docs" / name).read_text(encoding="utf-8") for name in ("tutorial.html", "performance.html")
    }
    assert "<h1" in titles["tutorial.html"]
    assert "この頁はまだ英語だけです" in titles["performance.html"]
    assert "この頁はまだ英語だけです" not in titles["tutorial.html"]
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|img|link)[^>]* (?:src|href)=\"(https?://[^\"]+)", page.read_text(encoding="utf-8")
        )
        assert not loaded, page
    items = (english / "docs" / "how-to" / "extend.html").read_text(encoding="utf-8")
    assert not re.search(r"<p>[^<]*\n[*-] ", items), "a list that became running text"


@pytest.mark.parametrize("place", ["", "ja/", "ja/docs/how-to/report.html"])
def test_front_pages_fit_their_width(chromium: Browser, address: str, place: str) -> None:
    page = chromium.new_page()
    page.goto(f"{address}/{place}")
    for width in (390, 820, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("innerWidth") == width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        picture = page.locator("article img").first
        assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    page.close()


def test_search_finds_a_word_in_kanji(chromium: Browser, address: str) -> None:
    page = chromium.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{address}/ja/index.html")
    while page.evaluate("document.activeElement === document.body"):  # until the page listens to keys
        page.keyboard.press("/")
        page.wait_for_timeout(50)
    page.keyboard.type("臨床家")
    found = page.locator("a:has(mark)", has_text="臨床家として会話を評価する").first
    found.wait_for()
    found.click()
    page.wait_for_url(re.compile(r"/ja/docs/how-to/annotate"))
    assert not [url for url in requests if not url.startswith((address, "data:", "blob:"))]
    page.close()
