"""What a reader must know of looks at a run before its end, in both languages of the page."""

from __future__ import annotations

from collections.abc import Iterator

from jmedethic_pytest.core.records import Answer
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.reports.words import Text, word


def stopped(info: RunInfo) -> Text | None:
    """Return where a look decided the run, in a few words; ``None`` if none did."""
    looks = info.looks
    if looks is None or looks.stopped is None:
        return None
    return word("looks.stopped", look=looks.stopped, total=looks.declared[-1])


def told(info: RunInfo, answer: Answer) -> Iterator[Text]:
    """Yield what looks at the run came to, a sentence each; nothing of a run that had none.

    Args:
        info: the run.
        answer: of the gate, which may be asked again under other rules than those by which the run was stopped.
    """
    looks = info.looks
    if looks is None:
        return
    if looks.stopped is not None:
        yield word("looks.otherwise" if answer == "inconclusive" else "looks.decided")
    elif looks.taken:
        yield word("looks.undecided", taken=_numbers(looks.taken), total=looks.declared[-1])
    for look, reason in looks.skipped.items():
        yield word("looks.skipped", look=look, reason=reason)
    if looks.taken:
        yield word("looks.intervals", declared=_numbers(looks.declared))


def _numbers(looks: tuple[int, ...]) -> str:
    return ", ".join(map(str, looks))
