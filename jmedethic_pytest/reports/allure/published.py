"""Makes a generated Allure report fit to be shown to others: it calls nobody, and its guideline links lead somewhere.

Both generations of Allure put an analytics script into their pages. Allure 2 leaves it out if
``ALLURE_NO_ANALYTICS=true`` is set while it builds; Allure 3 cannot be told to.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, select_autoescape

from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.vocabulary import SHIPPED, Guideline
from jmedethic_pytest.reports.allure.labels import anchor

PAGE = "guidelines.html"
_SCRIPT = re.compile(r"[ \t]*<script\b[^>]*>(?:(?!</script>).)*</script>[ \t]*\n?", re.IGNORECASE | re.DOTALL)
_ANALYTICS = re.compile(r"googletagmanager\.com|google-analytics\.com|gtag\(|mc\.yandex\.", re.IGNORECASE)


class Finished(NamedTuple):
    """What was done to a report."""

    pages: int
    """HTML pages looked at."""
    scripts: int
    """Analytics scripts taken out."""


def finish(report: Path) -> Finished:
    """Take the analytics scripts out of a report's pages, and put the guideline page beside them.

    Args:
        report: the folder Allure generated, of either generation, with one report or several in folders of their own.

    Raises:
        ConfigError: if the folder holds no Allure report.
        StoreError: if a page cannot be written.
    """
    pages = [path for path in sorted(report.rglob("index.html")) if "attachments" not in path.parts]
    if not pages:
        raise ConfigError(f"{report}: no index.html in it: give the folder that Allure generated.")
    scripts = 0
    try:
        for path in pages:
            text = path.read_text(encoding="utf-8")
            kept, count = _without_analytics(text)
            if count:
                files.replace(path, kept)
            scripts += count
            files.replace(path.parent / PAGE, guideline_page())
    except OSError as error:
        raise StoreError(f"{report}: cannot be written: {error.strerror}.") from None
    return Finished(len(pages), scripts)


def _without_analytics(text: str) -> tuple[str, int]:
    count = 0

    def choose(match: re.Match[str]) -> str:
        nonlocal count
        found = _ANALYTICS.search(match[0]) is not None
        count += found
        return "" if found else match[0]

    return _SCRIPT.sub(choose, text), count


def guideline_page() -> str:
    """Return the page of all guidelines, one anchor for each."""
    environment = Environment(
        loader=PackageLoader("jmedethic_pytest", "reports/templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    groups: dict[str, list[Guideline]] = {}
    for guideline in SHIPPED.guidelines.values():
        groups.setdefault(guideline.category, []).append(guideline)
    named = [(SHIPPED.category(code), items) for code, items in groups.items()]
    return environment.get_template("guidelines.html").render(groups=named, anchor=anchor)
