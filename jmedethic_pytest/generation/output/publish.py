"""The case files of a built benchmark: what ``pytest --jmed-cases`` runs, with a manifest beside them.

The folder holds ``<suite>.<locale>.jsonl``, guidelines and strategies of its own where they are not the shipped ones,
and ``BUILD.json`` with where everything comes from and the digest of every file and case. (A ``MANIFEST.json`` would
say that the folder is a released benchmark, with twins and balance; a built one need not be.)
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from jmedethic_pytest import _version
from jmedethic_pytest.cases import canary, vocabulary_files
from jmedethic_pytest.cases import files as cases
from jmedethic_pytest.cases.checks import manifest
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.files import as_json
from jmedethic_pytest.core.records import Case, Record
from jmedethic_pytest.generation.discovery import grouping
from jmedethic_pytest.generation.machinery import files, guidelines, ledger
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.records import Output
from jmedethic_pytest.generation.stages import conversations

SPLIT, TRANSLATION = "split", "translate"
"""Names of the stages whose cases are published."""
FOLDER, REVIEWED = "cases", "reviewed"


class SplitCase(Output):
    """One case of the split, in one language."""

    conversation: str
    attacker: str
    case: Case

    def texts(self) -> Iterator[str]:
        """Yield the user turns and the request."""
        yield from (*self.case.turns, self.case.question)


class Review(Record):
    """Who decided on the cases, and how."""

    decisions: dict[str, int]
    """Cases by decision."""
    reviewers: dict[str, int]
    """Cases by reviewer."""


class Build(Record):
    """What ``BUILD.json`` of a built benchmark holds."""

    schema_version: Literal[1] = 1
    warning: str = files.WARNING
    licence: str = files.LICENCE
    simulation: str | None
    """What says so, if any model behind the cases is a simulation."""
    name: str
    review: Review | None
    """``None`` for cases that no person has decided on."""
    tool_version: str = _version.VERSION
    roles: dict[str, tuple[str, ...]]
    """Models behind the cases."""
    settings: dict[str, Any]
    """Of the split."""
    stages: dict[str, str]
    """Digest of every stage the cases come from, as it was then."""
    counts: dict[str, dict[str, int]]
    """Cases by suite and locale."""
    attackers: dict[str, int]
    """Cases by the model that wrote the conversation; a translation counts for the writer of its original."""
    short_cells: dict[str, int]
    """Cases that a cell lacks, by ``<locale> <guideline> <strategy>``."""
    digest: str
    """Over all cases, as a run of all of them records it."""
    canary: str = ""
    """The sentence with a GUID of its own that stands in every case."""
    files: dict[str, str]
    cases: dict[str, str]


def split_cases(config: Config) -> list[SplitCase]:
    """Return the split, and its translation if that was made from this very split.

    Raises:
        ConfigError: if the split is not finished.
    """
    found = list(ledger.records(config.folder, SPLIT, SplitCase))
    if _translation(config) is not None:
        found += ledger.records(config.folder, TRANSLATION, SplitCase)
    return found


def _translation(config: Config) -> files.Summary | None:
    """Return the summary of the translation, ``None`` if there is none of this very split."""
    split, translated = (files.summary_of(config.folder, name) for name in (SPLIT, TRANSLATION))
    same = split is not None and translated is not None and translated.header.sources.get(SPLIT) == split.digest
    return translated if same else None


def write(config: Config, chosen: Sequence[SplitCase] | None = None, review: Review | None = None) -> Path:
    """Write the case folder and return it.

    Args:
        config: the settings.
        chosen: the cases a person accepted; ``None`` for all of them, as the machine left them.
        review: who accepted them.

    Raises:
        ConfigError: if the strategies are no longer those the split was drawn with.
        StoreError: if it cannot be written.
    """
    _check_strategies(config)
    folder = config.folder / (FOLDER if chosen is None else REVIEWED)
    published = _marked(config, split_cases(config) if chosen is None else chosen)
    part = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for locale in sorted({item.case.locale for item in published}):
            lines = [
                json.dumps(item.case.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
                for item in published
                if item.case.locale == locale
            ]
            (part / f"{config.split.suite}.{locale}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        _words(config, part)
        text = as_json(_build(config, part, published, review).model_dump(mode="json"))
        (part / manifest.BUILD).write_text(text, encoding="utf-8")
        _swap(part, folder)
    except OSError as error:
        raise StoreError(
            f"{folder}: the cases cannot be written: {error.strerror or error}. Free space, or give another --reports."
        ) from None
    return folder


def _canary(config: Config) -> str:
    """Return the canary of this very benchmark, reviewed or not."""
    split = files.summary_of(config.folder, SPLIT)
    assert split is not None, "only a finished split is published"
    return canary.of_a_build(config.name, split.digest)


def _marked(config: Config, published: Sequence[SplitCase]) -> list[SplitCase]:
    """Return the cases with the canary of their benchmark."""
    mark = _canary(config)
    return [item.model_copy(update={"case": item.case.model_copy(update={"canary": mark})}) for item in published]


def _check_strategies(config: Config) -> None:
    """Refuse to publish cases beside strategies than those they were written with."""
    split = files.summary_of(config.folder, SPLIT)
    if split is not None and split.header.sources.get("strategies") != conversations.sources(config)["strategies"]:
        raise ConfigError(
            f"{files.path_of(config.folder, SPLIT)}: drawn with other strategies than there are now. Restore them, or "
            "next: `jmedethic generate conversations` and `jmedethic generate split`."
        )


def _swap(part: Path, folder: Path) -> None:
    """Put a finished folder in the place of the one before, which stays until then."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    try:
        part.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _words(config: Config, folder: Path) -> None:
    """Put guidelines and strategies beside the cases that name others than the shipped ones."""
    chosen = guidelines.choose(config)
    if not chosen.shipped:
        pack = chosen.pack.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        (folder / vocabulary_files.FILE).write_text(as_json(pack), encoding="utf-8")
    if config.conversations.strategies == "discovered":
        shutil.copy(grouping.strategies_path(config), folder / vocabulary_files.STRATEGIES_FILE)


def _build(config: Config, folder: Path, published: Sequence[SplitCase], review: Review | None) -> Build:
    split, translated = files.summary_of(config.folder, SPLIT), _translation(config)
    assert split is not None, "only a finished split is published"
    known = [split] if translated is None else [split, translated]
    plain = [item.case for item in published]
    return Build(
        simulation=next((found.header.simulation for found in known if found.header.simulation), None),
        name=config.name,
        review=review,
        roles={role: names for found in known for role, names in found.header.roles.items()},
        settings=split.header.settings,
        stages={**split.header.sources, **{found.header.stage: found.digest for found in known}},
        counts=manifest.counts(plain),
        attackers=dict(sorted(Counter(item.attacker for item in published).items())),
        short_cells=_short_cells(config, published, split.header.settings["per_cell"]),
        digest=cases.digest(plain),
        canary=_canary(config),
        files=manifest.file_digests(folder),
        cases=manifest.case_digests(plain),
    )


def _short_cells(config: Config, published: Sequence[SplitCase], wanted: int) -> dict[str, int]:
    """Return what each cell of each language lacks; in a review cells can become short."""
    counts = Counter((item.case.locale, item.case.guideline, item.case.strategy) for item in published)
    locales = sorted({locale for locale, _, _ in counts})
    strategies = conversations.strategies(config)
    cells = [
        (locale, guideline, strategy)
        for locale in locales
        for guideline in guidelines.choose(config).guidelines
        for strategy in strategies
    ]
    return {" ".join(cell): wanted - counts[cell] for cell in cells if counts[cell] < wanted}
