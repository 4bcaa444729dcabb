"""Every option of a run, declared once and used by pytest (``--jmed-x``) and by the command line (``--x``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from jmedethic_pytest.cases import packs
from jmedethic_pytest.cases.selection import Selection
from jmedethic_pytest.config.attacker import Style
from jmedethic_pytest.core import languages
from jmedethic_pytest.core.errors import ConfigError, unknown
from jmedethic_pytest.core.looks import Early
from jmedethic_pytest.core.records import MOST_TURNS
from jmedethic_pytest.core.shards import Part
from jmedethic_pytest.models import budget as budgets
from jmedethic_pytest.models.base import CacheMode
from jmedethic_pytest.run import schedulers

EARLY_MODES = ("off", *get_args(Early))
REPORT_MODES = ("full", "off")
ALLURE_MODES = ("auto", "all", "failures", "sample")


@dataclass(frozen=True)
class Option:
    """One option: its name without prefix, how a value is shown, and what it means."""

    name: str
    metavar: str
    help: str
    is_flag: bool = False

    @property
    def key(self) -> str:
        """The name as a Python identifier."""
        return self.name.replace("-", "_")


MODEL_HELP = "Model to evaluate, PROVIDER:NAME, e.g. openai:gpt-4.1-mini, vllm:my-finetune or demo:aligned"
OPTIONS = (
    Option(
        "serve", "PATH[:ADAPTER]", "Serve this checkpoint for the run: a GGUF file, a Hugging Face folder; no --model"
    ),
    Option(
        "adapters", "PATH,...", "LoRA adapters of the served checkpoint: each is evaluated, and held against the base"
    ),
    Option("base-url", "URL", "Address of the target's OpenAI-compatible (or Anthropic) server"),
    Option("revision", "TEXT", "What the target's weights are (digest, commit, version): replies are kept under it"),
    Option(
        "judges",
        "PROFILE|A,B|none",
        "Judge profile of the thresholds file, or models PROVIDER:NAME[@URL] by comma; none: only collect the replies",
    ),
    Option("attacker", "PROVIDER:NAME", "A model that goes on where the written turns end, beside the gate"),
    Option("attack-style", "crescendo|rephrase", "How the attacker goes on (default: crescendo)"),
    Option("max-turns", "N", "User turns with those of the attacker, at most (default: 7)"),
    Option("cases", "PATH", "Case file or folder (default: the bundled cases)"),
    Option("pack", "jma|us|eu", "Guidelines and conversations of a pack (default: jma, the 67 guidelines for Japan)"),
    Option("suite", "NAME,...", "Suites to run (default: core if there is one, else smoke); 'all' for every case"),
    Option("locale", "ja|en|TAG", "Language of the conversations, or 'ja,en' (default: ja, or that of the pack)"),
    Option("strategy", "S1,S5", "Only these strategies (id, slug or name)"),
    Option("guideline", "JMA-19,21", "Only these guidelines (id or number)"),
    Option("sample", "N", "A sample of N conversations per locale, stratified over guideline x strategy and nested"),
    Option("seed", "S", "Seed of the sample (default: 0)"),
    Option("shard", "K/N|auto", "Only part K of N, to be merged (`jmedethic merge`); auto: as the scheduler says"),
    Option("repeats", "K", "Independent repetitions of every conversation (default: 1)"),
    Option(
        "perturb",
        "KIND,...",
        "Run each conversation twice more, unchanged and reworded: typos, politeness, width, ... or all",
    ),
    Option("turns", "N", "Only the first N user turns (1: the single-turn baseline)"),
    Option("concurrency", "N", "Conversations in flight, and calls to one model at most (default: 32, or -n)"),
    Option("no-golden", "", "Do not try the judges on golden replies first: the gate cannot pass then", is_flag=True),
    Option("budget", "5|2e6tokens|500calls", "The most to spend: US dollars, tokens or calls; then exit status 7"),
    Option(
        "batch", "", "Have requests answered in batches, where providers take them: slower and cheaper", is_flag=True
    ),
    Option("dry-run", "", "Print calls, tokens, cost and time, and spend nothing", is_flag=True),
    Option("thresholds", "FILE", "Thresholds file (default: ./thresholds.toml, else built-in values)"),
    Option("baseline", "NAME,...", "Baselines the run must not be worse than (see `jmedethic baseline`)"),
    Option("early", "off|fail|pass|both", "End the run at a declared look that decides it so (default: off)"),
    Option("strict", "", "Any failed case fails the run, known failures too, whatever the gate says", is_flag=True),
    Option(
        "cache",
        "use|judges|refresh|only|off",
        "Response cache: use it, use it for judges alone, refill it, refuse new calls, or ignore it (default: use; "
        "with redact: off)",
    ),
    Option("report", "full|off", "Write report.html, tables and plots, or only the summary (default: full)"),
    Option("allure", "all|failures|sample", "Which cases get transcripts in Allure (default: all up to 2,000 cases)"),
    Option("redact", "", "Replace every text of a model by its digest, in every file and report", is_flag=True),
    Option(
        "shared", "", "Let others of this computer read run folder and cache, which hold texts of models", is_flag=True
    ),
    Option("reports", "DIR", "Where runs and the cache are stored (default: reports)"),
)
ATTACKING = ("attacker", "attack-style", "max-turns")
"""Names of those that are about an attacker."""
_OF_TARGET_AND_CASES = {
    "serve",
    "adapters",
    "base-url",
    "revision",
    "cases",
    "pack",
    "suite",
    "locale",
    "strategy",
    "guideline",
    "sample",
    "seed",
}
_OF_CONVERSATIONS = {*_OF_TARGET_AND_CASES, *ATTACKING, "repeats", "perturb", "turns", "early", "allure", "shard"}
JUDGING = tuple(option for option in OPTIONS if option.name not in _OF_CONVERSATIONS)
"""Those that mean something where stored conversations are judged: neither target nor cases can be chosen any more."""


@dataclass(frozen=True)
class Settings:
    """The validated options of one run."""

    model: str
    """As it was given; empty where a checkpoint is served and nothing else was said."""
    serve: str | None = None
    """The checkpoint that the run serves itself, ``PATH[:ADAPTER]``."""
    adapters: tuple[str, ...] = ()
    """Adapters that its server has beside it."""
    base_url: str | None = None
    revision: str | None = None
    """What the user says the target's weights are."""
    judges: str | None = None
    attacker: str | None = None
    attack_style: Style = "crescendo"
    max_turns: int = 7
    """User turns of an attacked conversation at most, the written ones among them."""
    cases: tuple[Path, ...] = ()
    selection: Selection = field(default_factory=Selection)
    shard: Part | None = None
    """Which part of the selected cases is evaluated; ``None`` for all."""
    repeats: int = 1
    perturb: tuple[str, ...] = ()
    """Kinds of surface changes, of which each conversation gets one beside its original; none if empty."""
    concurrency: int = 32
    """Conversations in flight."""
    calls: int | None = None
    """Calls in flight to one model at most, if the user bounded the concurrency himself."""
    thresholds: Path | None = None
    strict: bool = False
    no_golden: bool = False
    """Whether judges are asked without having proved themselves."""
    cache: CacheMode = "use"
    budget: budgets.Limit | None = None
    batch: bool = False
    """Whether the cache is filled by batches before conversations are evaluated."""
    dry_run: bool = False
    baselines: tuple[str, ...] = ()
    early: Early | Literal["off"] = "off"
    """With which answers the run may end at a look before its end."""
    report: str = "full"
    allure: str = "auto"
    """``auto``: every case, but only failures and a few passing ones per strategy above 2,000 cases."""
    redact: bool = False
    shared: bool = False
    """Whether others may read the run's folder and the cache."""
    reports: Path = Path("reports")
    lookahead: int | None = None
    """Cases the engine may run ahead of the tests; ``None`` for all (bounded with ``-x``)."""
    command: tuple[str, ...] = ()


def parse(
    model: str | None, raw: Mapping[str, Any], *, prefix: str, workers: int = 0, root: Path | None = None
) -> Settings:
    """Check raw option values (strings, numbers or ``None``) and return the settings.

    Args:
        model: value of ``--model``; ``None`` only where a checkpoint is served.
        raw: values by option key; absent and ``None`` mean the default.
        prefix: how the option is spelled to this user, ``--jmed-`` or ``--``, for the error texts.
        workers: number of pytest-xdist workers, a lower bound of the default concurrency.
        root: folder that relative default paths refer to (pytest's rootdir).

    Raises:
        ConfigError: with one line per bad value.
    """
    reader = _Reader(raw, prefix)
    root = root or Path.cwd()
    pack = reader.pack()
    locales = reader.words("locale", (packs.locale(pack or packs.JMA),), allowed=languages.tags())
    selection = reader.selection(pack, locales)
    cases = reader.text("cases")
    thresholds = reader.text("thresholds")
    concurrency = reader.integer("concurrency", minimum=1)
    attacker = reader.text("attacker")
    reader.only_with("attacker", "attack_style", "max_turns")
    serve = reader.text("serve") or (model if model and model.startswith("local:") else None)
    reader.need_a_model(model, serve)
    reader.only_with("serve", "adapters")
    settings = Settings(
        model=model or "",
        serve=serve,
        adapters=reader.words("adapters", ()),
        base_url=reader.text("base_url"),
        revision=reader.text("revision"),
        judges=reader.text("judges"),
        attacker=attacker,
        attack_style=cast(Style, reader.choice("attack_style", "crescendo", get_args(Style))),
        max_turns=reader.integer("max_turns", minimum=2, maximum=MOST_TURNS) or 7,
        cases=(Path(cases),) if cases else (packs.folder(pack, prefix + "pack"),) if pack else (),
        selection=selection,
        shard=reader.shard(),
        repeats=reader.integer("repeats", minimum=1) or 1,
        perturb=reader.kinds("perturb", locales),
        concurrency=concurrency or max(32, workers),
        calls=concurrency,
        thresholds=Path(thresholds) if thresholds else None,
        strict=bool(raw.get("strict")),
        no_golden=bool(raw.get("no_golden")),
        budget=reader.budget(),
        batch=bool(raw.get("batch")),
        dry_run=bool(raw.get("dry_run")),
        # The cache necessarily holds texts of models: who wants none to be kept gets none, unless asked for.
        cache=cast(CacheMode, reader.choice("cache", "off" if raw.get("redact") else "use", get_args(CacheMode))),
        baselines=tuple(dict.fromkeys(reader.words("baseline", ()))),
        early=cast(Early | Literal["off"], reader.choice("early", "off", EARLY_MODES)),
        report=reader.choice("report", "full", REPORT_MODES),
        allure=reader.choice("allure", "auto", ALLURE_MODES),
        redact=bool(raw.get("redact")),
        shared=bool(raw.get("shared")),
        reports=root / (reader.text("reports") or "reports"),
    )
    if reader.problems:
        raise ConfigError(reader.problems)
    return settings


class _Reader:
    """Reads raw values and collects what is wrong with them."""

    def __init__(self, raw: Mapping[str, Any], prefix: str) -> None:
        self._raw = raw
        self._prefix = prefix
        self.problems: list[str] = []

    def text(self, key: str) -> str | None:
        value = self._raw.get(key)
        return str(value).strip() or None if value is not None else None

    def selection(self, pack: str | None, locales: tuple[str, ...]) -> Selection:
        return Selection(
            pack=pack,
            suite=self.text("suite"),
            locales=locales,
            strategies=self.words("strategy", ()),
            guidelines=self.words("guideline", ()),
            sample=self.integer("sample", minimum=1),
            seed=self.integer("seed", minimum=0) or 0,
            turns=self.integer("turns", minimum=1),
        )

    def integer(self, key: str, *, minimum: int, maximum: int | None = None) -> int | None:
        value = self.text(key)
        if value is None:
            return None
        whole = re.fullmatch(r"-?[0-9]{1,18}", value) is not None
        if not whole or not minimum <= int(value) <= (int(value) if maximum is None else maximum):
            allowed = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
            self.problems.append(f"{self._spell(key)}: {value!r} is not allowed: give a whole number {allowed}.")
            return None
        return int(value)

    def need_a_model(self, model: str | None, serve: str | None) -> None:
        """Refuse a run of nothing, and a checkpoint that is to be served and is served elsewhere."""
        if model is None and serve is None:
            self.problems.append(
                f"--model: missing. Give PROVIDER:NAME, or a checkpoint ({self._spell('serve')}=PATH)."
            )
        if serve is not None and self.text("base_url") is not None:
            self.problems.append(
                f"{self._spell('base_url')}: {self._spell('serve')} starts a server of its own. Leave one of them out."
            )

    def only_with(self, needed: str, *keys: str) -> None:
        """Refuse options that mean nothing without another one."""
        if self.text(needed) is None:
            alone = [self._spell(key) for key in keys if self.text(key) is not None]
            self.problems += [f"{name}: means nothing without {self._spell(needed)}." for name in alone]

    def words(self, key: str, default: tuple[str, ...], allowed: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = self.text(key)
        if value is None:
            return default
        words = tuple(word.strip() for word in value.split(",") if word.strip())
        if not words:
            self.problems.append(f"{self._spell(key)}: {value!r} names nothing.")
        for word in words:
            if allowed and word not in allowed:
                self.problems.append(unknown(self._spell(key), word, allowed))
        return words

    def choice(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        words = self.words(key, (default,), allowed)
        if len(words) > 1:
            self.problems.append(f"{self._spell(key)}: give one value of: {', '.join(allowed)}.")
        return words[0] if words else default

    def kinds(self, key: str, locales: tuple[str, ...]) -> tuple[str, ...]:
        if self.text(key) is None:
            return ()
        from jmedethic_pytest.cases.perturb import kinds as perturbations  # every pytest imports this module

        try:
            return perturbations.chosen(self.words(key, ()), locales, self._spell(key))
        except ConfigError as error:
            self.problems.extend(error.problems)
            return ()

    def pack(self) -> str | None:
        """Return the name of a pack; none if it is not there, or cases of one's own are given too."""
        value = self.text("pack")
        if value is None:
            return None
        try:
            packs.folder(value, self._spell("pack"))
        except ConfigError as error:
            self.problems.extend(error.problems)
            return None
        if self.text("cases") is not None:
            alone = f"{value!r} chooses the cases: leave {self._spell('cases')} out."
            self.problems.append(f"{self._spell('pack')}: {alone}")
        return None if value == packs.JMA else value

    def budget(self) -> budgets.Limit | None:
        value = self.text("budget")
        if value is None:
            return None
        try:
            return budgets.parse(value, self._spell("budget"))
        except ConfigError as error:
            self.problems.extend(error.problems)
            return None

    def shard(self) -> Part | None:
        value = self.text("shard")
        if value is None:
            return None
        try:
            return schedulers.part(value, self._spell("shard"))
        except ConfigError as error:
            self.problems.extend(error.problems)
            return None

    def _spell(self, key: str) -> str:
        return self._prefix + key.replace("_", "-")
