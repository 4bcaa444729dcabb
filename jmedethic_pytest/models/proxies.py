"""The proxy that the environment names for a server (HTTPS_PROXY, ALL_PROXY, NO_PROXY and so on)."""

from __future__ import annotations

import importlib.util
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.secrets import public_url

if TYPE_CHECKING:
    import aiohttp

_NAMED_THERE = {"socks5h": ("socks5", True), "socks5": ("socks5", False), "socks4a": ("socks4", True)}
"""Schemes of SOCKS by what they mean: the protocol, and whether the proxy looks up the server's name."""


def proxy(address: str) -> str | None:
    """Return the address of the proxy for a server, with its password; ``None`` if it is asked directly."""
    parts = urlsplit(address)
    if not parts.hostname or urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxies = urllib.request.getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    return found if not found or "://" in found else f"http://{found}"


def is_socks(proxy: str) -> bool:
    """Tell whether a proxy speaks SOCKS."""
    return urlsplit(proxy).scheme.startswith("socks")


def check(address: str, what: str) -> None:
    """See to it that a server can be reached through the proxy of the environment.

    Raises:
        ConfigError: if that speaks SOCKS and what is needed for it is not installed.
    """
    found = proxy(address)
    if found and is_socks(found) and importlib.util.find_spec("aiohttp_socks") is None:
        raise ConfigError(
            f"{what}: the environment names a SOCKS proxy, {public_url(found)} (ALL_PROXY, HTTPS_PROXY or HTTP_PROXY). "
            f"Next: pip install 'jmedethic-pytest[socks]', or NO_PROXY={urlsplit(address).hostname} to ask directly."
        )


def failures(proxy: str | None) -> tuple[type[Exception], ...]:
    """Return what a connection through a SOCKS proxy raises beside aiohttp's own errors."""
    if proxy is None:
        return ()
    from aiohttp_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, SocksError

    return ProxyConnectionError, ProxyError, ProxyTimeoutError, SocksError, EOFError


def socks_connector(proxy: str, **options: Any) -> aiohttp.BaseConnector:
    """Return connections through a SOCKS proxy; the options are those of aiohttp's own connector."""
    from aiohttp_socks import ProxyConnector

    scheme, _, rest = proxy.partition("://")
    protocol, named_there = _NAMED_THERE.get(scheme, (scheme, False))
    return ProxyConnector.from_url(f"{protocol}://{rest}", rdns=named_there, **options)
