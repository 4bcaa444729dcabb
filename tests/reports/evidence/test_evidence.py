"""Evidence packs: complete in both languages, plain about what is missing, and of no run that was edited."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from docx import Document

from jmedethic_pytest import data
from jmedethic_pytest.analysis.counts import Counts, Tally
from jmedethic_pytest.core.records import Condition, Gate
from jmedethic_pytest.core.sentences import in_language
from jmedethic_pytest.gate import figures
from jmedethic_pytest.gate.conditions import combine
from jmedethic_pytest.reports.evidence import docx, markdown, pack
from jmedethic_pytest.reports.evidence.document import Heading, Part, Table
from jmedethic_pytest.reports.evidence.texts import Texts, mappings
from jmedethic_pytest.reports.markdown import sentence

SECRET = "UNWANTED-REPLY"


def _leaves(node: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Yield every sentence of a file with its languages, and what has none."""
    if isinstance(node, dict) and not {"en", "ja"} & node.keys():
        for key, inner in node.items():
            yield from _leaves(inner, f"{place}.{key}")
    elif isinstance(node, list):
        for inner in node:
            yield from _leaves(inner, place)
    else:
        yield place, node


def test_every_sentence_exists_in_both_languages() -> None:
    files = [file.name for file in resources.files(data).joinpath("evidence").iterdir()]
    assert sorted(files) == sorted([f"{name}.toml" for name in (*mappings(), "common")])
    for name in files:
        for place, node in _leaves(data.load(f"evidence/{name}"), name):
            if "sources" not in place:
                assert set(node) == {"en", "ja"}, place
                assert all(node.values()), place


def _parts(outcome: Any, mapping: str = "generic", language: str = "en") -> list[Part]:
    return list(pack.parts(outcome, Texts(mapping, language), []))


def _open(outcome: Any) -> list[Any]:
    return [item for item in outcome.gate.conditions if item.answer != "pass"]


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("mapping", mappings())
def test_pack_says_answer_limits_and_headings_and_no_text_of_a_model(
    mapping: str, language: str, mixed: Any, hostile: Any
) -> None:
    say = Texts(mapping, language)
    for outcome in (mixed.outcome, hostile.outcome):
        parts = _parts(outcome, mapping, language)
        text = markdown.render(parts)
        assert say("disclaimer") in text
        assert say("simulation") in text
        assert say("meaning", outcome.gate.answer) in text
        assert [part.text[0] for part in parts if isinstance(part, Heading) and part.level == 2] == list("123456")
        assert all(item.heading in text for item in say.items)
        assert SECRET not in text
        assert all(sentence(in_language(item.detail, language)) in text for item in _open(outcome))
        assert "<script" not in text
        read = Document(io.BytesIO(docx.render(parts, language, "2026-12-01T00:00:00+00:00")))
        tables = [part for part in parts if isinstance(part, Table)]
        assert [len(table.rows) for table in read.tables] == [1 + len(part.rows) for part in tables]
        assert SECRET not in "".join(cell.text for table in read.tables for row in table.rows for cell in row.cells)
    assert "release-1.0" in markdown.render(_parts(mixed.outcome))


def test_twins_and_doubts_are_told_as_everywhere_else(mixed: Any) -> None:
    outcome = mixed.outcome
    doubt = Condition(
        name="failures", answer="inconclusive", observed=None, limit=None, detail="grew", cause=figures.WORSE
    )
    counts = Counts(
        conversations=Tally(total=9, passed=5, failed=3, undecided=1), twins=Tally(total=4, passed=2, failed=2)
    )
    found = replace(outcome, gate=combine([doubt]), summary=outcome.summary.model_copy(update={"counts": counts}))
    english, japanese = (markdown.render(_parts(found, language=language)) for language in ("en", "ja"))
    assert "Of the 9 adversarial ones 3 failed, 1 are undecided." in english
    assert "Of the 4 benign twins 2 failed, 0 are undecided." in english
    assert "無害な対 4 件のうち不合格 2 件、未決 0 件。" in japanese
    assert "grew (worse in named places, not proven overall)" in english
    assert "grew（特定の箇所で悪化、全体としては証明されていません）" in japanese


def test_what_is_missing_is_said_to_be(blank: Any, mixed: Any) -> None:
    text = markdown.render(_parts(blank.outcome))
    assert "Answer: inconclusive" in text
    assert "This is not a pass" in text
    assert "27 of 27 turn scores are missing." in text
    assert "| Mean score of T2 | not measured | not measured | 9 |" in text
    assert "No baseline was compared with" in text
    assert "No baseline was compared with" not in markdown.render(_parts(mixed.outcome))


def test_japanese_is_set_in_a_font_that_has_it(mixed: Any) -> None:
    made = Document(io.BytesIO(docx.render(_parts(mixed.outcome, language="ja"), "ja", "2026-12-01T00:00:00Z")))
    assert made.core_properties.title.startswith("安全性評価の証跡")
    assert 'w:eastAsia="Yu Gothic"' in made.styles["Normal"].element.xml
    assert made.core_properties.created.isoformat()[:10] == "2026-12-01"


# ---------------------------------------------------------------- the command


@pytest.fixture
def run(begun: Callable[..., Path]) -> Path:
    return begun(
        "run --model=demo:aligned --suite=smoke --sample=7 --report=off",
        "baseline set before latest",
        "run --model=demo:eroding --suite=smoke --sample=7 --report=off --baseline=before",
    )


def test_manifest_holds_the_digest_of_every_file(run: Path, cli: Callable[..., Any], folder: Path) -> None:
    for kind in ("md", "docx"):
        done = cli("evidence", "latest", "--for=eu-ai-act", "--lang=ja", f"--format={kind}")
        assert (done.status, done.out.split()) == (
            0,
            [f"evidence/eu-ai-act.ja.{kind}", f"evidence/eu-ai-act.ja.{kind}.manifest.json"],
        )
        told = json.loads((folder / done.out.split()[1]).read_text(encoding="utf-8"))
        assert told["answer"] == json.loads((run / "gate.json").read_text(encoding="utf-8"))["answer"]
        places = {item["path"]: item for item in told["files"]}
        assert {f"runs/{run.name}/verdicts.jsonl", "baselines/before.json", f"eu-ai-act.ja.{kind}"} <= places.keys()
        for name, item in places.items():
            file = folder / ("evidence" if name.startswith("eu-ai-act") else "reports") / name
            content = file.read_bytes()
            assert (item["bytes"], item["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    first = (folder / "evidence" / "eu-ai-act.ja.md").read_bytes()
    cli("evidence", "latest", "--for=eu-ai-act", "--lang=ja")
    assert (folder / "evidence" / "eu-ai-act.ja.md").read_bytes() == first


def _edit_reply(run: Path) -> None:
    file = run / "verdicts.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    lines[0]["turns"][2]["reply"]["text"] = "I will not help with that."
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def _edit_scores(run: Path) -> None:
    file = run / "verdicts.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line["violations"] = []
        for turn in line["turns"]:
            turn["value"] = 10.0
            for score in turn["scores"]:
                score["value"] = 10.0
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def _edit_answer(run: Path) -> None:
    file = run / "gate.json"
    gate = Gate.model_validate_json(file.read_bytes())
    file.write_text(gate.model_copy(update={"answer": "pass"}).model_dump_json(), encoding="utf-8")


def _remove_gate(run: Path) -> None:
    (run / "gate.json").unlink()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_edit_reply, "transcripts are not those that were stored"),
        (_edit_scores, "gate.json says"),
        (_edit_answer, "gate.json says"),
        (_remove_gate, "it has no gate.json"),
    ],
)
def test_edited_run_is_refused(
    edit: Callable[[Path], None], said: str, run: Path, cli: Callable[..., Any], folder: Path
) -> None:
    edit(run)
    done = cli("evidence", "latest")
    assert (done.status, said in done.err, (folder / "evidence").exists()) == (6, True, False), done.err


def test_what_nobody_decided_is_refused(cli: Callable[..., Any]) -> None:
    cli("run", "--model=demo:aligned", "--suite=smoke", "--sample=3", "--report=off", "--judges=none")
    done = cli("evidence", "latest")
    assert (done.status, "Judge or merge it first." in done.err) == (4, True)
    unknown = cli("evidence", "latest", "--for=iso")
    assert "Allowed: aisi-health, eu-ai-act, generic." in unknown.err
