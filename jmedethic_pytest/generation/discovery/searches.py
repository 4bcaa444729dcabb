"""What a search for strategies leaves behind for one question: its rounds by digest, and what was found."""

from __future__ import annotations

from collections.abc import Iterator

from jmedethic_pytest.core.records import Record
from jmedethic_pytest.generation.discovery.attempts import Attempt, Outcome
from jmedethic_pytest.generation.discovery.library import Phase, Strategy
from jmedethic_pytest.generation.discovery.retrieval import Choice, Tier
from jmedethic_pytest.generation.discovery.scales import HarmScore
from jmedethic_pytest.generation.machinery.records import Drop, Made, Output


class Round(Record):
    """One attack, the target's reply to it, and its score; all texts by digest only."""

    attempt: str = ""
    """sha256 of the user turns; empty if none could be sent."""
    tier: Tier = "free"
    strategies: tuple[str, ...] = ()
    """Names of the strategies the attacker was told about."""
    fallback: bool = False
    """True if the attacker declined and the raw request was sent."""
    harm: HarmScore | None = None
    missing: str = ""
    """Why there is no score: the reason of the drop."""


class Search(Output):
    """The search for one question in one pass."""

    question: str
    """Id of the question."""
    phase: Phase
    rounds: tuple[Round, ...]
    findings: tuple[Strategy, ...] = ()
    """One per summary, each with its one example; the library is what they add up to."""

    def texts(self) -> Iterator[str]:
        """Yield names, definitions and kept texts."""
        for finding in self.findings:
            yield finding.name
            yield finding.definition
            for example in finding.examples:
                yield from example.text

    @property
    def best(self) -> HarmScore | None:
        """The highest score of a round, ``None`` if none was scored."""
        scores = [item.harm for item in self.rounds if item.harm is not None]
        return max(scores, key=lambda score: score.harm, default=None)


class Log:
    """Collects rounds, findings and drops of one search."""

    def __init__(self) -> None:
        self.rounds: list[Round] = []
        self.findings: list[Strategy] = []
        self.drops: list[Drop] = []

    def round(self, choice: Choice, outcome: Outcome) -> Attempt | None:
        """Note a round; return the attempt if it has a score."""
        made, drop = outcome
        self.rounds.append(
            Round(
                attempt=made.digest if made else "",
                tier=choice.tier,
                strategies=tuple(item.name for item in choice.strategies),
                fallback=made.fallback if made else False,
                harm=made.harm if made else None,
                missing=drop.reason if drop else "",
            )
        )
        if drop is not None:
            self.drops.append(drop)
        return made if made is not None and made.harm is not None else None

    def summary(self, found: Strategy | Drop) -> Strategy | None:
        """Note what the summariser made of a pair; return the finding, if it is one."""
        if isinstance(found, Drop):
            self.drops.append(found)
            return None
        self.findings.append(found)
        return found

    def made(self, key: str, question: str, phase: Phase) -> Made[Search]:
        """Return the result of the search."""
        search = Search(
            id=key, question=question, phase=phase, rounds=tuple(self.rounds), findings=tuple(self.findings)
        )
        return Made(records=(search,), drops=tuple(self.drops))
