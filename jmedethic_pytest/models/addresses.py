"""Addresses of servers as people give them, and as an SDK wants them."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit, urlunsplit

ROUTES = {"openai": "/chat/completions", "anthropic": "/v1/messages"}
"""What a transport adds to an address."""


def tidy(address: str, kind: str) -> str:
    """Return an address without what was pasted along with it: spaces, a slash at the end, the route of a call.

    Args:
        address: as it was given; a query stays where it is.
        kind: the transport, which adds the route itself.
    """
    place, mark, query = address.strip().partition("?")
    place = place.rstrip("/")
    return place.removesuffix(ROUTES.get(kind, "\0")).rstrip("/") + mark + query


def split(address: str) -> tuple[str, dict[str, str]]:
    """Return an address without its query, and the query: an SDK writes paths behind the one and keeps the other."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(query="", fragment="")), dict(parse_qsl(parts.query, keep_blank_values=True))


def same_server(address: str | None, own: str | None) -> bool:
    """Tell whether an address is at the provider's own server: a key is for that one alone."""
    try:
        one, other = urlsplit(address or ""), urlsplit(own or "")
        return (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)
    except ValueError:  # a port that is none
        return False


def problem(address: str) -> str | None:
    """Return why an address cannot be one of a server, without the address itself; ``None`` if it can."""
    if not address.startswith(("http://", "https://")):
        return "must start with http:// or https://"
    try:
        parts = urlsplit(address)
        found = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        found = None
    return None if found and not any(sign.isspace() for sign in address) else "names no server"


def advice(address: str, kind: str) -> str:
    """Return what to change in an address under which the server knows no such route."""
    bare, _ = split(address)
    asked = f". Asked was {bare}{ROUTES.get(kind, '')}"
    path = urlsplit(bare).path
    if kind == "openai" and not path.rstrip("/").endswith(("/v1", "/openai")):
        return f"{asked}; most servers have it below /v1: give {bare}/v1, or check the model's name"
    if kind == "anthropic" and path.rstrip("/").endswith("/v1"):
        return f"{asked}: give the address without /v1"
    return f"{asked}; check address and model name"
