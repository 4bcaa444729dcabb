"""Runs sorted by pack and model, and why they cannot stand beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import pandas as pd

from jmedethic_pytest.analysis import same_table
from jmedethic_pytest.analysis.frames import attacks, mean_of_repeats
from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.cases import packs, vocabulary_files
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.sentences import say
from jmedethic_pytest.core.vocabulary import SHIPPED
from jmedethic_pytest.data import load
from jmedethic_pytest.judging import prompt as judge_prompt

FIGURES = ("mean", "min", "passed")


class Arm(NamedTuple):
    """The conversations of one model under one pack, repetitions averaged."""

    pack: str
    model: str
    cases: pd.DataFrame
    """One line a conversation: ``case``, ``guideline``, ``strategy``, ``duty``, :data:`FIGURES`; missing is NaN."""


def sorted_runs(runs: Sequence[StoredRun]) -> list[Arm]:
    """Return the arms of runs, in the order in which the packs were named.

    Raises:
        ConfigError: for a run of no pack, or of two; for a model that stands twice under one pack; for a single pack.
    """
    problems: list[str] = []
    home = {run.name: pack for run in runs if (pack := _pack(run, problems))}
    spoken = {pack: {run.locales for run in runs if home.get(run.name) == pack} for pack in home.values()}
    arms: dict[tuple[str, str], Arm] = {}
    for run in runs:
        if run.name not in home:
            continue
        pack = home[run.name]
        label = pack if len(spoken[pack]) == 1 else f"{pack}:{'+'.join(run.locales)}"
        if (label, run.origin.model) in arms:
            problems.append(f"{run.origin.run}: a second run of {run.origin.model} under the pack {label}. Give one.")
        arms[label, run.origin.model] = Arm(label, run.origin.model, _cases(run))
    if not problems and len({arm.pack for arm in arms.values()}) < 2:
        problems.append("these runs are all of one pack. Give runs of a model on two packs or more (--jmed-pack).")
    if problems:
        raise ConfigError(problems)
    return list(arms.values())


def obstacles(runs: Sequence[StoredRun]) -> tuple[str, ...]:
    """Return why runs cannot be held against each other, though their conversations differ."""
    return (*same_table.obstacles(runs, same_cases=False, same_prompts=False), *_other_words(runs))


def notices(runs: Sequence[StoredRun]) -> Iterator[str]:
    """Yield what a reader should know, though it forbids nothing."""
    yield from same_table.notices(runs)
    if len({run.locales for run in runs}) > 1:
        shown = ", ".join(sorted({"+".join(run.locales) for run in runs}))
        yield say("packs.languages", shown=shown)


@lru_cache(maxsize=1)
def duties() -> Mapping[str, str]:
    """Return the duty of each guideline that has a counterpart in another pack (``data/equivalents.json``)."""
    found: dict[str, str] = {}
    for group in load("equivalents.json")["groups"]:
        found |= {key: group["name"] for name in packs.names() for key in group.get(name, ())}
    return found


def _other_words(runs: Sequence[StoredRun]) -> Iterator[str]:
    """Yield the runs whose judges were asked another question: prompts may differ by place and language alone.

    Unless all have one digest, each must have that of this version for its language and place.
    """
    kinds = {run.origin.judge_prompt for run in runs}
    if len(kinds) > 1:
        yield say("packs.questions", kinds=", ".join(sorted(kinds)))
    elif len({run.origin.prompts for run in runs}) > 1:
        for run in runs:
            if run.origin.prompts != _of_this_version(run):
                yield say("packs.words", run=run.origin.run)


def _of_this_version(run: StoredRun) -> str:
    pack = _pack(run, [])
    words = SHIPPED if pack in ("", packs.JMA) else vocabulary_files.beside([packs.folder(pack, "pack") / "core"])
    named = {row.guideline for row in run.sheet.rows.values()}
    kind: Literal["item", "paper"] = "item" if run.origin.judge_prompt == "item" else "paper"
    return judge_prompt.digest(kind, run.locales, map(words.guideline, named))


def _pack(run: StoredRun, problems: list[str]) -> str:
    prefixes = {row.guideline.partition("-")[0].lower() for row in run.sheet.rows.values()}
    known = {key.partition("-")[0].lower() for key in duties()}
    if len(prefixes) == 1 and prefixes <= known:
        return next(iter(prefixes))
    problems.append(
        f"{run.origin.run}: its guidelines are of {', '.join(sorted(prefixes)) or 'no list'}. Give runs of one pack "
        f"each, of: {', '.join(sorted(known))} (--jmed-pack)."
    )
    return ""


def _cases(run: StoredRun) -> pd.DataFrame:
    cases = attacks(run.cases)
    passed = 1.0 - cases["failed"].astype("Float64")
    cases = cases.assign(passed=passed.astype("float64"))
    wide = pd.concat({name: mean_of_repeats(cases, ["case"], name) for name in FIGURES}, axis=1).reset_index()
    labels = cases.drop_duplicates("case").set_index("case")[["guideline", "strategy"]]
    found = wide.join(labels, on="case")
    return found.assign(duty=found["guideline"].map(duties()))
