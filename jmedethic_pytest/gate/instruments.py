"""The judges as instruments of a gate: what golden replies, anchors and links say of them, and make of the rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jmedethic_pytest.analysis import cards
from jmedethic_pytest.analysis.carried import carried
from jmedethic_pytest.analysis.provenance import Provenance
from jmedethic_pytest.analysis.steadiness import FRESH, drift_since, speaking
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.errors import JmedError
from jmedethic_pytest.core.records import Answer, Condition
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.scores import PAPER_FLOOR, SLACK
from jmedethic_pytest.core.sentences import joined, say
from jmedethic_pytest.stats.drift import MOST_MISSING, Shift
from jmedethic_pytest.store import anchors as anchor_files
from jmedethic_pytest.store import asked, judge_files
from jmedethic_pytest.store import links as link_files
from jmedethic_pytest.store.anchors import AnchorSet, Check
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.judge_files import PanelOf
from jmedethic_pytest.store.links import Link

NEAR = 0.5
"""Points of the mean score by which a run may lie from any model of a link's pool."""


class Anchored(NamedTuple):
    """The anchors of a run, as far as they could be read."""

    about: AnchorSet | None = None
    checks: tuple[Check, ...] = ()
    now: Check | None = None
    """The check that speaks for the run."""
    condition: Condition | None = None

    def drift(self, baseline: Baseline) -> Mapping[str, Shift]:
        """Return by how much each figure has shifted since a baseline was scored; nothing if that is not known."""
        if self.about is None or self.now is None:
            return {}
        return drift_since(self.about, self.checks, self.now, baseline.sheet.origin.finished or "")


def panel_of(info: RunInfo) -> PanelOf:
    """Return who judged a run."""
    names = (judge["model"] for judge in info.judges)
    return judge_files.panel(names, info.digests["prompts"], info.judge_context, asked.of_judges(info))


def anchored(reports: Path, info: RunInfo, rules: Thresholds) -> Anchored:
    """Return what anchors say of a run's judges; nothing where the rules name none."""
    name = rules.gate.anchors
    if not name or not info.judges:
        return Anchored()
    path = anchor_files.find(reports, name)
    try:
        about, checks = anchor_files.read_about(path), anchor_files.checks(path)
    except JmedError as error:
        return Anchored(condition=Condition.inconclusive("anchors check", str(error)))
    now = speaking(about, checks, panel_of(info), info.finished or info.started)
    if now is None:
        return Anchored(
            condition=Condition.inconclusive("anchors check", say("anchors.none", name=name, days=FRESH.days))
        )
    if _untold(now):
        return Anchored(
            condition=Condition.inconclusive("anchors check", say("anchors.untold", name=name, at=now.at[:10]))
        )
    detail = say("anchors.found", answer=now.answer, turns=now.whole.mean.n, name=name, at=now.at[:10])
    detail = say("named", name=detail, detail=joined(now.reasons)) if now.reasons else detail
    answer: Answer = "inconclusive" if now.answer == "moved" else "pass"
    if answer != "pass":
        detail = joined([detail, say("anchors.next")], en=". ")
    found = Condition(name="anchors", answer=answer, observed=now.whole.mean.value, limit=None, detail=detail)
    return Anchored(about, tuple(checks), now, found)


def _untold(check: Check) -> bool:
    """Tell whether a check leaves open what judges would say: some did not, or a figure could not be had."""
    mean = check.whole.mean
    some = mean.missing > MOST_MISSING * (mean.n + mean.missing)
    return some or any(found.value is None for found in (mean, *check.figures.values()))


def carded(reports: Path, info: RunInfo, rules: Thresholds) -> Condition | None:
    """Ask for people's marks on the card of every judge, where the rules do."""
    if rules.gate.require_card != "human" or not info.judges:
        return None
    problems: list[str] = []
    for judge in info.all_judges:
        try:
            problems += cards.against(cards.read(reports, judge["model"]), info)
        except JmedError as error:
            problems.append(str(error))
    if problems:
        return Condition.inconclusive("cards", joined(problems))
    detail = say("cards", judges=", ".join(judge["model"] for judge in info.all_judges))
    return Condition(name="cards", answer="pass", observed=None, limit=None, detail=detail)


def doubts(info: RunInfo, provenance: Provenance, locales: Collection[str]) -> Iterator[Condition]:
    """Doubt judges that were not tried or are not those of the scores, and replies that a finished run has given."""
    yield from _golden(info, locales)
    known = (info.judges, info.all_judges)
    others = [names for names in provenance.panels if not any(_is_panel(names, judges) for judges in known)]
    if others:
        detail = say("panel.unlike", panel=", ".join(others[0]))
        yield Condition.inconclusive("panel", detail)
    if info.replayed and provenance.cached:
        detail = say("replayed", cached=provenance.cached, replies=provenance.replies, run=info.replayed)
        yield Condition.inconclusive("replayed", detail)


def _is_panel(names: Sequence[str], judges: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether these are the judges by that name; two of one model are told apart by their addresses."""
    models = [judge["model"] for judge in judges]
    return len(names) == len(models) and all(
        name == model or name.startswith(f"{model} at ") for name, model in zip(names, models, strict=True)
    )


def _golden(info: RunInfo, locales: Collection[str]) -> Iterator[Condition]:
    """Ask that every judge told golden replies apart in every language; of runs from before there were any, nothing."""
    known = {locale: [item.judge for item in info.golden or () if item.locale == locale] for locale in locales}
    lacking = info.golden is not None and not all(_is_panel(names, info.all_judges) for names in known.values())
    unasked = info.golden is None and info.judge_prompt == "item" and not info.stopped_by_budget
    if info.judges and (info.golden == () or lacking or unasked):
        detail = say("golden.untried")
        yield Condition.inconclusive("golden", detail)
    for found in info.golden or ():
        facts = {"judge": found.judge, "locale": found.locale}
        detail = say("golden.passed", **facts, ordered=found.ordered, cases=found.cases)
        yield Condition(
            name=f"golden[{found.judge}, {found.locale}]",
            answer="pass" if found.passed else "inconclusive",
            observed=found.ordered,
            limit=found.cases,
            detail=detail if found.passed else say("golden.failed", **facts, reasons=joined(found.reasons)),
        )


def linked(reports: Path, info: RunInfo, rules: Thresholds, mean: float | None) -> tuple[Thresholds, Condition | None]:
    """Return the rules on the scale of a run's judges, and whether the link that carried them over may be used.

    Args:
        reports: where links are.
        info: the run.
        rules: those that were set for the old panel.
        mean: mean score of the run's adversarial conversations.
    """
    name = rules.gate.link
    if not name or not info.judges:
        return rules, None
    try:
        link = link_files.read(link_files.find(reports, name))
    except JmedError as error:
        return rules, Condition.inconclusive("link", str(error))
    against = [*_against(link, info, rules), *_far(link, mean)]
    if against:
        return rules, _not_to_be_used(name, against)
    detail = say("link.carried", judges=", ".join(link.old.judges), name=name)
    return carried(rules, link), Condition(name="link", answer="pass", observed=None, limit=None, detail=detail)


def ahead(reports: Path, info: RunInfo, rules: Thresholds) -> Iterator[str]:
    """Yield what will leave the gate inconclusive, as far as it can be told before a run."""
    found = [carded(reports, info, rules), anchored(reports, info, rules).condition]
    if rules.gate.link and info.judges:
        try:
            link = link_files.read(link_files.find(reports, rules.gate.link))
        except JmedError as error:
            found.append(Condition.inconclusive("link", str(error)))
        else:
            against = list(_against(link, info, rules))
            found += [_not_to_be_used(rules.gate.link, against)] if against else []
    yield from (f"{item.name}: {item.detail}" for item in found if item is not None and item.answer != "pass")


def _against(link: Link, info: RunInfo, rules: Thresholds) -> Iterator[str]:
    yield from link.refusals
    difference = link.new.unlike(panel_of(info))
    if difference:
        yield say("link.panel", difference=difference)
    table = rules.conversation
    named = [table.turns, table.strategies, *table.strategy_turns.values()]
    own = [floor for floors in named for floor in floors.values() if floor >= PAPER_FLOOR - SLACK]
    if min([table.floor, *own]) < link.verdicts.floor - SLACK:
        yield say("link.floor", floor=f"{link.verdicts.floor:g}")


def _far(link: Link, mean: float | None) -> Iterator[str]:
    far = [item.model for item in link.models if mean is None or abs(item.mean_new - mean) > NEAR + SLACK]
    if far:
        yield say("link.far", near=f"{NEAR:g}", models=", ".join(far))


def _not_to_be_used(name: str, against: Iterable[str]) -> Condition:
    return Condition.inconclusive("link", say("not_to_be_used", name=name, why=joined(against)))
