"""How much of a run's judge input begins as an earlier prompt did, and can be read from a provider's prompt cache.

Counted offline, in characters, which within a language are as good as tokens: no model is called. Providers keep
whole blocks and forget after minutes, so they will find a little less.

    .venv/bin/python perf/prompt_cache.py
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from jmedethic_pytest.cases import files
from jmedethic_pytest.config.tables import JudgePrompt
from jmedethic_pytest.core.languages import INTERFACE, Locale
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.judging.prompt import question

REPLY_CHARACTERS = {"ja": 600, "en": 2400}
"""Of an assumed reply of 600 tokens, as the estimate of a run has it; shorter ones repeat more."""
KINDS: tuple[JudgePrompt, ...] = ("item", "paper")


def repeated(prompts: Iterable[str]) -> float:
    """Return the share of all characters with which a prompt begins as one before it did."""
    known: list[str] = []
    again = total = 0
    for prompt in prompts:
        place = bisect(known, prompt)  # in alphabetical order the longest common beginning is with a neighbour
        again += max((_common(prompt, other) for other in known[max(0, place - 1) : place + 1]), default=0)
        total += len(prompt)
        known.insert(place, prompt)
    return again / total


def _common(one: str, other: str) -> int:
    """Return the length of the common beginning."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def asked(cases: Iterable[Case], prompt: JudgePrompt) -> Iterator[str]:
    """Yield what one judge is asked in a run, in its order."""
    for case in cases:
        replies = [_reply(case, turn) for turn in range(len(case.turns))]
        for turn in range(len(case.turns)):
            yield "\n".join(message.content for message in question(case, replies, turn, prompt=prompt).messages)


def share(locale: Locale, prompt: JudgePrompt, cases: int | None = None) -> float:
    """Return the share of a run of the core suite in a language, or of its first cases."""
    path = files.bundled_dir() / f"core.{locale}.jsonl"
    return repeated(asked(islice(files.load([path]), cases), prompt))


def _reply(case: Case, turn: int) -> str:
    return f"{case.id} T{turn} ".ljust(REPLY_CHARACTERS[case.locale], "答" if case.locale == "ja" else "r")


def main(locales: Sequence[Locale] = INTERFACE) -> None:
    """Print the shares."""
    for prompt in KINDS:
        shown = ", ".join(f"{locale} {share(locale, prompt):.1%}" for locale in locales)
        print(f'prompt = "{prompt}": {shown} of the judges\' input repeat the beginning of an earlier prompt')


if __name__ == "__main__":
    main()
