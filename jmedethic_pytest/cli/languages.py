"""``jmedethic languages``: the same conversations in Japanese and in English."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jmedethic_pytest.cli import named_runs
from jmedethic_pytest.cli.app import AsJson, Reports, app, out, say
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.sentences import Said, changed, laid
from jmedethic_pytest.core.sentences import say as told
from jmedethic_pytest.gate import names
from jmedethic_pytest.reports.wording import SIMULATION, interval, number, share, share_interval

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.languages import LanguageFigure, Languages
    from jmedethic_pytest.analysis.stored import StoredRun


@app.command("languages")
def languages(
    runs: Annotated[
        list[str], typer.Argument(help="One run with both languages, or one run of each", metavar="RUN [RUN]")
    ],
    force: Annotated[bool, typer.Option("--force", help="Compare unlike runs, labelled")] = False,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Compare a model's safety in two languages, paired by conversation, with intervals by guideline."""
    from jmedethic_pytest.analysis import languages as comparison
    from jmedethic_pytest.analysis import stored

    if len(runs) > 2:
        raise ConfigError(f"jmedethic languages: {len(runs)} runs were given. Give one run, or one of each language.")
    chosen = list(named_runs.read_runs(reports, runs).values())
    differences = _differences(chosen)
    if differences and not force:
        raise ConfigError(
            [*differences, "These runs are not comparable. Choose others, or give --force to label them."]
        )
    found = comparison.languages(*stored.together(chosen))
    if found is None or not found.pairs:
        present = ", ".join(sorted({locale for run in chosen for locale in run.locales})) or "none"
        raise ConfigError(
            f"no conversation was evaluated in two languages (languages of the runs: {present}). "
            "Run with --locale ja,en, or give one run of each language."
        )
    if as_json:
        out.print_json(_json(found, chosen, differences))
        return
    if any(run.origin.simulated_target for run in chosen):
        out.print(SIMULATION, end="\n\n")
    say((*(told("unlike", difference=difference) for difference in differences), *lines(found)))


def _differences(runs: list[StoredRun]) -> list[str]:
    """Return why two runs must not be compared across languages: they must differ in nothing else."""
    from jmedethic_pytest.analysis import same_table

    if len(runs) < 2:
        return list(same_table.obstacles(runs, same_cases=False))
    first, second = runs
    found = [*same_table.obstacles(runs, same_cases=False), *same_table.notices(runs)]
    if first.origin.model != second.origin.model:
        found.append(f"models differ: {first.origin.model}; {second.origin.model}")
    both = set(first.locales) & set(second.locales)
    if both:
        found.append(f"both runs hold conversations in {', '.join(sorted(both))}: give one run of each language")
    return found


def _json(found: Languages, runs: list[StoredRun], differences: list[str]) -> str:
    import json

    content: dict[str, Any] = {
        "schema_version": 1,
        "runs": [run.origin.run for run in runs],
        "model": runs[0].origin.model,
        "forced": differences,
        **found.model_dump(mode="json"),
    }
    return json.dumps(content, ensure_ascii=False)


def lines(found: Languages) -> Iterator[str]:
    """Yield the comparison as text, at most 100 characters wide."""
    counts = {"pairs": found.pairs, "clusters": found.clusters, "unpaired": found.unpaired}
    yield told("languages.pairs", **counts)
    yield ""
    change = told("finding.languages", first=found.first, second=found.second)
    yield laid(_ROW, name="", first=found.first, second=found.second, change=change, ends=told("column.interval"))
    for figure in found.figures:
        yield _line(figure)
    yield ""
    caveat = changed(found.caveat, lambda text: f"{text[0].upper()}{text[1:]}")
    yield told("languages.note", second=found.second, caveat=caveat)


_ROW = "{name:<12} {first:>8} {second:>8} {change:>12} {ends:>18}"


def _line(figure: LanguageFigure) -> Said:
    write, spread = (share, share_interval) if figure.name == "pass_rate" else (number, interval)
    values = {"first": write(figure.first), "second": write(figure.second), "change": write(figure.difference.value)}
    name = Said(figure.name.replace("_", " "), names.endpoint(figure.name).ja)
    return laid(_ROW, name=name, ends=spread(figure.difference), **values)
