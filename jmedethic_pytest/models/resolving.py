"""From ``PROVIDER:NAME[@URL]`` to a model, its address, its key and its quirks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from jmedethic_pytest.config.servers import Dialect, ProviderTable
from jmedethic_pytest.core.errors import ConfigError, gathered, unknown
from jmedethic_pytest.core.secrets import in_url, public_spec, public_url
from jmedethic_pytest.data import load
from jmedethic_pytest.models import addresses, clouds, keys, proxies, registry
from jmedethic_pytest.models.base import DEMO, ModelRef, Role

_HTTP = ("openai", "anthropic")
"""Transports whose rows say everything; to ask their classes would import an SDK."""
_DECLARED = ("base_url", "api_key_env", "optional_key_env", "structured")
"""What a provider's class may say of itself; a table of the thresholds file wins over it."""


class Retirement(NamedTuple):
    """An announced end of a model."""

    date: str
    note: str


def names(extra: Mapping[str, ProviderTable] | None = None) -> list[str]:
    """Return every provider name that can stand before the colon."""
    return list(dict.fromkeys([*load("providers.toml"), *(extra or {}), *registry.guests()]))


def batched_providers() -> list[str]:
    """Return the providers known by name that take batches."""
    return [name for name, row in load("providers.toml").items() if "batch" in row]


def resolve(
    spec: str,
    *,
    place: str,
    role: Role = "target",
    providers: Mapping[str, ProviderTable] | None = None,
    base_url: str | None = None,
    simulation: str = DEMO,
    called: bool = True,
) -> ModelRef:
    """Return the model a specification names; keys come from the environment.

    Args:
        spec: ``PROVIDER:NAME`` or ``PROVIDER:NAME@URL``.
        place: the option or file key the text came from, for error texts.
        role: what the model is for; simulations have other names in other roles.
        providers: ``[providers.*]`` of the thresholds file; they win over the shipped table.
        base_url: address that wins over every other one.
        simulation: transport behind ``demo:``.
        called: whether it will be called; without that no key is needed.

    Raises:
        ConfigError: for a bad form, an unknown provider or simulation, a missing address or a missing key, and for a
            provider of another distribution whose name is taken or that cannot be imported.
    """
    provider, name, url = _parts(spec, place)
    row = _row(provider, providers or {}, place)
    if provider == DEMO:
        row["kind"], base_url, url = simulation, None, None
    row = row if row["kind"] in _HTTP else _declared(row["kind"]) | row
    cloud, what = row.get("cloud"), f"{place}: {public_spec(spec)!r}"
    row |= _quirks(f"{cloud or provider}:{name}")
    registry.entry(row["kind"])
    if provider == DEMO and name not in (known := registry.transport(simulation).names(role)):
        raise ConfigError(unknown(place, f"{DEMO}:{name}", [f"{DEMO}:{item}" for item in known]))
    own = os.environ.get(row.get("base_url_env", "")) or row.get("base_url")
    address, key, hidden = base_url or url or own, None, clouds.secrets(cloud)
    headers: Mapping[str, str] = {}
    problems: list[str] = []
    with gathered(problems):
        address = _checked(address, row, provider, what)
    has_a_home = not cloud and (provider in load("providers.toml") or (own and provider in registry.guests()))
    withheld = row.get("api_key_env") if has_a_home and not addresses.same_server(address, own) else None
    with gathered(problems):
        key = None if withheld else keys.key(row, what, called=called)
        if cloud and called and not problems:
            clouds.check(cloud, address or "", own, key, what)
    with gathered(problems):
        place_of_headers = f"{place}: [providers.{provider}] headers"
        headers, hidden_too = keys.headers(row.get("headers", {}), place_of_headers, called=called)
        hidden += [*hidden_too, *in_url(proxies.proxy(address or ""))]
    if problems:
        raise ConfigError(problems)
    row["query"] = clouds.query(cloud, row.get("query", {}))
    row["direct"] = row.get("direct", True) and not clouds.changing(cloud, key)
    return ModelRef(
        provider=provider,
        name=name,
        kind=row["kind"],
        base_url=address,
        api_key=key,
        dialect=Dialect(**{name: row[name] for name in Dialect.model_fields if name in row}),
        headers=headers,
        withheld_key=withheld,
        cloud=cloud,
        hidden=tuple(hidden),
    )


def of_served(provider: str, name: str, by: str) -> ModelRef:
    """Return a model that a server of the run's own will serve, as OpenAI chat completions and without a key.

    Args:
        provider: whose peculiarities the server has.
        name: of the model.
        by: the server, in words for records.
    """
    row = dict(load("providers.toml")[provider]) | _quirks(f"{provider}:{name}")
    dialect = Dialect(**{key: row[key] for key in Dialect.model_fields if key in row})
    return ModelRef(provider=provider, name=name, kind="openai", served=by, dialect=dialect)


def retirement(label: str) -> Retirement | None:
    """Return the announced end of a model (``provider:name``), if one is known to this version."""
    for row in load("models.toml")["retirement"]:
        if any(fnmatchcase(label, pattern) for pattern in row["models"]):
            return Retirement(date=row["date"], note=row["note"])
    return None


def _parts(spec: str, place: str) -> tuple[str, str, str | None]:
    """Return provider, name and address of a specification."""
    provider, colon, rest = spec.strip().partition(":")
    name, _, url = rest.partition("@http")
    if not colon or not provider or not name:
        raise ConfigError(f"{place}: {public_spec(spec)!r} is not of the form PROVIDER:NAME, e.g. openai:gpt-4.1-mini.")
    return provider, name, f"http{url}" if url else None


def _row(provider: str, extra: Mapping[str, ProviderTable], place: str) -> dict[str, Any]:
    """Return what the thresholds file or the shipped table say of a provider, with the transport that speaks to it."""
    conflict = registry.guest_conflict(provider)
    if conflict:
        raise ConfigError(f"{place}: {conflict}")
    shipped, is_guest = load("providers.toml"), provider in registry.guests()
    if provider in extra:
        _check_own_name(provider, shipped, place)
        table = extra[provider]
        _check_table(provider, table.kind, place, is_guest=is_guest)
        given = table.model_dump(exclude_unset=True, exclude_none=True)
        of_cloud = {key: value for key, value in shipped.get(table.cloud, {}).items() if key != "base_url_env"}
        return of_cloud | given | {"kind": provider if is_guest else table.kind}
    if is_guest:
        return {"kind": provider}
    if provider not in shipped:
        hint = " For another OpenAI-compatible server use compatible:NAME with an address, or a [providers.NAME] table."
        raise ConfigError(unknown(f"{place}: provider", provider, names(extra), hint))
    return dict(shipped[provider])


def _check_own_name(provider: str, shipped: Mapping[str, Any], place: str) -> None:
    """Refuse a table that would point the name of a public service, and its key, to another server."""
    if {"api_key_env", "cloud"} & set(shipped.get(provider, ())):
        raise ConfigError(
            f"{place}: [providers.{provider}] has the name of a public service, which a thresholds file must not point "
            f"elsewhere. Next: rename it, e.g. [providers.my-{provider}], and name the model my-{provider}:NAME."
        )


def _check_table(provider: str, kind: str, place: str, *, is_guest: bool) -> None:
    """Refuse a table of the thresholds file of which it is not sure whom it describes."""
    table = f"{place}: [providers.{provider}]"
    if provider == DEMO:
        raise ConfigError(f"{table}: {DEMO!r} names the simulations. Give your server another name.")
    if is_guest and kind != "plugin":
        raise ConfigError(
            f"{table} describes a server that speaks {kind!r}, but an installed distribution brings a provider of the "
            'same name. Next: rename the table, or write kind = "plugin" in it if it is meant for that provider.'
        )
    if not is_guest and kind == "plugin":
        raise ConfigError(
            f'{table}: kind = "plugin", but no installed distribution brings a provider {provider!r}. '
            f"Next: install it. Installed: {', '.join(registry.guests()) or 'none'}."
        )


def _declared(kind: str) -> dict[str, Any]:
    """Return what the class of a transport says of itself."""
    made = registry.transport(kind)
    return {key: getattr(made, key) for key in _DECLARED if isinstance(getattr(made, key, None), str)}


def _checked(address: str | None, row: Mapping[str, Any], provider: str, what: str) -> str | None:
    """Return the address of a model as the SDK is to be given it.

    Raises:
        ConfigError: if there is none, it is none, or the way there cannot be gone.
    """
    if not address and row.get("cloud"):
        address = clouds.address(row["cloud"], row["kind"], what)
    address = addresses.tidy(address, row["kind"]) if address else None
    if row["kind"] not in _HTTP:
        return address
    if not address:
        raise ConfigError(
            f"{what}: provider {provider!r} has no address. Give --jmed-base-url=http://HOST:PORT/v1 or "
            f"{provider}:NAME@URL."
        )
    wrong = addresses.problem(address)
    if wrong:
        raise ConfigError(f"{what}: the address {public_url(address)!r} {wrong}.")
    proxies.check(address, what)
    return address


def _quirks(label: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in load("models.toml")["quirk"]:
        if any(fnmatchcase(label, pattern) for pattern in row["models"]):
            found.update({key: value for key, value in row.items() if key != "models"})
    return found
