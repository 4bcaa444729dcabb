"""The case files of a built benchmark: what ``pytest --jmed-cases`` runs, with a manifest beside them.

The folder holds ``<suite>.<locale>.jsonl``, guidelines and strategies of its own where they are not the shipped ones,
and ``MANIFEST.json`` with where everything comes from and the digest of every file and case.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from jmedethic_pytest import _version, cases, packs
from jmedethic_pytest.casecheck import manifest
from jmedethic_pytest.errors import StoreError
from jmedethic_pytest.generation import files, grouping, guidelines, ledger
from jmedethic_pytest.generation.config import Config
from jmedethic_pytest.generation.records import Output
from jmedethic_pytest.records import Case, Record

SPLIT, TRANSLATION = "split", "translate"
"""Names of the stages whose cases are published."""
FOLDER, REVIEWED = "cases", "reviewed"
MANIFEST = "MANIFEST.json"


class SplitCase(Output):
    """One case of the split, in one language."""

    conversation: str
    attacker: str
    case: Case

    def texts(self) -> Iterator[str]:
        """Yield the user turns and the request."""
        yield from (*self.case.turns, self.case.question)


class Manifest(Record):
    """What ``MANIFEST.json`` of a built benchmark holds."""

    schema_version: Literal[1] = 1
    warning: str = files.WARNING
    licence: str = files.LICENCE
    simulation: str | None
    """What says so, if any model behind the cases is a simulation."""
    name: str
    reviewed: bool
    """True if a person accepted every case."""
    tool_version: str = _version.VERSION
    roles: dict[str, tuple[str, ...]]
    settings: dict[str, Any]
    """Of the split."""
    stages: dict[str, str]
    """Digest of every stage the cases come from."""
    counts: dict[str, dict[str, int]]
    """Cases by suite and locale."""
    attackers: dict[str, int]
    short_cells: dict[str, int]
    """Conversations that a (guideline, strategy) lacks."""
    digest: str
    """Over all cases, as a run of all of them records it."""
    files: dict[str, str]
    cases: dict[str, str]


def split_cases(config: Config) -> list[SplitCase]:
    """Return the split, and its translation if that was made from this very split.

    Raises:
        ConfigError: if the split is not finished.
    """
    found = list(ledger.records(config.folder, SPLIT, SplitCase))
    split, translated = (files.summary_of(config.folder, name) for name in (SPLIT, TRANSLATION))
    if translated is not None and split is not None and translated.header.settings.get("split") == split.digest:
        found += ledger.records(config.folder, TRANSLATION, SplitCase)
    return found


def write(config: Config, chosen: Sequence[SplitCase] | None = None) -> Path:
    """Write the case folder and return it.

    Args:
        config: the settings.
        chosen: the cases a person accepted; ``None`` for all of them, as the machine left them.

    Raises:
        StoreError: if it cannot be written.
    """
    folder = config.folder / (FOLDER if chosen is None else REVIEWED)
    published = split_cases(config) if chosen is None else list(chosen)
    part = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for locale in sorted({item.case.locale for item in published}):
            lines = [json.dumps(item.case.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
                     for item in published if item.case.locale == locale]  # fmt: skip
            (part / f"{config.split.suite}.{locale}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        _words(config, part)
        text = json.dumps(
            _manifest(config, part, published, chosen is not None).model_dump(mode="json"), ensure_ascii=False, indent=1
        )
        (part / MANIFEST).write_text(text + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    except OSError as error:
        raise StoreError(f"{folder}: the cases cannot be written: {error.strerror}.") from None
    return folder


def _words(config: Config, folder: Path) -> None:
    """Put guidelines and strategies beside the cases that name others than the shipped ones."""
    chosen = guidelines.choose(config)
    if not chosen.shipped:
        pack = chosen.pack.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        (folder / packs.FILE).write_text(json.dumps(pack, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if config.conversations.strategies == "discovered":
        shutil.copy(grouping.strategies_path(config), folder / packs.STRATEGIES_FILE)


def _manifest(config: Config, folder: Path, published: Sequence[SplitCase], reviewed: bool) -> Manifest:
    found = {
        name: files.summary_of(config.folder, name)
        for name in ("questions", "validate", "conversations", SPLIT, TRANSLATION)
    }
    known = {name: summary for name, summary in found.items() if summary is not None}
    split = known[SPLIT].header
    plain = [item.case for item in published]
    lacking = Counter(drop.detail for drop in ledger.drops(config.folder, SPLIT) if drop.reason == "short cell")
    return Manifest(
        simulation=split.simulation, name=config.name, reviewed=reviewed,
        roles={role: names for summary in known.values() for role, names in summary.header.roles.items()},
        settings=split.settings, stages={name: summary.digest for name, summary in known.items()},
        counts=manifest.counts(plain), attackers=dict(sorted(Counter(item.attacker for item in published).items())),
        short_cells=dict(sorted(lacking.items())), digest=cases.digest(plain), files=manifest.file_digests(folder),
        cases=manifest.case_digests(plain),
    )  # fmt: skip
