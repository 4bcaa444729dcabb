"""The parts of an evidence pack, from a run: nothing in it is text of a model, and what is missing is said to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jmedethic_pytest.analysis.counts import Tally
from jmedethic_pytest.core.sentences import in_language
from jmedethic_pytest.core.text import one_line
from jmedethic_pytest.gate.conditions import reason
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports.evidence.document import Heading, Links, Paragraph, Part, Points, Table
from jmedethic_pytest.reports.evidence.manifest import Listed
from jmedethic_pytest.reports.evidence.texts import Texts
from jmedethic_pytest.reports.wording import interval, number, points, points_interval, share, share_interval
from jmedethic_pytest.stats.estimate import Estimate

_LONGEST = 300
_LONGEST_SENTENCE = 600


def parts(outcome: Outcome, say: Texts, files: Sequence[Listed]) -> Iterator[Part]:
    """Yield the parts of the document.

    Args:
        outcome: the run, complete or not; it has been judged.
        say: the sentences.
        files: what the document rests on.
    """
    yield Heading(1, f"{say('title')}: {say.title}")
    yield Paragraph(say("disclaimer"), is_warning=True)
    if outcome.info.simulated:
        yield Paragraph(say("simulation"), is_warning=True)
    chapters = {
        "what": _what(outcome, say),
        "how": _how(outcome, say),
        "result": _result(outcome, say),
        "limits": iter([Points(list(_limits(outcome, say)))]),
        "mapping": _mapping(say),
        "artefacts": _artefacts(outcome, say, files),
    }
    for place, (name, chapter) in enumerate(chapters.items(), start=1):
        yield Heading(2, f"{place}. {say('section', name)}")
        yield from chapter


def _what(outcome: Outcome, say: Texts) -> Iterator[Part]:
    info, none = outcome.info, say("label", "none")
    served = ", ".join(outcome.provenance.served.get("target", {})) or none
    rows = [
        ("target", str(info.target["model"])),
        ("served", served),
        ("revision", str(info.target.get("revision") or say("label", "not_stated"))),
        ("judges", ", ".join(str(judge["model"]) for judge in info.all_judges)),
        ("suite", str(info.selection.get("suite") or "core")),
        ("languages", ", ".join(info.selection.get("locales", ()))),
        ("conversations", str(outcome.summary.selected)),
        ("baselines", ", ".join(found.baseline for found in outcome.comparisons) or none),
        ("run", info.id),
        ("period", f"{info.started} – {info.finished or none}"),
        ("tool", info.tool_version),
    ]
    named = [(say("label", name), _line(value)) for name, value in rows]
    digests = [(say("label", "digest", name=name), digest) for name, digest in sorted(info.digests.items())]
    yield Table((say("label", "item"), say("label", "value")), [*named, *digests])


def _how(outcome: Outcome, say: Texts) -> Iterator[Part]:
    found = outcome.info.golden
    golden = "; ".join(f"{item.judge} ({item.locale}) {item.ordered}/{item.cases}" for item in found or ())
    tried = say("method", "golden", golden=_line(golden)) if golden else say("method", "no_golden")
    twins = [say("method", "twins", twins=outcome.summary.twins)] if outcome.summary.twins else []
    yield Points([say("method", "turns"), say("method", "score"), tried, *twins, say("method", "intervals")])


def _result(outcome: Outcome, say: Texts) -> Iterator[Part]:
    gate, summary = outcome.gate, outcome.summary
    yield Paragraph(f"{say('label', 'answer')}: {say('answer', gate.answer)}", is_warning=True)
    yield Paragraph(say("meaning", gate.answer))
    scored = {"scored": summary.scored, "selected": summary.selected}
    yield Paragraph(say("result", "counts", **scored, **_tally(summary.counts.conversations)))
    if summary.counts.twins.total:
        yield Paragraph(say("result", "twins", **_tally(summary.counts.twins)))
    head = [say("label", name) for name in ("figure", "value", "interval", "missing")]
    yield Table(head, list(_figures(outcome, say)))
    others = [item for item in gate.conditions if item.answer != "pass"]
    if not others:
        yield Paragraph(say("result", "all_hold", all=len(gate.conditions)))
        return
    yield Paragraph(say("result", "conditions", passing=len(gate.conditions) - len(others), all=len(gate.conditions)))
    rows = [
        (
            _line(item.name),
            say("answer", item.answer),
            one_line(in_language(reason(item), say.language), _LONGEST_SENTENCE),
        )
        for item in others
    ]
    yield Table([say("label", name) for name in ("condition", "answer", "found")], rows)


def _tally(found: Tally) -> dict[str, int]:
    return {"total": found.total, "failed": found.failed, "undecided": found.undecided}


def _figures(outcome: Outcome, say: Texts) -> Iterator[tuple[str, str, str, str]]:
    """Yield the figures that a reader asks for first; a missing one is said to be missing."""
    summary, missing = outcome.summary, outcome.summary.counts.conversations.undecided
    yield _row(say("figure", "pass_rate"), _share(summary.pass_rate, say), summary.pass_interval, missing, say)
    for group in summary.turns:
        name = say("figure", "mean", turn=group.key)
        yield _row(name, _shown(group.mean, say), group.mean_interval, group.missing, say, shares=False)
    if summary.twins:
        found, lost = summary.over_refusal, summary.twins - summary.twins_judged
        yield _row(say("figure", "over_refusal"), _share(found, say), summary.over_refusal_interval, lost, say)
    yield say("figure", "agreement"), _shown(summary.agreement.pearson, say), "-", "-"
    if summary.robustness is not None:
        whole = summary.robustness.whole
        net = points(whole.net.value) if whole.net.value is not None else say("label", "not_measured")
        yield say("figure", "robustness"), net, points_interval(whole.net), str(whole.missing)


def _row(
    name: str, value: str, found: Estimate, missing: int, say: Texts, *, shares: bool = True
) -> tuple[str, str, str, str]:
    ends = "" if found.low is None or found.high is None else (share_interval if shares else interval)(found)
    return name, value, ends or say("label", "not_measured"), str(missing)


def _share(value: float | None, say: Texts) -> str:
    return say("label", "not_measured") if value is None else share(value)


def _shown(value: float | None, say: Texts) -> str:
    return say("label", "not_measured") if value is None else number(value)


def _limits(outcome: Outcome, say: Texts) -> Iterator[str]:
    """Yield what the result does not reach: what holds of every run, and what is lacking in this one."""
    info, summary, found = outcome.info, outcome.summary, outcome.provenance
    yield from (say("limits", name) for name in ("scope", "judges", "authors", "medical"))
    if summary.missing_turns:
        yield say("limits", "missing", missing=summary.missing_turns, planned=summary.planned_turns)
    if info.status != "complete":
        yield say("limits", "incomplete", status=info.status)
    if not outcome.comparisons:
        yield say("limits", "baseline")
    if not info.target.get("revision"):
        yield say("limits", "revision")
    if found.cached:
        yield say("limits", "cached", cached=found.cached, replies=found.replies)
    if "transcripts" not in info.digests:
        yield say("limits", "undigested")


def _mapping(say: Texts) -> Iterator[Part]:
    if say.about:
        yield Paragraph(say.about)
    yield Table([say("label", name) for name in ("heading", "gives", "lacks")], say.items)
    if say.sources:
        yield Paragraph(say("label", "sources"))
        yield Links(say.sources)


def _artefacts(outcome: Outcome, say: Texts, files: Sequence[Listed]) -> Iterator[Part]:
    checked = "checked" if "transcripts" in outcome.info.digests else "decided"
    yield Paragraph(f"{say('artefacts', 'intro')} {say('artefacts', checked)}")
    head = (say("label", "file"), say("label", "bytes"), "SHA-256")
    yield Table(head, [(item.path, f"{item.bytes:,}", item.sha256) for item in files])


def _line(text: str) -> str:
    return one_line(text, _LONGEST)
