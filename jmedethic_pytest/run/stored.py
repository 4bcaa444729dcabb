"""Stored runs and baselines, looked up and decided upon again; nothing is called, nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jmedethic_pytest.config import tables as thresholds_file
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary
from jmedethic_pytest.store import baselines as baseline_files
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store import scores as run_scores
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.scores import ScoreSheet

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.noninferiority.records import Comparison
    from jmedethic_pytest.gate.outcome import Outcome

REPORTS = Path("reports")


def load_run(
    run: str | Path,
    *,
    thresholds: Path | None = None,
    baseline: str | Sequence[str] | None = None,
    reports: Path = REPORTS,
) -> Outcome:
    """Compute figures and gate of a stored run again.

    Args:
        run: its folder, its id or an unambiguous part of it, or ``latest``.
        thresholds: a thresholds file to apply instead of those the run was made with.
        baseline: names of baselines to compare it with instead of those it was made with; empty for none.
        reports: where runs are stored.

    Raises:
        ConfigError: if the thresholds file or a baseline cannot be used.
        StoreError: if there is no such run, or it cannot be read.
    """
    from jmedethic_pytest.gate.outcome import load

    path = run_files.find_run(reports, str(run))
    applied = thresholds_file.load(thresholds, Path.cwd())[0] if thresholds else None
    if applied is not None:
        applied.require_strategies(run_files.read_info(path).words.strategies, thresholds)
    words = baseline.split(",") if isinstance(baseline, str) else baseline or ()
    names = [name.strip() for name in words if name.strip()]
    chosen = baseline_files.load(reports, names) if baseline is not None else None
    found = load(path, rules=applied, baselines=chosen)
    if applied is not None and applied.policy is not None:
        suites = [part.name.rpartition(":")[0] for part in found.parts]
        applied.policy.require(suites, found.info.words.strategies, thresholds)
    return found


def compare(
    run: str | Path | Outcome,
    baseline: str | Path | Outcome,
    *,
    thresholds: Path | None = None,
    reports: Path = REPORTS,
) -> Comparison:
    """Decide whether a run is worse than a baseline, or than another run.

    Args:
        run: the newer one: an outcome, a folder, an id or part of it, ``latest``, or a baseline's name.
        baseline: what it must not be worse than, likewise.
        thresholds: the file with margins and floors (default: ./thresholds.toml, else built-in values).
        reports: where runs and baselines are stored.

    Returns:
        The comparison; ``answer`` is ``pass`` (not worse), ``fail`` or ``inconclusive``, also where the two were not
        asked for the same (``obstacles``).

    Raises:
        ConfigError: if there is no such run or baseline, or a file cannot be used.
        StoreError: if a run cannot be read.
    """
    from jmedethic_pytest.analysis.noninferiority.compare import compare as compare_sheets

    names = (str(item) if isinstance(item, str | Path) else str(item.path) for item in (run, baseline))
    (now, words), (before, _) = (find(reports, name) for name in names)
    return compare_sheets(before, now.sheet, rules_for(thresholds, now.sheet, words))


def rules_for(thresholds: Path | None, candidate: ScoreSheet, words: Vocabulary) -> Thresholds:
    """Read the margins and floors of a comparison.

    Args:
        thresholds: the file (default: ./thresholds.toml, else built-in values).
        candidate: what is compared with a baseline.
        words: its vocabulary, as far as it is known.

    Raises:
        ConfigError: if the file cannot be used, or names a strategy that the candidate does not know.
    """
    rules, place = thresholds_file.load(thresholds, Path.cwd())
    rules.require_strategies({**words.strategies, **{row.strategy: row for row in candidate.rows.values()}}, place)
    return rules


def find(reports: Path, name: str) -> tuple[Baseline, Vocabulary]:
    """Return a baseline by its name, or a stored run in its place, and the words it is shown in.

    Raises:
        ConfigError: if the name is neither, or a baseline cannot be used.
        StoreError: if a run cannot be read.
    """
    if name in [path.stem for path in baseline_files.stored(reports)] or name.endswith(".json"):
        return baseline_files.read(baseline_files.find(reports, name)), SHIPPED
    try:
        run = run_files.find_run(reports, name)
    except StoreError as error:
        known = ", ".join(path.stem for path in baseline_files.stored(reports)) or "none"
        raise ConfigError(f"{error} It is no baseline either (there are: {known}).") from None
    sheet = run_scores.read(run)
    words = run_files.read_info(run).words
    return Baseline(name=sheet.origin.run, created=sheet.origin.finished or "", sheet=sheet), words
