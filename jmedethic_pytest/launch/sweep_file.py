"""``sweep.toml``: which models are to answer what, how the work is divided, and who carries it out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from jmedethic_pytest.config.servers import Table
from jmedethic_pytest.core import languages, secrets, toml
from jmedethic_pytest.core.errors import ConfigError, gathered
from jmedethic_pytest.core.shards import MOST
from jmedethic_pytest.launch import arguments

_ADVICE = "Give the file of a sweep (docs/how-to/sweep.md shows one)."
_OF_CLUSTER = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")

Positive = Annotated[int, Field(strict=True, ge=1)]
Texts = tuple[str, ...]


class Target(Table):
    """``[[models]]``: one model under test."""

    name: str
    """What it is called in files, tables and messages."""
    model: str | None = None
    """`PROVIDER:NAME`, as of `jmedethic run`."""
    base_url: str | None = None
    """Address of its server."""
    serve: str | None = None
    """A checkpoint that each of its jobs serves itself; `PATH:ADAPTER` with an adapter."""
    adapters: Texts = ()
    """Adapters of that checkpoint: each is one more model, `NAME+ADAPTER`, compared with it."""
    revision: str | None = None
    """What its weights are."""
    base: str | None = None
    """Name of the model that it is compared with, conversation by conversation."""
    gpus: Annotated[int, Field(strict=True, ge=0)] = 0
    """Graphics cards that one of its jobs asks a cluster for."""
    args: Texts = ()
    """More options of `jmedethic run` for its collections."""

    @field_validator("name")
    @classmethod
    def _name_can_name_a_file(cls, name: str) -> str:
        return _fit(name)

    @model_validator(mode="after")
    def _adapters_have_a_base(self) -> Self:
        if self.adapters and self.serve is None:
            raise ValueError("adapters mean nothing without 'serve', the checkpoint they are made for")
        return self

    @property
    def all(self) -> Iterator[Target]:
        """This model, and one with each of its adapters."""
        yield self.model_copy(update={"adapters": ()})
        for path in self.adapters:
            name, serve = f"{self.name}+{_slug(Path(path).stem)}", f"{self.serve}:{path}"
            yield self.model_copy(update={"name": name, "serve": serve, "base": self.name, "adapters": ()})


class SlurmTable(Table):
    """``[slurm]``: how job arrays are submitted."""

    options: Texts = ()
    """Options of `sbatch` for every job, such as `--partition=gpu`."""
    setup: Texts = ()
    """Lines of shell before the work, such as `module load cuda`."""
    program: Texts = ()
    """What starts `jmedethic` on a node (default: the Python that submits)."""
    at_once: Positive | None = None
    """Jobs of one array that run at the same time, at most."""
    poll_seconds: Annotated[float, Field(gt=0.0)] = 15.0
    """Between two questions to `squeue`."""
    settle_seconds: Annotated[float, Field(ge=0.0)] = 60.0
    """How long the result of a job that left the queue is waited for: network file systems show it late."""


class RayTable(Table):
    """``[ray]``: what a task takes."""

    address: str = "auto"
    """Of the cluster; `auto` for the one around."""
    num_cpus: Annotated[float, Field(ge=0.0)] = 1.0
    resources: dict[str, float] = {}
    """Resources of your own, by name."""
    retries: Annotated[int, Field(strict=True, ge=0)] = 3
    """How often a task is begun again that was lost with its node."""


class KubernetesTable(Table):
    """``[kubernetes]``: what the manifests name."""

    image: str
    """The container image, with this package in it."""
    claim: str
    """The PersistentVolumeClaim (ReadWriteMany) that every pod mounts at `/work`."""
    namespace: str | None = None
    secrets: Texts = ()
    """Secrets whose keys become variables of the pods that collect."""
    judge_secrets: Texts = ()
    """Secrets whose keys become variables of the pod that judges, and of no other."""
    at_once: Positive | None = None
    """Pods of one job that run at the same time, at most (default: all)."""
    retries: Annotated[int, Field(strict=True, ge=0)] = 3
    """How often a part is begun again."""
    gpu_resource: str = "nvidia.com/gpu"
    requests: dict[str, str] = {"cpu": "1", "memory": "1Gi"}
    """What a pod asks for beside graphics cards."""

    @field_validator("claim", "namespace", "secrets", "judge_secrets")
    @classmethod
    def _are_names_of_a_cluster(cls, given: Any) -> Any:
        for name in [given] if isinstance(given, str) else given or ():
            if not _OF_CLUSTER.fullmatch(name):
                raise ValueError("give small letters, digits, dots and hyphens, as Kubernetes has it")
        return given


class Sweep(Table):
    """The whole file."""

    schema_version: Literal[1]
    name: str = ""
    """Of the sweep's folder under `sweeps/` (default: the file's name)."""
    models: Annotated[tuple[Target, ...], Field(min_length=1)]
    suites: Annotated[Texts, Field(min_length=1)] = ("core",)
    """One run for each; suites of one run stand in one text, by comma."""
    locales: Annotated[Texts, Field(min_length=1)] = ("ja",)
    """One run for each; `ja,en` is one run in both languages."""
    shards: Annotated[int, Field(strict=True, ge=1, le=MOST)] = 1
    """Parts that every run is collected in."""
    args: Texts = ()
    """More options of `jmedethic run`, for every collection."""
    judge_args: Texts = ()
    """Options of `jmedethic judge`, such as `--judges=default` or `--budget=50`."""
    reports: str = "reports"
    """Where runs are stored, as of `jmedethic run`."""
    slurm: SlurmTable = SlurmTable()
    ray: RayTable = RayTable()
    kubernetes: KubernetesTable | None = None

    @field_validator("name")
    @classmethod
    def _name_can_name_a_folder(cls, name: str) -> str:
        return _fit(name) if name else name

    @field_validator("locales")
    @classmethod
    def _are_languages(cls, given: Texts) -> Texts:
        for word in (word.strip() for text in given for word in text.split(",")):
            if word not in languages.tags():
                raise ValueError(f"{word!r} is no language: {', '.join(languages.tags())}")
        return given

    @model_validator(mode="after")
    def _each_is_there_once(self) -> Self:
        for what, words in (
            ("model", [item.name for item in self.models]),
            ("suite", [text.replace(" ", "") for text in self.suites]),
            ("language", [text.replace(" ", "") for text in self.locales]),
        ):
            twice = [word for word, count in Counter(words).items() if count > 1]
            if twice:
                raise ValueError(f"{what} {twice[0]!r} is there twice")
        known = {item.name for item in self.models}
        for item in self.models:
            if item.base is not None and (item.base not in known or item.base == item.name):
                raise ValueError(f"model {item.name!r}: base {item.base!r} is no other model of this file")
        return self


def _fit(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("give letters, digits, dots, hyphens, + and _, up to 64, a letter or digit first")
    return name


def load(path: Path) -> Sweep:
    """Read the file of a sweep, and find everything that is wrong with it.

    Raises:
        ConfigError: with one line per problem.
    """
    content = toml.read(path, _ADVICE)
    try:
        sweep = Sweep.model_validate(content)
        every = [each.model_dump() for target in sweep.models for each in target.all]
        sweep = Sweep.model_validate({**sweep.model_dump(), "models": every})
    except ValidationError as error:
        raise ConfigError(toml.explain(error, str(path), Sweep)) from None
    problems = list(_keys(content, str(path)))
    for target in sweep.models:
        place = f"{path}: model {target.name!r}"
        with gathered(problems):
            arguments.check_run(of_run(sweep, target), place)
    with gathered(problems):
        arguments.check_judge(sweep.judge_args, f"{path}: judge_args")
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return sweep if sweep.name else sweep.model_copy(update={"name": _fit(_slug(path.stem))})


def of_run(sweep: Sweep, target: Target) -> list[str]:
    """Return the options by which a model is collected, but for suite, language and shard."""
    own = {"model": target.model, "base-url": target.base_url, "serve": target.serve, "revision": target.revision}
    return [*(f"--{name}={value}" for name, value in own.items() if value is not None), *sweep.args, *target.args]


def asked(sweep: Sweep) -> dict[str, Any]:
    """Return what a sweep asks for, without who carries it out."""
    launchers = {"slurm": True, "ray": True, "kubernetes": True}
    return sweep.model_dump(mode="json", exclude={**launchers, "models": {"__all__": {"gpus": True}}})


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip("-._+")[:64] or "sweep"


def _keys(content: Any, place: str) -> Iterator[str]:
    """Yield that a key stands in the file, whose content goes into plans, logs and manifests."""
    if any(secrets.in_settings(content)):
        yield f"{place}: holds what looks like a key or a password. Keys belong into the environment of the jobs."
