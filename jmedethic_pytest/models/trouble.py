"""What a failed call means: HTTP status, codes and words of the answer together (``data/errors.toml``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from jmedethic_pytest.core.errors import ProviderError, Trouble
from jmedethic_pytest.data import load

_DEEPEST = 6
_BEGINNING = 400
"""Characters of a message that are read: what follows may quote a conversation."""
_FILTER_RESULTS = ("content_filter_result", "prompt_filter_result")
_CATEGORY = re.compile(r"\w{1,40}", re.ASCII)
_MOST_CATEGORIES = 8
_PAGE = re.compile(r"\s*<(?:!doctype|html)\b", re.IGNORECASE)


class _Rule(NamedTuple):
    trouble: Trouble
    only: frozenset[int]
    exempt: frozenset[int]
    codes: frozenset[str]
    words: tuple[str, ...]
    page: bool

    def fits(self, status: int, codes: frozenset[str], beginning: str) -> bool:
        if (self.only and status not in self.only) or status in self.exempt:
            return False
        page = self.page and is_page(beginning)
        return page or bool(codes & self.codes) or any(word in beginning for word in self.words)


@cache
def _rules() -> tuple[_Rule, ...]:
    return tuple(
        _Rule(
            row["trouble"],
            frozenset(row.get("only", ())),
            frozenset(row.get("except", ())),
            frozenset(row.get("codes", ())),
            tuple(row.get("words", ())),
            row.get("page", False),
        )
        for row in load("errors.toml")["rule"]
    )


@cache
def _of_status(status: int) -> Trouble:
    """Return what a status alone means."""
    table: dict[Trouble, list[int]] = load("errors.toml")["status"]
    named = next((trouble for trouble, statuses in table.items() if status in statuses), None)
    return named or ("retry" if status >= 500 or status < 300 else "request")


def trouble(status: int, body: Any, message: str) -> Trouble:
    """Return what is wrong.

    Args:
        status: of the answer, or the one that its body names (:func:`stated_status`).
        body: the decoded body, ``None`` if it is no JSON.
        message: the server's message in it, or the body itself.
    """
    codes = frozenset(code.lower() for code in _codes(body, _DEEPEST))
    beginning = message[:_BEGINNING].lower()
    if _flagged(body) and status not in (401, 402, 404, 429):
        return "block"
    fitting = (rule.trouble for rule in _rules() if rule.fits(status, codes, beginning))
    return next(fitting, None) or _of_status(status)


def of(error: ProviderError) -> Trouble:
    """Return what is wrong, also where only a status is known: a provider of another distribution need not say more."""
    if error.trouble is not None:
        return error.trouble
    return "dead" if error.http_status is None else trouble(error.http_status, None, str(error))


def stated_status(body: Any) -> int:
    """Return the HTTP status that an error inside an answer of status 200 names; 200 if it names none."""
    inner = error_in(body)
    for key in ("code", "status", "status_code"):
        stated = str(inner.get(key, "")) if isinstance(inner, dict) else ""
        if re.fullmatch(r"[45]\d\d", stated, re.ASCII):
            return int(stated)
    return 200


def beside(answer: dict[str, Any]) -> Any:
    """Return what holds an error in an answer that may hold a reply too: a choice, or all of it; ``None`` if nothing.

    A reply beside an error is a part only, whatever its finish reason says.
    """
    choices = answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    places = [place for place in (answer, choice) if isinstance(place, dict) and place.get("error")]
    return next((place for place in places if said(place) or stated_status(place) != 200), None)


def instead(answer: dict[str, Any]) -> str:
    """Return what an answer without a reply says in its place, empty if it says nothing.

    Only what is marked as an error is one: anything else may be a text of the model in a shape that nobody knows.
    """
    inner = error_in(answer)
    marked = inner is not answer or any(_is_error_number(value) for value in _codes(answer, 1))
    return said(answer) if marked and not (answer.get("choices") or answer.get("content")) else ""


def _is_error_number(code: str) -> bool:
    return code.isascii() and code.isdigit() and code.lstrip("0") not in ("", "200")


def said(body: Any) -> str:
    """Return what an error says, empty if it says nothing."""
    inner = error_in(body)
    return _own_words(inner) if isinstance(inner, dict) else str(inner or "")


def error_in(body: Any) -> Any:
    """Return the error that an answer holds, or all of the answer; of several the first."""
    for _ in range(_DEEPEST):
        if isinstance(body, list) and body:
            body = body[0]
        held = _held(body) if isinstance(body, dict) else None
        if held is None:
            break
        body = held
    return body


def _held(body: dict[str, Any]) -> Any:
    """Return what one of the keys of errors holds, ``None`` if none of them holds anything that says more."""
    names = ("error",) if _own_words(body) else _keys().holders
    return next((body[name] for name in names if _holds_error(name, body.get(name))), None)


def _holds_error(name: str, value: Any) -> bool:
    if name == "Response":  # Tencent's, for answers of every kind
        return isinstance(value, dict) and bool(value.get("Error"))
    return bool(value) and not isinstance(value, bool)


def _own_words(error: dict[str, Any]) -> str:
    return next((found for name in _keys().words if isinstance(found := error.get(name), str) and found), "")


class _Keys(NamedTuple):
    holders: tuple[str, ...]
    words: tuple[str, ...]
    codes: frozenset[str]


@cache
def _keys() -> _Keys:
    table = load("errors.toml")["keys"]
    return _Keys(tuple(table["holders"]), tuple(table["words"]), frozenset(table["codes"]))


def filtered(body: Any) -> str:
    """Return what a filter says it found, such as ``violence (high), jailbreak``; empty if it does not say.

    Azure tells it beside its error, and beside a choice that it stopped.
    """
    found = dict.fromkeys(_categories(body, _DEEPEST, inside=False))
    return ", ".join(list(found)[:_MOST_CATEGORIES])


def _categories(value: Any, depth: int, *, inside: bool) -> Iterator[str]:
    if not depth or not isinstance(value, dict | list):
        return
    for name, item in value.items() if isinstance(value, dict) else enumerate(value[:20]):
        if inside and isinstance(item, dict) and item.get("filtered") is True and _CATEGORY.fullmatch(str(name)):
            severity = item.get("severity")
            word = isinstance(severity, str) and _CATEGORY.fullmatch(severity)
            yield f"{name} ({severity})" if word else str(name)
        else:
            yield from _categories(item, depth - 1, inside=inside or str(name).startswith(_FILTER_RESULTS))


def is_page(text: str) -> bool:
    """Tell whether a text is a web page: a proxy's, a firewall's or a login's."""
    return _PAGE.match(text) is not None


def _codes(value: Any, depth: int) -> Iterator[str]:
    """Yield what stands under the keys of codes, at any depth."""
    if depth and isinstance(value, dict):
        for key, item in value.items():
            if str(key).lower() in _keys().codes and isinstance(item, str | int):
                yield str(item)[:_BEGINNING].rpartition("#")[2]  # AWS: "com.amazon.coral.service#ThrottlingException"
            yield from _codes(item, depth - 1)
    elif depth and isinstance(value, list):
        for item in value[:20]:
            yield from _codes(item, depth - 1)


def _flagged(body: Any) -> bool:
    """Tell whether a router says that its moderation flagged the input."""
    inner = error_in(body)
    details = inner.get("metadata") if isinstance(inner, dict) else None
    return isinstance(details, dict) and ("flagged_input" in details or "reasons" in details)
