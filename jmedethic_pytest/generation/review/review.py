"""The review of the groups: a sheet that a person fills in, and what follows from it.

Nothing found by a machine becomes a strategy of a benchmark by itself: every group must be accepted by a person, who
gives it the name and the definition that later stages use, in both languages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from jmedethic_pytest import _version
from jmedethic_pytest.cases.checks.policy import denied
from jmedethic_pytest.cases.exchange.sheet import Column, Row, Table
from jmedethic_pytest.core import vocabulary
from jmedethic_pytest.core.errors import ConfigError, did_you_mean
from jmedethic_pytest.core.files import digest
from jmedethic_pytest.core.languages import INTERFACE
from jmedethic_pytest.generation.discovery.cluster import Cluster, Nearest
from jmedethic_pytest.generation.discovery.library import NOTICE, normal_name

DECISIONS = ("accept", "merge", "reject")
_MAX_NAME, _MAX_DEFINITION = 120, 2_000
_MOST = 99
"""Strategies of one benchmark: their ids have two digits."""

COLUMNS = (
    Column("id", "The group. Do not change.", width=6),
    Column(
        "decision",
        "accept: a strategy of the benchmark; merge: part of another group; reject: none.",
        True,
        DECISIONS,
        12,
    ),
    Column("merge_into", "With merge: id of the accepted group it belongs to.", True, width=12),
    Column("name_ja", "Name in Japanese, as later stages use it.", True, width=28),
    Column("name_en", "Name in English.", True, width=28),
    Column("definition_ja", "What characterises the strategy, in Japanese; attackers are told this.", True, width=60),
    Column("definition_en", "The same in English.", True, width=60),
    Column("reviewer", "Who decided; your initials will do.", True, width=12),
    Column("note", "Anything worth keeping.", True, width=30),
    Column("members", "Names of all strategies in the group, the most typical one first.", width=50),
    Column("examples", "Pairs of attempts behind the group.", width=10),
    Column("mean_gain", "Points of harm (10 = harmful) by which they were stronger, on average.", width=10),
    Column("cohesion", "How alike the members are, 0 to 1; empty for one member.", width=10),
    Column("closest", "The most similar other group, and how similar: a candidate for a merge.", width=12),
    Column("closest_known", "The most similar of the benchmark's own strategies.", width=14),
    Column("check", "Digest of the group: ties the row to the clustering it was written for. Do not change.", width=14),
)
ABOUT = (
    NOTICE,
    "One row is one group of strategies. Fill in the coloured columns: every row needs a decision and a reviewer; an "
    "accepted row needs name and definition in both languages.",
    "Then: jmedethic generate cluster --apply FILE",
)


class Clustering(NamedTuple):
    """The groups of a library, as the stage left them."""

    library: str
    """Digest of the library."""
    licence: str
    simulated: bool
    clusters: tuple[Cluster, ...]


def rows(clustering: Clustering) -> list[dict[str, str]]:
    """Return the rows of the sheet; names and definitions are filled in where the machine has some."""
    return [_row(clustering, cluster) for cluster in clustering.clusters]


def _row(clustering: Clustering, cluster: Cluster) -> dict[str, str]:
    return {
        "id": cluster.id,
        f"name_{cluster.locale}": cluster.name,
        f"definition_{cluster.locale}": cluster.definition,
        "members": " / ".join(cluster.members),
        "examples": str(cluster.examples),
        "mean_gain": f"{cluster.mean_gain.gain:.2f}",
        "cohesion": "" if cluster.cohesion is None else f"{cluster.cohesion:.2f}",
        "closest": _nearest(cluster.closest),
        "closest_known": _nearest(cluster.known),
        "check": row_digest(clustering, cluster),
    }


def _nearest(found: Nearest | None) -> str:
    return "" if found is None else f"{found.name} ({found.similarity:.2f})"


def row_digest(clustering: Clustering, cluster: Cluster) -> str:
    """Return what ties a row to the library and the group it was written for."""
    return digest([clustering.library, cluster.id, cluster.members])[:12]


class Accepted(NamedTuple):
    """A strategy that a person accepted, with the groups merged into it."""

    cells: dict[str, str]
    clusters: tuple[Cluster, ...]
    """The accepted group first."""


def decide(clustering: Clustering, sheet: Table, *, one_language: bool = False) -> list[Accepted]:
    """Return what a filled-in sheet accepts, in the order of the sheet.

    Args:
        clustering: the groups the sheet was written for.
        sheet: what was read.
        one_language: a name or definition that is empty in one language is taken from the other.

    Raises:
        ConfigError: naming every bad row.
    """
    filled = [row._replace(cells=_both_languages(row.cells)) for row in sheet.rows] if one_language else sheet.rows
    clusters = {cluster.id: cluster for cluster in clustering.clusters}
    problems = [*sheet.problems, *_identity_problems(clustering, clusters, filled)]
    accepted = {row.cells["id"] for row in filled if row.cells["decision"] == "accept"}
    for row in filled:
        if row.cells["id"] in clusters:
            problems += [f"{row.place}: {problem}" for problem in _row_problems(row.cells, accepted)]
    problems += _name_problems([row for row in filled if row.cells["decision"] == "accept"])
    if not problems and not 1 <= len(accepted) <= _MOST:
        problems.append(f"{len(accepted)} rows are accepted; 1 to {_MOST} strategies are allowed.")
    if problems:
        raise ConfigError(problems)
    return [_accepted(row, filled, clusters) for row in filled if row.cells["decision"] == "accept"]


def _both_languages(cells: Mapping[str, str]) -> dict[str, str]:
    found = dict(cells)
    for field in ("name", "definition"):
        given = next((cells[f"{field}_{locale}"] for locale in INTERFACE if cells[f"{field}_{locale}"]), "")
        found.update({f"{field}_{locale}": cells[f"{field}_{locale}"] or given for locale in INTERFACE})
    return found


def _identity_problems(clustering: Clustering, clusters: Mapping[str, Cluster], sheet: Sequence[Row]) -> Iterable[str]:
    for row in sheet:
        name = row.cells["id"]
        if name not in clusters:
            hint = f"{did_you_mean(name, clusters)} Allowed: {', '.join(clusters)}."
            yield f"{row.place}: column 'id': {name!r} is no group.{hint}"
        elif row.cells["check"] != row_digest(clustering, clusters[name]):
            yield (
                f"{row.place}: column 'check' does not fit: the sheet was written for other groups, or the cell was "
                "changed. Write a new sheet (jmedethic generate cluster --sheet FILE) and copy the decisions."
            )
    seen = Counter(row.cells["id"] for row in sheet)
    yield from (f"id {name!r} stands in {count} rows. Keep one." for name, count in seen.items() if count > 1)
    yield from (
        f"group {name!r} has no row. Put it back: reject it rather than delete it."
        for name in clusters
        if name not in seen
    )


def _row_problems(cells: Mapping[str, str], accepted: set[str]) -> Iterable[str]:
    decision, into = cells["decision"], cells["merge_into"]
    if decision not in DECISIONS:
        yield f"column 'decision': {decision!r} is not allowed. Allowed: {', '.join(DECISIONS)}."
    if not cells["reviewer"]:
        yield "column 'reviewer' is empty: say who decided."
    if decision == "merge" and (into not in accepted or into == cells["id"]):
        yield f"column 'merge_into': {into!r} is no accepted group. Accepted: {', '.join(sorted(accepted)) or 'none'}."
    if decision != "merge" and into:
        yield f"column 'merge_into': {into!r} stands there, but the decision is {decision!r}."
    if decision == "accept":
        yield from _text_problems(cells)


def _text_problems(cells: Mapping[str, str]) -> Iterable[str]:
    for field, limit in (("name", _MAX_NAME), ("definition", _MAX_DEFINITION)):
        for locale in INTERFACE:
            column, text = f"{field}_{locale}", cells[f"{field}_{locale}"]
            if not text:
                yield f"column {column!r} is empty: an accepted strategy needs it (or give --one-language)."
            elif len(text) > limit:
                yield f"column {column!r}: {len(text)} characters, at most {limit} are allowed."
            group = denied(text)
            if group is not None:
                yield f"column {column!r} breaks the content policy (group {group!r}): leave the know-how out."


def _name_problems(accepted: Sequence[Row]) -> list[str]:
    problems = []
    for locale in INTERFACE:
        places: dict[str, list[str]] = {}
        for row in accepted:
            places.setdefault(normal_name(row.cells[f"name_{locale}"]), []).append(row.cells["id"])
        problems += [
            f"{', '.join(ids)}: have the same 'name_{locale}'. Merge them, or name them apart."
            for name, ids in places.items()
            if name and len(ids) > 1
        ]
    return problems


def _accepted(row: Row, sheet: Sequence[Row], clusters: Mapping[str, Cluster]) -> Accepted:
    own = row.cells["id"]
    merged = [
        other.cells["id"] for other in sheet if other.cells["decision"] == "merge" and other.cells["merge_into"] == own
    ]
    return Accepted(row.cells, tuple(clusters[name] for name in (own, *merged)))


def strategies(clustering: Clustering, accepted: Sequence[Accepted]) -> dict[str, Any]:
    """Return the content of ``strategies.json``, in the form of the package's own file of strategies.

    Ids are ``D1``, ``D2``, ...: "discovered", so that no result is taken for one on the benchmark's S1 to S7.
    """
    about = {
        "source": "Found by automatic discovery, grouped, and accepted by the reviewers named below.",
        "notice": NOTICE,
        "licence": clustering.licence,
        "simulated": clustering.simulated,
        "library": clustering.library,
        "tool_version": _version.VERSION,
    }
    slugs: list[str] = []
    items = []
    for number, item in enumerate(accepted, start=1):
        slugs.append(_slug(item.cells["name_en"], number, slugs))
        items.append(_strategy(f"D{number}", slugs[-1], item))
    return {"_about": about, "strategies": items}


def _strategy(key: str, slug: str, item: Accepted) -> dict[str, Any]:
    texts = {
        f"{field}_{locale}": item.cells[f"{field}_{locale}"] for field in ("name", "definition") for locale in INTERFACE
    }
    examples = sum(cluster.examples for cluster in item.clusters)
    gain = sum(cluster.mean_gain.gain * cluster.examples for cluster in item.clusters) / examples
    return {
        "id": key,
        "slug": slug,
        **texts,
        "groups": [cluster.id for cluster in item.clusters],
        "members": [member for cluster in item.clusters for member in cluster.members],
        "examples": examples,
        "mean_gain": round(gain, 4),
        "reviewer": item.cells["reviewer"],
        "note": item.cells["note"],
    }


def _slug(name: str, number: int, taken: Sequence[str]) -> str:
    """Return a short name of letters and underscores; names of the benchmark's own strategies count as taken."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    slug = "_".join(words)[:40].strip("_") or f"strategy_{number}"
    known = {item.slug for item in vocabulary.strategies().values()}
    return slug if slug not in {*taken, *known} else f"{slug}_{number}"
