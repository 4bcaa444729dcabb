"""Bad input: exit 4, one clear message that names place and value and what is allowed, nothing started or written."""

from __future__ import annotations

import json

import pytest

from jmedethic_pytest.cases import files as case_files

CASE = {
    "id": "en-x",
    "locale": "en",
    "guideline": "JMA-01",
    "strategy": "S1",
    "suites": ["core"],
    "turns": ["Hello, what do you advise?"],
}


LEAN = ("-p", "no:xdist", "-p", "no:asyncio", "-p", "no:allure_pytest")
"""Nothing is run here: what is not loaded costs no time."""


def refused(result, *parts: str) -> None:
    """Assert that the command was refused, before anything was written, with one message that holds all parts."""
    assert result.status == 4, result.output
    assert "Traceback" not in result.output
    assert "INTERNALERROR" not in result.output
    assert "GATE" not in result.output
    messages = [line for line in result.output.splitlines() if parts[0] in line]
    assert len(messages) == 1, result.output
    assert all(part in messages[0] for part in parts), result.output
    assert result.run is None, "a run was started"


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ("opnai:gpt-4o-mini", ("'opnai'", "--model", "Did you mean 'openai'?", "compatible:NAME")),
        ("demo:alined", ("'demo:alined'", "--model", "Did you mean 'demo:aligned'?")),
        ("gpt-4o-mini", ("'gpt-4o-mini'", "--model", "PROVIDER:NAME")),
        ("", ("''", "--model", "PROVIDER:NAME")),
        ("compatible:mine", ("'compatible'", "no address", "--jmed-base-url")),
        ("compatible:mine@ftp://x", ("'compatible'", "no address")),
        ("demo:judge-strict", ("demo:judge-strict", "--model")),
    ],
    ids=["provider", "demo model", "form", "empty", "no address", "bad address", "a judge"],
)
def test_bad_model(project, model: str, parts: tuple[str, ...]) -> None:
    refused(project.pytest(*LEAN, model=model), *parts)


def test_bad_address_of_the_target(project) -> None:
    refused(project.pytest(*LEAN, "--jmed-base-url=localhost:8000", model="vllm:x"), "'localhost:8000'", "http://")


def test_missing_keys_of_target_and_judges_are_named_together(project) -> None:
    result = project.pytest(*LEAN, model="openrouter:x/y")
    refused(result, "OPENROUTER_API_KEY", "--model")
    refused(result, "ANTHROPIC_API_KEY", "export ANTHROPIC_API_KEY=...")
    refused(result, "OPENAI_API_KEY", "not set")


NUMBERS = {
    "--jmed-sample=0": "at least 1",
    "--jmed-seed=-1": "at least 0",
    "--jmed-turns=none": "whole number",
    "--jmed-concurrency=0": "at least 1",
    "--jmed-locale=fr": "ja, en",
    "--jmed-cache=yes": "use, judges, refresh, only, off",
}


@pytest.fixture(scope="module")
def bad_values(new_project):
    """The outcome of one command in which every value is bad."""
    return new_project(1).pytest(*LEAN, *NUMBERS)


@pytest.mark.parametrize("option", NUMBERS)
def test_bad_value_is_named_with_what_is_allowed(bad_values, option: str) -> None:
    name, _, value = option.partition("=")
    refused(bad_values, f"{name}:", f"'{value}'", NUMBERS[option])


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ("--jmed-sample=--5", ("--jmed-sample", "'--5'", "whole number")),
        ("--jmed-suite=cor", ("'cor'", "suite", "Did you mean 'core'?")),
        ("--jmed-strategy=S9", ("'S9'", "strategy", "S1, S2")),
        ("--jmed-strategy=fiction_layered", ("'fiction_layered'", "Did you mean 'fiction_layered_authority'?")),
        ("--jmed-guideline=JMA-68", ("'JMA-68'", "guideline", "JMA-01")),
        ("--jmed-judges=papr", ("'papr'", "judge profile", "Did you mean 'paper'?")),
        ("--jmed-judges=demo:strict,demo:judge-lenient", ("'demo:strict'", "judge", "demo:judge-strict")),
        ("--jmed-judges=demo:aligned,demo:judge-lenient", ("demo:aligned", "judge")),
        ("--jmed-cases=none.jsonl", ("none.jsonl", "no such file", "--jmed-cases")),
        ("--jmed-cases=empty", ("empty", "no *.jsonl file", "--jmed-cases")),
        ("--jmed-thresholds=none.toml", ("none.toml", "cannot be read", "--jmed-thresholds")),
        ("--jmed-reports=/dev/null/x", ("/dev/null/x", "Not a directory")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_option(project, options: str, parts: tuple[str, ...]) -> None:
    (project.path / "empty").mkdir()
    refused(project.pytest(*LEAN, options), *parts)


def test_all_bad_values_are_named_at_once(project) -> None:
    project.write("thresholds.toml", "schema_version = 1\n[conversation]\nfloor = 11.0\n")
    project.write("cases.jsonl", "not json\n")
    result = project.pytest(*LEAN, "--jmed-suite=core", model="demo:alined")
    for part in ("'demo:alined'", "floor", "cases.jsonl:1"):
        refused(result, part)


BAD_LINES = {
    "json": ("{not json", ()),
    "no object": ("[]", ()),
    "unknown field": ({"gideline": "JMA-01"}, ("'gideline'", "Did you mean 'guideline'?")),
    "missing field": ({"turns": None}, ("'turns'",)),
    "no turn": ({"turns": []}, ("'turns'",)),
    "id": ({"id": "EN_1"}, ("'id'", "'EN_1'")),
    "locale": ({"id": "ja-x"}, ("'ja-x'", "'en-'")),
    "strategy": ({"strategy": "S8"}, ("'S8'", "S1, S2")),
    "guideline": ({"guideline": "JMA-99"}, ("'JMA-99'", "JMA-01")),
    "expected": ({"expected": ["a", "b"]}, ("'expected'", "2 entries for 1 turns")),
    "schema": ({"schema_version": 2}, ("'schema_version'",)),
    "duplicate": ({"id": "en-first"}, ("'en-first'", "cases.jsonl:1", "unique")),
}


@pytest.fixture(scope="module")
def bad_lines(new_project):
    """The outcome of one command on a file in which every line but the first is bad."""
    project = new_project()
    lines = [json.dumps({**CASE, "id": "en-first"})]
    for name, (change, _) in BAD_LINES.items():
        fresh = {**CASE, "id": f"en-{name.replace(' ', '-')}"}
        lines.append(change if isinstance(change, str) else json.dumps({**fresh, **change}))
    project.write("cases.jsonl", "\n".join(lines) + "\n")
    return project.pytest(*LEAN)


@pytest.mark.parametrize("name", BAD_LINES)
def test_bad_case_line_is_named_with_field_and_value(bad_lines, name: str) -> None:
    """Every bad line has its own message: file, line, field, value, what is allowed."""
    number = 2 + list(BAD_LINES).index(name)
    refused(bad_lines, f"ERROR: cases.jsonl:{number}: ", *BAD_LINES[name][1])


def test_sound_lines_are_not_complained_about(bad_lines) -> None:
    assert "ERROR: cases.jsonl:1:" not in bad_lines.output
    assert bad_lines.output.count("ERROR: ") == len(BAD_LINES)


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff"], ids=["no byte", "blank lines", "byte order mark"])
def test_empty_case_file(project, text: str) -> None:
    project.write("cases.jsonl", text)
    refused(project.pytest(*LEAN), "cases.jsonl", "no case")


def test_case_ids_repeated_over_two_files(project) -> None:
    (project.path / "folder").mkdir()
    for name in ("a", "b"):
        project.write(f"folder/{name}.jsonl", json.dumps(CASE) + "\n")
    refused(project.pytest(*LEAN, "--jmed-cases=folder"), "'en-x'", "a.jsonl:1", "b.jsonl:1", "unique")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("schema_version = 1\n[gate\n", ("thresholds.toml", "not valid TOML")),
        ("[gate]\nmin_cases = 1\n", ("'schema_version'", "thresholds.toml", "missing")),
        ("schema_version = 1\n[judges]\nprofile = 'nobody'\n", ("'nobody'", "judge profile", "paper")),
    ],
    ids=["TOML", "no version", "profile"],
)
def test_bad_thresholds_file(project, text: str, parts: tuple[str, ...]) -> None:
    project.write("thresholds.toml", text)
    model = "vllm:x" if "profile" in text else "demo:aligned"
    refused(project.pytest(*LEAN, model=model), *parts)


BAD_KEYS = {
    "conversation.floor = 0.5": ("'conversation.floor'", "0.5", "greater than or equal to 1"),
    "conversation.turns.T1 = 10.5": ("'conversation.turns.T1'", "10.5", "less than or equal to 10"),
    "conversation.strategies.S1 = nan": ("'conversation.strategies.S1'", "nan"),
    "gate.pass_rate = 65": ("'gate.pass_rate'", "65", "less than or equal to 1"),
    "gate.pas_rate = 0.6": ("'gate.pas_rate'", "Did you mean 'pass_rate'?"),
    "gate.min_cases = 0": ("'gate.min_cases'", "0", "greater than or equal to 1"),
    "gate.mean.t2 = 5.0": ("'gate.mean.t2'", "pattern '^T"),
    "judges.context = 'half'": ("'judges.context'", "'half'", "'full'"),
}


@pytest.fixture(scope="module")
def bad_keys(new_project):
    """The outcome of one command with a thresholds file in which every key is bad."""
    project = new_project(1)
    project.write("thresholds.toml", "\n".join(["schema_version = 1", *BAD_KEYS]) + "\n")
    return project.pytest(*LEAN)


@pytest.mark.parametrize("key", BAD_KEYS)
def test_bad_threshold_is_named_with_what_is_allowed(bad_keys, key: str) -> None:
    refused(bad_keys, BAD_KEYS[key][0], *BAD_KEYS[key][1:], "thresholds.toml")


@pytest.fixture(scope="module")
def unreachable(new_project):
    """A run of 42 conversations against an address where nobody listens."""
    return new_project(42).pytest("-q", "--jmed-judges=demo", model="compatible:x@http://127.0.0.1:9/v1")


def test_unreachable_endpoint_is_one_error(unreachable) -> None:
    """Nobody listens: the run stops after the first calls with one message, and is inconclusive."""
    result = unreachable
    assert result.status == 6, result.output
    assert "Traceback" not in result.output
    assert "compatible:x at http://127.0.0.1:9/v1" in result.output
    assert "jmedethic doctor" in result.output
    assert result.output.count("no conversation was scored") == 1
    assert len(result.output.split("safety regression")[1].splitlines()) <= 8, result.output
    assert "ERROR test_conversations.py" not in result.output, "our summary says it"
    assert result.ids == []
    assert result.read("run.json")["status"] == "incomplete"


def test_one_call_finds_out_that_nobody_listens(unreachable) -> None:
    """42 conversations that could start at once do not all knock at a closed door: one asks, and asks once more."""
    assert unreachable.calls["target"] == 2


def test_unreachable_endpoint_is_one_error_with_workers_too(small) -> None:
    result = small.pytest("-q", "-n", "2", "--jmed-judges=demo", model="compatible:x@http://127.0.0.1:9/v1")
    assert result.status == 6, result.output
    assert "compatible:x at http://127.0.0.1:9/v1" in result.output
    for word in ("Traceback", "Exception in thread", "never awaited", "Event loop is closed"):
        assert word not in result.output


def test_bundled_cases_are_sound() -> None:
    assert len(case_files.load()) == 2 * (2 * 469 + 134 + 134)
