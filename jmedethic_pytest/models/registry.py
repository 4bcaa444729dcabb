"""From ``PROVIDER:NAME[@URL]`` to a model, its address, its key and its quirks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple

from jmedethic_pytest.config.tables import ProviderTable
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.secrets import public_spec, public_url
from jmedethic_pytest.data import load
from jmedethic_pytest.models.base import ModelRef

DEMO_VERSION = "4"
"""Raised when the simulations change, so that cached replies of older ones are not taken for theirs."""
DEMO_TARGETS = ("aligned", "eroding", "regressed", "overcautious")
DEMO_JUDGES = ("judge-strict", "judge-lenient")


class Retirement(NamedTuple):
    """An announced end of a model."""

    date: str
    note: str


def plugins() -> dict[str, EntryPoint]:
    """Return the transports of installed plugins (entry-point group ``jmedethic.providers``) by provider name."""
    return {point.name: point for point in entry_points(group="jmedethic.providers")}


def names(extra: Mapping[str, ProviderTable] | None = None) -> list[str]:
    """Return every provider name that can stand before the colon."""
    return ["demo", *load("providers.toml"), *(extra or {}), *plugins()]


def resolve(
    spec: str, *, place: str, providers: Mapping[str, ProviderTable] | None = None, base_url: str | None = None
) -> ModelRef:
    """Return the model a specification names; keys come from the environment.

    Args:
        spec: ``PROVIDER:NAME`` or ``PROVIDER:NAME@URL``.
        place: the option or file key the text came from, for error texts.
        providers: ``[providers.*]`` of the thresholds file; they win over the shipped table.
        base_url: address that wins over every other one.

    Raises:
        ConfigError: for a bad form, an unknown provider or demo model, a missing address or a missing key.
    """
    shown = public_spec(spec)
    provider, colon, rest = spec.strip().partition(":")
    name, _, url = rest.partition("@http")
    if not colon or not provider or not name:
        raise ConfigError(
            f"{place}: {shown!r} is not of the form PROVIDER:NAME, e.g. openai:gpt-4o-mini or demo:aligned."
        )
    if provider == "demo":
        return _demo(name, place)
    if provider in plugins():
        return ModelRef(
            provider=provider, name=name, kind=provider, base_url=base_url or (f"http{url}" if url else None)
        )
    row = _row(provider, providers or {}, place)
    address = (
        base_url
        or (f"http{url}" if url else None)
        or os.environ.get(row.get("base_url_env", ""))
        or row.get("base_url")
    )
    problems = []
    if not address:
        problems.append(
            f"{place}: provider {provider!r} has no address. Give --jmed-base-url=http://HOST:PORT/v1 or {shown}@URL."
        )
    elif not address.startswith(("http://", "https://")):
        problems.append(f"{place}: the address {public_url(address)!r} must start with http:// or https://.")
    key_env = row.get("api_key_env")
    key = os.environ.get(key_env or row.get("optional_key_env") or "") or None
    if key_env and not key:
        problems.append(
            f"{place}: {shown!r} needs the environment variable {key_env}, which is not set. Next: export {key_env}=..."
        )
    if problems:
        raise ConfigError(problems)
    quirks = _quirks(f"{provider}:{name}")
    return ModelRef(
        provider=provider,
        name=name,
        kind=row["kind"],
        base_url=(address or "").rstrip("/"),
        api_key=key,
        structured=quirks.get("structured", row.get("structured", "prompt")),
        sampling=quirks.get("sampling", True),
        max_tokens_field=row.get("max_tokens_field", "max_tokens"),
    )


def retirement(label: str) -> Retirement | None:
    """Return the announced end of a model (``provider:name``), if one is known to this version."""
    for row in load("models.toml")["retirement"]:
        if any(fnmatchcase(label, pattern) for pattern in row["models"]):
            return Retirement(date=row["date"], note=row["note"])
    return None


def _demo(name: str, place: str) -> ModelRef:
    known = DEMO_JUDGES if place.startswith("judge") else DEMO_TARGETS
    if name not in known:
        raise ConfigError(unknown(place, f"demo:{name}", [f"demo:{item}" for item in known]))
    return ModelRef(provider="demo", name=name, kind="demo", base_url=f"simulation:{DEMO_VERSION}")


def _row(provider: str, extra: Mapping[str, ProviderTable], place: str) -> dict[str, Any]:
    if provider in extra:
        return {key: value for key, value in extra[provider].model_dump().items() if value is not None}
    table = load("providers.toml")
    if provider not in table:
        hint = " For another OpenAI-compatible server use compatible:NAME with an address, or a [providers.NAME] table."
        raise ConfigError(unknown(f"{place}: provider", provider, names(extra), hint))
    row: dict[str, Any] = table[provider]
    return row


def _quirks(label: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in load("models.toml")["quirk"]:
        if any(fnmatchcase(label, pattern) for pattern in row["models"]):
            found.update({key: value for key, value in row.items() if key != "models"})
    return found
