"""Who answered, and by whose rules it was decided, in words, for terminal, comment and page alike.

What servers call themselves is foreign text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from jmedethic_pytest.analysis.provenance import TARGET
from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.run_info import Golden
from jmedethic_pytest.gate.policy import Held

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Outcome

_LONGEST = 160
_LONGEST_POLICY = 400
_A_LINE = 5


def provenance_lines(outcome: Outcome) -> Iterator[str]:
    """Yield what a reader must know of who answered, and by which rules: whatever is not as usual."""
    info, found = outcome.info, outcome.provenance
    yield from _golden(info.golden or ())
    yield from policy_lines(outcome.held)
    own = info.words.own_guidelines
    if own:
        yield f"policy: judges were told of {len(own)} guidelines that do not come with the package"
    yield from _dialects(outcome)
    serving = info.target.get("serving")
    if serving:
        by = " ".join(filter(None, [serving["engine"], serving["version"], *serving["flags"]]))
        yield plain_text.one_line(f"target served by the run itself: {by}, {serving['weights']}", _LONGEST_POLICY)
    asked = {TARGET: info.target["model"], **{f"judge {judge['model']}": judge["model"] for judge in info.all_judges}}
    for role in found.served:
        wanted = asked.get(role, role)
        if role == TARGET and serving:  # an engine calls an adapter, or a folder, as it likes
            continue
        if list(found.served[role]) != [wanted.partition(":")[2]] and not info.simulated:
            yield plain_text.one_line(f"{role} {wanted} answered as {found.names(role)}", _LONGEST)
    revision = info.target.get("revision")
    for change in info.identity.changes:
        since = f"revision {revision} is stated as before" if revision else f"this goes on with run {info.replies_of}"
        text = f"{since}, but {change}; the replies that were kept then are not used"
        yield plain_text.one_line(text, _LONGEST_POLICY)
    if found.cached:
        stored = info.transcripts_of.run if info.transcripts_of is not None else info.replies_of
        whose = f"revision {revision}" if revision else stored
        # By an earlier run, or by this one: a benign twin begins with the turns of its case.
        told = f"{found.cached} of {found.replies} replies of the target had been asked for before"
        yield plain_text.one_line(f"{told} ({whose})" if whose else told, _LONGEST)


def _golden(found: Sequence[Golden]) -> Iterator[str]:
    """Yield how the judges did on golden replies, a language a line."""
    for locale in dict.fromkeys(item.locale for item in found):
        shown = (f"{item.judge} {item.ordered} of {item.cases}" for item in found if item.locale == locale)
        yield plain_text.one_line(f"golden replies in order ({locale}): {', '.join(shown)}", _LONGEST)


def _dialects(outcome: Outcome) -> Iterator[str]:
    """Yield which models are called with headers or a query of the thresholds file: these can decide who answers."""
    for model in (outcome.info.target, *outcome.info.all_judges):
        spoken = model.get("dialect") or {}
        names = [f"{kind} {name}" for kind in ("headers", "query") for name in spoken.get(kind, {})]
        if names and str(model["model"]).partition(":")[0] in outcome.rules.providers:
            text = f"policy: {model['model']} is called with {', '.join(names)} of the thresholds file"
            yield plain_text.one_line(text, _LONGEST_POLICY)


def policy_lines(held: Sequence[Held]) -> Iterator[str]:
    """Yield which rules let more pass than others do, and which make another measurement; all of them, some a line."""
    for item in held:
        measuring = [one for one in item.differences if one.name.startswith(("target.", "judges.")) and not one.weaker]
        for word, found in (("weaker", item.weaker), ("other", measuring)):
            for at in range(0, len(found), _A_LINE):
                names = ", ".join(map(str, found[at : at + _A_LINE]))
                yield plain_text.one_line(f"policy: {word} than {item.against}: {names}", _LONGEST_POLICY)
