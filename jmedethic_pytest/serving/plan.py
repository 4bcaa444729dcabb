"""The plan of a server: which engine serves which weights under which name, and with which words it is started."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jmedethic_pytest.config.serving import ServeTable
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.files import compact_digest
from jmedethic_pytest.data import load
from jmedethic_pytest.models import ModelRef
from jmedethic_pytest.models.resolving import of_served
from jmedethic_pytest.serving import checkpoints
from jmedethic_pytest.serving.checkpoints import Weights

OWN = "local"
"""Provider of what a server of the user's own, or a package, serves."""
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes as the highest rank of an adapter."""


@dataclass(frozen=True)
class Plan:
    """A server that a run will start, and who of those that it serves is asked."""

    engine: str
    """A row of ``data/serving.toml``, or ``own``."""
    row: Mapping[str, Any] = field(hash=False)
    weights: Weights
    name: str
    table: ServeTable
    provider: str
    adapters: tuple[Weights, ...] = ()
    """All that the server has."""
    chosen: int | None = None
    """The one that answers; ``None``: the base."""
    context: int | None = None
    """Tokens of one conversation; ``None``: as the server chooses."""
    version: str | None = None
    """The engine's, once it is known."""
    address: str | None = None
    """Where the server is, if it runs already."""
    withheld: frozenset[str] = frozenset()
    """Variables of the environment that the server is not to have: keys of judges."""

    @property
    def model(self) -> str:
        """The name of who answers."""
        return self.name if self.chosen is None else f"{self.name}+{self.adapters[self.chosen].name}"

    @property
    def ref(self) -> ModelRef:
        """The model as a run calls it; where, is known once the server is ready."""
        words = {"name": self.name, "model": self.model, "path": str(self.weights.path)}
        template = self.row.get("asked", "{name}")
        if self.chosen is None and "{adapter}" in template:
            template = "{name}"
        elif self.chosen is not None:
            words["adapter"] = self.adapters[self.chosen].name
        scales = [{"id": index, "scale": float(index == self.chosen)} for index in range(len(self.adapters))]
        extra = {"lora": scales} if self.row.get("scaled") and scales else {}
        ref = of_served(self.provider, self.model, f"served by {self.engine}")
        return replace(ref, asked=template.format(**words), extra=extra, base_url=self.address)

    @property
    def revision(self) -> str:
        """Digest of the weights that answer, those of the adapter behind those of the base."""
        return "+".join([self.weights.digest, *([] if self.chosen is None else [self.adapters[self.chosen].digest])])

    @property
    def digest(self) -> str:
        """Digest of what the server serves and how, whoever of it is asked."""
        adapters = [(adapter.name, adapter.digest) for adapter in self.adapters]
        how = self.table.model_dump(mode="json", include={"command", "flags"})
        return compact_digest([self.engine, self.name, self.weights.digest, adapters, how])

    def answering(self, chosen: int | None) -> Plan:
        """Return the same server where another one of it is asked: an adapter by its place, ``None`` for the base."""
        return replace(self, chosen=chosen)

    @property
    def most_calls(self) -> int | None:
        """Calls at a time of which none waits in the server for another; ``None`` if that is unknown."""
        return self.table.parallel if self.row.get("bounded") else None

    def describe(self) -> dict[str, Any]:
        """Return what a run records of its server; ``flags`` are the words of its command that the user chose."""
        return {
            "engine": self.engine,
            "version": self.version,
            "name": self.model,
            "weights": self.revision,
            "flags": [*self.table.command, *self.table.flags],
            "context": self.context,
        }

    def command(self, port: int) -> list[str]:
        """Return the words that start the server."""
        words = {
            "python": sys.executable,
            "program": _program(self.row.get("program", "")) or "",
            "path": str(self.weights.path),
            "name": self.name,
            "port": str(port),
            "context": str(self.context or ""),
            "parallel": str(self.table.parallel),
            "count": str(len(self.adapters)),
            "rank": str(next((rank for rank in _RANKS if rank >= max(self._ranks, default=0)), _RANKS[-1])),
        }
        given = [*self.row["command"], *(self.row.get("context", []) if self.context else [])]
        given += self.row.get("adapters", []) if self.adapters else []
        found = [_filled(word, words) for word in given]
        for adapter in self.adapters:
            own = {**words, "path": str(adapter.path), "adapter": adapter.name}
            found += [_filled(word, own) for word in self.row["adapter"]]
        return [*found, *self.table.flags]

    def version_command(self) -> list[str]:
        """Return the words that ask an engine for its version; none where nothing is to be asked."""
        program = _program(self.row.get("program", "")) or ""
        return [word.replace("{program}", program) for word in self.row.get("version", [])]

    @property
    def _ranks(self) -> list[int]:
        return [adapter.rank for adapter in self.adapters if adapter.form == "folder"]


def plan(
    given: str,
    table: ServeTable,
    *,
    place: str,
    model: str | None = None,
    adapters: Sequence[str] = (),
    called: bool = True,
    withheld: Iterable[str] = (),
) -> Plan:
    """Return the plan of a server for a checkpoint; nothing is started.

    Args:
        given: ``PATH[:ADAPTER]``, or ``local:NAME`` of a model that comes in a package.
        table: ``[serve]`` of the thresholds file.
        place: the option it came from.
        model: ``ENGINE:NAME``, where the user chooses them.
        adapters: more adapters for the server to have; the base answers.
        called: whether it will be started; without that no engine need be installed.
        withheld: variables of the environment that hold keys, beside those of the shipped providers.

    Raises:
        ConfigError: if there is no such checkpoint, or nothing that could serve it.
    """
    if given.startswith(f"{OWN}:"):
        weights, model = packaged(given.removeprefix(f"{OWN}:"), place), None
        path, adapter, name = str(weights.path), None, given.removeprefix(f"{OWN}:")
    else:
        path, adapter = checkpoints.split(given)
        weights, name = checkpoints.checkpoint(path, place), ""
    engine, _, wished = (model or "").partition(":")
    engine, row = _engine(weights, table, engine, place, called=called)
    listed = [*([] if adapter is None else [adapter]), *adapters]
    if listed and "adapter" not in row:
        raise ConfigError(f"{place}: {engine} serves no adapters here. Merge the adapter into the weights first.")
    found = tuple(checkpoints.adapter(item, place, row["adapter_is"]) for item in listed)
    names = [item.name for item in found]
    if len(set(names)) < len(names):
        raise ConfigError(f"{place}: two adapters are named {max(names, key=names.count)!r}. Rename one of the files.")
    return Plan(
        engine=engine,
        row=row,
        weights=weights,
        name=wished or name or weights.name,
        table=table,
        provider=OWN if name or engine == "own" else engine,
        adapters=found,
        chosen=None if adapter is None else 0,
        version=_module_version(row.get("module")),
        withheld=frozenset(withheld) | _shipped_keys(),
    )


def packaged(name: str, place: str) -> Weights:
    """Return the weights that come in an installed package; nothing of it is imported.

    Raises:
        ConfigError: if no package is known that brings them, or it is not installed.
    """
    rows = load("serving.toml")["packaged"]
    if name not in rows:
        raise ConfigError(unknown(place, f"{OWN}:{name}", [f"{OWN}:{key}" for key in rows]))
    spec = importlib.util.find_spec(rows[name]["package"])
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        if (Path(folder) / rows[name]["file"]).is_file():
            return checkpoints.checkpoint(str(Path(folder) / rows[name]["file"]), place)
    raise ConfigError(f"{place}: {OWN}:{name} is not installed. Next: {rows[name]['install']}")


def _engine(
    weights: Weights, table: ServeTable, wanted: str, place: str, *, called: bool
) -> tuple[str, Mapping[str, Any]]:
    """Return the engine that serves the weights: the user's own, the one that was named, or one that is installed."""
    if table.command:
        return "own", {"command": table.command, "health": table.health}
    rows: dict[str, Any] = load("serving.toml")["engine"]
    if wanted and wanted not in rows:
        raise ConfigError(unknown(f"--model beside {place}: engine", wanted, list(rows)))
    fitting = {name: row for name, row in rows.items() if row["serves"] == weights.form}
    if wanted and wanted not in fitting:
        raise ConfigError(
            f"{place}: {wanted} does not serve {weights.path.name}. Engines for it: {', '.join(fitting)}."
        )
    for name, row in fitting.items():
        if wanted in ("", name) and (not called or _installed(row)):
            return name, row
    ways = " or ".join(row["install"] for name, row in fitting.items() if wanted in ("", name))
    raise ConfigError(
        f"{place}: nothing that serves {weights.path.name} is installed. Next: {ways}; or name a server of your own in "
        "[serve] command of the thresholds file."
    )


def _installed(row: Mapping[str, Any]) -> bool:
    module = row.get("module")
    return importlib.util.find_spec(module) is not None if module else _program(row["program"]) is not None


def _shipped_keys() -> frozenset[str]:
    """Return the variables that hold keys of the shipped providers."""
    rows = load("providers.toml").values()
    single = {row[name] for row in rows for name in ("api_key_env", "optional_key_env", "token_env") if name in row}
    return frozenset(single.union(*(row.get("secrets", ()) for row in rows)))


def _program(name: str) -> str | None:
    """Return where a program is: beside this Python, or on the PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if name and beside.is_file() else shutil.which(name) if name else None


def _module_version(module: str | None) -> str | None:
    try:
        return importlib.metadata.version(module) if module else None
    except importlib.metadata.PackageNotFoundError:
        return None


def _filled(word: str, words: Mapping[str, str]) -> str:
    """Return a word with what its marks stand for; other braces stay."""
    for mark, text in words.items():
        word = word.replace(f"{{{mark}}}", text)
    return word
