"""``jmedethic exam`` and ``jmedethic exam-import``: how helpful a model is, in multiple-choice questions."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from jmedethic_pytest.cli.app import AsJson, Force, Reports, app, err, out, say
from jmedethic_pytest.config import tables as thresholds
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core import languages
from jmedethic_pytest.core.errors import BudgetSpent, ConfigError, RunAborted, unknown
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.exam import importing, items, sitting
from jmedethic_pytest.exam.sittings import OpenSitting
from jmedethic_pytest.models import ModelRef, prices
from jmedethic_pytest.models import budget as budgets
from jmedethic_pytest.models import cache as caching
from jmedethic_pytest.models.client import Client
from jmedethic_pytest.models.opening import Clients
from jmedethic_pytest.reports.wording import SIMULATION, share
from jmedethic_pytest.run import identity, options, record, served
from jmedethic_pytest.run.options import MODEL_HELP
from jmedethic_pytest.run.prepare import server, target_seat
from jmedethic_pytest.store import runs as run_files

_NOTICE = "Items of another exam: mind the licence of their source; nothing of it is part of jmedethic-pytest."


@app.command("exam")
def exam(
    model: Annotated[str | None, typer.Option("--model", help=MODEL_HELP)] = None,
    serve: Annotated[str | None, typer.Option("--serve", help="Serve this checkpoint for it: PATH[:ADAPTER]")] = None,
    file: Annotated[Path | None, typer.Option("--exam", help="Exam file (default: the bundled one)")] = None,
    locale: Annotated[str, typer.Option("--locale", help="Language of the items: ja or en")] = "ja",
    sample: Annotated[str | None, typer.Option("--sample", help="Only N items, balanced over categories")] = None,
    seed: Annotated[str | None, typer.Option("--seed", help="Seed of the sample (default: 0)")] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="Address of the model's server")] = None,
    revision: Annotated[str | None, typer.Option("--revision", help="What its weights are")] = None,
    concurrency: Annotated[str | None, typer.Option("--concurrency", help="Calls in flight (default: 32)")] = None,
    budget: Annotated[str | None, typer.Option("--budget", help="The most to spend: 5, 2e6tokens, 500calls")] = None,
    cache: Annotated[str, typer.Option("--cache", help="use, refresh, only or off")] = "use",
    rules: Annotated[Path | None, typer.Option("--thresholds", help="Thresholds file (providers, prices)")] = None,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Let a model sit a multiple-choice medical exam: the second axis of the safety-helpfulness quadrant.

    Exit status: 0 done, 6 not every item could be asked (nothing is stored; the same command resumes), 7 budget spent.
    """
    raw = {
        "serve": serve,
        "base_url": base_url,
        "revision": revision,
        "locale": locale,
        "sample": sample,
        "seed": seed,
        "concurrency": concurrency,
        "budget": budget,
        "cache": cache,
    }
    parsed = options.parse(model, raw, prefix="--")
    known, _ = thresholds.load(rules, Path.cwd())
    plan = server(parsed, known, called=True)
    ref = plan.ref if plan is not None else target_seat(parsed, known, called=True)
    chosen = items.choose(
        items.load(file), _one_locale(parsed.selection.locales), parsed.selection.sample, parsed.selection.seed
    )
    if not chosen:
        raise ConfigError(f"--locale: the exam has no item in {locale!r}.")
    if parsed.budget is not None and parsed.budget.unit == "usd" and prices.price(ref.label, known.prices) is None:
        raise ConfigError(
            f'budget: the price of {ref.label!r} is unknown. Add [prices."{ref.label}"] to the thresholds.'
        )
    stated = identity.stated_revision(parsed, known, plan)
    open_sitting = None if stated or ref.simulated else OpenSitting(reports, _plan(ref, chosen))
    with nullcontext() if plan is None else served.running(plan, reports) as ready:
        ref = ready.ref if ready is not None else ref
        if not ref.simulated:
            how = identity.served_how(ready.describe() if ready is not None else None)
            ref = replace(ref, revision=open_sitting.mark if open_sitting is not None else f"stated {stated}{how}")
        results, client, aborted = asyncio.run(_sit(ref, chosen, parsed, known, reports))
    say((f"note: {ref.label}: {words}" for words in client.learned), to=err)
    missing = len(chosen) - sum(result.mark != "missing" for result in results)
    if missing:
        err.print(f"ERROR: {missing} of {len(chosen)} items were not answered: {aborted or _why(results)}")
        err.print("Nothing is stored; what was answered is in the cache, and the same command resumes.")
        raise typer.Exit(ExitStatus.BUDGET if isinstance(aborted, BudgetSpent) else ExitStatus.INCONCLUSIVE)
    _store(ref, client, chosen, results, file or items.bundled(), reports, known, stated, as_json=as_json)
    if open_sitting is not None:
        open_sitting.close()


def _plan(ref: ModelRef, chosen: list[items.ExamItem]) -> dict[str, Any]:
    """Return what makes two commands the same sitting."""
    return {
        "model": ref.label,
        "base_url": ref.base_url,
        "items": items.digest(chosen),
        "prompt": sitting.prompt_digest(),
        "git_commit": record.git_commit(),
    }


async def _sit(
    ref: ModelRef, chosen: list[items.ExamItem], parsed: options.Settings, known: Thresholds, reports: Path
) -> tuple[list[sitting.ItemResult], Client, RunAborted | None]:
    """Ask every item with a bar on a terminal; what ended it early is returned, not raised."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    async with Clients(parsed.cache, known.limits, budgets.within(parsed.budget, known.prices)) as clients:
        client = clients.open("examinee", ref, reports / caching.FILE, ceiling=parsed.concurrency)
        try:
            with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
                task = bar.add_task(f"exam of {ref.label}", total=len(chosen))
                return await sitting.sit(client, chosen, done=lambda: bar.advance(task)), client, None
        except RunAborted as error:
            return [], client, error
        finally:
            say(clients.notes, to=err)


def _store(
    ref: ModelRef,
    client: Client,
    chosen: list[items.ExamItem],
    results: list[sitting.ItemResult],
    file: Path,
    reports: Path,
    known: Thresholds,
    revision: str | None,
    *,
    as_json: bool,
) -> None:
    from jmedethic_pytest.exam import result

    tally = client.tally
    cost = prices.cost(ref.label, tally.usage, known.prices)
    about: dict[str, Any] = {
        "id": f"{run_files.new_run_id(ref.label)}-{chosen[0].locale}",
        "model": ref.label,
        "base_url": ref.address,
        "revision": revision,
        "locale": chosen[0].locale,
        "simulated": ref.simulated,
        "exam": file.name,
        "digests": {"items": items.digest(chosen), "prompt": sitting.prompt_digest()},
        "sampling": sitting.SAMPLING.model_dump(mode="json"),
        "tokens": {"input": tally.input_tokens, "output": tally.output_tokens},
        "cost_usd": None if tally.uncounted else cost,
    }
    run = result.summarise(results, about)
    folder = result.write(reports, run, results)
    if as_json:
        out.print_json(run.model_dump_json())
        return
    if run.simulated:
        out.print(SIMULATION)
    interval = f"{share(run.interval.low)} to {share(run.interval.high)}"
    out.print(f"{run.model}  {run.exam} ({run.locale}): {run.correct} of {run.n} right, {share(run.accuracy)}")
    out.print(f"95 % interval {interval} (Wilson); marks: {_shown(run.marks)}")
    for name, group in run.categories.items():
        out.print(f"  {name:<24} {group.correct:>3} of {group.n:>3}")
    out.print(f"{tally.calls} calls, {tally.cached} from cache; stored: {folder}")


@app.command("exam-import")
def import_(
    source: Annotated[Path, typer.Argument(help="KokushiMD-10 or another JSON, JSONL, CSV or Parquet file")],
    output: Annotated[Path, typer.Option("--output", help="Exam file to write (.jsonl)")],
    locale: Annotated[str, typer.Option("--locale", help="Language of the items: ja or en")] = "ja",
    force: Force = False,
) -> None:
    """Turn KokushiMD-10 or another multiple-choice data set into an exam file; items with pictures are left out."""
    if output.suffix != ".jsonl":
        raise ConfigError(f"--output: {output} must end in .jsonl.")
    imported = importing.convert(source, _one_locale((locale,)))
    importing.write(imported.items, output, _NOTICE, force=force)
    out.print(f"{imported.read} rows read, {len(imported.items)} items written: {output}")
    for reason, count in imported.dropped.items():
        out.print(f"  {count} left out: {reason}")
    err.print(_NOTICE)


def _one_locale(locales: tuple[str, ...]) -> Locale:
    if len(locales) != 1 or locales[0] not in languages.tags():
        raise ConfigError(unknown("--locale", ",".join(locales), languages.tags()))
    return locales[0]


def _why(results: list[sitting.ItemResult]) -> str:
    return next((result.detail for result in results if result.mark == "missing"), "the calls failed")


def _shown(marks: dict[str, int]) -> str:
    return ", ".join(f"{count} {mark}" for mark, count in marks.items())
