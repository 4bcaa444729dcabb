"""What the command line may say about the settings of a build, declared once for all its commands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from jmedethic_pytest.cli.app import declare
from jmedethic_pytest.generation.machinery import config as configs
from jmedethic_pytest.generation.machinery.config import Config

DEMO = "demo"
ConfigFile = Annotated[
    str, typer.Option("--config", help=f"Settings; '{DEMO}' for the scripted demo that needs no key", metavar="FILE")
]
SETTINGS: Mapping[str, Any] = {
    "name": Annotated[str | None, typer.Option("--name", help="Folder below reports/generation/", metavar="NAME")],
    "guidelines": Annotated[
        str | None,
        typer.Option("--guidelines", help="'project', 'principles' or a JSON file of your own", metavar="FILE"),
    ],
    "reports": Annotated[Path | None, typer.Option("--reports", help="Where everything is written", metavar="DIR")],
    "budget": Annotated[str | None, typer.Option("--budget", help="The most to spend: 5usd, 2e6tokens or 500calls")],
    "concurrency": Annotated[
        int | None, typer.Option("--concurrency", help="Items in work at a time", metavar="N", min=1)
    ],
    "keep_answers": Annotated[
        bool, typer.Option("--keep-answers", help="Keep the words of answers to harmful requests, not only digests")
    ],
}
"""Options that stand for a key of the file, by that key."""
Restart = Annotated[bool, typer.Option("--restart", help="Begin anew; what is there is kept under another name")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and ask nothing")]


def with_settings(*left_out: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of :data:`SETTINGS`; it is called with the settings they lead to, and its own options.

    Args:
        left_out: options that this command does not have.
    """
    names = [name for name in SETTINGS if name not in left_out]

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def command(config: str, **given: Any) -> None:
            changes = {name: given.pop(name) for name in names}
            function(_settings(config, changes), **given)

        _, *own = inspect.signature(function, eval_str=True).parameters.values()
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters = [inspect.Parameter("config", kind, default="generate.toml", annotation=ConfigFile)]
        for name in names:
            default = False if name == "keep_answers" else None
            parameters.append(inspect.Parameter(name, kind, default=default, annotation=SETTINGS[name]))
        return declare(command, [*parameters, *(parameter.replace(kind=kind) for parameter in own)])

    return decorate


def _settings(file: str, given: Mapping[str, Any]) -> Config:
    """Return the settings of a file with what the command line says otherwise; what is not given changes nothing."""
    found = configs.read_sample() if file == DEMO else configs.load(Path(file))
    changes = {name: value for name, value in given.items() if value is not None and value is not False}
    if changes.get("guidelines", found.guidelines) != found.guidelines:
        changes["only"] = ()  # Ids of another list.
    return configs.changed(found, changes)
