"""The texts of conversations, packed into a page of bounded size: failures first.

Conversations are packed in blocks (deflate, then base64), which the page unpacks one at a time when one is opened. What
exceeds the budget is left out and said: its scores are in the list, its text is in the run's store.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jmedethic_pytest.analysis.counts import FAILED
from jmedethic_pytest.annotation import review
from jmedethic_pytest.core import branches
from jmedethic_pytest.core.records import Attack, Turn, Verdict
from jmedethic_pytest.core.text import visible
from jmedethic_pytest.reports.page.rows import Listed, Row, lost
from jmedethic_pytest.store import light
from jmedethic_pytest.store import runs as run_files

BUDGET = 20_000_000
"""Characters that all packed texts together may take in the page."""
PASSING = 5
"""Passing conversations of each strategy that have a place before the failures: something to compare them with."""
_PER_BLOCK = 16
_BLOCK_CHARACTERS = 400_000
"""A block is closed at so many unpacked characters: opening one conversation must not unpack a megabyte of others."""


class Packed(NamedTuple):
    """The packed texts, and where each conversation is: (block, position in it), or ``None`` if it was left out."""

    blocks: list[str]
    places: list[tuple[int, int] | None]

    @property
    def embedded(self) -> int:
        """Conversations whose text is in the page."""
        return sum(place is not None for place in self.places)


def pack(run: Path, listed: Sequence[Listed], baseline: Path | None = None, budget: int = BUDGET) -> Packed:
    """Pack as many conversations as the budget holds, the most important ones first.

    Args:
        run: folder of the run.
        listed: its rows, with the places of their verdicts.
        baseline: folder of the baseline's run if it is stored here too: its replies stand beside those that fell.
        budget: characters that all blocks together may take.
    """
    ranks = _importance([item.row for item in listed])
    stored = {index: item.place for index, item in enumerate(listed) if item.place is not None}
    order = sorted(stored, key=ranks.__getitem__)
    verdicts = run_files.read_at(run, (stored[index] for index in order))
    beside = _BaselineTexts(baseline, [listed[index].row.key for index in order if lost(listed[index].row)])
    packer = _Packer(len(listed), budget)
    for index, verdict in zip(order, verdicts, strict=True):
        packer.add(index, _json(_transcript(verdict, beside.turns(verdict.key))))
        if packer.full:
            break
    packer.close_block()
    return packer.packed


class _Packer:
    """Fills blocks until one does not fit any more."""

    def __init__(self, conversations: int, budget: int) -> None:
        self.packed = Packed([], [None] * conversations)
        self.full = False
        self._left = budget
        self._members: list[int] = []
        self._texts: list[str] = []
        self._size = 0

    def add(self, index: int, text: str) -> None:
        if self._size + len(text) > _BLOCK_CHARACTERS or len(self._texts) == _PER_BLOCK:
            self.close_block()
        self._members.append(index)
        self._texts.append(text)
        self._size += len(text)

    def close_block(self) -> None:
        """Keep the block if it fits; a single conversation too large for the page does not end the packing."""
        if not self._texts:
            return
        data = deflate(f"[{','.join(self._texts)}]")
        if len(data) <= self._left and not self.full:
            self._left -= len(data)
            for position, member in enumerate(self._members):
                self.packed.places[member] = (len(self.packed.blocks), position)
            self.packed.blocks.append(data)
        elif len(self._members) > 1:
            self.full = True
        self._members, self._texts, self._size = [], [], 0


def deflate(text: str) -> str:
    """Return the text as base64 of raw deflate, which every present browser unpacks by itself."""
    packer = zlib.compressobj(level=5, wbits=-15)
    return base64.b64encode(packer.compress(text.encode("utf-8", "replace")) + packer.flush()).decode()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _importance(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Rank the rows: a few passing ones per strategy, failures (new ones first), what is unscored, the rest."""
    passing: Counter[str] = Counter()
    ranks = []
    for index, row in enumerate(rows):
        rank = len(FAILED) + 2
        if row.result in FAILED:
            rank = 1 + FAILED.index(row.result)
        elif row.result == "unscored":
            rank = len(FAILED) + 1
        elif passing[row.strategy] < PASSING:
            passing[row.strategy] += 1
            rank = 0
        ranks.append((rank, index))
    return ranks


class _BaselineTexts:
    """The baseline's replies to some cases, read in the order in which they are asked for."""

    def __init__(self, run: Path | None, wanted: Sequence[str]) -> None:
        self._places: dict[str, run_files.Place] = {}
        self._verdicts: Iterator[Verdict] = iter(())
        if run is not None and wanted:
            known = {verdict.key: place for verdict, place in run_files.places_as(run, light.Verdict)}
            self._places = {key: known[key] for key in wanted if key in known}
            self._verdicts = run_files.read_at(run, self._places.values())

    def turns(self, key: str) -> Sequence[Turn]:
        return next(self._verdicts).turns if key in self._places else ()


def _transcript(verdict: Verdict, baseline: Sequence[Turn]) -> dict[str, Any]:
    """Return what is shown of a conversation; every text of a model is made visible character by character."""
    case = branches.along(verdict.case, verdict.branch)
    floors = {violation.turn: violation.floor for violation in verdict.violations}
    asked = {turn.index: turn.user for turn in verdict.turns}  # the baseline may have been asked otherwise in a branch
    turns = [_turn(turn, floors) for turn in verdict.turns]
    return {
        "check": review.check(verdict.key, ((turn["user"], turn["reply"], turn["value"]) for turn in turns)),
        "question": visible(case.question),
        "expected": [visible(text) for text in case.expected],
        "fail_if": visible(case.fail_if),
        "detail": visible(verdict.detail),
        "turns": turns,
        "attempts": [_attempt(attempt) for attempt in verdict.attempts],
        **({"attacks": [_attack(attack) for attack in verdict.attacks]} if verdict.attacks else {}),
        "baseline": [_turn(turn, {}) for turn in baseline if asked.get(turn.index, turn.user) == turn.user],
    }


def _attempt(verdict: Verdict) -> dict[str, Any]:
    floors = {violation.turn: violation.floor for violation in verdict.violations}
    return {"status": verdict.status, "turns": [_turn(turn, floors) for turn in verdict.turns]}


def _attack(attack: Attack) -> dict[str, Any]:
    turns = [_turn(turn, {}) for turn in attack.turns]
    return {"seed": attack.seed, "end": attack.end, "detail": visible(attack.detail), "turns": turns}


def _turn(turn: Turn, floors: Mapping[int, float]) -> dict[str, Any]:
    reply = turn.reply
    return {
        "index": turn.index,
        "user": visible(turn.user),
        "reply": visible(reply.text),
        "status": reply.status,
        "detail": visible(reply.detail),
        "model": visible(reply.model),
        "reasoning": len(reply.reasoning),
        "value": turn.value,
        "floor": floors.get(turn.index),
        "scores": list(_scores(turn)),
    }


def _scores(turn: Turn) -> Iterator[dict[str, Any]]:
    for score in turn.all_scores:
        yield {
            "judge": visible(score.judge),
            "value": score.value,
            "status": score.status,
            "reason": visible(score.rationale or score.detail),
            "refusal": score.over_refusal is True,
        }
