"""Commands about several stored runs: which runs they are, and how their parts are named on the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from jmedethic_pytest.core import toml
from jmedethic_pytest.core.errors import ConfigError, StoreError, unknown
from jmedethic_pytest.store import runs as run_files

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.stored import StoredRun


def read_runs(reports: Path, tokens: Sequence[str]) -> dict[str, StoredRun]:
    """Read the runs that a command names, by the words it names them with.

    A run is shown as its model; where two runs have the same model, with the end of the run's id.

    Raises:
        ConfigError: naming every run that cannot be found, is damaged, or is named twice.
    """
    from jmedethic_pytest.analysis import stored

    problems: list[str] = []
    paths: dict[str, Path] = {}
    for token in tokens:
        try:
            path = run_files.find_run(reports, token).resolve()
        except StoreError as error:
            problems.append(str(error))
            continue
        if path in paths.values():
            problems.append(f"{token!r} names the run {path.name}, which is named already. Give each run once.")
        paths[token] = path
    found: dict[str, StoredRun] = {}
    for token, path in paths.items():
        try:
            found[token] = stored.read(path, token)
        except StoreError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError(problems)
    counts = Counter(run.origin.model for run in found.values())
    return {token: stored.StoredRun(_name(run, counts), run.sheet) for token, run in found.items()}


def _name(run: StoredRun, counts: Mapping[str, int]) -> str:
    model = run.origin.model
    return model if counts[model] == 1 else f"{model} ({run.origin.run[-4:]})"


def matching(runs: Mapping[str, StoredRun], word: str) -> list[StoredRun]:
    """Return the runs a word stands for: as given, by id, model or shown name; ``*`` matches anything."""
    return [
        run
        for token, run in runs.items()
        if any(fnmatchcase(name, word) for name in (token, run.origin.run, run.origin.model, run.name))
    ]


def one(runs: Mapping[str, StoredRun], word: str, place: str) -> StoredRun:
    """Return the single run a word stands for.

    Raises:
        ConfigError: if there is none, or more than one.
    """
    found = matching(runs, word)
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(unknown(place, word, _words(runs)))
    raise ConfigError(
        f"{place}: {word!r} fits {', '.join(run.origin.run for run in found)}. Give the id of one of them."
    )


def groups(runs: Mapping[str, StoredRun], given: Iterable[str], file: Path | None) -> dict[str, list[StoredRun]]:
    """Return the runs of each group, from ``NAME=RUN,...`` options and a TOML file with a table ``[groups]``.

    Raises:
        ConfigError: naming every bad option, unknown run, and run that stands in two groups.
    """
    problems: list[str] = []
    wanted = _group_file(file, problems) if file else {}
    for text in given:
        name, sign, words = text.partition("=")
        if not sign or not name.strip() or not words.strip():
            problems.append(f"--group: {text!r} is not of the form NAME=RUN,RUN, e.g. medical=run1,run2.")
            continue
        wanted.setdefault(name.strip(), []).extend(word.strip() for word in words.split(",") if word.strip())
    found: dict[str, list[StoredRun]] = {}
    for name, words_of in wanted.items():
        members = found.setdefault(name, [])
        for word in words_of:
            chosen = matching(runs, word)
            if not chosen and "*" not in word:
                problems.append(unknown(f"group {name!r}", word, _words(runs)))
            members.extend(run for run in chosen if run not in members)
    homes = Counter(run.name for members in found.values() for run in members)
    problems += [
        f"{name} stands in {count} groups. Put every run into one." for name, count in homes.items() if count > 1
    ]
    if problems:
        raise ConfigError(problems)
    return {name: members for name, members in found.items() if members}


def pair(runs: Mapping[str, StoredRun], text: str) -> tuple[StoredRun, StoredRun]:
    """Return base and tuned run of ``BASE:TUNED``; model names may hold colons of their own.

    Raises:
        ConfigError: if it does not name two runs.
    """
    parts = text.split(":")
    splits = [(":".join(parts[:at]), ":".join(parts[at:])) for at in range(1, len(parts))]
    fitting = [
        (first[0], second[0])
        for base, tuned in splits
        if len(first := matching(runs, base)) == 1 and len(second := matching(runs, tuned)) == 1
    ]
    if len(fitting) == 1 and fitting[0][0] is not fitting[0][1]:
        return fitting[0]
    known = ", ".join(_words(runs))
    raise ConfigError(f"--pair: {text!r} does not name two of the runs as BASE:TUNED. Runs: {known}.")


def _group_file(path: Path, problems: list[str]) -> dict[str, list[str]]:
    shape = 'It holds a table [groups] such as: commercial = ["openai:*", "anthropic:*"]'
    try:
        content = toml.read(path, "Give another file (--groups).")
    except ConfigError as error:
        problems.extend(error.problems)
        return {}
    table = content.get("groups")
    if set(content) != {"groups"} or not isinstance(table, dict):
        problems.append(f"{path}: unknown content {', '.join(sorted(content)) or '(none)'}. {shape}.")
        return {}
    bad = [name for name, words in table.items() if not _strings(words)]
    problems.extend(f"{path}: group {name!r}: {table[name]!r} is no list of runs. {shape}." for name in bad)
    return {name: list(words) for name, words in table.items() if name not in bad}


def _strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _words(runs: Mapping[str, StoredRun]) -> list[str]:
    return list(dict.fromkeys(name for token, run in runs.items() for name in (token, run.origin.model)))
