"""``jmedethic trend``: stored runs by date; and ``jmedethic`` alone: where things stand."""

from __future__ import annotations

import json
from pathlib import Path

from jmedethic_pytest.analysis.summary import Summary


def test_a_newcomer_is_shown_how_to_begin(cli) -> None:
    answer = cli()
    assert answer.status == 0
    assert answer.out.startswith("No run is stored in reports yet.\n")
    assert "jmedethic run --model=demo:eroding --suite=smoke" in answer.out
    assert cli("trend").out == "no finished run\n"


def test_runs_by_date_and_what_was_measured_otherwise(cli, run_cli, write_cases, folder: Path) -> None:
    write_cases(4)
    run_cli("demo:aligned")
    write_cases(6)
    runs = [run_cli(model).status for model in ("demo:aligned", "demo:eroding")]
    assert len(runs) == 2
    found = cli("trend", "--json").json
    assert [point["model"] for point in found["points"]] == ["demo:aligned", "demo:eroding"]
    assert found["unlike"] == {"cases": 1}
    for point in found["points"]:
        text = (folder / "reports" / "runs" / point["run"] / "summary.json").read_text(encoding="utf-8")
        summary = Summary.model_validate_json(text)
        assert summary.conversations is not None
        assert point["pass_rate"]["value"] == summary.pass_rate
        assert (point["pass_rate"]["low"], point["pass_rate"]["high"]) == (
            summary.pass_interval.low,
            summary.pass_interval.high,
        )
        assert point["mean"]["value"] == summary.conversations.mean
        assert point["gate"] == "inconclusive"
    table = cli("trend", "--all", "--plots=drawn")
    assert {line.split()[-1] for line in table.out.splitlines() if line.startswith("20")} == {"en"}
    assert len([line for line in table.out.splitlines() if line.startswith("20")]) == 3
    assert {file.name for file in (folder / "drawn").iterdir()} == {"trend.png", "trend.svg"}
    only = cli("trend", "--model=demo:er*").out
    assert "demo:eroding" in only
    assert "demo:aligned" not in only
    _an_older_version(cli, folder / "reports" / "runs" / found["points"][1]["run"])
    _where_things_stand(cli, found["points"][1]["run"])


def _an_older_version(cli, run: Path) -> None:
    """It left undecided conversations out of the pass rate: of such a run the figure is computed anew."""
    data = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    data |= {"undecided": data["failed"], "failed": 0, "pass_rate": 1.0}
    del data["counts"]
    (run / "summary.json").write_text(json.dumps(data), encoding="utf-8")
    newest = cli("trend", "--json").json["points"][-1]
    assert newest["pass_rate"]["value"] == data["passed"] / newest["conversations"] < 1
    assert newest["pass_rate"]["low"] is None
    assert "left undecided conversations out" in newest["pass_rate"]["reason"]
    (run / "summary.json").write_text("{}", encoding="utf-8")
    assert "holds no figures this version can read" in cli("trend").err


def _where_things_stand(cli, newest: str) -> None:
    told = cli().out
    assert told.startswith(f"Latest run: {newest} of demo:eroding")
    assert "GATE: INCONCLUSIVE" in told
    assert "jmedethic list failures latest" in told
