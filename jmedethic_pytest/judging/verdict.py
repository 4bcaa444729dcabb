"""What the scores of a case come to: its status, and what its verdict means for a test."""

from __future__ import annotations

from collections.abc import Sequence

from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.errors import CaseError, KnownFailure, ThresholdFailure
from jmedethic_pytest.core.records import Case, Turn, Verdict, Violation
from jmedethic_pytest.core.scores import at_or_below
from jmedethic_pytest.core.sentences import Said, joined, laid, named, say
from jmedethic_pytest.core.status import OF_JUDGE, OF_TARGET, VerdictStatus
from jmedethic_pytest.core.vocabulary import SHIPPED, Branch

NOT_JUDGED = "not judged: the replies were only collected; `jmedethic judge` scores them and calls no target"
"""Why an evaluation has no scores where none were asked for."""


def check(verdict: Verdict) -> None:
    """Raise what makes the test of a verdict fail, if anything does.

    Raises:
        ThresholdFailure: if a turn is at or below its floor: a safety finding. It is a ``KnownFailure`` if the case
            broke a floor in the baseline too.
        CaseError: if the case was not fully scored: trouble of the infrastructure.
    """
    if verdict.red:
        kind = KnownFailure if verdict.known else ThresholdFailure
        raise kind(describe_failure(verdict), verdict.key)
    if verdict.status != "scored" or verdict.mean is None:
        raise CaseError(laid("{case}: {reason}", case=verdict.case.id, reason=describe(verdict)), verdict.key)


def conclude(
    case: Case,
    repeat: int,
    turns: tuple[Turn, ...],
    planned: int,
    rules: Thresholds,
    *,
    branch: Branch | None,
    simulated: bool,
    seconds: float,
) -> Verdict:
    """Return the verdict of a conversation that took place.

    Args:
        case: whose conversation it was.
        repeat: which of its repetitions.
        turns: those that took place, with their scores.
        planned: turns the run asked for.
        rules: the floors.
        branch: the one that was taken, if there was one.
        simulated: whether target or a judge is a simulation.
        seconds: how long it took.
    """
    word, detail = status(turns, planned)
    return Verdict(
        case=case,
        repeat=repeat,
        status=word,
        detail=detail,
        turns=turns,
        planned_turns=planned,
        branch=branch,
        violations=rules.violations(case.strategy, turns),
        simulated=simulated,
        seconds=round(seconds, 3),
    )


def status(turns: Sequence[Turn], planned: int) -> tuple[VerdictStatus, str]:
    """Return ``scored``, or the first reason why a turn has no score, in the order of the conversation.

    A turn without any score was not to be judged: then it is the target's trouble that counts, wherever it stands.

    Args:
        turns: those that took place; all but the last have a reply.
        planned: turns the run asked for.
    """
    for turn in turns:
        if turn.reply.status != "ok":
            return OF_TARGET[turn.reply.status], f"T{turn.index}: {turn.reply.detail}"
        if turn.value is None and turn.scores:
            return _missing(turn)
    if any(not turn.scores for turn in turns):
        return "not_judged", NOT_JUDGED
    return ("scored", "") if len(turns) == planned else _missing(turns[-1])


def _missing(turn: Turn) -> tuple[VerdictStatus, str]:
    """Return why a turn has no score; or had none when it should have chosen a branch, so that nothing came after."""
    for score in turn.all_scores:
        if score.status != "scored":
            return OF_JUDGE[score.status], f"T{turn.index}: {score.judge}: {score.detail}"
    if turn.value is None:
        return "judge_unparsable", f"T{turn.index} is contested, and no third judge was asked about it"
    detail = f"T{turn.index} had no score when it was to choose a branch: the conversation ended there"
    return "judge_unparsable", detail


def under(verdict: Verdict, rules: Thresholds) -> Verdict:
    """Return a verdict as these thresholds have it: who decides where a score lacks or two differ, and broken floors.

    A case that was never evaluated stays as it is.
    """
    if not verdict.turns:
        return verdict
    turns = tuple(_under(turn, rules) for turn in verdict.turns)
    attacks = tuple(
        attack.model_copy(update={"turns": tuple(_under(turn, rules) for turn in attack.turns)})
        for attack in verdict.attacks
    )
    word, detail = status(turns, verdict.planned_turns)
    broken = rules.violations(verdict.case.strategy, turns)
    return verdict.model_copy(
        update={"turns": turns, "status": word, "detail": detail, "violations": broken, "attacks": attacks}
    )


def _under(turn: Turn, rules: Thresholds) -> Turn:
    scores, judges = [score.value for score in turn.scores], rules.judges
    third = turn.third if judges.third is not None and judges.is_contested(scores) else None
    value = judges.combine(scores, None if third is None else third.value)
    return turn.model_copy(update={"third": third, "value": value})


def describe(verdict: Verdict) -> Said:
    """Return one line without any text of a model on why a verdict is no pass: what fell, or what is missing."""
    if verdict.red:
        return describe_failure(verdict)
    return say("missing.score", status=named("status", verdict.status), detail=verdict.detail)


def describe_failure(verdict: Verdict) -> Said:
    """Return one line without any text of a model: which turns fell, under which strategy, and what is known of it.

    A strategy of one's own is named by its id: a test has the verdict alone, not the words of its run.
    """
    case = verdict.case
    name = SHIPPED.strategy(case.strategy).name
    place = {"strategy": Said(name["en"], name["ja"]), "guideline": case.guideline}
    if verdict.known:
        return say("fall.known", known=_known(verdict), **place)
    falls = joined((_fall(verdict, item) for item in verdict.violations), en=", ", ja="、")
    return say("fall.place", falls=falls, **place)


def _fall(verdict: Verdict, item: Violation) -> Said:
    before = _before(verdict, item.turn)
    figures = {"turn": f"T{item.turn}", "value": f"{item.value:.1f}", "floor": f"{item.floor:g}"}
    return say("fall.turn", **figures) if before is None else say("fall.turn.before", before=f"{before:.1f}", **figures)


def _known(verdict: Verdict) -> Said:
    """Say what the baseline has of the first turn that fell; or which was its lowest, if that one had not fallen."""
    item = verdict.violations[0]
    before = _before(verdict, item.turn)
    figures = {"turn": f"T{item.turn}", "value": f"{item.value:.1f}", "floor": f"{item.floor:g}"}
    if before is not None and at_or_below(before, item.floor):
        return say("known.same", before=f"{before:.1f}", **figures)
    assert verdict.baseline is not None
    lowest, turn = min((score, turn) for turn, score in enumerate(verdict.baseline.turns) if score is not None)
    return say("known.other", before=f"{lowest:.1f}", at=f"T{turn}", **figures)


def _before(verdict: Verdict, turn: int) -> float | None:
    turns = verdict.baseline.turns if verdict.baseline is not None else ()
    return turns[turn] if turn < len(turns) else None
