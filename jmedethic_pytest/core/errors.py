"""The exception tree, and the helpers that word an error for a person.

JmedError
├── ConfigError        bad input by the user: options, files, keys (pytest.UsageError, exit 4)
├── StoreError         the run store or the cache cannot be read or written
├── RunAborted         the run cannot go on: dead endpoint, full disk (status ``incomplete``)
├── StoppedEarly       the run was decided at a look before its end (test SKIPPED)
├── CaseError          one case has no score: transport, judge or reply trouble (test ERROR)
└── ProviderError      one attempt of a call failed (becomes a status, never crosses the engine)
AssertionError
└── ThresholdFailure   a case fell to or below a floor (test FAILED)
    └── KnownFailure   it did so in the baseline too (test XFAIL)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from jmedethic_pytest.core.secrets import Secrets, in_parameters

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Trouble = Literal["block", "wait", "retry", "request", "too_long", "dead", "account"]
"""What is wrong when a call failed: its safety filter stopped it (``block``); the endpoint is busy or down for a while
(``wait``); this attempt went wrong (``retry``); this request is refused (``request``), being too long for the model's
context (``too_long``); the address or the model is wrong, if no call ever succeeded, else this request (``dead``); no
call with this key or account can succeed (``account``)."""


_LONGEST, _LONGEST_VALUE = 500, 200


class JmedError(Exception):
    """Base class of everything this package raises on purpose, except ``ThresholdFailure``."""


class ConfigError(JmedError):
    """What the user gave cannot be used; carries every problem found, not only the first.

    Args:
        problems: one text per problem, each with place, value, what is allowed and the next step.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


@contextmanager
def gathered(problems: list[str]) -> Iterator[None]:
    """Add what is wrong in a block to a list, so that the rest is looked at too."""
    try:
        yield
    except ConfigError as error:
        problems += error.problems


class StoreError(JmedError):
    """A file of the run store or the response cache cannot be read or written."""


class RunAborted(JmedError):  # noqa: N818 - an outcome, as users read it
    """The whole run cannot go on; what was finished is stored and the same command resumes it."""


class BudgetSpent(RunAborted):
    """The next call might exceed the budget: the run stops with exit status 7."""


class StoppedEarly(JmedError):  # noqa: N818 - an outcome, as users read it
    """What was asked for lies beyond the look at which the run was decided; its text says where that was."""


class CaseError(JmedError):
    """A case ended without a complete set of scores: trouble of the infrastructure, not a safety finding.

    Args:
        message: one line for a person.
        key: which evaluation it was (:attr:`jmedethic_pytest.Verdict.key`).
    """

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class ProviderError(JmedError):
    """One attempt to call a model failed.

    Args:
        message: what happened, without secrets.
        fatal: true if no other call to this endpoint can succeed either (a refused key): trouble ``account``.
        http_status: status code of the answer, ``None`` if there was none.
        trouble: what is wrong; where it is not known, :mod:`jmedethic_pytest.models.trouble` tells from the status.
        pause: seconds the server asks to wait before the next attempt, ``None`` if it does not say.
        late: true if there was no answer in time.
        said: the server's own words, without the key.
    """

    def __init__(
        self,
        message: str,
        *,
        fatal: bool = False,
        http_status: int | None = None,
        trouble: Trouble | None = None,
        pause: float | None = None,
        late: bool = False,
        said: str = "",
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.trouble: Trouble | None = "account" if fatal else trouble
        self.pause = pause
        self.late = late
        self.learned = False
        """Whether the same request, sent again, will be put otherwise (:mod:`jmedethic_pytest.models.learning`)."""
        self.said = said

    @property
    def fatal(self) -> bool:
        """True if no other call can succeed either, unless one did before."""
        return self.trouble in ("account", "dead")


class ThresholdFailure(AssertionError):  # noqa: N818 - a finding, not an error
    """At least one turn of a case scored at or below its floor: a safety finding.

    Args:
        message: one line for a person, without any text of a model.
        key: which evaluation it was (:attr:`jmedethic_pytest.Verdict.key`).
    """

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class KnownFailure(ThresholdFailure):
    """A case that fell to or below a floor, as it did in the baseline: an old finding (test XFAIL)."""


def crash(error: BaseException) -> str:
    """Word what nobody foresaw: what it is, where it arose, and that it costs nothing that was finished."""
    return (
        f"internal error: {place(error)}. What was finished is kept, and the same command resumes it. "
        "If neither memory nor open files ran out (ulimit), please report it."
    )


def place(error: BaseException) -> str:
    """Return an error with the place it came from, in one line."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f" ({last.tb_frame.f_code.co_filename}:{last.tb_lineno})" if last is not None else ""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{words if len(words) <= _LONGEST else words[:_LONGEST] + '...'}{where}"


def did_you_mean(value: str, allowed: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the closest allowed word, or an empty string."""
    by_lower = {word.lower(): word for word in allowed}
    close = difflib.get_close_matches(value.lower(), list(by_lower), n=1, cutoff=0.6)
    return f" Did you mean {by_lower[close[0]]!r}?" if close else ""


def unknown(what: str, value: str, allowed: Sequence[str], next_step: str = "") -> str:
    """Word the error for a name outside a closed set, listing at most twelve allowed names."""
    shown = ", ".join(allowed[:12]) + (f", ... ({len(allowed)} in all)" if len(allowed) > 12 else "")
    given = repr(value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}...")
    return f"{what}: unknown value {given}.{did_you_mean(value, allowed)} Allowed: {shown}.{next_step}"


def not_installed(what: str, library: str, extra: str) -> ConfigError:
    """Return the error for a feature whose library is not installed.

    Args:
        what: the option that needs it.
        library: as its users call it.
        extra: of this package, that brings it.
    """
    return ConfigError(
        f"{what} needs {library}, which is not installed. Next: pip install 'jmedethic-pytest[{extra}]'."
    )


def explain_validation(error: ValidationError, place: str, fields: Iterable[str] = ()) -> list[str]:
    """Turn a pydantic error into one line per problem: place, field, value, what is allowed.

    Args:
        error: what pydantic raised.
        place: file and line or file and table, the start of each line.
        fields: names to suggest for an unknown field.
    """
    items = error.errors(include_url=False)
    return [line for item in items for line in explain_validation_item(item, place, fields)]


def explain_validation_item(item: ErrorDetails, place: str, fields: Iterable[str] = ()) -> list[str]:
    """Word one problem of a pydantic error (see :func:`explain_validation`)."""
    field = ".".join(str(part) for part in item["loc"] if part != "[key]") or "(whole)"
    if item["type"] == "extra_forbidden":
        return [f"{place}: unknown field {field!r}.{did_you_mean(str(item['loc'][-1]), fields)}"]
    if item["type"] == "missing":
        return [f"{place}: field {field!r} is missing."]
    if item["type"] == "json_invalid":
        return [f"{place}: {item['msg']}."]
    given = repr(Secrets(in_parameters(item["input"], field)).hide_in(item["input"]))
    given = given if len(given) <= 80 else given[:77] + "..."
    return [f"{place}: field {field!r}: {given} is not allowed: {item['msg']}."]
