"""Keys appear nowhere, texts of models only in local artefacts, and nothing a model writes is more than text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.text import SIGN
from jmedethic_pytest.models import resolve
from support.project import Project

MAY_HOLD_TEXTS = re.compile(
    r"allure/[\w-]+-(?:result\.json|attachment\.(?:html|json))|reports/cache\.sqlite(?:-wal)?(?:!\d+)?"
    r"|reports/runs/[\w.-]+/(?:verdicts\.jsonl|report\.html(?:!\d+)?)"
)
"""Local artefacts; everything else goes to logs, comments and dashboards."""


def test_planted_secrets_appear_nowhere(hostile_run: Any, planted: SimpleNamespace) -> None:
    """In the environment, an address, a parameter, a server's error, a model's own words: one of each was planted."""
    assert hostile_run.status == 6, hostile_run.output
    written = dict(hostile_run.everything())
    kinds = ("junit.xml", "step.md", "verdicts.jsonl", "run.json", "report.html", "cache.sqlite", "-result.json")
    for kind in kinds:
        assert any(kind in name for name in written), f"{kind} is not among the files searched"
    assert any("cache.sqlite!" in name for name in written), "the cache was not looked into"
    for secret in planted.secrets:
        assert secret not in hostile_run.output
        assert not [name for name, data in written.items() if secret.encode() in data], secret


def test_texts_of_models_stay_in_local_artefacts(hostile_run: Any, planted: SimpleNamespace) -> None:
    for text in planted.texts:
        assert text not in hostile_run.output
        holders = [name for name, data in hostile_run.everything() if text.encode() in data]
        assert holders, f"{text}: not even where it belongs"
        assert not [name for name in holders if not MAY_HOLD_TEXTS.fullmatch(name)]


def test_every_kind_of_trouble_was_met_and_said_without_quotations(hostile_run: Any, planted: SimpleNamespace) -> None:
    found = {verdict["case"]["id"]: verdict for verdict in hostile_run.verdicts}
    by_mark = {mark: found[f"en-case-{number:02d}"] for number, mark in enumerate(planted.marks)}
    assert by_mark["MARK-LOW"]["violations"]
    echo, shape, prose = (by_mark[f"MARK-{name}"] for name in ("ECHO", "SHAPE", "PROSE"))
    assert "HTTP 400: cannot use:" in echo["detail"]
    assert "[text]" in echo["detail"]
    assert "{content: {odd: text of" in shape["detail"]
    assert prose["status"] in ("judge_refused", "judge_unparsable")
    stopped = by_mark["MARK-BLOCK"]
    assert stopped["status"] == "judge_refused"
    assert "HTTP 400" in stopped["detail"]
    assert planted.server in stopped["detail"]
    assert planted.reply not in stopped["detail"]
    assert len(by_mark["MARK-LONG"]["turns"][2]["reply"]["text"]) > len(planted.long)


def test_no_output_holds_a_control_character_or_direction_mark(hostile_run: Any) -> None:
    """A terminal obeys escapes, a reader follows direction marks: both are shown by a sign instead."""
    bad = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
    assert not bad.search(hostile_run.output.replace("\r", ""))
    for name, data in hostile_run.everything():
        if name.endswith((".xml", ".md", ".html", ".csv", "-result.json")):
            assert not bad.search(data.decode()), name


def test_junit_is_valid_and_says_scores_only(hostile_run: Any) -> None:
    root = ElementTree.parse(hostile_run.path / "junit.xml").getroot()
    failures = [item.get("message") or "" for item in root.iter("failure")]
    assert any("fell to 1.0 (floor > 2)" in message for message in failures)
    assert (hostile_run.path / "junit.xml").stat().st_size < 100_000


@pytest.mark.parametrize("name", ["transcript", "record"])
def test_hostile_reply_is_text_in_every_attachment(hostile_run: Any, planted: SimpleNamespace, name: str) -> None:
    result = hostile_run.conversations()["en-case-00"]
    source = next(item["source"] for item in result["attachments"] if item["name"] == name)
    text = (hostile_run.path / "allure" / source).read_text(encoding="utf-8")
    if name == "record":
        assert json.loads(text)["turns"][0]["reply"]["text"] == planted.hostile
        return
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;window.hacked=1" in text
    assert "&lt;/textarea&gt;" in text
    assert "=HYPERLINK(" in text
    assert SIGN + "esrever" in text


def test_step_names_are_short_whatever_a_model_writes(hostile_run: Any) -> None:
    """A line of a megabyte would make the report unusable; the whole text is in the transcript."""
    steps = [inner["name"] for step in hostile_run.conversations()["en-case-05"]["steps"] for inner in step["steps"]]
    assert max(map(len, steps)) < 400
    assert any("characters)" in step for step in steps)


def test_show_prints_hostile_text_harmlessly(hostile_run: Any) -> None:
    done = Project(hostile_run.path).jmedethic("show", "latest", "en-case-00")
    assert done.status == 0
    assert "<script>window.hacked=1" in done.output
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", done.output)


def test_redacted_run_holds_no_text_of_a_model(redacted_run: Any, planted: SimpleNamespace) -> None:
    """Not in the stored verdicts, not in Allure, not in the page, not in the terminal; and the figures are the same."""
    assert redacted_run.status == 6, redacted_run.output
    assert not (redacted_run.path / "reports" / "cache.sqlite").exists()
    for text in (*planted.texts, planted.server, *planted.secrets, "window.hacked", "evil.example"):
        assert text not in redacted_run.output
        assert not [name for name, data in redacted_run.everything() if text.encode() in data], text
    assert any(".html!" in name for name, _ in redacted_run.everything()), "the page was not looked into"


def test_redaction_keeps_scores_statuses_and_digests(redacted_run: Any, hostile_run: Any) -> None:
    def scores(run: Any) -> dict[str, Any]:
        return {
            item["case"]["id"]: (item["status"], [turn["value"] for turn in item["turns"]]) for item in run.verdicts
        }

    assert scores(redacted_run) == scores(hostile_run)
    texts = {turn["reply"]["text"] for item in redacted_run.verdicts for turn in item["turns"] if turn["reply"]["text"]}
    assert len(texts) == 2, "equal replies have equal digests, the long one another"
    assert all(re.fullmatch(r"\[redacted: sha256 [0-9a-f]{16}, \d+ characters\]", text) for text in texts)
    show = "T0 reply  [9.0]"
    assert show not in redacted_run.output


def test_redaction_with_a_cache_says_that_the_cache_holds_texts(
    new_project: Callable[..., Path], new_case: Callable[..., Any]
) -> None:
    done = new_project([new_case(0)]).pytest("--jmed-redact", "--jmed-cache=use")
    assert re.search(r"note: .*cache\.sqlite holds texts of models", done.output)


def test_password_in_an_address_is_in_no_message(hostile_project: Callable[[], Any], planted: SimpleNamespace) -> None:
    """Such an address is refused by the HTTP library; the error says so without the password, and the run stops."""
    url = f"http://user:{planted.password}@127.0.0.1:9/v1?token={planted.query}"
    done = hostile_project().pytest(
        f"--jmed-base-url={url}",
        f"--jmed-judges=compatible:x@{url},gateway:y",
        "--jmed-turns=1",
    )
    assert done.status == 6, done.output
    assert "cannot be used" in done.output
    assert "127.0.0.1:9/v1?token=..." in done.output
    for secret in planted.secrets:
        assert secret not in done.output
        assert not [name for name, data in done.everything() if secret.encode() in data], secret


@pytest.mark.parametrize(
    "spec", ["compatible@http://u:{0}@h/v1", "compatible:x@ftp://u:{0}@h/", "gone:x@http://u:{0}@h"]
)
def test_refused_models_do_not_repeat_a_password(planted: SimpleNamespace, spec: str) -> None:
    with pytest.raises(ConfigError) as error:
        resolve(spec.format(planted.password), place="--model")
    assert planted.password not in str(error.value)


def test_an_address_that_is_none_is_refused_without_its_password(planted: SimpleNamespace) -> None:
    with pytest.raises(ConfigError) as error:
        resolve("compatible:x", place="--model", base_url=f"ftp://u:{planted.password}@h/v1?key={planted.query}")
    assert "ftp://h/v1?key=..." in str(error.value)
    assert planted.password not in str(error.value)
