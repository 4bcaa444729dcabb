"""A card of every judge: who it is, and everything that speaks for believing it. Plain JSON without texts.

reports/judges/cards/<judge>.json, to be committed. The gate reads it where ``[gate] require_card = "human"``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from jmedethic_pytest.analysis.anchoring import trend
from jmedethic_pytest.analysis.people.calibration import Calibration, JudgeCalibration, OfStudy
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.run_info import Golden, RunInfo
from jmedethic_pytest.core.status import Steadiness
from jmedethic_pytest.stats.validation_errors import LEAST_YOUDEN
from jmedethic_pytest.store import anchors as anchor_files
from jmedethic_pytest.store import judge_files
from jmedethic_pytest.store import links as link_files
from jmedethic_pytest.store.anchors import Shifted

AGAIN = "jmedethic judges card RUN --study calibration.json"


class Human(OfStudy):
    """How a judge errs by people's marks."""

    judge: JudgeCalibration


class Drift(Record):
    """What one check of anchors said of the judge."""

    anchors: str
    at: str
    answer: Steadiness
    mean: Shifted
    share: Shifted
    trend: float | None
    """Value of the chart of all checks so far, in standard errors; None without one."""
    limit: float | None
    """Beyond which the chart signals."""


class Linked(Record):
    """A link in whose old or new panel the judge is."""

    name: str
    side: Literal["old", "new"]
    panel: tuple[str, ...]
    """The other panel."""
    usable: bool


class Card(Record):
    """The whole file."""

    schema_version: Literal[1] = 1
    judge: str
    updated: str
    kind: str
    base_url: str | None
    served: tuple[str, ...]
    """Model names that its server reported in the run."""
    run: str
    """The run of which judge and prompt are told."""
    prompts: str
    """Digest of what it was told apart from case and guideline."""
    context: str
    golden: tuple[Golden, ...] = ()
    """How it scored golden replies before that run, in each language; empty if it was not asked."""
    human: Human | None = None
    drift: tuple[Drift, ...] = ()
    links: tuple[Linked, ...] = ()


def find(reports: Path, judge: str) -> Path:
    """Return the file of a judge's card."""
    slug = re.sub(r"[^a-z0-9.]+", "-", judge.lower()).strip("-.")[:64] or "judge"
    return judge_files.folder(reports) / "cards" / f"{slug}.json"


def read(reports: Path, judge: str) -> Card:
    """Read a judge's card.

    Raises:
        StoreError: if there is none, or it is damaged, of another judge or of a newer version.
    """
    path = find(reports, judge)
    found = judge_files.read(path, Card, "card", AGAIN)
    if found.judge != judge:
        raise StoreError(f"{path}: the card is that of {found.judge}, not of {judge}. Next: {AGAIN}.")
    return found


def make(reports: Path, info: RunInfo, judge: str, study: Calibration | None, updated: str) -> Card:
    """Return the card of a judge, from a run, a study of people, and all anchors and links there are.

    Args:
        reports: where these are.
        info: the run in which it judged.
        judge: its name.
        study: what people said; where there is none, a card that there is keeps what it has for the same prompt.
        updated: the present time.

    Raises:
        StoreError: if a file about judges cannot be read.
    """
    table = next(item for item in info.all_judges if item["model"] == judge)
    human = _human(study, judge) if study is not None else None
    if human is None and find(reports, judge).exists():
        human = read(reports, judge).human
    return Card(
        judge=judge,
        updated=updated,
        kind=table["kind"],
        base_url=table.get("base_url"),
        served=tuple(sorted(info.identity.served.get(judge, ()))),
        run=info.id,
        prompts=info.digests["prompts"],
        context=info.judge_context,
        golden=tuple(item for item in info.golden or () if item.judge == judge),
        human=human,
        drift=tuple(_drift(reports, judge)),
        links=tuple(_links(reports, judge)),
    )


def against(card: Card, info: RunInfo) -> Iterator[str]:
    """Yield why people's marks do not speak for a judge of a run."""
    human, simulated = card.human, any(judge["kind"] == "demo" for judge in info.all_judges)
    if human is None:
        yield f"nobody has held {card.judge} against people"
        return
    if human.prompts != info.digests["prompts"]:
        yield f"{card.judge} was held against people under another prompt"
    if human.context != info.judge_context:
        yield f"{card.judge} was held against people under [judges] context {human.context!r}"
    if human.simulated and not simulated:
        yield f"the people that {card.judge} was held against were scripted"
    youden = human.judge.youden.value
    if youden is None or youden < LEAST_YOUDEN:
        shown = "unknown" if youden is None else f"{youden:.2f}"
        yield f"{card.judge} sees too little of what people see: J {shown} (at least {LEAST_YOUDEN:g})"


def _human(study: Calibration, judge: str) -> Human | None:
    found = next((item for item in study.judges if item.judge == judge), None)
    if found is None:
        return None
    shared = {name: getattr(study, name) for name in OfStudy.model_fields}
    return Human(**shared, judge=found)


def _drift(reports: Path, judge: str) -> Iterator[Drift]:
    for path in sorted((judge_files.folder(reports) / "anchors").glob("*/anchors.json")):
        about, checks = anchor_files.read_about(path.parent), anchor_files.checks(path.parent)
        for number, check in enumerate(checks, start=1):
            chart = trend(checks[:number], judge)
            for found in (item for item in check.judges if item.judge == judge):
                yield Drift(
                    anchors=about.name,
                    at=check.at,
                    answer=found.answer,
                    mean=found.mean,
                    share=found.share,
                    trend=chart[-1].value if chart else None,
                    limit=chart[-1].limit if chart else None,
                )


def _links(reports: Path, judge: str) -> Iterator[Linked]:
    for path in sorted((judge_files.folder(reports) / "links").glob("*.json")):
        link = link_files.read(path)
        if judge in link.old.judges:
            yield Linked(name=path.stem, side="old", panel=link.new.judges, usable=not link.refusals)
        if judge in link.new.judges:
            yield Linked(name=path.stem, side="new", panel=link.old.judges, usable=not link.refusals)
