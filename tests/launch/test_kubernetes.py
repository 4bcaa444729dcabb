"""Manifests: of the form that Kubernetes publishes, with every part once and the judges' keys in one pod alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.launch import kubernetes, plan, sweep_file
from jmedethic_pytest.launch.work import Work

TABLE = """
[kubernetes]
image = "registry.example/jmedethic:1"
claim = "sweeps"
namespace = "eval"
secrets = ["targets"]
judge_secrets = ["judges"]
at_once = 2
"""


def printed(file: Path) -> list[dict[str, Any]]:
    sweep = sweep_file.load(file)
    text = kubernetes.manifests(sweep, Work(plan.made(sweep), file))
    assert not (file.parent / "reports").exists()
    return list(yaml.safe_load_all(text))


def test_manifests_are_valid_and_hold_every_part_once(write_sweep: Callable[..., Path]) -> None:
    file = write_sweep("suites = ['core,twins']\nlocales = ['ja', 'en']\nshards = 3\nname = 'Night_1'", TABLE)
    file.write_text(file.read_text(encoding="utf-8").replace("base = ", "gpus = 2\nbase = "), encoding="utf-8")
    (file.parent / "thresholds.toml").write_text("schema_version = 1\n", encoding="utf-8")
    made = printed(file)
    for item in made:
        kubernetes_validate.validate(item, kubernetes_validate.latest_version(), strict=True)
    names = [item["metadata"]["name"] for item in made]
    assert len({*names}) == len(names) == 6
    texts, *collections, judging = made
    assert texts["data"] == {name: (file.parent / name).read_text(encoding="utf-8") for name in texts["data"]}
    assert set(texts["data"]) == {"sweep.toml", "thresholds.toml"}
    assert {(job["spec"]["completions"], job["spec"]["parallelism"]) for job in collections} == {(3, 2)}
    pods = [job["spec"]["template"]["spec"]["containers"][0] for job in collections]
    units = [pod["command"][2].partition('"')[2].partition("/")[0] for pod in pods]
    assert sorted(units) == ["a.core+twins.en", "a.core+twins.ja", "b.core+twins.en", "b.core+twins.ja"]
    assert [pod["resources"].get("limits") for pod in pods] == [None, {"nvidia.com/gpu": "2"}] * 2
    assert {source["secretRef"]["name"] for pod in pods for source in pod["envFrom"]} == {"targets"}
    last = judging["spec"]["template"]["spec"]["containers"][0]
    assert [source["secretRef"]["name"] for source in last["envFrom"]] == ["judges"]
    assert last["command"] == ["jmedethic", "sweep", "sweep.toml", "--no-collect"]
    assert judging["spec"]["suspend"]


def test_without_a_table_it_is_said_what_is_missing(write_sweep: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match=r"table \[kubernetes\] is missing: give image and claim"):
        printed(write_sweep())


_TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.text("ab :#-'\n\t\u3000", max_size=12)
_VALUES = st.recursive(
    _TEXT | st.integers() | st.booleans() | st.lists(_TEXT, max_size=3),
    lambda inner: (
        st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
        | st.lists(st.dictionaries(st.text("abc", min_size=1), inner, min_size=1, max_size=3), max_size=2)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc", min_size=1), _VALUES, max_size=3))
def test_yaml_says_what_was_meant(value: dict[str, Any]) -> None:
    text = "".join(kubernetes._yaml(value))
    assert (yaml.safe_load(text) or {}) == value
