"""``jmedethic annotate``: people score a sample of a run's replies, blind to what the judges said."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.annotation import collecting, make, review, study
from jmedethic_pytest.annotation import demo as scripted
from jmedethic_pytest.annotation.collecting import Progress, State
from jmedethic_pytest.annotation.study import SHEETS, Study
from jmedethic_pytest.cli.app import AsJson, Commands, Force, Reports, RunName, app, err, out, say
from jmedethic_pytest.core import files, languages
from jmedethic_pytest.core.errors import ConfigError, StoreError, unknown
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.store import judge_files
from jmedethic_pytest.store import runs as run_files

annotate_app = Commands(
    help="People score a sample of a run: blind sheets, marks read back, figures.", no_args_is_help=True
)
app.add_typer(annotate_app, name="annotate")

Folder = Annotated[Path, typer.Argument(help="Folder of the study", metavar="FOLDER")]
_ROWS_SHOWN = 5


@annotate_app.command("sample")
def sample(
    run: RunName,
    conversations: Annotated[int, typer.Option("-n", help="Conversations; every reply of each is scored")] = 100,
    annotators: Annotated[
        str,
        typer.Option("--annotators", help="Two people, and a third to decide between them", metavar="A,B[,C]"),
    ] = "a,b",
    seed: Annotated[int, typer.Option("--seed", help="Start of the random numbers")] = 0,
    again: Annotated[int, typer.Option("--again", help="Conversations that everybody is shown twice")] = 10,
    locale: Annotated[str, typer.Option("--locale", help="Languages the people read", metavar="ja,en")] = "ja,en",
    at_random: Annotated[
        bool, typer.Option("--random", help="Draw every conversation with the same chance, not by band")
    ] = False,
    like: Annotated[
        Path | None, typer.Option("--like", help="Take the conversations of this study of another run", metavar="DIR")
    ] = None,
    folder: Annotated[Path | None, typer.Option("--out", help="A new folder for the study", metavar="DIR")] = None,
    reports: Reports = Path("reports"),
) -> None:
    """Draw conversations by band of the panel's lowest score, and write a blind sheet for everybody.

    Content warning: the sheets hold the model's replies. Give each person the folder with their name, nothing else.
    """
    people = tuple(name.strip() for name in annotators.split(",") if name.strip())
    other = study.read_key(like) if like is not None else None
    twice = max(0, min(again, conversations)) if again >= 0 else again
    wanted = make.Wanted(conversations, people, seed, twice, _locales(locale), at_random=at_random, like=other)
    make.check(wanted)
    path = run_files.find_run(reports, run)
    target = folder or reports / "annotations" / f"{run_files.now()[:10].replace('-', '')}-{secrets.token_hex(3)}"
    key = make.make(path, target, wanted)
    say(_sampled(key, target))


def _locales(given: str) -> tuple[Locale, ...]:
    words = [word.strip() for word in given.split(",") if word.strip()]
    for word in words:
        if word not in languages.tags():
            raise ConfigError(unknown("--locale", word, languages.tags()))
    return languages.in_order(set(words))


def _sampled(key: Study, folder: Path) -> Iterator[str]:
    if len(key.items) < sum(band.population for band in key.bands):
        yield f"{len(key.items)} of {sum(band.population for band in key.bands)} conversations drawn"
    else:
        yield f"all {len(key.items)} conversations taken: the run has no more"
    for band in key.bands:
        sign = "from" if band is key.bands[0] else "above"
        yield f"  lowest score {sign} {band.low:g} to {band.high:g}: {band.sampled} of {band.population}"
    for reason, count in key.left_out.items():
        yield f"  not drawn from: {count} {reason}"
    for name in key.annotators:
        yield f"sheet of {name}: {folder / SHEETS / name}  ({len(key.sheets[name])} rows)"
    yield f"Keep {folder} to yourself: it holds the key. Give each person the folder with their name."
    yield f"next: jmedethic annotate read {folder} FILE..."


@annotate_app.command("read")
def read(
    folder: Annotated[
        Path, typer.Argument(help="Folder of the study, or the run whose page was reviewed", metavar="FOLDER|RUN")
    ],
    sheets: Annotated[
        list[Path] | None, typer.Argument(help="Filled-in sheets, or saved reviews", metavar="FILE...")
    ] = None,
    third: Annotated[str | None, typer.Option("--third", help="Who decides where two differ by more than 3")] = None,
    close: Annotated[bool, typer.Option("--close", help="Close the study: no mark is taken any more")] = False,
    reports: Reports = Path("reports"),
) -> None:
    """Read filled-in sheets (the page's file, XLSX, CSV, Label Studio), and say what is still to be done.

    Reviews saved from a run's page are read with the RUN instead: they are not blind, and stand apart.
    """
    if sheets and not (folder / study.KEY).is_file() and all(map(review.is_review, sheets)):
        if third is not None or close:
            raise ConfigError("--third and --close belong to studies; a review is read as it is. Leave them out.")
        _read_reviews(run_files.find_run(reports, str(folder)), sheets)
        return
    if third is not None:
        collecting.name_third(folder, third)
    taken = collecting.take(folder, sheets or ())
    say(f"changed: {words}" for words in taken.changed)
    if sheets:
        out.print(f"{taken.new} new rows, {len(taken.changed)} changed, {len(taken.problems)} problems")
    found = collecting.state(folder)
    if found.closed is None:
        wanted = collecting.ask_third(folder, reports)
        found = collecting.state(folder)
        say(_progress(found, wanted, folder, closing=close))
    if close and not taken.problems:
        closed = collecting.close(folder)
        lacking = f"; {closed.missing} replies have no score" if closed.missing else ""
        out.print(f"closed{lacking}. next: jmedethic annotate report {folder}")
    if taken.problems:
        raise ConfigError(taken.problems)


def _read_reviews(run: Path, paths: list[Path]) -> None:
    from jmedethic_pytest.analysis.people import reviewed
    from jmedethic_pytest.reports.people import reviews as told

    taken = review.take(run, paths)
    out.print(f"{taken.new} new or changed reviews, {len(taken.problems)} problems")
    found = reviewed.of_run(run)
    if found is not None:
        say(told.lines(found))
        err.print(f"next, to show them in the page: jmedethic report {found.run}")
    if taken.problems:
        raise ConfigError(taken.problems)


def _progress(found: State, wanted: list[str], folder: Path, *, closing: bool) -> Iterator[str]:
    listed = collecting.progress(found)
    for item in listed:
        yield f"{item.annotator}: {item.done} of {item.of} replies scored{_open(item)}"
    third = found.key.third
    if not collecting.both_done(found):
        return
    if wanted and third is None:
        yield f"{len(wanted)} conversations need a third person: two differ by more than 3. Name one: --third NAME"
    elif third is not None and wanted and any(item.rows for item in listed if item.annotator == third):
        yield f"to {third}: {len(wanted)} conversations in which two differ by more than 3: {folder / SHEETS / third}"
        yield from (f"  {key}" for key in wanted)
    elif not closing:
        yield f"complete. next: jmedethic annotate read {folder} --close"


def _open(item: Progress) -> str:
    if not item.rows:
        return ""
    more = ", ..." if len(item.rows) > _ROWS_SHOWN else ""
    return f"; {len(item.rows)} rows to go: {', '.join(item.rows[:_ROWS_SHOWN])}{more}"


@annotate_app.command("demo", hidden=True)
def demo(folder: Folder) -> None:
    """Fill in the sheets of a simulated study by a script, and print the files; a real study is refused."""
    say(str(path) for path in scripted.fill(folder))


@annotate_app.command("report")
def report(
    folder: Folder,
    keep: Annotated[
        str | None, typer.Option("--keep", help="Keep it under a name for gates: [gate] people", metavar="NAME")
    ] = None,
    force: Force = False,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Say what people's marks mean: agreement, the judges' errors, and the share that fails beside the measured one.

    Writes report.html, figures and tables into the folder of the study, and annotation.json beside the run.
    """
    from jmedethic_pytest.analysis.people import calibration, figures, records, stored
    from jmedethic_pytest.reports.people import lines, page, tables
    from jmedethic_pytest.store import scores

    found = collecting.state(folder)
    if found.closed is None:
        raise StoreError(f"{folder}: the study is open. First: jmedethic annotate read {folder} FILE... --close")
    run = run_files.find_run(reports, found.key.run)
    place = None if keep is None else judge_files.free(stored.find(reports, keep), force=force)
    with err.status("Computing ..."):
        sheet = scores.read(run)
        result = figures.figures(found, sheet)
    for path, text in (
        (folder / page.NAME, page.render(result)),
        (folder / "figures.json", files.as_json(result.model_dump(mode="json"))),
        (folder / calibration.NAME, files.as_json(calibration.calibration(result).model_dump(mode="json"))),
        (run / records.NAME, files.as_json(judge_files.seal(result))),
    ):
        files.replace(path, text, make_folder=False, private=True)
    if place is not None:
        judge_files.write(place, result)
    tables.write(folder, result, found, sheet.rows)
    if as_json:
        out.print_json(result.model_dump_json())
        return
    say(lines.lines(result))
    err.print(f"written: {folder / page.NAME}  the run's own pages: jmedethic report {found.key.run}")
