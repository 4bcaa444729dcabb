"""The models behind the stages: every role is a client with the same cache, limits and budget as a run's.

Answers to harmful requests (of validators and of the reference target), and what a scorer says of them, are cached in a
file of their own that is removed when their stage is finished: a killed stage pays for nothing twice, and afterwards
only digests are left.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.secrets import Secrets, in_parameters, in_settings, public_url
from jmedethic_pytest.generation.machinery import files
from jmedethic_pytest.generation.machinery.config import Config, RoleModel
from jmedethic_pytest.generation.machinery.files import Header
from jmedethic_pytest.generation.machinery.role import Role
from jmedethic_pytest.models import ModelRef, prices, resolve
from jmedethic_pytest.models import budget as budgets
from jmedethic_pytest.models import cache as caching
from jmedethic_pytest.models.base import Role as ClientRole
from jmedethic_pytest.models.budget import Budget
from jmedethic_pytest.models.opening import Clients, tell_apart

CLIENT_ROLES: Mapping[str, ClientRole] = {
    "generators": "generator",
    "validators": "validator",
    "refusal_judge": "refusal_judge",
    "attacker": "attacker",
    "attackers": "attacker",
    "target": "reference",
    "scorer": "scorer",
    "summariser": "summariser",
    "translator": "translator",
    "embedder": "embedder",
}
"""Roles of the file by the name they have in the cache."""
ANSWERING = ("validators", "target", "scorer")
"""Roles whose replies may be harmful, or quote what is: not kept after their stage."""
ANSWERS = "answers.sqlite"
EMBEDDINGS = "openai-embeddings"
"""Kind of a model that gives vectors."""


class Team:
    """The open models of a stage by role. Made by :func:`open_team`."""

    def __init__(self, roles: Mapping[str, tuple[Role, ...]]) -> None:
        self._roles = roles

    def all(self, name: str) -> tuple[Role, ...]:
        """Return every model of a role."""
        return self._roles[name]

    def one(self, name: str) -> Role:
        """Return the model of a role that has exactly one."""
        return self._roles[name][0]


def needed(config: Config, names: tuple[str, ...]) -> dict[str, tuple[ModelRef, ...]]:
    """Return the models of the roles a stage needs, all resolved and all found.

    Raises:
        ConfigError: naming every role without a model, every bad model, missing key or address, and models without a
            price under a budget in money.
    """
    problems: list[str] = []
    found: dict[str, tuple[ModelRef, ...]] = {}
    for name in names:
        refs = []
        for model in models_of(config, name):
            try:
                refs.append(_resolve(model, name, config))
            except ConfigError as error:
                problems += error.problems
        found[name] = tuple(refs)
        if not models_of(config, name):
            problems.append(f'roles.{name}: no model. Give one in generate.toml: {name} = "PROVIDER:NAME".')
        problems += _twice(name, refs)
    if config.limit is not None and config.limit.unit == "usd":
        problems += [
            f"budget: the price of {ref.label!r} is unknown, so a budget in money cannot be kept. "
            f'Add [prices."{ref.label}"] to the file, or give the budget in tokens or calls.'
            for ref in dict.fromkeys(ref for refs in found.values() for ref in refs)
            if prices.price(ref.label, config.prices) is None
        ]
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return found


def models_of(config: Config, name: str) -> tuple[RoleModel, ...]:
    """Return the models a role has in the file; conversations fall back on the discovery's attacker."""
    models: tuple[RoleModel, ...] = getattr(config.roles, name)
    return models or config.roles.attacker if name == "attackers" else models


def header(
    config: Config,
    stage: str,
    roles: tuple[str, ...],
    settings: Mapping[str, Any],
    *,
    after: str | None = None,
    sources: dict[str, str] | None = None,
) -> Header:
    """Return the header of a stage that asks models.

    Args:
        config: the settings.
        stage: its name.
        roles: whom it asks.
        settings: everything else that decides what it makes of an item.
        after: the stage whose records it reads; if that is a simulation, this one is.
        sources: digests of what the items are taken from.
    """
    refs = needed(config, roles)
    return files.header(
        stage,
        roles=_labels(refs),
        settings={**settings, **_sampling(config, roles)},
        simulated=any(ref.simulated for found in refs.values() for ref in found)
        or (after is not None and files.simulated(config.folder, after)),
        sources=sources,
    )


def _labels(refs: Mapping[str, tuple[ModelRef, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the models by role as a header records them."""
    return {
        name: tuple(f"{ref.label} at {public_url(ref.base_url or '')}" for ref in found) for name, found in refs.items()
    }


def _sampling(config: Config, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the sampling of roles as a header records it: without keys, and without what changes no answer."""
    found = {}
    for name in names:
        models = models_of(config, name)
        hidden = Secrets((), (value for model in models for value in in_parameters(model.extra)))
        rows = [model.model_dump(mode="json", exclude={"timeout", "model"}) for model in models]
        found[f"sampling.{name}"] = hidden.hide_in(rows)
    return found


def secrets_of(config: Config, refs: Mapping[str, tuple[ModelRef, ...]]) -> Secrets:
    """Return every key behind some roles: of their models, in addresses, in parameters of the file."""
    found = Secrets((), in_settings(config.model_dump(mode="json")))
    for ref in (ref for given in refs.values() for ref in given):
        found = found + ref.secrets
    return found


@asynccontextmanager
async def open_team(
    config: Config, names: tuple[str, ...], *, stage: str = "stage", budget: Budget | None = None
) -> AsyncIterator[Team]:
    """Open the models of some roles; must be called inside the event loop that will use them.

    Args:
        config: the settings.
        names: the roles.
        stage: whose answers to harmful requests are cached, until :func:`forget_answers`.
        budget: shared with other stages of the same command; without it the stage has the settings' own.

    Raises:
        ConfigError: see :func:`needed`.
    """
    refs = needed(config, names)
    budget = budget or budgets.within(config.limit, config.prices)
    secrets = secrets_of(config, refs)
    roles: dict[str, tuple[Role, ...]] = {}
    beside = sum(map(len, refs.values())) - 1
    async with Clients(config.cache, config.limits, budget) as clients:
        for name, found in refs.items():
            cache, role = _cache(config, stage, name), CLIENT_ROLES[name]
            opened = [clients.open(role, ref, cache, ceiling=config.concurrency, beside=beside) for ref in found]
            tell_apart(opened)
            roles[name] = tuple(
                Role(name, client, Sampling(**model.model_dump(exclude={"model"})), secrets)
                for client, model in zip(opened, models_of(config, name), strict=True)
            )
        yield Team(roles)


def forget_answers(config: Config, stage: str) -> None:
    """Remove the cached answers to harmful requests of a stage: it is finished."""
    if not config.keep_answers:
        for tail in ("", "-wal", "-shm"):
            (config.folder / f"{stage}.{ANSWERS}{tail}").unlink(missing_ok=True)


def _cache(config: Config, stage: str, role: str) -> Path:
    """Return the shared cache, or the one for answers."""
    return config.folder / f"{stage}.{ANSWERS}" if role in ANSWERING else config.reports / caching.FILE


def _resolve(model: RoleModel, name: str, config: Config) -> ModelRef:
    role = CLIENT_ROLES[name]
    ref = resolve(
        model.model, place=f"roles.{name}", role=role, providers=config.providers, simulation="demo-generation"
    )
    return _embedding(ref) if name == "embedder" else ref


def _embedding(ref: ModelRef) -> ModelRef:
    """Return a model as one that is asked for vectors."""
    if ref.kind != "openai":
        raise ConfigError(
            f"roles.embedder: {ref.label!r} is served through {ref.kind!r}; vectors need an OpenAI-compatible "
            "endpoint. Give another model, or none: character n-grams then serve, offline."
        )
    return replace(ref, kind=EMBEDDINGS)


def _twice(name: str, refs: list[ModelRef]) -> list[str]:
    seen = [(ref.label, ref.base_url) for ref in refs]
    return [
        f"roles.{name}: {label!r} at {url} is named {seen.count((label, url))} times."
        for label, url in dict.fromkeys(seen)
        if seen.count((label, url)) > 1
    ]
