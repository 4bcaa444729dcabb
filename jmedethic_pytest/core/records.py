"""The plain frozen records that cross every process and file border.

Scores run from 1.0 to 10.0 and **10 is safe** (arXiv 2601.01627v2, section 3.3). A score that does not exist is
``None`` together with a status that says why; it is never 0 and never NaN.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from jmedethic_pytest.core.languages import Locale, prefix
from jmedethic_pytest.core.scores import BEST, WORST, at_or_below, check_order, check_panel
from jmedethic_pytest.core.sentences import Sentence
from jmedethic_pytest.core.status import AttackEnd, ReplyStatus, ScoreStatus, VerdictStatus
from jmedethic_pytest.core.vocabulary import Branch, HarmClass, Persona, Tier

SCHEMA_VERSION = 2
"""Version of stored runs and baselines; a reader accepts an older one and refuses a newer one."""

CASE_ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,47}$"
"""At most 48 characters, so that ``<case>-t2-j1`` still fits the 64 characters of batch interfaces."""

CaseId = Annotated[str, StringConstraints(pattern=CASE_ID_PATTERN)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
MOST_TURNS = 10
TurnCount = Annotated[int, Field(ge=1, le=MOST_TURNS)]
RepeatIndex = Annotated[int, Field(ge=0)]
ScoreValue = Annotated[float, Field(strict=True, ge=WORST, le=BEST, allow_inf_nan=False)]


class Record(BaseModel):
    """Base of all records: immutable, and unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Case(Record):
    """One benchmark conversation in one locale: a question asked through a strategy over fixed user turns."""

    schema_version: Literal[1] = 1
    id: CaseId
    """Unique; ``<locale>-<stem>``, and the same stem names the same conversation in the other locale."""
    locale: Locale
    """Tag of its language, ``de``."""
    guideline: str
    strategy: str
    suites: tuple[str, ...] = ()
    """The suites this case belongs to: a suite is a selection, not a file."""
    twin_of: Text | None = None
    """Stem of the case whose benign counterpart this is; ``None`` for an adversarial case."""
    persona: Persona | None = None
    harm_class: HarmClass | None = None
    tags: tuple[str, ...] = ()
    question: str = ""
    """The single-turn harmful request behind the conversation; empty for a twin."""
    turns: tuple[Text, ...] = Field(min_length=1, max_length=MOST_TURNS)
    """User turns; index 0 is T0. Of a conversation with branches those that both have in common."""
    turns_if_refused: tuple[Text, ...] = ()
    """The turns after the common ones where the model held its ground at the last of them ..."""
    turns_if_complied: tuple[Text, ...] = ()
    """... and where it gave in: equally many, or none in both."""
    expected: tuple[Text, ...] = ()
    """What a good assistant does at each turn, for reviewers."""
    expected_if_refused: tuple[Text, ...] = ()
    """The same for the turns of each branch, or nothing."""
    expected_if_complied: tuple[Text, ...] = ()
    fail_if: str = ""
    """What makes the last reply a failure, for reviewers."""
    components: tuple[Text, ...] = ()
    """What the last turn asks for, cut into parts that can be checked one by one."""
    reference: tuple[Text, ...] = ()
    """The data set's own replies to T0, T1, ...: the history that ``[target] history = "reference"`` replays."""
    tier: Tier | None = None
    """How openly the last turn asks for the wrong."""
    t1_verdict: Literal["safe", "ambiguous", "over"] | None = None
    """What the writer takes a full answer to T1 for."""
    device: str = ""
    """How the strategy is carried out, in a few words: ``museum audio guide``."""
    setting: str = ""
    """Where it plays: ``island clinic``."""
    specialty: str = ""
    """Of medicine: ``psychiatry``, or ``none``."""
    victim: str = ""
    """Who is wronged."""
    author: str = ""
    """The hand that wrote it: one style sheet each, see the datasheet."""
    reviewed_by: tuple[Text, ...] = ()
    """Clinicians and lawyers who signed the conversation off: nobody yet in the bundled ones."""
    reviewed_on: Annotated[str, StringConstraints(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    """The day they did, ISO 8601."""
    canary: str = ""
    """A sentence with a GUID, by which the case is found in a training corpus; models never see it."""

    @property
    def stem(self) -> str:
        """The id without its locale prefix: equal for the Japanese and the English form."""
        return self.id.removeprefix(prefix(self.locale))

    @property
    def length(self) -> int:
        """User turns of the whole conversation, whichever branch it takes."""
        return len(self.turns) + len(self.turns_if_refused)


class Usage(Record):
    """Tokens of one call as the provider counted them; ``None`` where it did not say."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    """Of the input: read from the provider's prompt cache."""
    cache_write: int | None = None
    """Of the input: written there."""


class Reply(Record):
    """What the target (or a judge) answered to one request, and what was really sent and served.

    What a model wrote is left out of ``repr``: pytest prints it for an assertion that fails, and JUnit keeps it.
    """

    text: str = Field(repr=False)
    status: ReplyStatus = "ok"
    detail: str = ""
    """Why the status is not ``ok``, in words."""
    reasoning: str = Field(default="", repr=False)
    """Reasoning the model exposed; split off, never judged, never fed back."""
    finish: str = ""
    """The provider's own finish reason."""
    model: str = ""
    """The model name the server reported: it can differ from the one asked for."""
    fingerprint: str = ""
    """What the server says of weights and settings behind the name (``system_fingerprint``), if it does."""
    usage: Usage = Usage()
    sent: dict[str, Any] = {}
    """Sampling parameters that were really sent."""
    seconds: float = 0.0
    cached: bool = False


Given = Literal["none", "partial", "usable"]
"""What a reply gave of a component: nothing, a piece that cannot be used as it stands, or what serves the purpose."""
Help = Literal["answered", "watered_down", "refused"]
"""How a reply met the request of its turn, acceptable or not."""


class Score(Record):
    """One judge's score of one turn: 1.0 (dangerous) to 10.0 (safe), or ``None`` with the reason in ``status``."""

    judge: str
    value: ScoreValue | None
    status: ScoreStatus = "scored"
    detail: str = ""
    rationale: str = Field(default="", repr=False)
    over_refusal: bool | None = None
    """Whether the reply refused a harmless request; ``None`` where nobody said, or the request is not harmless."""
    help: Help | None = None
    """How the reply met its request; ``None`` of the prompt ``paper``, which does not ask."""
    components: dict[str, Given] = {}
    """What the judge reports of the case's components, by their names ``C1`` ..."""
    flag: str = ""
    """How the score does not go with the components it comes with; empty if it does."""
    dimensions: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = {}
    """Sub-scores the judge volunteered (identification, response, consistency); not used by the gate."""
    attempts: int = 1
    model: str = ""
    usage: Usage = Usage()
    """Tokens of all attempts together."""
    sent: dict[str, Any] = {}
    cached: bool = False

    @model_validator(mode="after")
    def _value_and_status_agree(self) -> Self:
        if (self.value is None) == (self.status == "scored"):
            raise ValueError(f"value {self.value} does not go with status {self.status!r}")
        return self


class Turn(Record):
    """One user turn, the target's reply and the panel's scores."""

    index: int
    user: str
    reply: Reply
    scores: tuple[Score, ...] = ()
    third: Score | None = None
    """That of the third judge, where the two of the panel lay so far apart that it was asked."""
    value: ScoreValue | None = None
    """Mean of the panel; ``None`` unless every judge scored (or the settings allow a single judge). Where a third judge
    was asked it is the third's score, or ``None`` without one."""

    @model_validator(mode="after")
    def _value_is_that_of_the_panel(self) -> Self:
        third = [] if self.third is None else [self.third.value]
        check_panel(self.value, [score.value for score in self.scores], third)
        return self

    @property
    def all_scores(self) -> tuple[Score, ...]:
        """Those of the panel, and the third judge's if it was asked."""
        return self.scores if self.third is None else (*self.scores, self.third)


class Attack(Record):
    """How an adaptive attacker went on after the written turns, from one seed; no part of the verdict beside it."""

    seed: Annotated[int, Field(ge=0)]
    end: AttackEnd
    detail: str = ""
    """Why it ended, in words; no text of a model."""
    turns: tuple[Turn, ...] = ()
    """Those that it added; their user turns are the attacker's."""
    calls: Annotated[int, Field(ge=0)] = 0
    """Answers that were asked of the attacker, whether from a server or from the cache."""


class Violation(Record):
    """A turn at or below its floor."""

    turn: Annotated[int, Field(ge=0)]
    value: float
    floor: float
    rule: str
    """The key of the thresholds file that set the floor."""


class BaselineScores(Record):
    """What a baseline holds of one evaluation: scores without any text."""

    name: str
    """Name of the baseline."""
    turns: tuple[ScoreValue | None, ...]
    """Panel mean of every turn, ``None`` where the baseline has none; of a baseline that took another branch those of
    the common turns."""
    failed: bool | None
    """Whether the case broke a floor in the baseline; ``None`` if it was not fully scored and broke none."""


def plan_key(case_id: str, repeat: int) -> str:
    """Return the key of one planned evaluation."""
    return f"{case_id}~{repeat}" if repeat else case_id


class Verdict(Record):
    """The finished evaluation of one case: transcript, scores, status, and the floors it broke."""

    schema_version: Literal[2] = 2
    case: Case
    repeat: RepeatIndex = 0
    """Index of an independent repetition of the same case."""
    status: VerdictStatus
    detail: str = ""
    turns: tuple[Turn, ...] = ()
    planned_turns: TurnCount
    """Turns the run asked for; fewer in ``turns`` means the conversation stopped early."""
    branch: Branch | None = None
    """The branch it took; ``None`` if its case has none, or it ended before."""
    violations: tuple[Violation, ...] = ()
    attempts: tuple[Verdict, ...] = ()
    """Fresh repetitions that were run to confirm broken floors; a run's figures use the first attempt, this one."""
    confirmed: bool | None = None
    """Whether most attempts broke a floor; ``None`` if no confirmation was asked for."""
    simulated: bool = False
    """True if target or judges are demo simulations."""
    seconds: float = 0.0
    baseline: BaselineScores | None = None
    """Scores of the same evaluation in the first baseline the run is compared with, if there is one."""
    transcript: str = ""
    """sha256 of what was said (:func:`jmedethic_pytest.core.transcripts.digest`), taken before a redaction; empty of
    an older run, and of an evaluation that did not take place."""
    attacks: tuple[Attack, ...] = Field(default=(), exclude_if=lambda found: not found)
    """What an adaptive attacker made of it, one from each seed; no figure of the gate looks at them."""

    @model_validator(mode="after")
    def _status_and_floors_fit_the_scores(self) -> Self:
        check_order([turn.index for turn in self.turns], self.planned_turns)
        if len(self.turns) > len(self.case.turns) and self.case.turns_if_refused and self.branch is None:
            raise ValueError("its turns after the common ones are of no branch")
        if self.turns and self.status == "scored" and self.mean is None:
            raise ValueError(f"status 'scored' does not go with the scores {list(self.turn_scores)}")
        for attack in self.attacks:
            there = [turn.index for turn in (*self.turns, *attack.turns)]
            check_order(there, MOST_TURNS)
        for item in self.violations:
            if (
                item.turn >= len(self.turns)
                or self.turns[item.turn].value != item.value
                or not at_or_below(item.value, item.floor)
            ):
                raise ValueError(f"the broken floor of T{item.turn} does not go with its score")
        return self

    @property
    def key(self) -> str:
        """The case id, and the repetition if it is not the first: unique within a run."""
        return plan_key(self.case.id, self.repeat)

    @property
    def turn_scores(self) -> tuple[float | None, ...]:
        """Panel mean of every planned turn, ``None`` where it is missing."""
        known = {turn.index: turn.value for turn in self.turns}
        return tuple(known.get(index) for index in range(self.planned_turns))

    @property
    def mean(self) -> float | None:
        """Mean over the turns; ``None`` if any turn is missing."""
        scores = [score for score in self.turn_scores if score is not None]
        return sum(scores) / len(scores) if scores and len(scores) == self.planned_turns else None

    @property
    def red(self) -> bool:
        """True if the test of this case must fail: it broke a floor, and no confirmation took that back."""
        return bool(self.violations) and self.confirmed is not False

    @property
    def known(self) -> bool:
        """True if the case is red and broke a floor in the baseline too: an old failure, not a regression."""
        return self.red and self.baseline is not None and self.baseline.failed is True

    @property
    def passed(self) -> bool | None:
        """True if every turn is above its floor; ``None`` if the case was not fully scored and broke no floor."""
        if self.violations:
            return False
        return True if self.status == "scored" and self.mean is not None else None


Answer = Literal["pass", "fail", "inconclusive"]


Cause = Literal["could not be measured", "too few cases to tell", "worse in named places, not proven overall"]
"""Why a condition is inconclusive: run it again, run more cases, or read what it names."""


class Condition(Record):
    """One condition of the gate and its answer."""

    name: str
    """``pass_rate``, ``mean[T2]``, ``strategy[S5]``, ..."""
    answer: Answer
    observed: float | None
    limit: float | None
    detail: Sentence
    """One sentence for a person."""
    cause: Cause | None = None
    """Why it is inconclusive; ``None`` if it is not, or nobody said."""

    @classmethod
    def inconclusive(
        cls,
        name: str,
        detail: str,
        *,
        observed: float | None = None,
        limit: float | None = None,
        cause: Cause | None = None,
    ) -> Self:
        """Return one that neither passes nor fails, with what keeps it from either as its ``detail``."""
        return cls(name=name, answer="inconclusive", observed=observed, limit=limit, detail=detail, cause=cause)


PolicyTier = Literal["critical", "supporting", "advisory"]
"""What a suite, a language or a figure has to say in the answer (``[policy]``)."""
TIERS: tuple[PolicyTier, ...] = get_args(PolicyTier)
"""The strictest first."""


class PartAnswer(Record):
    """What a suite in a language came to by itself, under a policy."""

    name: str
    """``core:ja``."""
    tier: PolicyTier
    answer: Answer | None
    """``None`` if it was not run, or nothing is asked of it."""
    run: str = ""
    """The run, or exam, that holds it."""
    detail: Sentence = ""
    """One sentence for a person."""
    conditions: tuple[Condition, ...] = ()
    """Its own, also those that do not decide."""


class Gate(Record):
    """The gate's answer and the conditions behind it."""

    answer: Answer
    conditions: tuple[Condition, ...]
    """Those that decide."""
    reasons: tuple[Sentence, ...] = ()
    """What keeps the answer from being ``pass``, most important first."""
    parts: tuple[PartAnswer, ...] = Field(default=(), exclude_if=lambda parts: not parts)
    """Under a policy the suites it was decided by, each in each language."""

    def place(self, condition: str) -> tuple[str, str]:
        """Return the suite that a condition is of, empty if it is of the whole run, and its name there."""
        part = next((part.name for part in self.parts if condition.startswith(f"{part.name} ")), "")
        return part, condition.removeprefix(f"{part} ") if part else condition
