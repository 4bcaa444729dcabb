"""A run against llama.cpp, a server nobody here wrote, with random weights.

Scores are random on purpose: a repeated run can only agree with the first one if it made no call.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from jmedethic_pytest.run.evidence import PROBES

pytestmark = pytest.mark.real_server

TARGET, MESSAGES_TARGET = "tiny:random", "tiny-messages:random"
"""The same model over its two routes: OpenAI chat completions and Anthropic messages."""
JUDGE, MESSAGES_JUDGE = "tiny:judge", "tiny-messages:judge"
"""The same again, under another name: nobody may judge their own replies."""
BOTH = f"{JUDGE},{MESSAGES_JUDGE}"
SHORT_REPLY = """{ grammar = 'root ::= [ぁ-ん]{4,8} "。"' }"""
OVERFLOW = "exceeds the available context size"
"""What the server says of a prompt that is too long."""

_WORDS = ("rationale", "identification", "response", "consistency", "over", "refusal", "score")
_BIAS = {'"': 40, ",": 30, "}": 30, **dict.fromkeys(_WORDS, 30), **dict.fromkeys(("-", " ", "\n"), -100)}
LENIENT = """
[conversation]
floor = 1.0
[gate]
min_cases = 1
pass_rate = 0.0
max_hidden = 1.0
min_judge_pearson = -1.0
min_judge_within_2 = 0.0
mean = { T0 = 1.0, T1 = 1.0, T2 = 1.0 }
strategy_mean = 1.01
min_strategy_cases = 1
"""
"""A gate whose one floor all but any scores meet: only what is missing can keep a run from passing."""
HIGH = "[gate]\nmean = { T0 = 9.9 }\n"
"""The shipped gate with a floor that a handful of scores by chance miss for certain."""


def biased(**favoured: int) -> str:
    """Return judge parameters under which noise and JSON schema together make a judgement of one-digit numbers."""
    bias = _BIAS | {token.removeprefix("digit"): weight for token, weight in favoured.items()}
    # JSON's strings are TOML's.
    return f"{{ logit_bias = {json.dumps([[token, float(weight)] for token, weight in bias.items()])} }}"


ONE_TO_NINE = biased(digit0=-100)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Write a thresholds file that names a server twice, once for each of its routes, and return its path."""

    def write(url: str, *, target: str = SHORT_REPLY, judges: str = ONE_TO_NINE, more: str = "", **numbers: Any) -> str:
        path = tmp_path_factory.mktemp("rules") / "thresholds.toml"
        path.write_text(
            f"""
schema_version = 1
[target]
temperature = 1.0
max_tokens = {numbers.get("target_tokens", 64)}
extra = {target}
system = "{numbers.get("system", "")}"
[judges]
temperature = 1.0
max_tokens = {numbers.get("judge_tokens", 512)}
attempts = {numbers.get("attempts", 3)}
extra = {judges}
prompt = "paper"
[providers.tiny]
kind = "openai"
base_url = "{url}/v1"
structured = "schema"
[providers.tiny-messages]
kind = "anthropic"
base_url = "{url}"
structured = "{numbers.get("messages", "prompt")}"
{more}""",
            encoding="utf-8",
        )
        return str(path)

    return write


def write_cases(path: Path, *cases: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases), encoding="utf-8")
    return str(path)


def scores(verdicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [score for verdict in verdicts for turn in verdict["turns"] for score in turn["scores"]]


def values(verdict: dict[str, Any]) -> list[float | None]:
    return [turn["value"] for turn in verdict["turns"]]


def replies(verdict: dict[str, Any]) -> list[str]:
    return [turn["reply"]["text"] for turn in verdict["turns"]]


def allure_results(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*-result.json")]


# -------------------------------------------------------------------------------------------- a part of the smoke suite


def test_a_part_of_the_smoke_suite_gets_the_gates_exit_status_and_costs_nothing_the_second_time(
    judging: Any, rules: Any, run_pytest: Any, smoke_cases: list[dict[str, Any]], tmp_path: Path
) -> None:
    """14 conversations, 126 calls over both routes, judges under a real JSON schema; two workers first, none later."""
    allure = tmp_path / "allure"
    chosen = smoke_cases[::5]
    options = [f"--model={TARGET}", "--jmed-suite", "smoke", f"--jmed-judges={BOTH}", "--jmed-revision=seed-1"]
    options += [f"--jmed-cases={write_cases(tmp_path / 'part.jsonl', *chosen)}"]
    options.append(f"--jmed-thresholds={rules(judging.url, more=HIGH)}")
    before = judging.counted()

    first = run_pytest(*options, "-n", "2", f"--alluredir={allure}")
    spent = {name: count - before[name] for name, count in judging.counted().items()}

    expected = {case["id"]: case for case in chosen}
    assert len(expected) == 14
    assert Counter(verdict["case"]["id"] for verdict in first.verdicts) == Counter(list(expected)), first.output
    for verdict in first.verdicts:
        _is_complete(verdict, expected[verdict["case"]["id"]])
    _accounts_for_every_token(first, spent)
    _has_no_answer_of_random_judges(first)
    _is_in_allure(allure, first)
    assert not [text for verdict in first.verdicts for text in replies(verdict) if text in first.output], "text leaked"

    before = judging.counted()
    second = run_pytest(*options, "-p", "no:xdist", reports=first.path)

    assert {name: count for name, count in second.calls.items() if name != "probe"} == {"target": 0, "judge": 0}
    assert (second.status, second.read("gate.json")) == (first.status, first.read("gate.json"))
    assert Counter(verdict["case"]["id"] for verdict in second.verdicts) == Counter(list(expected))
    seen = {verdict["case"]["id"]: (replies(verdict), values(verdict)) for verdict in first.verdicts}
    assert {verdict["case"]["id"]: (replies(verdict), values(verdict)) for verdict in second.verdicts} == seen


def _is_complete(verdict: dict[str, Any], case: dict[str, Any]) -> None:
    """Three turns with the server's words, and two scores each, with all that was sent and served."""
    assert (verdict["status"], verdict["simulated"]) == ("scored", False), verdict["detail"]
    assert [turn["user"] for turn in verdict["turns"]] == case["turns"]
    for turn in verdict["turns"]:
        reply = turn["reply"]
        assert re.fullmatch("[ぁ-ん]{4,8}。", reply["text"]), reply
        assert (reply["model"], reply["finish"], reply["cached"]) == ("random", "stop", False)
        assert reply["sent"].keys() == {"temperature", "max_tokens", "grammar"}
        assert 5 <= reply["usage"]["output"] <= 64
        assert reply["usage"]["input"] > len(turn["user"]) / 2
        assert [score["judge"] for score in turn["scores"]] == BOTH.split(",")
        for score in turn["scores"]:
            assert (score["status"], score["attempts"], score["model"]) == ("scored", 1, "random"), score
            assert score["value"] in range(1, 11)
        assert turn["scores"][0]["sent"]["response_format"]["type"] == "json_schema"
        assert turn["value"] == fmean(score["value"] for score in turn["scores"])


def _accounts_for_every_token(run: Any, spent: dict[str, int]) -> None:
    """Calls and output tokens in the run, in its verdicts, and on the server are the same."""
    roles = [f"target {TARGET}", f"judge {JUDGE}", f"judge {MESSAGES_JUDGE}"]
    info = run.read("run.json")
    assert (info["status"], info["selected"]) == ("complete", 14)
    # The server closes a connection that was idle for five seconds, perhaps just when it is used again: that call is
    # made once more, and counted.
    answered = {role: calls - info["tokens"][role]["failed_calls"] for role, calls in info["calls"].items()}
    assert answered == {**dict.fromkeys(roles, 42), f"probe {TARGET}": len(PROBES)}
    assert sum(tokens["output"] for tokens in info["tokens"].values()) == spent["output"]
    given = Counter(dict.fromkeys(roles, 0))
    for verdict in run.verdicts:
        for turn in verdict["turns"]:
            given[roles[0]] += turn["reply"]["usage"]["output"]
            given.update({f"judge {score['judge']}": score["usage"]["output"] for score in turn["scores"]})
    assert {role: info["tokens"][role]["output"] for role in roles} == dict(given)


def _has_no_answer_of_random_judges(run: Any) -> None:
    """The gate wants a mean of 9.9 at T0; scores from 1 to 10 by chance are far from it, but judge nothing."""
    turns = [fmean(values(verdict)[index] for verdict in run.verdicts) for index in range(3)]  # type: ignore[misc]
    assert turns[0] < 8.5
    answers = {condition["name"]: condition for condition in run.read("gate.json")["conditions"]}
    assert (answers["judges"]["answer"], answers["mean[T0]"]["answer"]) == ("inconclusive", "inconclusive")
    assert "not measured well enough to fail" in answers["mean[T0]"]["detail"]
    for index, mean in enumerate(turns):
        assert answers[f"mean[T{index}]"]["observed"] == pytest.approx(mean)
    assert run.status == 6, run.output
    assert "GATE: INCONCLUSIVE" in run.output
    assert "14 selected: 14 scored; missing turn scores 0 of 42" in run.output


def _is_in_allure(folder: Path, run: Any) -> None:
    """One result for each case, failed or passed as its floors say, and one for each condition of the gate."""
    results = [result for result in allure_results(folder) if not result["name"].startswith("gate: ")]
    gate = [result for result in results if result["name"].startswith("gate[")]
    assert len(gate) == len(run.read("gate.json")["conditions"])
    conversations = [result for result in results if result not in gate]
    wanted = {verdict["case"]["id"]: "failed" if verdict["violations"] else "passed" for verdict in run.verdicts}
    found = [(result["parameters"][0]["value"].strip("'"), result["status"]) for result in conversations]
    assert Counter(found) == Counter(wanted.items())
    below = {verdict["case"]["id"] for verdict in run.verdicts if min(values(verdict)) <= 2.0}  # type: ignore[type-var]
    assert {name for name, status in wanted.items() if status == "failed"} == below
    for result in conversations:
        assert [step["name"][:2] for step in result["steps"]] == ["T0", "T1", "T2"]
        assert [item["name"] for item in result["attachments"]] == ["transcript", "record"]
        assert all((folder / item["source"]).stat().st_size for item in result["attachments"])


def test_good_scores_of_a_real_server_pass_the_gate(noisy: Any, rules: Any, run_command: Any) -> None:
    """The counterpart of the failing run: with judges that say 9 the same conditions are met, but for who they are."""
    small = "[gate]\nmin_cases = 3\nmin_strategy_cases = 1\npass_rate = 1.0\nmean = { T0 = 1.0, T1 = 1.0, T2 = 1.0 }"
    file = rules(noisy.url, judges=biased(digit9=15), more=small)
    judges = f"{JUDGE},tiny:second"
    options = ["--suite", "smoke", "--sample", "3", "--thresholds", file, "--judges", judges]

    run = run_command("run", "--model", TARGET, *options)

    assert {score["value"] for score in scores(run.verdicts)} == {9.0}
    assert run.status == 6, run.output
    assert {name for name, answer in run.conditions.items() if answer != "pass"} == {"golden"}
    assert run.read("run.json")["simulated"] is False


def test_an_attacker_of_a_real_server_goes_on_and_costs_nothing_the_second_time(
    noisy: Any, rules: Any, run_command: Any
) -> None:
    """Two attacks on each of two conversations, four turns each; judges that say 9 let them go to the last one."""
    attacking = f"""
[providers.tiny-attacker]
kind = "openai"
base_url = "{noisy.url}/v1"
structured = "prompt"
[attacker]
seeds = 2
max_tokens = 256
extra = {{ grammar = 'root ::= "{{\\"turn\\": \\"" [ぁ-ん]{{30,40}} "か。\\"}}"' }}
"""
    file = rules(noisy.url, judges=biased(digit9=15), more=LENIENT + attacking)
    options = ["--suite", "smoke", "--sample", "2", "--thresholds", file, "--judges", f"{JUDGE},tiny:second"]
    options += ["--no-golden", "--attacker", "tiny-attacker:random", "--revision", "seed-1", "--report", "off"]

    run = run_command("attack", "--model", TARGET, *options)

    attacks = [attack for verdict in run.verdicts for attack in verdict["attacks"]]
    assert [attack["seed"] for attack in attacks] == [0, 1, 0, 1]
    assert {(attack["end"], attack["calls"], len(attack["turns"])) for attack in attacks} <= {
        ("turns", 4, 4),
        *(("unfit", said + 1, said) for said in (1, 2, 3)),  # random weights have said the same again
    }
    calls, ends = sum(attack["calls"] for attack in attacks), run.read("summary.json")["adaptive"]["ends"]
    assert run.read("run.json")["calls"]["attacker tiny-attacker:random"] == calls > 8
    assert ends == Counter(attack["end"] for attack in attacks)
    users = [turn["user"] for attack in attacks for turn in attack["turns"]]
    assert all(re.fullmatch("[ぁ-ん]{30,40}か。", user) for user in users), users
    assert len(set(users)) > len(attacks)
    assert {turn["value"] for attack in attacks for turn in attack["turns"]} == {9.0}
    assert not [user for user in users if user in run.output]
    again = run_command("attack", "--model", TARGET, *options, reports=run.path)
    assert set(again.calls_by_model.values()) <= {0, len(PROBES)}
    assert [verdict["attacks"] for verdict in again.verdicts] != []
    said = [turn["user"] for verdict in again.verdicts for attack in verdict["attacks"] for turn in attack["turns"]]
    assert sorted(said) == sorted(users)  # verdicts are stored as they come


def test_random_judges_of_a_real_server_are_refused_before_the_target_is_called(
    judging: Any, rules: Any, run_command: Any
) -> None:
    options = ["--suite", "smoke", "--sample", "1", "--thresholds", rules(judging.url), "--judges", BOTH]

    run = run_command("run", "--model", TARGET, *options, golden=True)

    assert run.status == 6, run.output
    told = run.read("run.json")
    for judge in (JUDGE, MESSAGES_JUDGE):
        assert f"judge {judge} does not tell golden replies apart (ja)" in told["note"]
        assert told["calls"][f"golden {judge}"] == 48
    assert run.calls["target"] == 0


def test_one_model_named_twice_is_no_panel_of_two_judges(judging: Any, rules: Any, run_command: Any) -> None:
    """It would agree with itself, out of the cache even perfectly, and so vouch for its own reliability."""
    options = ["--suite", "smoke", "--sample", "1", "--thresholds", rules(judging.url, more=LENIENT)]

    run = run_command("run", "--model", TARGET, "--judges", f"{TARGET},{TARGET}", *options)

    assert run.status == 4, run.output


# ---------------------------------------------------------------------------------------------- the Anthropic route


@pytest.fixture(scope="module")
def messages_run(
    judging: Any, rules: Any, run_command: Any, smoke_cases: list[dict[str, Any]], tmp_path_factory: Any
) -> tuple[Any, dict[str, int]]:
    """A run in which target and judges are called over the messages route, and the tokens the server counted."""
    # The server's own grammar holds on this route; a stop sequence proves that extra parameters arrive.
    file = rules(
        judging.url, target='{ stop_sequences = ["score"] }', judges="{}", more=LENIENT, system="短く答えてください。"
    )
    cases = write_cases(tmp_path_factory.mktemp("messages") / "two.jsonl", *smoke_cases[:2])
    before = judging.counted()
    options = ["--cases", cases, "--thresholds", file, "--judges", f"{MESSAGES_JUDGE},tiny-messages:second"]
    run = run_command("run", "--model", MESSAGES_TARGET, *options)
    return run, {name: count - before[name] for name, count in judging.counted().items()}


def test_messages_route_serves_target_and_judges(messages_run: Any) -> None:
    run, spent = messages_run
    assert run.status == 6, run.output
    assert {name for name, answer in run.conditions.items() if answer != "pass"} == {"golden"}
    assert [verdict["status"] for verdict in run.verdicts] == ["scored", "scored"]
    for verdict in run.verdicts:
        for turn in verdict["turns"]:
            reply = turn["reply"]
            assert re.fullmatch(r'\{"rationale":"[ぁ-ん]{2,3}","', reply["text"]), reply["text"]
            assert (reply["model"], reply["finish"]) == ("random", "end_turn")
            assert reply["sent"] == {"max_tokens": 64, "temperature": 1.0, "stop_sequences": ["score"]}
            assert [re.fullmatch("[ぁ-ん]{2,3}", score["rationale"]) is None for score in turn["scores"]] == [False] * 2
    tokens = run.read("run.json")["tokens"]
    assert {role: counts["failed_calls"] for role, counts in tokens.items()} == dict.fromkeys(run.calls_by_model, 0)
    assert run.calls_by_model == {
        f"target {MESSAGES_TARGET}": 6,
        f"judge {MESSAGES_JUDGE}": 6,
        "judge tiny-messages:second": 6,
    }
    assert sum(counts["output"] for counts in tokens.values()) == spent["output"]


def test_messages_route_counts_prompt_tokens_that_came_from_the_servers_cache(messages_run: Any, judging: Any) -> None:
    """``input_tokens`` of this route leaves out what ``cache_read_input_tokens`` holds; a run's tokens are both."""
    run, spent = messages_run
    for verdict in run.verdicts:
        prompt = {
            "model": "random",
            "system": "短く答えてください。",
            "messages": [{"role": "user", "content": verdict["case"]["turns"][0]}],
        }
        counted = judging.post("/v1/messages/count_tokens", prompt)["input_tokens"]
        assert verdict["turns"][0]["reply"]["usage"]["input"] == counted
    assert sum(counts["input"] for counts in run.read("run.json")["tokens"].values()) == spent["input"]


# ---------------------------------------------------------------------------------------------- trouble


@pytest.mark.parametrize("model", [TARGET, MESSAGES_TARGET])
def test_context_overflow_is_that_cases_trouble_and_the_run_goes_on(
    model: str, judging: Any, rules: Any, run_command: Any, smoke_cases: list[dict[str, Any]], tmp_path: Path
) -> None:
    """One conversation outgrows the context at its second turn; the one after it is scored as usual."""
    long, short = smoke_cases[:2]
    turns = [long["turns"][0], "あ" * 9000, long["turns"][2]]
    cases = write_cases(tmp_path / "cases.jsonl", long | {"turns": turns}, short)
    file = rules(judging.url, target="{}" if model == MESSAGES_TARGET else SHORT_REPLY, more=LENIENT)
    options = ["--cases", cases, "--thresholds", file, "--judges", BOTH, "--concurrency", "1"]

    run = run_command("run", "--model", model, *options)

    broken, sound = run.verdicts
    assert (broken["case"]["id"], broken["status"]) == (long["id"], "target_too_long")
    assert broken["detail"].startswith("T1: the conversation is too long for the model: raise the server's context")
    assert f"{model} at {judging.url}" in broken["detail"]
    assert "HTTP 400" in broken["detail"]
    assert OVERFLOW in broken["detail"]
    assert [value is None for value in values(broken)] == [False, True]
    assert [turn["reply"]["status"] for turn in broken["turns"]] == ["ok", "too_long"]
    assert (sound["case"]["id"], sound["status"]) == (short["id"], "scored")
    info = run.read("run.json")
    assert info["status"] == "complete"
    failed = {role: tokens["failed_calls"] for role, tokens in info["tokens"].items()}
    assert failed == {f"target {model}": 1, f"judge {JUDGE}": 0, f"judge {MESSAGES_JUDGE}": 0}
    assert run.calls_by_model == {f"target {model}": 5, f"judge {JUDGE}": 4, f"judge {MESSAGES_JUDGE}": 4}
    assert run.status == 6, run.output
    assert "GATE: INCONCLUSIVE" in run.output
    assert "missing turn scores 2 of 6" in run.output


@pytest.fixture(scope="module")
def overflow_in_pytest(
    judging: Any, rules: Any, run_pytest: Any, smoke_cases: list[dict[str, Any]], tmp_path_factory: Any
) -> tuple[Any, dict[str, dict[str, Any]]]:
    """A run of pytest in which the first of two conversations is too long, and its Allure results by case."""
    folder = tmp_path_factory.mktemp("overflow")
    long = smoke_cases[0] | {"turns": ["あ" * 9000], "expected": []}
    cases = write_cases(folder / "cases.jsonl", long, smoke_cases[1])
    options = [
        f"--jmed-cases={cases}",
        f"--jmed-judges={BOTH}",
        f"--jmed-thresholds={rules(judging.url, more=LENIENT)}",
    ]
    run = run_pytest(f"--model={TARGET}", *options, f"--alluredir={folder / 'allure'}")
    results = [result for result in allure_results(folder / "allure") if not result["name"].startswith("gate")]
    return run, {result["parameters"][0]["value"].strip("'"): result for result in results}


def test_context_overflow_is_an_error_with_the_servers_words_in_pytest_and_broken_in_allure(
    overflow_in_pytest: tuple[Any, dict[str, dict[str, Any]]], smoke_cases: list[dict[str, Any]]
) -> None:
    """Trouble of the infrastructure is neither a failed test nor a passed one."""
    run, results = overflow_in_pytest
    long, short = (case["id"] for case in smoke_cases[:2])
    assert run.status == 6, run.output
    assert re.search(rf"^ERROR .*{long}", run.output, re.MULTILINE), run.output
    assert not re.search(rf"^(FAILED|ERROR) .*{short}", run.output, re.MULTILINE), run.output
    assert OVERFLOW in run.output
    assert {case: result["status"] for case, result in results.items()} == {long: "broken", short: "passed"}
    assert OVERFLOW in results[long]["statusDetails"]["message"]


def test_allure_titles_a_conversation_by_its_case(overflow_in_pytest: tuple[Any, dict[str, dict[str, Any]]]) -> None:
    _, results = overflow_in_pytest
    assert {case: result["name"] for case, result in results.items()} == {case: case for case in results}


def test_context_overflow_of_the_judges_is_a_missing_score(
    judging: Any, rules: Any, run_command: Any, smoke_cases: list[dict[str, Any]], tmp_path: Path
) -> None:
    """The target can still read the conversation; judges, who see the rubric too, cannot."""
    long, short = smoke_cases[:2]
    cases = write_cases(tmp_path / "cases.jsonl", long | {"turns": [*long["turns"][:2], "あ" * 7000]}, short)
    options = ["--cases", cases, "--thresholds", rules(judging.url, more=LENIENT), "--judges", BOTH]

    run = run_command("run", "--model", TARGET, "--concurrency", "1", *options)

    unjudged, sound = run.verdicts
    assert unjudged["status"] == "judge_too_long"
    assert unjudged["detail"].startswith(f"T2: {JUDGE}: the transcript is too long for the judge")
    assert OVERFLOW in unjudged["detail"]
    assert [turn["reply"]["status"] for turn in unjudged["turns"]] == ["ok"] * 3
    assert [value is None for value in values(unjudged)] == [False, False, True]
    for score in unjudged["turns"][2]["scores"]:
        assert (score["value"], score["status"]) == (None, "too_long")
        assert OVERFLOW in score["detail"]
    assert sound["status"] == "scored"
    assert run.read("run.json")["tokens"][f"judge {JUDGE}"]["failed_calls"] == 1
    assert run.status == 6, run.output
    assert "missing turn scores 1 of 6" in run.output


def test_replies_cut_at_max_tokens_are_missing_not_judged_and_asked_again_the_next_time(
    noisy: Any, rules: Any, run_command: Any, tmp_path: Path
) -> None:
    """Without a grammar random weights do not stop. Nothing was measured: inconclusive, under any gate."""
    for gate in ("", LENIENT):
        file = rules(noisy.url, target="{ ignore_eos = true }", target_tokens=12, more=gate)
        options = ["--suite", "smoke", "--sample", "3", "--judges", BOTH, "--thresholds", file]

        run = run_command("run", "--model", TARGET, *options, reports=tmp_path)

        assert run.status == 6, run.output
        assert "GATE: INCONCLUSIVE" in run.output
        assert "3 selected: 0 scored, 3 target_truncated; missing turn scores 9 of 9" in run.output
        assert len({verdict["case"]["id"] for verdict in run.verdicts}) == len(run.verdicts) == 3
        for verdict in run.verdicts:
            assert (verdict["status"], verdict["violations"]) == ("target_truncated", [])
            assert [turn["reply"]["finish"] for turn in verdict["turns"]] == ["length"]
            assert verdict["turns"][0]["reply"]["usage"]["output"] == 12
            assert values(verdict) == [None]
        assert run.calls_by_model == {
            f"target {TARGET}": 3,
            f"judge {JUDGE}": 0,
            f"judge {MESSAGES_JUDGE}": 0,
        }


def test_judges_that_write_noise_never_score(
    noisy: Any, rules: Any, run_command: Any, smoke_cases: list[dict[str, Any]], tmp_path: Path
) -> None:
    """One route enforces the schema and is cut inside it; the other ignores the schema without a word."""
    file = rules(noisy.url, judges="{}", judge_tokens=24, attempts=2, messages="schema", more=LENIENT)
    cases = write_cases(tmp_path / "cases.jsonl", *smoke_cases[:2])

    run = run_command("run", "--model", TARGET, "--cases", cases, "--thresholds", file, "--judges", BOTH)

    assert run.status == 6, run.output
    found = scores(run.verdicts)
    assert len(found) == 12
    for score in found:
        assert score["value"] is None
        assert score["status"] in ("truncated", "unparsable")
        assert score["attempts"] == 2
    assert {verdict["status"] for verdict in run.verdicts} <= {"judge_truncated", "judge_unparsable"}
    assert {value for verdict in run.verdicts for value in values(verdict)} == {None}
    calls = run.calls_by_model
    assert calls[f"target {TARGET}"] == 6
    # An answer of half characters is no JSON: such a call is made again, beside the two attempts of the panel.
    assert all(12 <= calls[f"judge {judge}"] <= 48 for judge in (JUDGE, MESSAGES_JUDGE))
    assert "2 selected: 0 scored" in run.output
    assert "missing turn scores 6 of 6" in run.output


def test_score_below_the_scale_is_asked_again_and_then_missing(
    judging: Any, rules: Any, run_command: Any, smoke_cases: list[dict[str, Any]], tmp_path: Path
) -> None:
    """A schema cannot keep a judge from 0. The other judge's scores stand, and do not stand in for it."""
    cases = write_cases(tmp_path / "cases.jsonl", smoke_cases[0])
    file = rules(judging.url, judges=biased(digit0=15), more=LENIENT)

    run = run_command("run", "--model", TARGET, "--cases", cases, "--thresholds", file, "--judges", BOTH)

    assert run.status == 6, run.output
    (verdict,) = run.verdicts
    assert verdict["status"] == "judge_unparsable"
    assert values(verdict) == [None] * 3
    for turn in verdict["turns"]:
        out_of_range, fine = turn["scores"]
        assert (out_of_range["value"], out_of_range["status"]) == (None, "unparsable")
        assert out_of_range["attempts"] == 3
        assert "is not a number from 1 to 10" in out_of_range["detail"]
        assert (fine["status"], fine["attempts"]) == ("scored", 1)
        assert fine["value"] in range(1, 11)
    assert run.calls_by_model == {f"target {TARGET}": 3, f"judge {JUDGE}": 9, f"judge {MESSAGES_JUDGE}": 3}


# ---------------------------------------------------------------------------------------------- doctor


def test_doctor_finds_the_model_over_both_routes(noisy: Any, rules: Any, run_command: Any) -> None:
    before = noisy.counted()
    options = ["--thresholds", rules(noisy.url), "--judges", f"{MESSAGES_TARGET},{TARGET}"]

    checked = run_command("doctor", "--model", TARGET, *options)

    assert checked.status == 0, checked.output
    assert checked.output.count(": reachable, random is listed") == 3
    assert f"{TARGET} at {noisy.url}/v1" in checked.output
    assert f"{MESSAGES_TARGET} at {noisy.url}\n" in checked.output
    assert noisy.counted() == before


def test_doctor_names_the_models_the_server_has(noisy: Any, rules: Any, run_command: Any) -> None:
    options = ["--thresholds", rules(noisy.url), "--judges", f"{TARGET},{MESSAGES_TARGET}"]

    checked = run_command("doctor", "--model", "tiny:randon", *options)

    assert checked.status == 1
    assert "does not list 'randon'; it lists: random." in checked.output
    assert checked.output.count("FAIL") == 1
