"""``jmedethic exam`` and ``exam-import`` as a user runs them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from jmedethic_pytest.exam import items


@pytest.fixture
def jmedethic(cli: Callable[..., Any]) -> Callable[..., str]:
    """Call the command, which must end with a status, and return all that it says."""

    def call(*arguments: str, status: int = 0) -> str:
        done = cli(*arguments)
        text = str(done.out + done.err)
        assert done.status == status, text
        return text

    return call


def _stored(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((folder / "reports" / "exams").glob("*/exam.json"))]


def _examinee(server: HTTPServer, right: int, *, odd: dict[str, Any] | None = None) -> list[str]:
    """Let a server answer so many items rightly, and some by an answer of its own; return what is asked."""
    keys = {item.question: item.answers for item in items.load()}
    asked: list[str] = []

    def handle(request: Request) -> Response:
        body = request.get_json()
        question = next(text for text in keys if text in body["messages"][-1]["content"])
        asked.append(question)
        first = list(dict.fromkeys(asked)).index(question)
        wrong = [letter for letter in "abcde" if letter not in keys[question]][: len(keys[question])]
        content = json.dumps({"answer": list(keys[question]) if first < right else wrong})
        choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": content}}
        if odd is not None and first in odd:
            choice = odd[first]
            if isinstance(choice, int):
                return Response(json.dumps({"error": {"message": "too long"}}), choice, mimetype="application/json")
        usage = {"prompt_tokens": 100, "completion_tokens": 10}
        return Response(
            json.dumps({"model": "served", "choices": [choice], "usage": usage}), mimetype="application/json"
        )

    server.expect_request("/v1/chat/completions").respond_with_handler(handle)
    return asked


def test_demo_models_sit_the_bundled_exam_and_are_marked_as_simulations(
    jmedethic: Callable[..., str], tmp_path: Path
) -> None:
    text = jmedethic("exam", "--model", "demo:aligned")
    assert "SIMULATION" in text
    assert "60 calls" in text
    (run,) = _stored(tmp_path)
    assert (run["model"], run["locale"], run["n"], run["simulated"]) == ("demo:aligned", "ja", 60, True)
    assert run["accuracy"] == run["correct"] / 60
    assert 0.7 < run["accuracy"] < 1
    assert sum(group["n"] for group in run["categories"].values()) == 60
    assert run["sampling"]["temperature"] == 0.1
    again = json.loads(jmedethic("exam", "--model", "demo:aligned", "--locale", "en", "--sample", "15", "--json"))
    assert (again["n"], again["locale"]) == (15, "en")
    assert "0 calls, 60 from cache" in jmedethic("exam", "--model", "demo:aligned")


def test_accuracy_counts_what_the_model_answered_and_how(
    jmedethic: Callable[..., str], tmp_path: Path, httpserver: HTTPServer
) -> None:
    """Cut, empty and unreadable answers are answers, and wrong."""

    def said(content: str, finish: str = "stop") -> dict[str, Any]:
        return {"finish_reason": finish, "message": {"role": "assistant", "content": content}}

    odd = {3: said("c, I think"), 4: said('{"answer": [', "length"), 5: said("")}
    asked = _examinee(httpserver, right=23, odd=odd)
    url = httpserver.url_for("/v1")
    text = jmedethic("exam", "--model", "compatible:x", "--base-url", url, "--sample", "30", "--concurrency", "1")
    assert "20 of 30 right, 66.7%" in text
    (run,) = _stored(tmp_path)
    assert run["marks"] == {"empty": 1, "right": 20, "truncated": 1, "unreadable": 1, "wrong": 7}
    assert run["interval"]["low"] < 2 / 3 < run["interval"]["high"]
    assert run["tokens"] == {"input": 3000, "output": 300}
    assert len(asked) == 30
    answers = (tmp_path / "reports" / "exams" / run["id"] / "answers.jsonl").read_text()
    assert "I think" not in answers, "no text of the model is stored"


def test_failed_calls_store_nothing_and_the_same_command_resumes(
    jmedethic: Callable[..., str], tmp_path: Path, httpserver: HTTPServer
) -> None:
    odd: dict[str, Any] = {6: 400}
    asked = _examinee(httpserver, right=60, odd=odd)
    command = ("exam", "--model", "compatible:x", "--base-url", httpserver.url_for("/v1"), "--sample", "12")
    text = jmedethic(*command, "--concurrency", "1", status=6)
    assert "1 of 12 items were not answered" in text
    assert "too long" in text
    assert _stored(tmp_path) == []
    odd.clear()
    assert "12 of 12 right" in jmedethic(*command)
    assert len(asked) == 13
    assert "12 calls, 0 from cache" in jmedethic(*command), "a name may be other weights today"
    jmedethic(*command, "--revision", "commit-1")
    assert "0 calls, 12 from cache" in jmedethic(*command, "--revision", "commit-1")
    assert [stored["revision"] for stored in _stored(tmp_path)] == [None, None, "commit-1", "commit-1"]


def test_spent_budget_ends_with_7(jmedethic: Callable[..., str], tmp_path: Path) -> None:
    text = jmedethic("exam", "--model", "demo:aligned", "--budget", "10calls", "--concurrency", "2", status=7)
    assert "the budget of 10 calls would be exceeded" in text
    assert _stored(tmp_path) == []


def test_dead_endpoint_is_one_message(jmedethic: Callable[..., str], tmp_path: Path) -> None:
    text = jmedethic("exam", "--model", "compatible:x", "--base-url", "http://127.0.0.1:9/v1", status=6)
    assert text.count("no connection") == 1
    assert "127.0.0.1:9" in text


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--model", "demo:alinged"), "Did you mean 'demo:aligned'?"),
        (("--model", "demo:aligned", "--locale", "ja,en"), "--locale"),
        (("--model", "demo:aligned", "--sample", "0"), "--sample: '0' is not allowed"),
        (("--model", "demo:aligned", "--exam", "none.jsonl"), "none.jsonl: cannot be read"),
        (("--model", "openai:gpt-4o"), "OPENAI_API_KEY"),
    ],
)
def test_bad_input_is_named(
    jmedethic: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: Any, problem: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert problem in jmedethic("exam", *options, status=4)


# ------------------------------------------------------------------------------------------------ importing

_ROWS: list[dict[str, Any]] = [
    {"problem_id": "118A-1", "question": "第一問", "choices": ["a. 甲", "b. 乙", "c. 丙"], "answer": ["a", "c"]},
    {"problem_id": "118A-2", "question": "第二問", "choices": {"a": "甲", "b": "乙"}, "answer": "b", "subject": "内科"},
    {"problem_id": "118A-3", "question": "図を見よ", "choices": ["甲", "乙"], "answer": "a", "images": ["1.png"]},
    {"problem_id": "118A-4", "question": "答えなし", "choices": ["甲", "乙"], "answer": ""},
    {"problem_id": "118A-5", "question": "番号", "choices": ["甲", "乙"], "answer": 2, "images": []},
    {"problem_id": "118A-5", "question": "番号再び", "choices": ["甲", "乙"], "answer": 1},
    {"problem_id": "118A-6", "question": "本文", "choices": ["甲", "乙"], "answer": "乙"},
    {"problem_id": "118A-7", "question": "範囲外", "choices": ["甲", "乙"], "answer": "e"},
]


def _import(jmedethic: Callable[..., str], source: Path, *options: str, status: int = 0) -> str:
    return jmedethic("exam-import", str(source), "--output", "own.jsonl", *options, status=status)


def test_kokushi_like_file_becomes_an_exam_that_can_be_sat(jmedethic: Callable[..., str], tmp_path: Path) -> None:
    source = tmp_path / "kokushi.json"
    source.write_text(json.dumps(_ROWS, ensure_ascii=False))
    text = _import(jmedethic, source)
    assert "8 rows read, 4 items written" in text
    for reason in ("needs a picture", "no answer that fits the options", "the id stands there more than once"):
        assert reason in text
    assert "mind the licence" in text
    loaded = {item.id: item for item in items.load(tmp_path / "own.jsonl")}
    assert {name: item.answers for name, item in loaded.items()} == {
        "ja-118a-1": ("a", "c"),
        "ja-118a-2": ("b",),
        "ja-118a-5": ("b",),
        "ja-118a-6": ("b",),
    }
    assert loaded["ja-118a-1"].options == {"a": "甲", "b": "乙", "c": "丙"}
    assert loaded["ja-118a-2"].category == "内科"
    jmedethic("exam", "--model", "demo:aligned", "--exam", "own.jsonl")
    assert _stored(tmp_path)[0]["n"] == 4
    assert "exists" in _import(jmedethic, source, status=4)


def test_table_with_a_column_for_each_option(jmedethic: Callable[..., str], tmp_path: Path) -> None:
    source = tmp_path / "items.csv"
    with source.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerows([["question", "a", "b", "c", "answer"], ["Which?", "one", "two", "", "B"]])
    _import(jmedethic, source, "--locale", "en")
    (item,) = items.load(tmp_path / "own.jsonl")
    assert (item.id, item.options, item.answers) == ("en-items-0001", {"a": "one", "b": "two"}, ("b",))


def test_file_without_a_usable_item_says_what_was_looked_for(jmedethic: Callable[..., str], tmp_path: Path) -> None:
    source = tmp_path / "other.jsonl"
    source.write_text('{"prompt": "x"}\n')
    text = _import(jmedethic, source, status=4)
    assert "1 rows: no question, or fewer than two options" in text
    assert "Looked for: question" in text
