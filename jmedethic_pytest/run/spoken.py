"""What a run needs in each language of its conversations; what lacks is named before anything is paid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jmedethic_pytest.cases.index import CaseIndex
from jmedethic_pytest.config.tables import JudgePrompt
from jmedethic_pytest.core import languages
from jmedethic_pytest.models import ModelRef


def lacking(
    cases: CaseIndex,
    judges: Sequence[ModelRef],
    attacker: ModelRef | None,
    *,
    target: ModelRef,
    prompt: JudgePrompt,
    golden: bool,
) -> Iterator[str]:
    """Yield what the languages of a run lack, one line each.

    Args:
        cases: of the run.
        judges: of the panel; they need the words of their question.
        attacker: that goes on where the written turns end, if there is one.
        target: the model under test.
        prompt: which question the judges are asked.
        golden: whether they prove themselves on golden replies first.
    """
    needed = []
    if judges:
        needed += ["judge_prompt.toml", *(["judge_item.toml"] if prompt == "item" else ["rubric.json"])]
        needed += ["golden.jsonl"] * golden
    if any(model.simulated for model in (target, *judges)):
        needed.append("demo_replies.toml")
    if attacker is not None:
        needed += ["attack_prompt.toml", "refusal.toml", *(["demo_attacker.toml"] if attacker.simulated else [])]
    spoken: dict[str, set[str]] = {}
    for label in cases.labels.values():
        spoken.setdefault(label.locale, set()).add(label.strategy)
    for locale in languages.in_order(set(spoken)):
        yield from filter(None, (languages.lack(locale, name) for name in needed))
        if attacker is not None:
            yield from _unnamed(cases, locale, spoken[locale])


def _unnamed(cases: CaseIndex, locale: str, strategies: set[str]) -> Iterator[str]:
    """Yield the strategies that an attacker cannot be told in a language."""
    mute = [key for key in sorted(strategies) if locale not in cases.vocabulary.strategy(key).definition]
    if mute:
        yield (
            f"language {locale!r}: an attacker cannot be told the strategies {', '.join(mute)}: they have no "
            f"definition_{locale}. Write them in a strategies.json beside the cases, under ids of their own."
        )
