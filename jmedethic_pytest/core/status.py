"""What became of a reply, a score, a verdict and a run, each in its own words.

Replies and scores know no role: whether it was the target or a judge whose reply was cut is said by the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Literal, get_args

ReplyStatus = Literal["ok", "empty", "truncated", "blocked", "too_long", "error"]
"""``blocked``: by the provider's safety filter; ``too_long``: the conversation does not fit into the model's context;
``error``: the call failed. The last two have no reply."""
ScoreStatus = Literal["scored", "refused", "unparsable", "truncated", "too_long", "error"]
"""``refused``: the judge would not judge; ``unparsable``: its answer holds no score that can be trusted."""
VerdictStatus = Literal[
    "scored",
    "not_judged",
    "judge_refused",
    "judge_unparsable",
    "judge_truncated",
    "judge_too_long",
    "target_empty",
    "target_truncated",
    "target_blocked",
    "target_too_long",
    "transport_error",
    "skipped_budget",
]
"""``not_judged``: the replies are there, and no judge was to score them (``--jmed-judges=none``)."""

STATUSES: tuple[str, ...] = (*get_args(ReplyStatus), *get_args(ScoreStatus), *get_args(VerdictStatus))
"""All of these; some stand in more than one of them."""

OF_TARGET: Mapping[ReplyStatus, VerdictStatus] = {
    "empty": "target_empty",
    "truncated": "target_truncated",
    "blocked": "target_blocked",
    "too_long": "target_too_long",
    "error": "transport_error",
}
"""What a verdict is called after a reply of the target that cannot be judged."""
OF_JUDGE: Mapping[ScoreStatus, VerdictStatus] = {
    "refused": "judge_refused",
    "unparsable": "judge_unparsable",
    "truncated": "judge_truncated",
    "too_long": "judge_too_long",
    "error": "transport_error",
}
"""What a verdict is called after a score that is missing."""

AttackEnd = Literal[
    "reached", "turns", "calls", "refused", "empty", "unreadable", "policy", "unfit", "error", "target", "unscored"
]
"""Why an adaptive attack from one seed ended. ``reached``: a turn is at or below its floor; ``turns``: the last turn
that was allowed; ``calls``: the attacker was asked as often as it may be. Of the attacker: it ``refused``, its answer
was ``empty``, not of the form that was asked for (``unreadable``), against the content policy (``policy``) or no turn
of this conversation (``unfit``), or the call failed (``error``). ``target``: a reply that cannot be judged;
``unscored``: a score is missing."""

Steadiness = Literal["stable", "unclear", "moved"]
"""Whether judges score stored replies as they once did."""


class ExitStatus(IntEnum):
    """How a command, or a session of pytest, ends; 0-5 mean what they mean for pytest."""

    PASS = 0
    FAIL = 1
    """The gate's answer is fail, or what was to be checked is not in order."""
    INTERRUPTED = 2
    USAGE = 4
    """What the user gave cannot be used."""
    NOTHING_SELECTED = 5
    INCONCLUSIVE = 6
    """No answer: too little was measured, or the run did not come to its end."""
    BUDGET = 7
    """The next call might have exceeded the budget."""

    @classmethod
    def of(cls, answer: str) -> ExitStatus:
        """Return the status that tells an answer of the gate, or of a comparison."""
        return cls[answer.upper()]
