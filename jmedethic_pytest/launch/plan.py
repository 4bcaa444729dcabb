"""The plan of a sweep: written once, and every step with the command that takes it.

A step is known by the command that made its result. So the plan keeps the commands: a later version of this tool, or a
sweep.toml that says the same in other words, finds what was done and does it no second time.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from jmedethic_pytest import _version
from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.shards import Part
from jmedethic_pytest.launch import arguments, inputs
from jmedethic_pytest.launch.sweep_file import Sweep, asked, of_run
from jmedethic_pytest.run.options import Settings

Does = Literal["collect", "merge", "judge"]


class Step(NamedTuple):
    """Something to be done for one run of the sweep."""

    unit: str
    """The run: ``MODEL.SUITE.LANGUAGE``."""
    does: Does
    shard: int = 0
    """Which part is collected, from 1; 0 for other steps."""

    def __str__(self) -> str:
        """Return it as ``jmedethic sweep step`` takes it: ``UNIT/2``, ``UNIT/merge``."""
        return f"{self.unit}/{self.shard or self.does}"


class Unit(Record):
    """One run of the sweep: a model on suites in a language, collected in parts."""

    name: str
    model: str
    """Name of the model in the sweep."""
    group: str
    """``SUITE.LANGUAGE``: runs of one group are compared."""
    base: str | None
    """The unit it is compared with."""
    shards: int
    collect: tuple[str, ...]
    """The command of a part, but for ``--shard`` and ``--reports``."""
    cases: str = ""
    """sha256 of the cases that it is asked for."""
    rules: dict[str, Any] = {}
    """The thresholds that its target is called by."""

    @property
    def steps(self) -> list[Step]:
        """What is to be done for it, in this order."""
        return [*self.parts, Step(self.name, "merge"), Step(self.name, "judge")]

    @property
    def parts(self) -> list[Step]:
        """The steps that collect."""
        return [Step(self.name, "collect", number) for number in range(1, self.shards + 1)]


class Plan(Record):
    """All runs of a sweep. Paths in it are relative to the folder of ``sweep.toml``."""

    schema_version: Literal[1] = 1
    digest: str
    """sha256 of what the sweep asks for; who carries it out, and where, does not count."""
    tool_version: str
    reports: str
    """Where merged and judged runs are stored."""
    folder: str
    """Where the sweep keeps its own: this plan, collections, logs, tables."""
    judge: tuple[str, ...]
    """Options of ``jmedethic judge``."""
    rules: dict[str, Any] = {}
    """The thresholds that all runs are held against."""
    units: tuple[Unit, ...]

    def unit(self, name: str) -> Unit:
        """Return a run by its name."""
        return next(unit for unit in self.units if unit.name == name)

    def command(self, step: Step) -> tuple[str, ...]:
        """Return the arguments by which a part is collected."""
        unit = self.unit(step.unit)
        part = Part(step.shard, unit.shards)
        return (*unit.collect, f"--shard={part}", f"--reports={self.collection(step)}")

    def collection(self, step: Step) -> str:
        """Return the folder of reports of a part: on a network disk too, its cache has one writer."""
        return f"{self.folder}/collected/{step.unit}/{step.shard}"

    def step(self, text: str) -> Step:
        """Return a step by what it is called.

        Raises:
            ConfigError: if there is none.
        """
        steps = {str(step): step for unit in self.units for step in unit.steps}
        if text not in steps:
            shown = ", ".join(list(steps)[:4])
            raise ConfigError(f"step {text!r} is none of this sweep's {len(steps)}: {shown}, ...")
        return steps[text]


def made(sweep: Sweep) -> Plan:
    """Return the plan of a sweep."""
    return Plan(
        digest=files.digest(asked(sweep)),
        tool_version=_version.VERSION,
        reports=sweep.reports,
        folder=f"{sweep.reports}/sweeps/{sweep.name}",
        judge=sweep.judge_args,
        units=tuple(_units(sweep)),
    )


def _units(sweep: Sweep) -> Iterator[Unit]:
    for suite in (text.replace(" ", "") for text in sweep.suites):
        for locale in (text.replace(" ", "") for text in sweep.locales):
            group = f"{suite}.{locale}".replace(",", "+")
            for target in sweep.models:
                chosen = (f"--suite={suite}", f"--locale={locale}", "--judges=none", "--report=off")
                yield Unit(
                    name=f"{target.name}.{group}",
                    model=target.name,
                    group=group,
                    base=None if target.base is None else f"{target.base}.{group}",
                    shards=sweep.shards,
                    collect=("run", *of_run(sweep, target), *chosen),
                )


def settled(wanted: Plan, home: Path, *, replan: bool = False) -> Plan:
    """Return the plan that stands in a sweep's folder, written now if there is none.

    Args:
        wanted: what ``sweep.toml`` asks for today.
        home: the folder of ``sweep.toml``.
        replan: put the plan of today in the place of another one.

    Raises:
        ConfigError: if the plan there is that of another sweep.
        StoreError: if it cannot be read, or written.
    """
    path = home / wanted.folder / "plan.json"
    wanted = _with_inputs(wanted, home)
    if path.exists() and not replan:
        found = _read(path)
        others = list(_others(found, wanted))
        if not others:
            return found
        raise ConfigError(
            f"{path}: the plan was made of {', '.join(others)}. Restore what it was, give the sweep another 'name', or "
            "plan anew with --replan: what is finished and asked for in the same way stays done."
        )
    part = path.with_name(f".plan-{secrets.token_hex(8)}.json")  # many pods may write the same plan at once
    files.replace(part, files.as_json(wanted.model_dump(mode="json")))
    os.replace(part, path)
    return wanted


def _with_inputs(plan: Plan, home: Path) -> Plan:
    """Return a plan with what its steps will read beside sweep.toml."""
    read = cache(inputs.cases)
    units = []
    for unit in plan.units:
        settings = arguments.settings(unit.collect[1:])
        chosen = Settings(model="", cases=settings.cases, selection=settings.selection)
        units.append(unit.model_copy(update={"cases": read(chosen, home), "rules": inputs.rules(settings, home)}))
    rules = inputs.rules(arguments.settings(plan.judge), home)
    return plan.model_copy(update={"units": tuple(units), "rules": rules})


def _others(found: Plan, wanted: Plan) -> Iterator[str]:
    """Yield in what a plan differs from what is asked for today."""
    if found.digest != wanted.digest:
        yield "another sweep.toml"
        return
    pairs = list(zip(found.units, wanted.units, strict=True))
    if any(then.cases != now.cases for then, now in pairs):
        yield "other cases"
    targets = all(inputs.same_target(then.rules, now.rules) for then, now in pairs)
    if not targets or not inputs.same_judging(found.rules, wanted.rules):
        yield "other thresholds"


def _read(path: Path) -> Plan:
    try:
        content = strict_json.value(files.read(path))
        return Plan.model_validate(content)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}.") from None
    except ValueError as error:
        said = error.errors(include_url=False)[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise StoreError(f"{path}: damaged: {said}. Plan anew with --replan: what is finished stays done.") from None
