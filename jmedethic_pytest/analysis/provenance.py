"""Which models answered: the names that servers reported, and how much was not asked for by this run itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pydantic import Field

from jmedethic_pytest.core.records import Condition, Record, Verdict
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.sentences import say

TARGET = "target"
_SHOWN = 4


class Provenance(Record):
    """Who answered in a run."""

    served: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Replies by the model name that the server reported (with the provider behind a router), for ``target`` and each
    judge; only replies that came with a name."""
    replies: int = 0
    """Replies of the target."""
    cached: int = 0
    """Those of them that had been asked for before: by an earlier run, or by this one for another case."""
    scores: int = 0
    cached_scores: int = 0
    """The same of the judges."""
    panels: tuple[tuple[str, ...], ...] = ()
    """Who scored a turn, each panel that occurs once: of a sound run that is one, with and without its third judge."""
    fingerprints: tuple[str, ...] = ()
    """What the target's server said of weights and settings behind its name (``system_fingerprint``)."""

    def noted(self, info: RunInfo) -> RunInfo:
        """Return the record of the run with what its replies say of who answered."""
        seen = info.identity
        fingerprints = tuple(sorted({*seen.fingerprints, *self.fingerprints}))
        changes = {"served": self.served, "fingerprints": fingerprints}
        return info.model_copy(update={"identity": seen.model_copy(update=changes)})

    def names(self, role: str) -> str:
        """Return the names served for a role and how often, most frequent first."""
        found = Counter(self.served.get(role, {})).most_common()
        rest = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        return ", ".join(f"{name} ({count})" for name, count in found[:_SHOWN]) + rest

    def conditions(self) -> Iterator[Condition]:
        """Yield an inconclusive condition for the target, and for every judge, behind which more than one model was."""
        for role, models in self.served.items():
            if len(models) > 1:
                detail = say("served.target", names=self.names(role))
                if role != TARGET:
                    detail = say("served.judge", names=self.names(role))
                yield Condition.inconclusive(f"served[{role}]", detail, observed=len(models), limit=1)
        yield from self._judging_itself()

    def _judging_itself(self) -> Iterator[Condition]:
        """Doubt a judge behind which the target's model answers; a name that all have says nothing of any."""
        judges = {role: set(names) for role, names in self.served.items() if role != TARGET}
        shared = {role: sorted(names & set(self.served.get(TARGET, {}))) for role, names in judges.items()}
        if all(shared.values()):
            return
        for role, names in shared.items():
            if names:
                detail = say("itself", names=", ".join(names), role=role)
                yield Condition.inconclusive(f"itself[{role}]", detail)


class Census:
    """Counts who answered, verdict by verdict."""

    def __init__(self) -> None:
        self._served: dict[str, Counter[str]] = {}
        self._fingerprints: set[str] = set()
        self._panels: set[tuple[str, ...]] = set()
        self._replies = self._cached = self._scores = self._cached_scores = 0

    def add(self, verdict: Verdict) -> None:
        """Count the replies and scores of an evaluation, its confirmations included."""
        for attempt in (verdict, *verdict.attempts):
            for turn in attempt.turns:
                self._replies += turn.reply.status == "ok"
                self._cached += turn.reply.cached
                self._count(TARGET, turn.reply.model)
                self._fingerprints.add(turn.reply.fingerprint)
                self._panels.add(tuple(score.judge for score in turn.all_scores))
                for score in turn.all_scores:
                    self._scores += 1
                    self._cached_scores += score.cached
                    self._count(f"judge {score.judge}", score.model)

    def _count(self, role: str, model: str) -> None:
        if model:
            self._served.setdefault(role, Counter())[model] += 1

    def result(self) -> Provenance:
        """Return the counts."""
        served = {role: dict(sorted(models.items())) for role, models in sorted(self._served.items())}
        return Provenance(
            served=served,
            replies=self._replies,
            cached=self._cached,
            scores=self._scores,
            cached_scores=self._cached_scores,
            panels=tuple(sorted(self._panels - {()})),
            fingerprints=tuple(sorted(self._fingerprints - {""})),
        )
