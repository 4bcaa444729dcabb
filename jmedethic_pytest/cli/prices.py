"""``jmedethic prices``: what is known of prices, how old it is, and what a thresholds file states otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from jmedethic_pytest.cli.app import AsJson, app, out, say
from jmedethic_pytest.config import tables as thresholds
from jmedethic_pytest.config.servers import Price
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.data import load
from jmedethic_pytest.models import prices


@app.command("prices")
def show(
    check: Annotated[
        bool, typer.Option("--check", help="Compare [prices] with the table; status 1 where they differ")
    ] = False,
    rules_file: Annotated[Path | None, typer.Option("--thresholds", help="Thresholds file")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the price table, US dollars for a million tokens, with what the thresholds file states."""
    stated = thresholds.load(rules_file, Path.cwd())[0].prices
    table = {label: Price(**row) for label, row in load("prices.toml")["models"].items()}
    wrong = [*_differing(stated)] if check else []
    if as_json:
        shown = {label: price.model_dump(exclude_none=True) for label, price in {**table, **stated}.items()}
        about = {"as_of": prices.as_of(), "source": prices.source()}
        out.print_json(data={**about, "prices": shown, "stated": sorted(stated), "differing": wrong})
    else:
        say([f"prices as of {prices.as_of()}: {prices.source()}"])
        say(f"  {label:<36} {_words(price)}" for label, price in table.items())
        say(f"  {label:<36} {_words(price)}   (stated in the thresholds file)" for label, price in stated.items())
        fine = ["every stated price is that of the table, or of a model that it does not know"]
        say(wrong or (fine if check else []))
    if wrong:
        raise typer.Exit(ExitStatus.FAIL)


def _differing(stated: Mapping[str, Price]) -> Iterator[str]:
    """Yield where a stated price is not the table's; of what the table does not know nothing can be said."""
    for label, own in stated.items():
        known = prices.price(label, {})
        for kind in Price.model_fields if known is not None else ():
            mine, theirs = getattr(own, kind), getattr(known, kind)
            if mine is not None and theirs is not None and mine != theirs:
                yield f'[prices."{label}"] {kind} = {mine:g}, but {theirs:g} in the table of {prices.as_of()}'


def _words(price: Price) -> str:
    cached = "" if price.cached is None else f", {price.cached:g} from the prompt cache"
    return f"{price.input:g} in{cached}, {price.output:g} out"
