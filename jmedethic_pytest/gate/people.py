"""What people's marks change about a gate, where the rules ask for it: a margin, and one figure more. Both are off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from jmedethic_pytest.analysis.people import paired, stored
from jmedethic_pytest.analysis.people.records import PeopleFigures
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.errors import JmedError
from jmedethic_pytest.core.records import Condition
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.scores import SLACK
from jmedethic_pytest.core.sentences import joined, say
from jmedethic_pytest.stats.validation_errors import LEAST_YOUDEN
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.judge_files import PanelOf


def narrowed(reports: Path, info: RunInfo, panel: PanelOf, rules: Thresholds) -> tuple[Thresholds, Condition | None]:
    """Return rules whose margin of ``pass_rate`` is multiplied by the lower limit of the judges' J.

    Equal error rates shrink every difference of shares to J times its size: eight measured points are more true ones.

    Args:
        reports: where studies are kept.
        info: the run.
        panel: who judged it.
        rules: the thresholds.
    """
    name, margin = rules.gate.people, rules.gate.baseline.pass_rate
    if not name or not info.judges:
        return rules, None
    try:
        study = stored.kept(reports, name)
    except JmedError as error:
        return rules, Condition.inconclusive("people", str(error))
    against = list(_against(study, info, panel))
    low = study.panel.accuracy.youden.low
    if against or low is None:
        return rules, Condition.inconclusive(
            "people", say("not_to_be_used", name=say("study", name=name), why=joined(against))
        )
    baseline = rules.gate.baseline.model_copy(update={"pass_rate": margin if margin >= 1 else margin * low})
    detail = say("people.margin", low=f"{low:.2f}", margin=f"{margin * low:.1%}")
    changed = rules.model_copy(update={"gate": rules.gate.model_copy(update={"baseline": baseline})})
    return changed, Condition(name="people", answer="pass", observed=low, limit=None, detail=detail)


def _against(study: PeopleFigures, info: RunInfo, panel: PanelOf) -> Iterator[str]:
    different = panel.unlike(
        panel.model_copy(update={"judges": study.judges, "prompts": study.prompts, "context": study.context})
    )
    if different:
        yield say("link.panel", difference=different)
    if study.simulated and not any(judge["kind"] == "demo" for judge in info.judges):
        yield say("people.scripted")
    youden = study.panel.accuracy.youden
    if youden.value is None or youden.value < LEAST_YOUDEN or youden.low is None or youden.low <= 0:
        shown = say("people.unknown") if youden.value is None else f"{youden.value:.2f}"
        yield say("people.youden", youden=shown, least=f"{LEAST_YOUDEN:g}")


def compared(
    reports: Path,
    info: RunInfo,
    baselines: Sequence[Baseline],
    guidelines: Callable[[], Mapping[str, str]],
    rules: Thresholds,
) -> Iterator[Condition]:
    """Yield for each baseline whether the run is worse by people's marks: pass, or inconclusive, never fail.

    Args:
        reports: where runs and studies are.
        info: the run.
        baselines: what it must not be worse than.
        guidelines: returns the guideline of every evaluation of the run.
        rules: the thresholds.
    """
    margin, alpha = rules.gate.baseline.pass_rate_human, rules.gate.baseline.alpha
    for baseline in baselines if margin < 1 - SLACK else ():
        name = f"pass_rate_human[{baseline.name}]"
        try:
            before, now = (stored.of_run(reports, run) for run in (baseline.sheet.origin.run, info.id))
        except JmedError as error:
            yield Condition.inconclusive(name, str(error))
            continue
        yield _compared(name, before, now, guidelines(), margin, alpha)


def _compared(
    name: str,
    before: PeopleFigures | None,
    now: PeopleFigures | None,
    guidelines: Mapping[str, str],
    margin: float,
    alpha: float,
) -> Condition:
    if before is None or now is None:
        lacking = say("people.none.baseline" if before is None else "people.none.run")
        return Condition.inconclusive(name, say("people.none", what=lacking))
    problem = paired.unlike(before, now)
    if problem or not now.frame.keys() <= guidelines.keys():
        return Condition.inconclusive(name, problem or say("people.foreign", study=now.study))
    found = paired.difference(before, now, guidelines, level=1 - 2 * alpha)
    if found.value is None or found.low is None:
        return Condition.inconclusive(name, found.reason)
    held = found.low > -margin + SLACK
    change, low = (f"{100 * value:+.1f}" for value in (found.value, found.low))
    detail = say("people.changed", change=change, low=low, margin=f"{100 * margin:g}")
    return Condition(
        name=name, answer="pass" if held else "inconclusive", observed=found.value, limit=-margin, detail=detail
    )
