"""``jmedethic evidence``: a stored run as a document for reviewers, with a manifest of what it rests on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jmedethic_pytest._version import VERSION
from jmedethic_pytest.cli.app import Reports, RunName, app, err, out
from jmedethic_pytest.core import files, interface
from jmedethic_pytest.core.errors import ConfigError, StoreError, unknown
from jmedethic_pytest.store import runs as run_files

if TYPE_CHECKING:
    from jmedethic_pytest.core.records import Gate
    from jmedethic_pytest.gate.outcome import Outcome

_FORMATS = ("md", "docx")


@app.command("evidence")
def evidence(
    run: RunName = "latest",
    mapping: Annotated[
        str, typer.Option("--for", help="aisi-health, eu-ai-act or generic", metavar="DOCUMENT")
    ] = "generic",
    kind: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(_FORMATS)}", metavar="FORMAT")] = "md",
    output: Annotated[Path, typer.Option("--output", help="Folder to write into", metavar="DIR")] = Path("evidence"),
    reports: Reports = Path("reports"),
) -> None:
    """Write what was tested, how, with what result and limits, along the headings of another document.

    A manifest beside it lists every file it rests on with its SHA-256. Holds no text of a model. An edited run is
    refused. No legal advice; no conformity is claimed.
    """
    from jmedethic_pytest.gate.outcome import load
    from jmedethic_pytest.reports.evidence import docx, manifest, markdown, pack, texts

    for option, value, allowed in (
        ("--for", mapping, texts.mappings()),
        ("--format", kind, _FORMATS),
    ):
        if value not in allowed:
            raise ConfigError(unknown(option, value, allowed))
    language = interface.language()
    path = run_files.find_run(reports, run)
    with err.status(f"Reading {path.name} ..."):
        outcome = load(path)
        _unedited(outcome)
        rests_on = manifest.rests_on(outcome)
    parts = list(pack.parts(outcome, texts.Texts(mapping, language), rests_on))
    made = outcome.info.finished or outcome.info.started
    content = markdown.render(parts) if kind == "md" else docx.render(parts, language, made)
    file = output / f"{mapping}.{language}.{kind}"
    files.replace(file, content)
    listed = [manifest.listed(file, Path(file.name)), *rests_on]
    told = manifest.manifest(outcome, mapping, language, listed)
    beside = file.with_name(f"{file.name}{manifest.ENDING}")
    files.replace(beside, files.as_json(told.model_dump(mode="json")))
    out.print(str(file))
    out.print(str(beside))


def _unedited(outcome: Outcome) -> None:
    """Refuse a run that nobody judged, or whose files do not say what its verdicts give."""
    from jmedethic_pytest.run import witness

    name = outcome.info.id
    if outcome.collected or outcome.info.shard is not None:
        raise ConfigError(f"{name}: nobody decided this run; it is a collection or a part. Judge or merge it first.")
    doubts = list(witness.doubts(outcome.path, outcome.info))
    stored = run_files.read_gate(outcome.path, outcome.info)
    if stored is None:
        doubts.append("it has no gate.json: it did not come to its end")
    elif _told(stored) != _told(outcome.gate):
        versions = f" (it is of version {outcome.info.tool_version}, and this is {VERSION})"
        other = versions if outcome.info.tool_version != VERSION else ""
        doubts.append(f"gate.json says {stored.answer}, and its verdicts give something else{other}")
    if doubts:
        raise StoreError(f"{name}: no evidence can rest on it: {'; '.join(doubts)}.")


def _told(gate: Gate) -> list[tuple[str, str, float | None]]:
    """Return what a gate says, without its sentences."""
    return [("", gate.answer, None), *((item.name, item.answer, item.observed) for item in gate.conditions)]
