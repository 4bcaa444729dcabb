"""The models behind the stages: every role is a client with the same cache, limits and budget as a run's.

Answers to harmful requests (of validators and of the reference target), and what a scorer says of them, are cached in a
file of their own that is removed when their stage is finished: a killed stage pays for nothing twice, and afterwards
only digests are left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jmedethic_pytest.config.tables import Sampling
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.secrets import Secrets, in_parameters, in_url, public_url
from jmedethic_pytest.generation import demo
from jmedethic_pytest.generation.machinery.config import Config, RoleModel
from jmedethic_pytest.generation.machinery.role import Role
from jmedethic_pytest.models import ModelRef, Observer, Provider, open_provider, prices, resolve
from jmedethic_pytest.models.budget import Budget
from jmedethic_pytest.models.cache import Cache
from jmedethic_pytest.models.client import Client
from jmedethic_pytest.models.client import Role as ClientRole
from jmedethic_pytest.models.limits import Quota

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

    def __init__(self, roles: Mapping[str, tuple[Role, ...]], budget: Budget | None) -> None:
        self._roles = roles
        self.budget = budget

    def all(self, name: str) -> tuple[Role, ...]:
        """Return every model of a role."""
        return self._roles[name]

    def one(self, name: str) -> Role:
        """Return the model of a role that has exactly one."""
        return self._roles[name][0]

    @property
    def simulated(self) -> bool:
        """True if any model is a scripted one."""
        return any(client.ref.simulated for client in self.clients)

    @property
    def clients(self) -> list[Client]:
        """The clients of all roles."""
        return [role.client for roles in self._roles.values() for role in roles]


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


def labels(refs: Mapping[str, tuple[ModelRef, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the models by role as a header records them."""
    return {
        name: tuple(f"{ref.label} at {public_url(ref.base_url or '')}" for ref in found) for name, found in refs.items()
    }


def sampling_of(config: Config, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the sampling of roles as a header records it: without keys, and without what changes no answer."""
    found = {}
    for name in names:
        models = models_of(config, name)
        hidden = Secrets(value for model in models for value in in_parameters(model.extra))
        rows = [model.model_dump(mode="json", exclude={"timeout", "model"}) for model in models]
        found[f"sampling.{name}"] = hidden.hide_in(rows)
    return found


def secrets_of(config: Config, refs: Mapping[str, tuple[ModelRef, ...]]) -> Secrets:
    """Return every key behind some roles: of their models, in addresses, in parameters of the file."""
    found = Secrets(
        [
            *(value for name in refs for model in models_of(config, name) for value in in_parameters(model.extra)),
            *(value for table in config.providers.values() for value in in_url(table.base_url)),
        ]
    )
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
        StoreError: if the cache cannot be used.
    """
    refs = needed(config, names)
    budget = budget or budget_of(config)
    caches, secrets = _Caches(config, stage), secrets_of(config, refs)
    roles: dict[str, tuple[Role, ...]] = {}
    try:
        for name, found in refs.items():
            models = models_of(config, name)
            clients = [_client(config, name, ref, caches, budget) for ref in found]
            _tell_apart(clients)
            roles[name] = tuple(
                Role(name, client, Sampling(**model.model_dump(exclude={"model"})), secrets)
                for client, model in zip(clients, models, strict=True)
            )
        yield Team(roles, budget)
    finally:
        for role in (role for found in roles.values() for role in found):
            await role.client.aclose()
        caches.close()


def budget_of(config: Config) -> Budget | None:
    """Return the budget of one command, if the settings have one."""
    own_prices = config.prices
    return Budget(config.limit, lambda label: prices.price(label, own_prices)) if config.limit else None


def forget_answers(config: Config, stage: str) -> None:
    """Remove the cached answers to harmful requests of a stage: it is finished."""
    if not config.keep_answers:
        for tail in ("", "-wal", "-shm"):
            (config.folder / f"{stage}.{ANSWERS}{tail}").unlink(missing_ok=True)


class _Caches:
    """The shared cache, and the one for answers; opened when they are first used."""

    def __init__(self, config: Config, stage: str) -> None:
        self._config = config
        self._stage = stage
        self._open: dict[Path, Cache] = {}

    def of(self, role: str) -> Cache | None:
        if self._config.cache == "off":
            return None
        folder = self._config.folder if role in ANSWERING else self._config.reports
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (f"{self._stage}.{ANSWERS}" if role in ANSWERING else "cache.sqlite")
        if path not in self._open:
            self._open[path] = Cache(path)
        return self._open[path]

    def close(self) -> None:
        for cache in self._open.values():
            cache.close()


def _client(config: Config, name: str, ref: ModelRef, caches: _Caches, budget: Budget | None) -> Client:
    stated = config.limits.get(ref.label)
    return Client(
        CLIENT_ROLES[name],
        ref,
        caches.of(name),
        config.cache,
        ceiling=config.concurrency,
        budget=budget,
        quota=Quota(stated.requests_per_minute, stated.tokens_per_minute) if stated else None,
        opener=_open,
    )


def _tell_apart(clients: Sequence[Client]) -> None:
    """Give models of one name at different addresses different names in the records."""
    counts = Counter(client.ref.label for client in clients)
    for client in clients:
        client.suffix = f" at {public_url(client.ref.base_url or '')}" if counts[client.ref.label] > 1 else ""


def _open(ref: ModelRef, observe: Observer | None) -> Provider:
    if ref.kind == EMBEDDINGS:
        from jmedethic_pytest.models.openai import OpenAIEmbeddings

        return OpenAIEmbeddings(ref, observe)
    return demo.ScriptedProvider(ref) if ref.simulated else open_provider(ref, observe)


def _resolve(model: RoleModel, role: str, config: Config) -> ModelRef:
    provider, _, name = model.model.strip().partition(":")
    if provider != "demo":
        ref = resolve(model.model, place=f"roles.{role}", providers=config.providers)
        return _embedding(ref) if role == "embedder" else ref
    if name not in demo.NAMES[role]:
        raise ConfigError(unknown(f"roles.{role}", model.model, [f"demo:{item}" for item in demo.NAMES[role]]))
    return ModelRef(provider="demo", name=name, kind="demo", base_url=f"simulation:{demo.VERSION}")


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
