"""Keys, and how they are kept out of everything that is written: files, reports, messages.

A key comes from the environment, but it may also stand in an address (``http://user:password@host/v1?key=...``) or in
a parameter of the user's own (``extra``), and servers echo what they were sent. So values are hidden wherever they
turn up, not only where they are known to be.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel

HIDDEN = "[key]"
_SHORTEST = 6
_WORD = re.compile(r"[A-Za-z._-]{1,15}")
"""A shorter value, or a plain word, is no key but what stands in its place for a server that wants none (``ollama``,
``not-needed``); hiding it would spoil names and texts."""
_LONG_VALUE = 20
"""Characters from which a value in an address is taken for a key, whatever its name."""
_SECRET_NAME = re.compile(r"key|token|secret|passw|credential|auth|cookie|session|signature", re.IGNORECASE)
_SECRET_SHAPE = re.compile(r"^(?:Bearer |Basic )|^(?:sk|pk|rk|hf|gh[a-z]|glpat|xox[a-z]|AIza)[-_]?[A-Za-z0-9_-]{16,}$")
_USER = re.compile(r"(://)[^/\s]*@")
R = TypeVar("R", bound=BaseModel)


def public_url(url: str) -> str:
    """Return an address without user, password and the values of its query: what may be shown."""
    scheme, colon, rest = url.partition("://")
    address, mark, query = rest.partition("?")
    host, slash, path = address.partition("/")
    names = "&".join(part.partition("=")[0] + "=..." if "=" in part else "..." for part in query.split("&"))
    return f"{scheme}{colon}{host.rpartition('@')[2]}{slash}{path}{mark}{names if mark else ''}"


def public_spec(spec: str) -> str:
    """Return ``PROVIDER:NAME@URL`` with the address as it may be shown, also if it is no sound one."""
    name, mark, url = spec.partition("@http")
    return f"{name}@{public_url('http' + url)}" if mark else _USER.sub(r"\1", spec)


def names_a_secret(name: str) -> bool:
    """Tell whether what goes by a name is a secret, whatever it is."""
    return _SECRET_NAME.search(name) is not None


def in_url(url: str | None) -> Iterator[str]:
    """Yield the secrets of an address: password, user and password as HTTP sends them, values of the query."""
    try:
        parts = urlsplit(url or "")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
    except ValueError:
        return
    if user or password:
        yield base64.b64encode(f"{user}:{password}".encode()).decode()
        yield from (parts.password or "", password, *((user, parts.username or "") if not password else ()))
    for part in parts.query.split("&"):
        name, mark, value = part.partition("=")
        # ``api-version=2024-10-21`` is none; hiding it would spoil every date.
        if not mark or _SECRET_NAME.search(name) or len(value) >= _LONG_VALUE:
            yield from (value or name, unquote(value or name))


def in_parameters(value: Any, name: str = "") -> Iterator[str]:
    """Yield the texts in parameters of the user's own that go by a secret's name or look like a key."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from in_parameters(item, name if _SECRET_NAME.search(name) else str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from in_parameters(item, name)
    elif isinstance(value, str) and (_SECRET_NAME.search(name) or _SECRET_SHAPE.search(value)):
        yield value


def _is_one(value: str) -> bool:
    return len(value) >= _SHORTEST and _WORD.fullmatch(value) is None


class Secrets:
    """Values that must not be written anywhere.

    Args:
        values: the secrets; what is too short or too plain to be one is ignored.
    """

    def __init__(self, values: Iterable[str | None]) -> None:
        # The longest first: one may be a part of another.
        self._values = sorted({value for value in values if value and _is_one(value)}, key=len, reverse=True)

    def __add__(self, other: Secrets) -> Secrets:
        return Secrets([*self._values, *other._values])

    def hide(self, text: str) -> str:
        """Return a text without any of the values."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        return text

    def hide_in(self, value: Any) -> Any:
        """Return plain data (dicts, lists, texts) without any of the values, keys of dicts included."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {self.hide(str(key)): self.hide_in(item) for key, item in value.items()}
        return [self.hide_in(item) for item in value] if isinstance(value, list | tuple) else value

    def hide_in_record(self, record: R) -> R:
        """Return a record without any of the values; the same one if it holds none."""
        if not self._values:
            return record
        plain = record.model_dump(mode="json")
        hidden = self.hide_in(plain)
        return record if hidden == plain else type(record).model_validate(hidden)
