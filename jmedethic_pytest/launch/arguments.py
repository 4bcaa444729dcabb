"""Options of ``jmedethic run`` and ``judge`` that a sweep passes on: read and refused before anything is planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.run.options import JUDGING, OPTIONS, Option, Settings, parse

_OF_RUN = (Option("model", "PROVIDER:NAME", ""), *OPTIONS)
_THE_SWEEPS = {
    "suite": "suites",
    "locale": "locales",
    "shard": "shards",
    "judges": "judge_args",
    "reports": "reports",
    "adapters": "adapters",
}
"""Options whose values a sweep gives itself, and the field that says them."""
_SENSELESS = {
    "dry-run": "a sweep spends what it is told to",
    "redact": "nobody can judge replies whose texts are gone; give it in judge_args",
    "early": "looks need the scores, and a collection has none",
    "baseline": "a collection decides nothing; give it in judge_args",
    "strict": "a collection decides nothing; give it in judge_args",
    "report": "a collection has nothing to draw",
}
"""Options that mean nothing where replies are only collected, and why."""


def settings(given: Sequence[str]) -> Settings:
    """Return what options on a command line say of a run, or of judging one.

    Raises:
        ConfigError: with one line per problem.
    """
    raw = {name.replace("-", "_"): value for name, value in _read(given, _OF_RUN, "jmedethic").items()}
    return parse(raw.pop("model", ""), raw, prefix="--")


def check_run(given: Sequence[str], place: str) -> None:
    """Check the options of a collection.

    Args:
        given: as on a command line.
        place: where they stand, for the error texts.

    Raises:
        ConfigError: with one line per problem.
    """
    raw = _read(given, _OF_RUN, place)
    problems = [f"{place}: --{name}: say it by {field!r}." for name, field in _THE_SWEEPS.items() if name in raw]
    problems += [f"{place}: --{name}: {why}." for name, why in _SENSELESS.items() if name in raw]
    if "model" not in raw and "serve" not in raw:
        problems.append(f"{place}: say 'model', PROVIDER:NAME, or 'serve', a checkpoint.")
    problems += _refused(raw, place)
    if problems:
        raise ConfigError(problems)


def check_judge(given: Sequence[str], place: str) -> None:
    """Check the options of judging.

    Raises:
        ConfigError: with one line per problem.
    """
    raw = _read(given, JUDGING, place)
    problems = [f"{place}: --reports: say it by 'reports'."] if "reports" in raw else []
    if "dry-run" in raw:
        problems.append(f"{place}: --dry-run: {_SENSELESS['dry-run']}.")
    problems += _refused(raw, place)
    if problems:
        raise ConfigError(problems)


def _refused(raw: Mapping[str, Any], place: str) -> list[str]:
    values = {name.replace("-", "_"): value for name, value in raw.items() if name != "model"}
    try:
        parse(raw.get("model", ""), values, prefix="--")
    except ConfigError as error:
        return [f"{place}: {problem}" for problem in error.problems]
    return []


def _read(given: Sequence[str], options: Iterable[Option], place: str) -> dict[str, Any]:
    """Return the values of options by name, as a command line gives them: ``--name=value`` or ``--name value``."""
    known = {option.name: option for option in options}
    raw: dict[str, Any] = {}
    rest = list(given)
    while rest:
        word = rest.pop(0)
        name, mark, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name not in known:
            raise ConfigError(unknown(place, word, [f"--{option}" for option in known]))
        if known[name].is_flag:
            if mark:
                raise ConfigError(f"{place}: --{name} takes no value.")
            raw[name] = True
        elif mark or (rest and not rest[0].startswith("--")):
            raw[name] = value if mark else rest.pop(0)
        else:
            raise ConfigError(f"{place}: --{name} needs a value: --{name}={known[name].metavar}.")
    return raw
