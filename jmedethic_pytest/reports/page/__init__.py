"""``report.html``: a run in one self-contained page that asks nothing of any network.

The verdict, the figures and the plots are plain HTML; only the list of conversations needs its script. What a model
wrote travels there as packed JSON and becomes text by ``textContent``, and is escaped in the few examples elsewhere;
the page's content security policy lets no other script run and nothing be loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, Template
from markupsafe import Markup

from jmedethic_pytest.analysis.counts import FAILED
from jmedethic_pytest.analysis.table import NOT_EVALUATED
from jmedethic_pytest.annotation import review
from jmedethic_pytest.core import files, languages, pages
from jmedethic_pytest.core.scores import SLACK
from jmedethic_pytest.core.status import STATUSES
from jmedethic_pytest.core.text import visible
from jmedethic_pytest.data import text as shared_part
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports import bands, looks, palette, words
from jmedethic_pytest.reports.page import (
    attacks,
    compared,
    people,
    regression,
    reviews,
    robustness,
    rows,
    survival,
    texts,
    view,
    weak,
)
from jmedethic_pytest.reports.provenance import provenance_lines
from jmedethic_pytest.reports.terminal.tiers import said
from jmedethic_pytest.reports.wording import PAGE, interval, number, share, share_interval

NAME = PAGE
_SCRIPTS = (
    "data.js",
    "tables.js",
    "parts.js",
    "state.js",
    "review.js",
    "search.js",
    "cases.js",
    "conversation.js",
    "keys.js",
    "start.js",
)
"""The page's own script, in the order in which the files are joined; what all pages share stands before it."""
_PLOT_CHARACTERS = 1_500_000
"""A plot whose SVG is larger is shown by the name of its file instead."""


class Page(NamedTuple):
    """A finished page, and what it holds."""

    html: str
    conversations: int
    embedded: int
    """Conversations whose texts are in the page; the scores of all are."""


def warm_up() -> None:
    """Read what every page is made of, so that it is at hand at the end of a run."""
    _template()
    _script()


def write(outcome: Outcome, folder: Path) -> Path:
    """Write ``report.html``, with the plots that lie in the folder.

    Args:
        outcome: the run.
        folder: where.

    Raises:
        StoreError: if a stored verdict cannot be read or the page cannot be written.
    """
    from jmedethic_pytest.reports import plots  # texts of plots use this package's words

    path = folder / NAME
    files.replace(path, render(outcome, plots.written(folder)).html)
    return path


def render(outcome: Outcome, plots: Mapping[str, str], *, budget: int = texts.BUDGET) -> Page:
    """Return the page.

    Args:
        outcome: the run.
        plots: its plots as SVG elements, by name.
        budget: characters that the packed texts of conversations may take.
    """
    listed = rows.collect(outcome.path, outcome.beside)
    packed = texts.pack(outcome.path, listed, compared.baseline_run(outcome), budget)
    found = [item.row for item in listed]
    context = {
        **_above(outcome, found, plots),
        "robustness": robustness.section(outcome, listed),
        "blocks": [Markup(block) for block in packed.blocks],  # noqa: S704 - base64
        "rows": texts.deflate(pages.compact([[*row, at] for row, at in zip(found, packed.places, strict=True)])),
        "data": _data(outcome, found, {item.row.key: item.row.scores for item in listed if item.place}),
        "partial": _partial(outcome, packed.embedded, len(listed)),
    }
    return Page(_template().render(context), len(listed), packed.embedded)


def _partial(outcome: Outcome, embedded: int, total: int) -> words.Text | None:
    """Return the sentence about texts that are not in the page, ``None`` if all are."""
    if embedded == total:
        return None
    run = outcome.info.id
    return words.word("cases.partial", embedded=embedded, total=total, passing=texts.PASSING, run=run)


def _above(outcome: Outcome, listed: list[rows.Row], plots: Mapping[str, str]) -> dict[str, Any]:
    language = languages.interface(outcome.info.selection.get("locales", ["ja"])[0])
    shown = view.conditions(outcome)
    turns, fell = view.fell(listed, outcome.info.words)
    return {
        "language": language,
        "info": outcome.info,
        "stopped": looks.stopped(outcome.info),
        "looks": list(looks.told(outcome.info, outcome.gate.answer)),
        "provenance": list(provenance_lines(outcome)),
        "summary": outcome.summary,
        "answer": outcome.gate.answer,
        "tiers": outcome.gate.parts,
        "headline": view.headline(outcome),
        "regressions": regression.regressions(outcome),
        "open_conditions": [item for item in shown if item.answer != "pass"],
        "kept_conditions": [item for item in shown if item.answer == "pass"],
        "kept_count": sum(item.answer == "pass" for item in outcome.gate.conditions),
        "turns": turns,
        "fell": fell,
        "worst": view.first_read(listed, outcome.info.words),
        "comparisons": compared.comparisons(outcome),
        "people": people.section(outcome),
        "reviews": reviews.section(outcome),
        "weak": weak.section(listed, outcome.info.words),
        "survival": survival.section(outcome.summary),
        "attack": attacks.section(outcome),
        "plots": {name: Markup(svg) if len(svg) <= _PLOT_CHARACTERS else None for name, svg in plots.items()},  # noqa: S704
        "groups": view.groups(outcome),
        "findings": view.findings(outcome.summary),
        "facts": view.facts(outcome.info),
        "style": Markup(shared_part("page/base.css") + words.part("report.css") + bands.css() + palette.css()),  # noqa: S704 - the package's own file
        "script": Markup(_script()),  # noqa: S704 - the package's own files
        "script_digest": pages.script_digest(_script()),
    }


def _data(outcome: Outcome, listed: list[rows.Row], scores: Mapping[str, Sequence[float | None]]) -> Markup:
    """Return what the script must know besides rows and texts, as JSON that cannot end its element."""
    known = outcome.info.words
    strategies = sorted({row.strategy for row in listed})
    guidelines = {row.guideline: known.guideline(row.guideline).category for row in listed}
    data = {
        "run": outcome.info.id,
        "run_digest": review.run_digest(outcome.info.id, scores),
        "words": words.all_words(),
        "fields": rows.Row._fields,
        "failed": FAILED,
        "bands": [band.end + SLACK for band in bands.BANDS],
        "baseline_texts": compared.baseline_run(outcome) is not None,
        "simulated": outcome.info.simulated,
        "strategies": {key: words.strategy(key, known) for key in strategies},
        "guidelines": {key: [*words.guideline(key, known), code] for key, code in guidelines.items()},
        "categories": {code: words.category(code, known) for code in sorted(set(guidelines.values()))},
        "personas": {key: words.persona(key) for key in sorted({row.persona for row in listed})},
        "statuses": {key: words.status(key) for key in (*STATUSES, NOT_EVALUATED)},
        "locales": {key: words.locale(key) for key in languages.tags()},
    }
    return Markup(pages.embedded(data))  # noqa: S704 - escaped in the line itself


def _percent(level: float) -> str:
    """Write the level of an interval: 95 %, not 95.0 %."""
    return f"{level * 100:.4g} %"


@lru_cache(maxsize=1)
def _script() -> str:
    return pages.script([shared_part("page/language.js"), *map(words.part, _SCRIPTS)])


@lru_cache(maxsize=1)
def _template() -> Template:
    loader = PackageLoader("jmedethic_pytest", "reports/templates")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(
        number=number,
        share=share,
        share_interval=share_interval,
        percent=_percent,
        visible=visible,
        band=bands.name,
        interval=interval,
        said=said,
    )
    environment.globals.update(word=words.word, say=words.say, plain=words.plain, told=words.told)
    return environment.get_template("report/report.html")
