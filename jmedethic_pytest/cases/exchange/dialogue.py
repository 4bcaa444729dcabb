"""User turns and replies out of the shapes in which data sets write a conversation."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from jmedethic_pytest.core import strict_json

_USER = frozenset({"user", "human", "prompter", "attacker", "questioner", "patient", "ユーザー", "利用者", "質問者"})
_ASSISTANT = frozenset({"assistant", "bot", "gpt", "model", "ai", "chatbot", "response", "answer", "アシスタント"})
_SYSTEM = frozenset({"system", "developer"})
_ROLE_KEYS = ("role", "from", "speaker")
_TEXT_KEYS = ("content", "value", "text", "utterance", "question", "prompt", "query", "message")
_NUMBERED = re.compile(r"(\d+)$")


class Unusable(ValueError):  # noqa: N818 - says what the row is
    """A row's conversation cannot become a case; the text is the reason that is counted."""


class Dialogue(NamedTuple):
    """A conversation as it was found."""

    turns: tuple[str, ...]
    """User turns."""
    replies: tuple[str, ...]
    """The data set's replies to T0, T1, ...; empty where one is missing, and none at the end that is."""
    left_out: tuple[str, ...] = ()
    """What a case cannot carry, one note each."""


class _Entry(NamedTuple):
    role: str
    text: str


def read(values: Sequence[Any]) -> Dialogue:
    """Return the conversation in the columns that hold it.

    Args:
        values: one value that is the whole conversation (a list of strings, of ``{role, content}``, of
            ``{user, bot}``, the same as JSON text, or a plain text: one turn), or one plain text for each turn.

    Raises:
        Unusable: if there is no user turn or the shape is not known.
    """
    entries = list(_entries(_decode(values[0]))) if len(values) == 1 else list(_columns(values))
    turns: list[str] = []
    replies: dict[int, str] = {}
    left_out: list[str] = []
    for entry in entries:
        if entry.role == "user":
            turns.append(entry.text)
        elif entry.role == "assistant" and turns:
            replies.setdefault(len(turns) - 1, entry.text)
        elif entry.text:
            left_out.append("an opening message of the assistant" if entry.role == "assistant" else "a system message")
    if not turns:
        raise Unusable("no user turn")
    if not all(turns):
        raise Unusable("an empty user turn")
    answers = _without_tail([replies.get(index, "") for index in range(len(turns))])
    return Dialogue(tuple(turns), answers, tuple(dict.fromkeys(left_out)))


def texts(values: Sequence[Any]) -> tuple[str, ...]:
    """Return a list of plain texts from one list-valued column or from one column for each text."""
    found = _decode(values[0]) if len(values) == 1 else list(values)
    items = found if isinstance(found, list) else [found]
    return _without_tail([_text(item) for item in items])


def _columns(values: Sequence[Any]) -> Iterator[_Entry]:
    for text in _without_tail([_text(value) for value in values]):
        yield _Entry("user", text)


def _entries(value: Any) -> Iterator[_Entry]:
    if isinstance(value, Mapping):
        yield from _from_mapping(value)
    elif isinstance(value, list):
        for item in value:
            yield from _from_mapping(item) if isinstance(item, Mapping) else [_Entry("user", _text(item))]
    elif _text(value):
        yield _Entry("user", _text(value))


def _from_mapping(item: Mapping[str, Any]) -> Iterator[_Entry]:
    """Read a message with a role, a pair of question and reply, numbered turns, or a lone text."""
    by_name = {str(key).strip().casefold(): value for key, value in item.items()}
    role = next((_text(by_name[key]).casefold() for key in _ROLE_KEYS if key in by_name), None)
    user = next((by_name[key] for key in by_name if key in _USER), None)
    text = next((by_name[key] for key in _TEXT_KEYS if key in by_name), None)
    if role is not None:
        yield _Entry(_role(role), _text(text))
    elif user is not None:
        yield _Entry("user", _text(user))
        reply = next((by_name[key] for key in by_name if key in _ASSISTANT), None)
        yield _Entry("assistant", _text(reply))
    elif by_name and all(_NUMBERED.search(key) for key in by_name):
        for key in sorted(by_name, key=lambda name: int(_NUMBERED.search(name)[1])):  # type: ignore[index]
            yield from _entries(by_name[key])
    elif text is not None:
        yield _Entry("user", _text(text))
    else:
        raise Unusable(f"turns of an unknown shape, with the keys {', '.join(map(str, item)) or '(none)'}")


def _role(word: str) -> str:
    for role, words in (("user", _USER), ("assistant", _ASSISTANT), ("system", _SYSTEM)):
        if word in words:
            return role
    raise Unusable(f"a message with the unknown role {word!r}")


def _decode(value: Any) -> Any:
    """Return the list or object that a text cell holds as JSON or as Python's own notation; else the value itself."""
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    for parse in (partial(strict_json.value, foreign=True), ast.literal_eval):
        try:
            return parse(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    if re.match(r"""\s*[\[{]\s*[{\['"]""", value):
        raise Unusable("turns that look like a list but cannot be read as one")
    return value


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):  # NaN: how data frames write an empty cell
        return ""
    if isinstance(value, list | tuple | Mapping):
        raise Unusable("a turn that is no plain text")
    return str(value).strip()


def _without_tail(found: list[str]) -> tuple[str, ...]:
    while found and not found[-1]:
        found.pop()
    return tuple(found)
