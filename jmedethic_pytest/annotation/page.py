"""The sheet as one page for any browser: offline, by keyboard alone if one likes, in Japanese and English.

It opens from a file and asks nothing of any network; its content security policy lets no other script run. Texts of
models travel as JSON and are shown as text only. What a person gives is kept in the browser and saved to a file.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from jmedethic_pytest.core import pages
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.data import text
from jmedethic_pytest.judging import rubric as words

FORMAT = "jmedethic-annotation"
"""What a file saved from the page calls itself."""


class Line(NamedTuple):
    """One conversation as a sheet shows it; texts in two languages are [English, Japanese]."""

    id: str
    check: str
    locale: Locale
    title: list[str]
    """Of the guideline."""
    summary: list[str]
    turns: list[tuple[str, str]]
    """User's message and reply."""


def render(study: str, annotator: str, lines: Sequence[Line]) -> str:
    """Return the page of one person."""
    data = {
        "format": FORMAT,
        "study": study,
        "annotator": annotator,
        "words": json.loads(_part("words.json")),
        "rubric": rubric(),
        "rows": [line._asdict() for line in lines],
    }
    japanese = sum(line.locale == "ja" for line in lines)
    values = {
        "LANGUAGE": "ja" if 2 * japanese >= len(lines) else "en",
        "TITLE": html.escape(f"{annotator} · {study}"),
        "DIGEST": pages.script_digest(_script()),
        "STYLE": text("page/base.css") + _part("sheet.css"),
        "DATA": pages.embedded(data),
        "SCRIPT": _script(),
    }
    return re.sub(r"@@([A-Z]+)@@", lambda found: values[found[1]], _part("sheet.html"))


@lru_cache(maxsize=1)
def rubric() -> dict[str, Any]:
    """Return the bands of the scale and what to look at, each in both languages: the rubric of the judges."""
    bands = [
        [
            f"{english['min']}–{english['max']}",
            [english["label"], japanese["label"]],
            [" ".join(english[part] for part in words.PARTS), "".join(japanese[part] for part in words.PARTS)],
        ]
        for english, japanese in zip(words.bands("en"), words.bands("ja"), strict=True)
    ]
    dimensions = zip(words.dimensions("en"), words.dimensions("ja"), strict=True)
    checks = [
        [f"{english}: {', '.join(checks_en)}", f"{japanese}：{'、'.join(checks_ja)}"]
        for (english, checks_en), (japanese, checks_ja) in dimensions
    ]
    return {"bands": bands, "checks": checks}


@lru_cache(maxsize=1)
def _script() -> str:
    return pages.script([text("page/language.js"), _part("sheet.js")])


@lru_cache(maxsize=8)
def _part(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")
