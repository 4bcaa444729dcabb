"""Which weights answer: the revision of the target, and whose earlier replies may stand for its own.

A name is no model: tomorrow other weights may be served under it. So the cache answers for the target only to go on
with a run that did not end, or under a revision that the user states. Judges are known by their names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.files import compact_digest
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.models import ModelRef
from jmedethic_pytest.run.options import Settings
from jmedethic_pytest.serving.plan import Plan
from jmedethic_pytest.store import runs as run_files

VARIABLE = "JMED_REVISION"
SERVED_HOW = ("engine", "version", "flags", "weights")
"""What of a server a reply depends on."""
_LOOKED_AT = 20
"""Newest stored runs among which one is sought that this one may go on with."""


def stated_revision(
    settings: Settings, rules: Thresholds, serving: Plan | None = None, environment: Mapping[str, str] = os.environ
) -> str | None:
    """Return what the weights are: by option, variable or thresholds file, in this order, else a checkpoint's digest.

    Args:
        settings: the options.
        rules: the thresholds file.
        serving: the server that the run starts, if it does: it has the weights before its eyes.
        environment: where the variable is looked for.
    """
    stated = settings.revision or environment.get(VARIABLE, "").strip() or rules.target.revision
    return stated or (serving.revision if serving is not None else None)


def is_looked_at(target: ModelRef, settings: Settings, rules: Thresholds, serving: Plan | None = None) -> bool:
    """Tell whether replies of an earlier day may be used, so that the weights are looked at before."""
    stated = bool(stated_revision(settings, rules, serving))
    return stated and settings.cache in ("use", "refresh") and not target.simulated


def answering(target: ModelRef, info: RunInfo, settings: Settings) -> tuple[ModelRef, RunInfo]:
    """Return the target with the mark under which its replies are kept, and the record that says whose they may be.

    Args:
        target: the model under test; simulations answer alike for ever, under the version in their address.
        info: what the run is.
        settings: where earlier runs are, and how the cache is used.
    """
    if target.simulated:
        return target, info
    if info.target.get("revision"):
        return replace(
            target, revision=f"stated {info.target['revision']}{served_how(info.target.get('serving'))}"
        ), info
    earlier = _earlier(info, settings)
    owner = (earlier.replies_of or earlier.id) if earlier is not None else info.id
    replayed = owner if earlier is not None and earlier.status == "complete" else ""
    marked = replace(target, revision=f"run {owner}")
    return marked, info.model_copy(update={"replies_of": owner, "replayed": replayed})


def served_how(found: Mapping[str, Any] | None) -> str:
    """Return what else replies depend on where the weights are served for the run: engine, its version and flags."""
    return f" {compact_digest([found[key] for key in SERVED_HOW])[:16]}" if found else ""


def stopped_before(info: RunInfo, settings: Settings) -> Iterator[str]:
    """Yield that the run which this one goes on with was decided at a look, if so.

    Args:
        info: what the run is.
        settings: where earlier runs are, and how the cache is used.
    """
    earlier = _earlier(info, settings) if settings.cache in ("use", "only") else None
    if earlier is not None and earlier.stopped_early:
        yield f"it goes on with run {earlier.id}, which was {earlier.stopped_early}"


def _earlier(info: RunInfo, settings: Settings) -> RunInfo | None:
    """Return the newest run of the same plan if this one goes on with it: it did not end, or no call is allowed."""
    wanted = _plan(info)
    for path in reversed(run_files.runs(settings.reports)[-_LOOKED_AT:]):
        try:
            found = run_files.read_info(path)
        except StoreError:
            continue
        if found.id != info.id and found.transcripts_of is None and _plan(found) == wanted:
            return found if found.status != "complete" or settings.cache == "only" else None
    return None


def _plan(info: RunInfo) -> dict[str, object]:
    """Return what must be equal in two runs for one to go on with the other: what the target is asked, and where."""
    plain = info.model_dump(mode="json", include={"target", "selection", "git_commit"})
    return {**plain, "cases": info.digests["cases"]}
