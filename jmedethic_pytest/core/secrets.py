"""Keys, and how they are kept out of everything that is written: files, reports, messages.

A key comes from the environment, but it may also stand in an address (``http://user:password@host/v1?key=...``), in a
parameter of the user's own (``extra``) or in a prompt, and servers echo what they were sent. So values are hidden
wherever they turn up, not only where they are known to be. Whatever stands where a secret stands is one, however it
looks.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, get_args
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, ValidationError

from jmedethic_pytest.core.status import ReplyStatus, ScoreStatus, VerdictStatus

HIDDEN = "[key]"
_SHORTEST = 6
_WORD = re.compile(r"[A-Za-z._-]{1,15}")
"""In the place of a key a shorter value, or a plain word, is none but what a server is given that wants none
(``ollama``, ``not-needed``). In the place of a password it is one, and hidden where it stands as a word of its own."""
_SHORTEST_WORD = 3
_OURS = {*get_args(ReplyStatus), *get_args(ScoreStatus), *get_args(VerdictStatus), "demo", "openai", "anthropic"}
"""Words that say what a record means; as a password they protect nothing."""
_SECRET_NAME = re.compile(
    r"key|token|secret|passw|passphrase|pwd|credential|auth|cookie|session|signature|^(?:sig|code|pass)$", re.IGNORECASE
)
_HEADERS = re.compile(r"headers?$", re.IGNORECASE)
"""Tables whose every value is one, unless its name says otherwise."""
_OPEN_NAME = re.compile(
    r"^(?:content-type|accept|user-agent|api[-_]?version|.*version|deployment|model|region|location|format|alt"
    r"|lang(?:uage)?|stream|beta|timeout)$",
    re.IGNORECASE,
)
_OPEN_VALUE = re.compile(
    r"(?:true|false|on|off|yes|no|\d{1,5}|\d{4}-\d{2}-\d{2}(?:-preview)?|v\d\w{0,8})?", re.IGNORECASE
)
"""Values of an address's query that are none, whatever their name; hiding a date would spoil every other one."""
_PREFIXES = r"(?:sk|pk|rk|hf|gh[a-z]|glpat|xox[a-z]|AIza|AKIA)[-_]?"
_SECRET_SHAPE = re.compile(rf"^(?:Bearer |Basic )|^{_PREFIXES}[A-Za-z0-9_-]{{16,}}$")
_SHAPE_INSIDE = re.compile(rf"(?<![A-Za-z0-9_-]){_PREFIXES}(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{{16,}}")
_NAMED_INSIDE = re.compile(
    r"(?<![A-Za-z])(?:api[ _-]?key|token|password|passwd|passphrase|secret)\s*(?:is|=|:)\s*[\"'`]?([^\s\"'`,;]{6,})",
    re.IGNORECASE,
)
_URL_INSIDE = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}://[^\s\"'<>]+", re.IGNORECASE)
_USER = re.compile(r"(://)[^/\s]*@")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
R = TypeVar("R", bound=BaseModel)


def public_url(url: str) -> str:
    """Return an address without user, password, tokens in its path and the values of its query: what may be shown."""
    scheme, colon, rest = url.partition("://")
    address, mark, query = rest.partition("?")
    host, slash, path = address.partition("/")
    path = "/".join("..." if _is_token(part) else part for part in path.split("/"))
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
    """Yield the secrets of an address: password, user and password as HTTP sends them, tokens of path and query."""
    try:
        parts = urlsplit(url or "")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
    except ValueError:
        return
    if user or password:
        yield base64.b64encode(f"{user}:{password}".encode()).decode()
        yield from (parts.password or "", password)
        if not password or _is_one(user):  # a token may stand alone; a user's name may be any word
            yield from (user, parts.username or "")
    yield from (part for part in parts.path.split("/") if _is_token(part))
    for part in parts.query.split("&"):
        name, mark, value = part.partition("=")
        if not mark or not (_OPEN_NAME.match(name) or _OPEN_VALUE.fullmatch(value)):
            yield from (value or name, unquote(value or name))


def _is_token(part: str) -> bool:
    """Tell whether a part of a path looks drawn at random: its letters and digits take turns, as in no name."""
    bare = re.sub(r"[^A-Za-z0-9]", "", part)
    turns = len(re.findall(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])", bare))
    return len(bare) >= 12 and turns >= max(5, len(bare) / 4)


def in_parameters(value: Any, name: str = "") -> Iterator[str]:
    """Yield the texts in parameters of the user's own that go by a secret's name or look like a key."""
    if isinstance(value, dict):
        for key, item in value.items():
            kept = _SECRET_NAME.search(name) or (_HEADERS.search(name) and not _OPEN_NAME.match(str(key)))
            yield from in_parameters(item, "secret" if kept else str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from in_parameters(item, name)
    elif isinstance(value, str) and (_SECRET_NAME.search(name) or _SECRET_SHAPE.search(value)):
        yield value


def in_settings(value: Any) -> Iterator[str]:
    """Yield the secrets of a settings file: in tables for a server's parameters by their names, in texts by sight."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from in_text(str(key))
            yield from in_settings(item)
            if key == "extra" or _HEADERS.search(str(key)):
                yield from in_parameters(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from in_settings(item)
    elif isinstance(value, str):
        yield from in_text(value)


def in_text(text: str) -> Iterator[str]:
    """Yield what looks like a key in a text, is called one, or stands in an address there."""
    yield from _SHAPE_INSIDE.findall(text)
    yield from (value for value in _NAMED_INSIDE.findall(text) if _is_one(value))
    for url in _URL_INSIDE.findall(text):
        yield from in_url(url)


def in_environment() -> Iterator[str]:
    """Yield the secrets of the proxies that the environment names."""
    for name in _PROXIES:
        for address in (os.environ.get(name), os.environ.get(name.upper())):
            if address:
                yield from in_url(address if "://" in address else f"http://{address}")


def _is_one(value: str) -> bool:
    return len(value) >= _SHORTEST and _WORD.fullmatch(value) is None


def _forms(value: str) -> tuple[str, ...]:
    """Return a value as it is, and as JSON and addresses write it: servers echo what they were sent."""
    return value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], quote(value, safe="")


class Secrets:
    """Values that must not be written anywhere.

    Args:
        values: what stands in the place of a key; what is too short or too plain to be one is ignored.
        certain: what stands where nothing else does: passwords, values of headers, of an address's query.
    """

    def __init__(self, values: Iterable[str | None], certain: Iterable[str] = ()) -> None:
        found, sure = {value for value in values if value and _is_one(value)}, set(certain)
        # The longest first: one may be a part of another.
        found |= {value for value in sure if _is_one(value)}
        self._values = sorted({form for value in found for form in _forms(value)}, key=len, reverse=True)
        self._words = sorted(
            (value for value in sure - _OURS if len(value) >= _SHORTEST_WORD and not _is_one(value)),
            key=len,
            reverse=True,
        )
        words = "|".join(map(re.escape, self._words))
        self._word = re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])") if words else None

    def __add__(self, other: Secrets) -> Secrets:
        return Secrets([*self._values, *other._values], (*self._words, *other._words))

    def hide(self, text: str) -> str:
        """Return a text without any of the values."""
        text = self._hide_values(text)
        return text if self._word is None else self._word.sub(HIDDEN, text)

    def _hide_values(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, HIDDEN)
        return text

    def _hide_in_key(self, key: str) -> str:
        """Hide in the name of an entry; the names of our own fields are plain words, and stay."""
        return self.hide(key) if "://" in key else self._hide_values(key)

    def hide_in(self, value: Any) -> Any:
        """Return plain data (dicts, lists, texts) without any of the values, keys of dicts included."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {self._hide_in_key(str(key)): self.hide_in(item) for key, item in value.items()}
        return [self.hide_in(item) for item in value] if isinstance(value, list | tuple) else value

    def hide_in_record(self, record: R) -> R:
        """Return a record without any of the values; the same one if it holds none."""
        if not self._values and self._word is None:
            return record
        plain = record.model_dump(mode="json")
        hidden = self.hide_in(plain)
        try:
            return record if hidden == plain else type(record).model_validate(hidden)
        except ValidationError:  # a password that is another word of ours, such as a language
            return Secrets(self._values).hide_in_record(record)
