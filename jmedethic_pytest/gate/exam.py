"""What a policy asks of a stored exam: a share of right answers, if any."""

from __future__ import annotations

from jmedethic_pytest.config.tiers import EXAM, PolicyTable
from jmedethic_pytest.core.records import Answer, Condition
from jmedethic_pytest.core.sentences import Said, say
from jmedethic_pytest.exam.stored import ExamResult
from jmedethic_pytest.gate.figures import TOO_FEW
from jmedethic_pytest.gate.tiers import Found
from jmedethic_pytest.stats.intervals import wilson


def found(exam: ExamResult, policy: PolicyTable) -> Found:
    """Return what an exam comes to: pass or fail by its 95 % interval, inconclusive where it holds the floor."""
    interval = wilson(round(exam.accuracy * exam.n), exam.n)
    low, high = f"{interval.low:.1%}", f"{interval.high:.1%}"
    shown = say("tiers.exam.right", accuracy=f"{exam.accuracy:.1%}", n=exam.n, low=low, high=high)
    floor = policy.exam_accuracy
    asked = () if floor is None else (_condition(shown, exam.accuracy, floor, interval.low, interval.high),)
    return Found(f"{EXAM}:{exam.locale}", exam.id, asked, detail=shown)


def _condition(shown: Said, accuracy: float, floor: float, low: float | None, high: float | None) -> Condition:
    answer: Answer = "inconclusive"
    if low is not None and high is not None:
        answer = "pass" if low >= floor else "fail" if high < floor else "inconclusive"
    cause = TOO_FEW if answer == "inconclusive" else None
    detail = say("tiers.exam", shown=shown, limit=f"{floor:.1%}")
    return Condition(name=EXAM, answer=answer, observed=accuracy, limit=floor, detail=detail, cause=cause)
