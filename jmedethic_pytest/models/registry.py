"""The transports there are: entry points of one group, our own and those of other distributions alike.

An entry point of the group names a class that is made as ``Class(ref, observe)`` and does what
:class:`jmedethic_pytest.models.base.Provider` says. Our own are named by the rows of ``data/providers.toml``; any other
one is a provider by itself, under the name of its entry point, which must be free.
"""

from __future__ import annotations

import functools
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from jmedethic_pytest.core.errors import ConfigError, ProviderError
from jmedethic_pytest.data import load
from jmedethic_pytest.models.base import ModelRef, Observer, Provider
from jmedethic_pytest.models.guests import Guarded

GROUP = "jmedethic.providers"
_OWN = "jmedethic-pytest"
_SDKS = ("openai", "anthropic", "httpx2", "httpx", "httpcore")


def guests() -> tuple[str, ...]:
    """Return the names of the providers that other distributions bring, those that collide with ours left out."""
    return tuple(name for name in _points() if not _is_ours(name))


def distribution(name: str) -> str:
    """Return the installed distribution that brings a provider.

    Raises:
        ConfigError: see :func:`entry`.
    """
    return _owner(entry(name))


def guest_conflict(name: str) -> str | None:
    """Return why a provider of that name cannot be told who it is, in words; ``None`` if all is well."""
    foreign = sorted({_owner(point) for point in _points().get(name, ()) if _owner(point) != _OWN})
    if foreign and _is_ours(name):
        return (
            f"the provider {name!r} of the installed distribution {foreign[0]!r} has the name of a built-in one, which "
            f"it must not replace. Next: pip uninstall {foreign[0]}, or have its entry point renamed."
        )
    if len(foreign) > 1:
        both = " and ".join(map(repr, foreign))
        return f"the provider {name!r} is in the installed distributions {both}. Next: uninstall all but one of them."
    return None


def entry(kind: str) -> EntryPoint:
    """Return the entry point of a transport; nothing is imported.

    Raises:
        ConfigError: if it is not installed, or its name is taken twice.
    """
    conflict = guest_conflict(kind)
    if conflict:
        raise ConfigError(conflict)
    if kind not in _points():
        raise ConfigError(
            f"the transport {kind!r} is not registered: the installation of {_OWN} is older than its source. "
            "Next: install it again (pip install -e . in a checkout)."
        )
    return _points()[kind][0]


def transport(kind: str) -> Any:
    """Return the class of a transport.

    Raises:
        ConfigError: see :func:`entry`; or if it cannot be imported.
    """
    point = entry(kind)
    try:
        return point.load()
    except Exception as error:  # noqa: BLE001 - somebody else's module: whatever it raises is to be said in words
        raise ConfigError(
            f"the provider {kind!r} of the distribution {_owner(point)!r} cannot be imported ({point.value}): "
            f"{type(error).__name__}: {error}. Next: mend or uninstall that distribution."
        ) from None


def load_transports(refs: Iterable[ModelRef]) -> None:
    """Import what will be called, in the thread of the caller.

    An SDK makes loggers when it is imported, and pytest walks through all loggers while tests begin: an import in the
    engine's thread at that moment would end the session with an internal error.

    Raises:
        ConfigError: see :func:`transport`.
    """
    _quieten()
    for ref in refs:
        transport(ref.kind)


def open_provider(ref: ModelRef, observe: Observer | None = None) -> Provider:
    """Return the transport of a model; must be called inside the event loop that will use it.

    Args:
        ref: the model.
        observe: told status and headers of every answer, also of those the SDK retries by itself.

    Raises:
        ConfigError: see :func:`transport`.
        ProviderError: if the provider of another distribution cannot be opened.
    """
    _quieten()
    made = transport(ref.kind)
    if _is_ours(ref.kind):
        provider: Provider = made(ref, observe)
        return provider
    told = observe and (lambda status, headers: observe(status, {key.lower(): headers[key] for key in headers}))
    try:
        return Guarded(made(ref, told), ref)
    except Exception as error:  # noqa: BLE001 - as above
        text = ref.secrets.hide(f"{ref.label}: the provider cannot be opened: {type(error).__name__}: {error}")
        raise ProviderError(text, fatal=True) from None


@functools.cache  # looking through everything that is installed takes a while; done when the first model is named
def _points() -> Mapping[str, tuple[EntryPoint, ...]]:
    found: dict[str, list[EntryPoint]] = defaultdict(list)
    for point in entry_points(group=GROUP):
        found[point.name].append(point)
    return {name: tuple(points) for name, points in found.items()}


@functools.cache
def _owner(point: EntryPoint) -> str:
    """Return the distribution an entry point comes from."""
    return point.dist.name.lower().replace("_", "-") if point.dist is not None else "(unknown)"


def _is_ours(name: str) -> bool:
    return name in load("providers.toml") or any(_owner(point) == _OWN for point in _points().get(name, ()))


def _quieten() -> None:
    """Keep requests out of log files, which pytest shows: an SDK logs whole conversations, and addresses with keys."""
    for name in _SDKS:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
