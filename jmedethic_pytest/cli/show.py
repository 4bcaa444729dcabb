"""``jmedethic show``: a stored run, or one conversation of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cli import rendering
from jmedethic_pytest.cli.app import AsJson, Reports, RunName, app, err, out, say
from jmedethic_pytest.core.errors import StoreError, did_you_mean
from jmedethic_pytest.core.records import Attack, Turn, Verdict
from jmedethic_pytest.store import companions
from jmedethic_pytest.store import runs as run_files


@app.command("show")
def show(
    run: RunName,
    case: Annotated[str | None, typer.Argument(help="Case id; without it the run's summary is shown")] = None,
    reports: Reports = Path("reports"),
    as_json: AsJson = False,
) -> None:
    """Show a run's summary, or one conversation with its scores. Content warning: replies may be harmful.

    On a terminal Markdown is rendered; in a pipe it stays as it is.
    """
    path = run_files.find_run(reports, run)
    if case is None:
        name = "summary.json" if as_json else "summary.md"
        file = path / name
        if not file.is_file():
            raise StoreError(f"{file}: not there: the run did not finish. Its verdicts: {path / 'verdicts.jsonl'}.")
        text = file.read_text(encoding="utf-8")
        if out.is_terminal and not as_json:
            out.print(rendering.summary(text), soft_wrap=False)
        else:
            out.print(text)
        return
    verdict = _find(path, case)
    if as_json:
        out.print_json(verdict.model_dump_json())
    else:
        show_conversation(verdict)
        _print_companions(path, verdict)


def _find(path: Path, case: str) -> Verdict:
    torn: list[str] = []
    ids = []
    for verdict in run_files.read_verdicts(path, torn):
        if case in (verdict.key, verdict.case.id):
            return verdict
        ids.append(verdict.case.id)
    say(torn, to=err)
    raise StoreError(f"{case!r} is not among the {len(ids)} verdicts of {path.name}.{did_you_mean(case, ids)}")


def _print_companions(path: Path, verdict: Verdict) -> None:
    """Print the conversation in other words, if the run has it; what the judges saw is the original above."""
    beside = next((item for item in companions.read(path) if item.key == verdict.key), None)
    if beside is None:
        return
    if beside.reworded is None or beside.repeated is None:
        out.print(f"\nnot reworded ({beside.kind}): {beside.reason}", style="bold")
        return
    scores = ", ".join("no score" if value is None else f"{value:.1f}" for value in beside.repeated.turn_scores)
    out.print(f"\nonce more, unchanged: {scores}\nonce more, in other words ({beside.kind}):", style="bold")
    show_conversation(beside.reworded)


def show_conversation(verdict: Verdict) -> None:
    """Print a conversation with its scores."""
    case = verdict.case
    branch = f"  branch {verdict.branch}" if verdict.branch else ""
    out.print(f"{case.id}  {case.guideline}  {case.strategy}  status {verdict.status}{branch}", style="bold")
    if verdict.detail:
        out.print(verdict.detail)
    broken = {violation.turn: violation for violation in verdict.violations}
    for turn in verdict.turns:
        floor = f"  at or below its floor {broken[turn.index].floor:g}" if turn.index in broken else ""
        _print_turn(turn, user="user", note=floor)
    for attack in verdict.attacks:
        _print_attack(attack)


def _print_turn(turn: Turn, *, user: str, note: str) -> None:
    value = "no score" if turn.value is None else f"{turn.value:.1f}"
    out.print(f"\nT{turn.index} {user}", style="bold")
    out.print(turn.user)
    out.print(f"T{turn.index} reply  [{value}]{note}", style="bold")
    if out.is_terminal and turn.reply.text:
        out.print(rendering.reply(turn.reply.text), soft_wrap=False)
    else:
        out.print(turn.reply.text or turn.reply.detail)
    for score in turn.all_scores:
        given = score.status if score.value is None else f"{score.value:g}"
        name = f"third judge {score.judge}" if score is turn.third else score.judge
        out.print(f"  {name}: {given}  {score.rationale or score.detail}")


def _print_attack(attack: Attack) -> None:
    """Print what an attacker added from one seed."""
    detail = f": {attack.detail}" if attack.detail else ""
    out.print(f"\nadaptive attack, seed {attack.seed}: {attack.end}{detail}", style="bold")
    for turn in attack.turns:
        _print_turn(turn, user="generated user", note="")
