"""What ``run.json`` holds: how a run was made, and whose weights answered."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.looks import Looks
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.sentences import say
from jmedethic_pytest.core.shapes import Count, DigestTable, ModelTable, RulesTable, SelectionTable, TokenTable
from jmedethic_pytest.core.shards import MergedOf, Shard
from jmedethic_pytest.core.vocabulary import Vocabulary


class Identity(Record):
    """What was seen of the models that answered: names, and what a server says of the weights behind them."""

    listed: dict[str, Any] = {}
    """Of the target in its server's list of models: ``root``, ``max_model_len`` and their kin, where it has them."""
    served: dict[str, dict[str, int]] = {}
    """Replies by the model name that the server reported, for ``target`` and each judge."""
    fingerprints: tuple[str, ...] = ()
    """Every ``system_fingerprint`` of the target's replies."""
    probes: tuple[str, ...] = ()
    """Digests of the answers to five fixed questions, asked where a revision is stated; empty where none came."""
    changes: tuple[str, ...] = ()
    """How this differs, in words, from what was first seen under the same stated revision."""


class Golden(Record):
    """How a judge scored replies of which it is known whether they are good, in one language."""

    judge: str
    locale: Locale
    cases: Count
    ordered: Count
    """Cases in which breach < half a breach < good refusal, by this judge's scores."""
    auc: float | None
    """The chance that it scores a good refusal above a breach, ties by half; ``None`` without scores of both."""
    missing: Count
    """Replies it gave no score."""
    flagged: Count
    """Scores that go against the components it reports, of those it gave ..."""
    scored: Count
    cached: Count = 0
    """Answers that an earlier run had asked for: they tell of the judge as it was then."""
    means: dict[str, float | None]
    """Mean score by kind: ``t0`` and the three replies to T2, ``good``, ``weakened``, ``breach``."""
    reasons: tuple[str, ...] = ()
    """Why it is not to be believed; empty if it is."""

    @property
    def passed(self) -> bool:
        """Whether it may judge."""
        return not self.reasons


class TranscriptsOf(Record):
    """The run whose replies were scored, where no target was called for it."""

    run: str
    """Its id: the run that called the target."""
    finished: str | None
    tool_version: str
    git_commit: str | None
    judges: tuple[str, ...]
    """Who scored them there; empty if they were collected without judges."""
    prompts: str
    """Digest of what these judges were told."""
    transcripts: str
    """sha256 of all transcripts that were read."""
    attested: bool
    """Whether that run had kept digests of its transcripts: without them nobody can tell whether they were edited."""


class AttackPlan(Record):
    """How conversations were attacked after their written turns: all that two attacks must have in common."""

    attacker: ModelTable
    style: str
    """``crescendo`` or ``rephrase``."""
    max_turns: Count
    """User turns at most, the written ones among them."""
    seeds: Count
    calls: Count
    """Answers that could be asked of the attacker from each seed."""
    version: str
    """Number of the attacker's prompt ..."""
    prompt: str
    """... and its sha256."""
    sampling: dict[str, Any]
    """How the attacker was called; of vendor parameters only the digest."""


class RunInfo(Record):
    """What ``run.json`` holds: everything needed to repeat the run or to refuse a comparison with it."""

    schema_version: Literal[2] = 2
    id: str
    status: Literal["started", "complete", "incomplete", "error"]
    started: str
    finished: str | None = None
    tool_version: str
    git_commit: str | None = None
    replies_of: str = ""
    """The run whose replies of the target this one may use: itself, or one of the same plan that did not end. Empty
    where the weights are known by a stated revision, or simulated."""
    replayed: str = ""
    """The finished run whose replies stand in this one's place, where no call was allowed (``--jmed-cache=only``)."""
    command: tuple[str, ...] = ()
    target: ModelTable
    judges: tuple[ModelTable, ...]
    """Empty of a collection: replies were stored, and none was scored."""
    third: ModelTable | None = None
    """Who was asked where the two judges lay too far apart, if anybody was to be."""
    attack: AttackPlan | None = Field(default=None, exclude_if=lambda plan: plan is None)
    """How an adaptive attacker went on after the written turns; ``None`` if there was none."""
    transcripts_of: TranscriptsOf | None = None
    """The run whose replies were scored; ``None`` if this one called the target itself."""
    shard: Shard | None = Field(default=None, exclude_if=lambda shard: shard is None)
    """Which part of a run it is, if it is one: no answer follows from it alone."""
    merged: tuple[MergedOf, ...] = Field(default=(), exclude_if=lambda merged: not merged)
    """The shards that were made one run; empty if it was made at once."""
    judge_context: str = "full"
    judge_prompt: Literal["item", "paper"] = "paper"
    """Which question was put to the judges; there was no other before it was recorded."""
    simulated: bool
    selection: SelectionTable
    selected: Count = 0
    unasked: Annotated[Count, Field(exclude_if=lambda count: not count)] = 0
    """Evaluations that pytest left out (`-k`, `-m`, `--deselect`, `--lf`); they are not in `selected`."""
    identity: Identity = Identity()
    """Whose weights answered, as far as it could be seen."""
    digests: DigestTable
    """sha256 of cases, prompts (rubric and wording) and thresholds; of all transcripts, once the run has ended."""
    guidelines: dict[str, str] = {}
    """sha256 of what judges are told of each guideline that the cases name; a run of schema 1 holds none."""
    prompts_schema_1: str | None = None
    """sha256 of the prompts as schema 1 took it, over every guideline known: to compare with runs of that schema."""
    concurrency: int
    tokens: dict[str, TokenTable] = {}
    calls: dict[str, Count] = {}
    cost_usd: dict[str, float | None] = {}
    """Money by model; ``None`` where the price is unknown."""
    golden: tuple[Golden, ...] | None = None
    """How each judge scored the golden replies before the run; empty if it was told not to ask them, ``None`` if it did
    not come to it, or of an older version."""
    note: str = ""
    seconds_per_call: dict[str, float] = {}
    """Mean time of a request by model; only models that were called."""
    stopped_by_budget: bool = False
    looks: Annotated[Looks | None, Field(exclude_if=lambda looks: looks is None)] = None
    """Looks before the end; left out of a run that was to have none."""
    thresholds: RulesTable = {}
    """The thresholds in force, so that a stored run can be summed up and gated again."""
    baselines: tuple[str, ...] = ()
    """Names of the baselines the run was compared with."""
    vocabulary: dict[str, Any] = {}
    """Guidelines the cases name, their categories, and strategies: those that do not come with the package."""
    limits: dict[str, tuple[str, ...]] = {}
    """How the number of calls in flight to each model was changed, when it was paused and went on, and why."""
    learned: dict[str, tuple[str, ...]] = {}
    """What a model's server refused in plain words and was therefore sent otherwise than it was asked for."""

    @field_validator("vocabulary")
    @classmethod
    def _vocabulary_can_be_read(cls, given: dict[str, Any]) -> dict[str, Any]:
        Vocabulary.of(given)
        return given

    @model_validator(mode="after")
    def _calls_have_tokens(self) -> Self:
        untold = self.calls.keys() - self.tokens.keys()
        if untold:
            raise ValueError(f"tokens: those of {min(untold)!r} are missing, which has calls")
        return self

    @property
    def fractions(self) -> tuple[float, ...]:
        """Information at each look at the run as a share of the whole; the last one is where it stands."""
        return (1.0,) if self.looks is None else self.looks.fractions

    @property
    def stopped_early(self) -> str:
        """Where a look before the end decided the run, in words; empty if none did."""
        if self.looks is None or self.looks.stopped is None:
            return ""
        return say("stopped.at", look=self.looks.stopped, total=self.looks.declared[-1])

    def left_out(self, *widest: str) -> bool:
        """Tell whether cases may have been left out of all that these suites hold.

        Args:
            widest: the suites, each of which holds all cases of the set.
        """
        asked = self.selection
        some = any(asked.get(name) for name in ("sample", "strategies", "guidelines"))
        suites = {name.strip() for name in str(asked.get("suite") or "default").split(",")}
        return bool(some or self.unasked or self.shard or self.stopped_early or not suites & set(widest))

    @property
    def chosen(self) -> str:
        """Pack, suites and languages that were asked for, in a few words."""
        asked = self.selection
        words = (asked.get("pack"), asked.get("suite") or "default", ",".join(asked.get("locales", ())))
        return " ".join(filter(None, words))

    @property
    def all_judges(self) -> tuple[dict[str, Any], ...]:
        """Those of the panel, and the third."""
        return self.judges if self.third is None else (*self.judges, self.third)

    @cached_property
    def words(self) -> Vocabulary:
        """The vocabulary of the run, as a value."""
        return Vocabulary.of(self.vocabulary)
