"""What a chain will ask for: calls, tokens, money and time of each stage, before anything is spent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.records import Usage
from jmedethic_pytest.generation.machinery import files, guidelines, models
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.stages import Asked, Stage
from jmedethic_pytest.models import prices

SECONDS_PER_CALL = 8.0
"""Assumed time of a call."""


class StagePlan(NamedTuple):
    """One stage: what it will ask for, or that it is finished."""

    stage: str
    finished: bool
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """US dollars; ``None`` if a model's price is unknown."""
    seconds: float
    kept: int
    """Records it keeps, or is expected to keep."""
    by_role: tuple[Asked, ...] = ()


def plan(config: Config, stages: Sequence[Stage]) -> list[StagePlan]:
    """Return the plan of every stage; the yield of one is what the next is planned with.

    A finished stage costs nothing and hands on what it really kept. Work of a stage that was begun is not taken off.
    """
    counts = _Counts(guidelines=len(guidelines.choose(config).guidelines), **_finished(config))
    found = []
    for stage in stages:
        done = files.summary_of(config.folder, stage.name)
        if done is not None:
            found.append(
                StagePlan(
                    stage.name,
                    finished=True,
                    calls=0,
                    input_tokens=0,
                    output_tokens=0,
                    cost_usd=0.0,
                    seconds=0.0,
                    kept=done.kept,
                )
            )
        else:
            asked, kept = stage.plan(config, counts)
            found.append(_priced(config, stage.name, asked, kept))
        counts[stage.name] = found[-1].kept
    return found


class _Counts(dict[str, int]):
    """Records by stage; what was neither finished nor planned before is the user's next step."""

    def __missing__(self, name: str) -> int:
        raise ConfigError(f"stage {name!r} is not finished. Next: `jmedethic generate {name}`, or `generate all`.")


def _finished(config: Config) -> dict[str, int]:
    """Return what the finished stages kept."""
    found = {path.stem: files.summary_of(config.folder, path.stem) for path in config.folder.glob("*.jsonl")}
    return {name: summary.kept for name, summary in found.items() if summary is not None}


def _priced(config: Config, name: str, asked: Sequence[Asked], kept: int) -> StagePlan:
    costs = [_cost(config, item) for item in asked if item.calls]
    return StagePlan(
        name,
        finished=False,
        calls=sum(item.calls for item in asked),
        input_tokens=sum(item.calls * item.input_tokens for item in asked),
        output_tokens=sum(item.calls * item.output_tokens for item in asked),
        cost_usd=None if any(cost is None for cost in costs) else sum(cost or 0.0 for cost in costs),
        seconds=sum(item.calls * _share_real(config, item.role) for item in asked)
        * SECONDS_PER_CALL
        / config.concurrency,
        kept=kept,
        by_role=tuple(asked),
    )


def _share_real(config: Config, role: str) -> float:
    """Return the share of a role's models that take time: simulations answer at once."""
    refs = models.needed(config, (role,))[role]
    return sum(not ref.simulated for ref in refs) / len(refs)


def _cost(config: Config, asked: Asked) -> float | None:
    """Return the price of a role's calls, spread evenly over its models; simulations cost nothing."""
    refs = models.needed(config, (asked.role,))[asked.role]
    total = 0.0
    for ref in refs:
        share = asked.calls / len(refs)
        if ref.simulated:
            continue
        usage = Usage(input=round(share * asked.input_tokens), output=round(share * asked.output_tokens))
        cost = prices.cost(ref.label, usage, config.prices)
        if cost is None:
            return None
        total += cost
    return total


def row(item: StagePlan) -> dict[str, Any]:
    """Return one stage of the plan for JSON."""
    return {**item._asdict(), "by_role": {asked.role: asked.calls for asked in item.by_role}}


def lines(plans: Sequence[StagePlan]) -> list[str]:
    """Return the plan as text."""
    shown = []
    for item in plans:
        if item.finished:
            shown.append(f"{item.stage}: finished, {item.kept} records")
            continue
        money = "price unknown" if item.cost_usd is None else f"about ${item.cost_usd:.2f}"
        tokens = f"{item.input_tokens} + {item.output_tokens} tokens"
        shown.append(
            f"{item.stage}: {item.calls} calls, {tokens}, {money}, {_roughly(item.seconds)}; about {item.kept} records"
        )
    todo = [item for item in plans if not item.finished]
    known = [item.cost_usd for item in todo if item.cost_usd is not None]
    part = "" if len(known) == len(todo) else " for the stages whose models all have a known price"
    shown.append(
        f"together {sum(item.calls for item in todo)} calls, about ${sum(known):.2f}{part}, "
        f"{_roughly(sum(item.seconds for item in todo))} (prices as of {prices.as_of()} unless overridden; "
        f"{SECONDS_PER_CALL:g} s a call assumed; cached replies not taken into account)"
    )
    return shown


def _roughly(seconds: float) -> str:
    """Return a time for a person."""
    whole = int(seconds)
    if whole < 60:
        return "less than a minute"
    return f"about {whole // 3600} h {whole // 60 % 60} min" if whole >= 3600 else f"about {whole // 60} min"
