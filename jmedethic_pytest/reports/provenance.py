"""Who answered, and by whose rules it was decided, in words, for terminal, comment and page alike.

What servers call themselves is foreign text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from jmedethic_pytest.analysis.provenance import TARGET
from jmedethic_pytest.cases import packs
from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.run_info import Golden
from jmedethic_pytest.core.sentences import Said, joined, say
from jmedethic_pytest.core.vocabulary import Guideline
from jmedethic_pytest.gate.policy import Held

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Outcome

_LONGEST = 160
_LONGEST_POLICY = 400
_A_LINE = 5


def provenance_lines(outcome: Outcome) -> Iterator[Said]:
    """Yield what a reader must know of who answered, and by which rules: whatever is not as usual."""
    info, found = outcome.info, outcome.provenance
    yield from _golden(info.golden or ())
    yield from policy_lines(outcome.held)
    yield from _own_guidelines(info.words.own_guidelines)
    yield from _dialects(outcome)
    serving = info.target.get("serving")
    if serving:
        by = " ".join(filter(None, [serving["engine"], serving["version"], *serving["flags"]]))
        yield _line(say("served.itself", by=by, weights=serving["weights"]), _LONGEST_POLICY)
    asked = {TARGET: info.target["model"], **{f"judge {judge['model']}": judge["model"] for judge in info.all_judges}}
    for role in found.served:
        wanted = asked.get(role, role)
        if role == TARGET and serving:  # an engine calls an adapter, or a folder, as it likes
            continue
        if list(found.served[role]) != [wanted.partition(":")[2]] and not info.simulated:
            yield _line(say("served.as", role=role, wanted=wanted, names=found.names(role)))
    revision = info.target.get("revision")
    for change in info.identity.changes:
        stated = say("changed.revision", revision=revision, change=change)
        text = stated if revision else say("changed.run", run=info.replies_of, change=change)
        yield _line(text, _LONGEST_POLICY)
    if found.cached:
        stored = info.transcripts_of.run if info.transcripts_of is not None else info.replies_of
        whose = say("cached.revision", revision=revision) if revision else stored
        name = "cached.whose" if whose else "cached"
        if not revision and stored == info.id:  # a benign twin begins with the turns of its case
            name, whose = "cached.own", ""
        yield _line(say(name, cached=found.cached, replies=found.replies, whose=whose))


def _own_guidelines(told: Mapping[str, Guideline]) -> Iterator[Said]:
    """Yield how many guidelines judges were told of that no pack of the package has in just these words."""
    shipped = packs.guidelines() if told else {}
    count = sum(shipped.get(key) != item for key, item in told.items())
    if count:
        yield say("policy.own", count=count)


def _golden(found: Sequence[Golden]) -> Iterator[Said]:
    """Yield how the judges did on golden replies, a language a line."""
    for locale in dict.fromkeys(item.locale for item in found):
        shown = [
            say("golden.judge", judge=item.judge, ordered=item.ordered, cases=item.cases)
            for item in found
            if item.locale == locale
        ]
        yield _line(say("golden.line", locale=locale, shown=joined(shown, en=", ", ja="、")))


def _dialects(outcome: Outcome) -> Iterator[Said]:
    """Yield which models are called with headers or a query of the thresholds file: these can decide who answers."""
    for model in (outcome.info.target, *outcome.info.all_judges):
        spoken = model.get("dialect") or {}
        names = [f"{kind} {name}" for kind in ("headers", "query") for name in spoken.get(kind, {})]
        if names and str(model["model"]).partition(":")[0] in outcome.rules.providers:
            text = say("policy.dialect", model=model["model"], names=", ".join(names))
            yield _line(text, _LONGEST_POLICY)


def policy_lines(held: Sequence[Held]) -> Iterator[Said]:
    """Yield which rules let more pass than others do, and which make another measurement; all of them, some a line."""
    for item in held:
        measuring = [one for one in item.differences if one.name.startswith(("target.", "judges.")) and not one.weaker]
        for word, found in (("weaker", item.weaker), ("other", measuring)):
            for at in range(0, len(found), _A_LINE):
                names = ", ".join(map(str, found[at : at + _A_LINE]))
                yield _line(say(f"policy.{word}", against=item.against, names=names), _LONGEST_POLICY)


def _line(told: Said, longest: int = _LONGEST) -> Said:
    """Return a sentence on one line, cut where it is too long."""
    return told.through(lambda text: plain_text.one_line(text, longest))
