"""The stage ``cluster``: the library brought down to k groups, a sheet for a person, and what the person accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jmedethic_pytest.cases.exchange import sheet
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.files import as_json, replace
from jmedethic_pytest.generation.discovery import discovery, library
from jmedethic_pytest.generation.discovery.cluster import Cluster, clusters
from jmedethic_pytest.generation.discovery.library import Library
from jmedethic_pytest.generation.machinery import files, ledger
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.files import Summary
from jmedethic_pytest.generation.machinery.ledger import Progress
from jmedethic_pytest.generation.machinery.models import Team
from jmedethic_pytest.generation.machinery.records import Made
from jmedethic_pytest.generation.machinery.stages import Asked, Plan, Stage
from jmedethic_pytest.generation.review import review
from jmedethic_pytest.generation.review.review import Clustering

NAME = "cluster"
SHEET = "strategies-review.csv"
STRATEGIES = "strategies.json"


class Applied(NamedTuple):
    """What a filled-in sheet came to."""

    path: Path
    decisions: dict[str, int]
    """Groups by decision."""
    strategies: int


def sheet_path(config: Config) -> Path:
    """Return where the stage writes the sheet, unless it is told another place."""
    return config.folder / SHEET


def strategies_path(config: Config) -> Path:
    """Return where the accepted strategies are written, and read by later stages."""
    return config.folder / STRATEGIES


def roles(config: Config) -> tuple[str, ...]:
    """Return the roles of the stage: only an embedding model, if one is used."""
    return ("embedder",) if config.roles.embedder else ()


def plan(config: Config, _counts: Mapping[str, int]) -> Plan:
    """Plan the vectors of the benchmark's own strategies."""
    asked = (Asked("embedder", 7, 100, 0),) if config.roles.embedder else ()
    return Plan(asked, config.discover.clusters)


async def run(config: Config, team: Team, progress: Progress) -> tuple[Summary, ...]:
    """Group the library; write the sheet, unless the one there is for the same groups."""
    known = library.read(discovery.library_path(config))
    discovery.check_embedder(config, known)
    found = await clusters(known, discovery.embedder(config, team), config.discover.clusters)
    summary = ledger.derive(
        _header(config, known), [(cluster.id, Made(records=(cluster,))) for cluster in found], folder=config.folder
    )
    progress(ledger.State(NAME, len(found), len(found), summary.kept, sum(summary.drops.values())))
    current, path = load(config), sheet_path(config)
    if not fits(current, path):
        files.set_aside(path)
        write_sheet(current, path)
    return (summary,)


def _header(config: Config, known: Library) -> files.Header:
    made = files.header(
        NAME,
        roles={},
        settings={"library": known.digest(), "embedder": known.embedder, "clusters": config.discover.clusters},
        simulated=known.simulated,
    )
    return made.model_copy(update={"licence": known.licence or made.licence})


def load(config: Config) -> Clustering:
    """Return the groups of the finished stage.

    Raises:
        ConfigError: if it is not finished.
    """
    found = sorted(ledger.records(config.folder, NAME, Cluster), key=lambda cluster: int(cluster.id[1:]))
    summary = files.summary_of(config.folder, NAME)
    assert summary is not None, "a stage without a summary has no records to read"
    header = summary.header
    return Clustering(header.settings["library"], header.licence, header.simulation is not None, tuple(found))


def write_sheet(current: Clustering, path: Path) -> None:
    """Write the sheet for a person.

    Raises:
        ConfigError: for an unknown ending, or XLSX without openpyxl.
        StoreError: if it cannot be written.
    """
    sheet.write(path, review.COLUMNS, review.rows(current), review.ABOUT)


def fits(current: Clustering, path: Path) -> bool:
    """Return whether a sheet is there whose rows were written for these very groups: work on it is then kept."""
    if not path.is_file():
        return False
    try:
        rows = sheet.read(path, review.COLUMNS).rows
    except ConfigError:
        return False
    return sorted(row.cells["check"] for row in rows) == sorted(
        review.row_digest(current, cluster) for cluster in current.clusters
    )


def apply(config: Config, path: Path, *, one_language: bool = False) -> Applied:
    """Read a filled-in sheet and write the accepted strategies.

    Args:
        config: the settings.
        path: the sheet, CSV or XLSX.
        one_language: take a name or definition that is missing in one language from the other.

    Raises:
        ConfigError: naming everything that is wrong with the sheet; then nothing is written.
        StoreError: if the strategies cannot be written.
    """
    current = load(config)
    table = sheet.read(path, review.COLUMNS)
    accepted = review.decide(current, table, one_language=one_language)
    made = review.strategies(current, accepted)
    replace(strategies_path(config), as_json(made))
    decisions = Counter(row.cells["decision"] for row in table.rows)
    return Applied(strategies_path(config), dict(sorted(decisions.items())), len(accepted))


def figures(current: Sequence[Cluster]) -> list[dict[str, Any]]:
    """Return the groups as figures: ids, sizes and similarities, no names and no texts."""
    return [
        {
            "id": cluster.id,
            "members": len(cluster.members),
            "examples": cluster.examples,
            "mean_gain": round(cluster.mean_gain.gain, 4),
            "cohesion": cluster.cohesion,
            "closest": cluster.closest.model_dump() if cluster.closest else None,
            "closest_known": cluster.known.model_dump() if cluster.known else None,
        }
        for cluster in current
    ]


STAGE = Stage(NAME, roles, plan, run)
