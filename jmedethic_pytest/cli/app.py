"""The Typer application, and how the shared run options become command-line options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.models import CommandFunctionType

from jmedethic_pytest import _version
from jmedethic_pytest.core import interface
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.interface import shown
from jmedethic_pytest.core.sentences import changed
from jmedethic_pytest.core.text import line, visible
from jmedethic_pytest.run.options import JUDGING, MODEL_HELP, OPTIONS, Option, Settings, parse

_KEYWORD = inspect.Parameter.KEYWORD_ONLY


class Commands(typer.Typer):
    """A group of commands, each of which can be told the language to speak: ``--lang``."""

    def command(self, *args: Any, **given: Any) -> Callable[[CommandFunctionType], CommandFunctionType]:
        """Add a command, as :class:`typer.Typer` does."""
        return _speaking(super().command(*args, **given))

    def callback(self, *args: Any, **given: Any) -> Callable[[CommandFunctionType], CommandFunctionType]:
        """Add what the group does itself, as :class:`typer.Typer` does."""
        return _speaking(super().callback(*args, **given))


def _speaking(add: Callable[[Callable[..., Any]], Any]) -> Callable[[CommandFunctionType], CommandFunctionType]:
    """Return a decorator that gives a function the option and adds it."""

    def register(function: CommandFunctionType) -> CommandFunctionType:
        @wraps(function)
        def command(lang: str | None, **given: Any) -> Any:
            interface.choose(lang, "--lang")
            return function(**given)

        declared = Annotated[str | None, typer.Option("--lang", help=interface.HELP, metavar="en|ja")]
        option = inspect.Parameter("lang", _KEYWORD, default=None, annotation=declared)
        add(declare(command, [*inspect.signature(function, eval_str=True).parameters.values(), option]))
        return function

    return register


app = Commands(
    name="jmedethic",
    help="Safety regression tests for medical LLMs, without pytest.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Screen(Console):
    """A console on which a text is a text, in the language chosen.

    No sign in it is markup, moves the cursor or hides what follows.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, soft_wrap=True, emoji=False, markup=False, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as :class:`rich.console.Console` does."""
        super().print(*(visible(shown(item)) if isinstance(item, str) else item for item in objects), **options)


out = Screen()
err = Screen(stderr=True)

RunName = Annotated[str, typer.Argument(help="Run id, part of it, path, or 'latest'")]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it exists")]
Reports = Annotated[Path, typer.Option("--reports", help="Where runs and the cache are stored", metavar="DIR")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts")]


def with_run_options(function: Callable[[Settings], None]) -> Callable[..., None]:
    """Give a command the options of a run, declared once in :mod:`jmedethic_pytest.run.options`."""

    @wraps(function)
    def command(model: str | None, **raw: Any) -> None:
        function(parse(model, raw, prefix="--"))

    declared = Annotated[str | None, typer.Option("--model", help=MODEL_HELP, metavar="PROVIDER:NAME")]
    model = inspect.Parameter("model", _KEYWORD, default=None, annotation=declared)
    return declare(command, [model, *map(_parameter, OPTIONS)])


def with_run_options_beside_commands(function: Callable[[Settings], None]) -> Callable[..., None]:
    """Give a group of commands the options of a run: without one of its commands it is the run."""

    @wraps(function)
    def command(ctx: typer.Context, model: str | None, **raw: Any) -> None:
        if ctx.invoked_subcommand is not None:
            return
        if model is None:
            raise ConfigError("--model: say which model, PROVIDER:NAME. `--help` names the commands beside.")
        function(parse(model, raw, prefix="--"))

    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    named = Annotated[str | None, typer.Option("--model", help=MODEL_HELP)]
    model = inspect.Parameter("model", _KEYWORD, default=None, annotation=named)
    return declare(command, [context, model, *map(_parameter, OPTIONS)])


def with_judging_options(function: Callable[..., None], without: Sequence[str] = ()) -> Callable[..., None]:
    """Give a command those options of a run that mean something where no target is called, beside its own.

    The command gets its own parameters by name, and the options as ``raw``.

    Args:
        function: the command.
        without: names of options that mean nothing to it.
    """

    @wraps(function)
    def command(**given: Any) -> None:
        raw = {option.key: given.pop(option.key) for option in chosen}
        function(**given, raw=raw)

    chosen = [option for option in JUDGING if option.name not in without]
    own = [item for item in inspect.signature(function, eval_str=True).parameters.values() if item.name != "raw"]
    return declare(command, [*own, *map(_parameter, chosen)])


def _parameter(option: Option) -> inspect.Parameter:
    declared = typer.Option(f"--{option.name}", help=option.help, metavar=option.metavar or None)
    annotation: Any = Annotated[bool if option.is_flag else str | None, declared]
    return inspect.Parameter(option.key, _KEYWORD, default=False if option.is_flag else None, annotation=annotation)


def declare(command: Callable[..., None], parameters: Sequence[inspect.Parameter]) -> Callable[..., None]:
    """Return a command that has these parameters for Typer."""
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit")] = False,
) -> None:
    if version:
        out.print(_version.VERSION)
        raise typer.Exit
    if context.invoked_subcommand is None:
        from jmedethic_pytest.reports.terminal import next_steps

        say(next_steps.lines(Path("reports")))


def say(lines: Iterable[str], *, to: Console = out) -> None:
    """Print lines, each on a line of its own, on standard output unless another console is given."""
    for item in lines:
        to.print(changed(item, line))


def spell(text: str) -> str:
    """Write pytest's option names as this command spells them; a command line of pytest's that is told stays so."""
    said, colon, told = text.partition(": pytest ")
    return said.replace("--jmed-", "--") + colon + told
