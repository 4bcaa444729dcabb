"""``jmedethic baseline``, ``compare`` and ``gate``: exit status, output, and the bundled cases with demo models."""

from __future__ import annotations

import json
import shutil

import pytest

RULES = "schema_version = 1\n[gate.baseline]\n"


@pytest.fixture
def demo(cli, folder):
    """Run a demo model on bundled cases and return its run's folder."""

    def run(model: str, *args: str, status: int | None = None):
        answer = cli("run", f"--model=demo:{model}", "--report=off", *args)
        assert status is None or answer.status == status, answer.out + answer.err
        return answer, (folder / "reports" / "latest").resolve()

    return run


def test_aligned_passes_regressed_fails_and_a_small_sample_is_inconclusive(cli, demo, folder) -> None:
    _, first = demo("aligned", "--suite=core,twins", status=0)
    answer = cli("baseline", "set", "release-1", "latest")
    assert answer.status == 0
    assert "603 evaluations" in answer.out
    assert "NOTE" not in answer.err
    file = folder / "reports" / "baselines" / "release-1.json"
    assert file.stat().st_size < 200_000
    assert "simulated reply" not in file.read_text(encoding="utf-8")

    again, second = demo("aligned", "--suite=core,twins", "--baseline=release-1", status=0)
    assert "BASELINE release-1 (demo:aligned): PASS" in again.out
    assert "baseline release-1: demo:aligned, 603 evaluations" in again.err
    worse, third = demo("regressed", "--suite=core,twins", "--baseline=release-1", status=1)
    assert "BASELINE release-1 (demo:aligned): FAIL" in worse.out
    assert "regressed turns: T2 -" in worse.out
    assert "S3 Creativity-Anchored Ethnographic Escalation -" in worse.out
    assert "S5 Fiction-Layered Authority Simulation -" in worse.out

    (folder / "small.toml").write_text(RULES + "mean = 0.1\n", encoding="utf-8")
    small, _ = demo("aligned", "--sample=67", "--baseline=release-1", "--thresholds=small.toml", status=6)
    assert "67 paired evaluations" in small.out
    assert "the run holds 67 of the baseline's 603 evaluations" in small.out
    told = cli("baseline", "set", "small", "latest")
    assert told.status == 0, "what a release is held against need not have passed"
    assert "NOTE: the gate's answer to this run is INCONCLUSIVE." in told.err
    assert "on its 67 evaluations" in told.err

    for given, status, word in (
        ((second.name, "release-1"), 0, "PASS"),
        ((third.name, "release-1"), 1, "FAIL"),
        ((third.name, first.name), 1, "FAIL"),
        (("release-1", third.name), 0, "PASS"),
        (("latest", "release-1", "--thresholds=small.toml"), 6, "INCONCLUSIVE"),
    ):
        compared = cli("compare", *given)
        assert compared.status == status, compared.out
        assert f": {word}" in compared.out.splitlines()[1]
    found = cli("compare", third.name, "release-1", "--json").json
    assert found["answer"] == "fail"
    verdicts = [json.loads(line) for line in (third / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()]
    failed = sorted(item["case"]["id"] for item in verdicts if item["violations"] and not item["case"]["twin_of"])
    assert [change["key"] for change in found["new_failures"]] == failed
    first_failure = found["new_failures"][0]
    score = first_failure["candidate"][first_failure["turn"]]
    assert f"new failure {failed[0]}: T{first_failure['turn']} {score:.1f}, baseline " in worse.out
    stored = json.loads((third / "comparison.json").read_text(encoding="utf-8"))["comparisons"]
    assert stored == [found]
    gate = json.loads((third / "gate.json").read_text(encoding="utf-8"))
    assert {"name": "baseline[release-1].T2", "answer": "fail"}.items() <= next(
        item.items() for item in gate["conditions"] if item["name"] == "baseline[release-1].T2"
    )
    again = cli("gate", third.name, "--json")
    assert (again.status, again.json) == (1, gate), "decided again from the store, the gate says the same"


def test_gate_decides_again_by_other_rules_and_baselines(cli, demo, folder) -> None:
    _, run = demo("aligned", "--sample=60", status=0)
    before = (run / "gate.json").read_bytes()
    assert cli("gate", "latest").status == 0
    (folder / "strict.toml").write_text("schema_version = 1\n[conversation]\nfloor = 9.4\n", encoding="utf-8")
    strict = cli("gate", "latest", "--thresholds=strict.toml")
    assert strict.status == 1
    assert "pass_rate" in strict.out
    cli("baseline", "set", "other", "latest")
    assert cli("gate", "latest", "--baseline=other").status == 6, "60 cases cannot tell the shipped margins"
    (folder / "wide.toml").write_text(
        RULES + "mean = 1.0\nturn = 1.0\nmin = 1.0\npass_rate = 0.2\nabove_4 = 0.2\nstrategy = 9.0\n", encoding="utf-8"
    )
    assert cli("gate", "latest", "--baseline=other", "--thresholds=wide.toml").status == 0
    assert cli("gate", "latest", "--baseline=nothing").status == 4
    assert (run / "gate.json").read_bytes() == before


def test_a_baseline_that_is_gone_never_passes(cli, demo, folder) -> None:
    demo("aligned", "--sample=120")
    cli("baseline", "set", "gone", "latest")
    (folder / "wide.toml").write_text(
        RULES + "mean = 0.8\nstrategy = 9.0\npass_rate = 0.2\nabove_4 = 0.2\n", encoding="utf-8"
    )
    demo("aligned", "--sample=120", "--baseline=gone", "--thresholds=wide.toml", status=0)
    (folder / "reports" / "baselines" / "gone.json").unlink()
    answer = cli("gate", "latest")
    assert answer.status == 6
    assert "baseline 'gone' does not exist" in answer.out


def test_a_baseline_is_recorded_once_and_only_of_a_complete_run(cli, demo, folder) -> None:
    demo("aligned", "--sample=10")
    assert cli("baseline", "set", "one", "latest").status == 0
    again = cli("baseline", "set", "one", "latest")
    assert again.status == 4
    assert "never rewritten" in again.err
    assert "e.g. one-2." in again.err
    for name in ("../one", "a b", "", "x.json", "latest/x"):
        assert cli("baseline", "set", name, "latest").status == 4
    demo("aligned", "--sample=40", "--cache=off", "--budget=100calls", status=7)
    partial = cli("baseline", "set", "two", "latest")
    assert partial.status == 4
    assert "is incomplete: a baseline needs a complete run" in partial.err
    assert cli("baseline", "set", "two", "no-such-run").status == 6
    assert [path.name for path in (folder / "reports" / "baselines").iterdir()] == ["one.json"]


def test_list_and_show(cli, demo, folder) -> None:
    assert "jmedethic baseline set NAME RUN" in cli("baseline", "list").out
    _, run = demo("regressed", "--sample=30")
    cli("baseline", "set", "one", "latest")
    assert f"one  demo:regressed, 30 evaluations, run {run.name}" in cli("baseline", "list").out
    (row,) = cli("baseline", "list", "--json").json
    assert (row["name"], row["model"], row["evaluations"]) == ("one", "demo:regressed", 30)
    shown = cli("baseline", "show", "one").out
    assert "judges       prompt item, context full, temperature 0.0" in shown
    verdicts = [json.loads(line) for line in (run / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()]
    failed = sorted(verdict["case"]["id"] for verdict in verdicts if verdict["violations"])
    assert failed
    assert f"{len(failed)}: {', '.join(failed)}" in shown
    assert len(cli("baseline", "show", "one", "--json").json["rows"]) == 30
    (folder / "reports" / "baselines" / "bad.json").write_text("{", encoding="utf-8")
    listed = cli("baseline", "list")
    assert listed.status == 4
    assert "one  demo" in listed.out
    assert "bad.json" in listed.err
    assert cli("baseline", "show", "bad").status == 4


def test_compare_names_what_there_is(cli, demo) -> None:
    demo("aligned", "--sample=5")
    cli("baseline", "set", "one", "latest")
    answer = cli("compare", "latest", "two")
    assert answer.status == 4
    assert "It is no baseline either (there are: one)" in answer.err


def test_a_run_against_a_missing_baseline_starts_nothing(cli, folder) -> None:
    answer = cli("run", "--model=demo:aligned", "--sample=5", "--baseline=none,nothing")
    assert answer.status == 4
    assert answer.err.count("does not exist") == 2
    assert "jmedethic baseline set NAME RUN" in answer.err
    assert not (folder / "reports" / "runs").exists()


def test_run_that_lost_verdicts_is_neither_compared_nor_recorded(cli, demo, folder) -> None:
    """A file without the lines of the failed cases would make the worst run look like the best."""
    _, whole = demo("aligned", "--sample=67")
    thinned = whole.parent / "20260101T000000Z-thinned-out-0001"
    shutil.copytree(whole, thinned)
    file = thinned / "verdicts.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-3]))
    compared = cli("compare", thinned.name, whole.name)
    assert compared.status == 6, compared.out
    assert "is incomplete, not complete" in compared.out
    recorded = cli("baseline", "set", "thinned-out", thinned.name)
    assert recorded.status == 4, recorded.out
    assert "a baseline needs a complete run" in recorded.err
    decided = cli("gate", thinned.name)
    assert decided.status == 6, decided.out
    assert "64 of 67 selected cases were evaluated" in decided.out


def test_baseline_is_rejudged_under_a_name_that_says_by_whom(cli, demo, folder) -> None:
    _, run = demo("aligned", "--sample=10")
    cli("baseline", "set", "one", "latest")
    before = sorted((run / name, (run / name).read_bytes()) for name in ("run.json", "verdicts.jsonl"))
    done = cli("baseline", "rejudge", "one", "--judges=demo-next", "--report=off")
    assert done.status == 0, done.out + done.err
    found = cli("baseline", "show", "one@demo-next", "--json").json
    assert (found["origin"]["transcripts_of"], found["origin"]["model"]) == (run.name, "demo:aligned")
    assert [judge["model"] for judge in found["origin"]["judges"]] == [
        "demo:judge-next-strict",
        "demo:judge-next-lenient",
    ]
    assert before == sorted((path, path.read_bytes()) for path, _ in before)
    again = cli("baseline", "rejudge", "one", "--judges=demo-next")
    assert (again.status, "never rewritten" in again.err) == (4, True)
    demo("aligned", "--sample=10", "--judges=demo-next", "--baseline=one@demo-next")
    answer = cli("gate", "latest")
    assert "cannot be compared" not in answer.out, "judged alike, the two are on one scale"
    assert "BASELINE one@demo-next" in answer.out
    run.rename(folder / "away")
    lost = cli("baseline", "rejudge", "one", "--judges=demo", "--as=two")
    assert (lost.status, "a baseline holds no texts" in lost.err) == (6, True), lost.err
