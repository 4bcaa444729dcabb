"""The page of a study: figures alone, both languages, phones, weak eyes, without script."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jmedethic_pytest.analysis.people.figures import figures
from jmedethic_pytest.annotation import collecting
from jmedethic_pytest.annotation.study import Study
from jmedethic_pytest.store import scores as run_scores
from support.lazy import Lazy
from support.studies import made, saved, study_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["made", "saved", "study_run"]
page = Lazy("jmedethic_pytest.reports.people.page")
Visit = Callable[..., "Page"]


@pytest.fixture
def report(made: Callable[..., tuple[Path, Study]], saved: Callable[..., Path], study_run: Path) -> Path:
    folder, key = made()
    for number, who in enumerate(key.annotators):
        collecting.take(folder, [saved(folder, key, who, lambda _, turn, lean=number: (9, 8, 2)[turn] + lean)])
    collecting.close(folder)
    path = folder / page.NAME
    found = figures(collecting.state(folder), run_scores.read(study_run))
    path.write_text(page.render(found), encoding="utf-8")
    return path


def test_everyone_can_read_it(visit: Visit, audit: Callable[[Page], list[str]], report: Path) -> None:
    for scheme, width in (("light", 320), ("dark", 1280)):
        tab = visit(report, width=width, color_scheme=scheme)
        assert audit(tab) == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert "corrected" in tab.locator("main").inner_text()
    tab.locator("#language").click()
    assert tab.locator("h1").inner_text() == "人による評価"
    assert "人の評価による値（補正値）" in tab.locator("main").inner_text()
    plain = visit(report, java_script_enabled=False)
    assert "by people (corrected)" in plain.locator("main").inner_text()


def test_every_word_is_there_in_both_languages_with_the_same_values() -> None:
    folder = Path(page.__file__).parents[1] / "templates" / "people"
    for name, pair in json.loads((folder / "words.json").read_text(encoding="utf-8")).items():
        fields = [sorted(part.split("}")[0] for part in text.split("{")[1:]) for text in pair]
        assert all(pair), name
        assert fields[0] == fields[1], name
