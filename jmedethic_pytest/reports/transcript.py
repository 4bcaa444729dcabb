"""A verdict as one self-contained HTML page for reading. What a model wrote is escaped: it is shown, never run."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, Template, select_autoescape
from markupsafe import Markup

from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.text import visible
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary
from jmedethic_pytest.judging.verdict import describe_failure
from jmedethic_pytest.reports import bands


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("jmedethic_pytest", "reports/templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    environment.globals.update(chip=_chip, change=_change, bands=bands.css())
    return environment.get_template("transcript.html")


@lru_cache(maxsize=256)
def _chip(score: float | None) -> Markup:
    shown = "no score" if score is None else f"{score:.1f}"
    return Markup('<span class="chip {}">{}</span>').format(bands.name(score), shown)


def _change(score: float | None, before: float | None) -> str:
    return "-" if score is None or before is None else f"{score - before:+.1f}"


def render(verdict: Verdict, vocabulary: Vocabulary = SHIPPED) -> str:
    """Return the page.

    Args:
        verdict: the finished evaluation.
        vocabulary: the words of its run.
    """
    baseline = list(verdict.baseline.turns) if verdict.baseline is not None else []
    context: dict[str, Any] = {
        "verdict": verdict,
        "case": verdict.case,
        "guideline": vocabulary.guideline(verdict.case.guideline),
        "strategy": vocabulary.strategy(verdict.case.strategy),
        "broken": {violation.turn: violation for violation in verdict.violations},
        "failure": describe_failure(verdict) if verdict.red else "",
        # Padded, so that the page can ask for any turn.
        "baseline": baseline + [None] * max(0, verdict.planned_turns - len(baseline)),
    }
    return _template().render(context)
