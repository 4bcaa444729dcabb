"""Which engine serves what, and with which words it is started."""

from __future__ import annotations

from typing import Any

import pytest

from jmedethic_pytest.config.serving import ServeTable
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.serving.plan import plan
from support.standin import StandIns

PLACE = "--jmed-serve"


def test_the_first_engine_that_is_installed_serves_a_folder(stand_ins: StandIns) -> None:
    found = plan(str(stand_ins.checkpoint), ServeTable(flags=("--x", "1")), place=PLACE)
    assert (found.ref.label, found.ref.address, found.ref.asked_as) == ("vllm:ward-7b", "served by vllm", "ward-7b")
    assert found.command(81)[1:] == [
        *("serve", str(stand_ins.checkpoint), "--host", "127.0.0.1", "--port", "81"),
        *("--served-model-name", "ward-7b", "--x", "1"),
    ]


@pytest.mark.parametrize(
    ("engine", "asked", "words"),
    [
        ("vllm", "night+soft", ["--max-loras", "2", "--max-lora-rank", "32", "--lora-modules", "night+soft={0}"]),
        ("sglang", "night:soft", ["--max-loras-per-batch", "2", "--lora-paths", "soft={0}"]),
    ],
)
def test_an_adapter_is_asked_for_by_the_name_that_the_engine_gives_it(
    stand_ins: StandIns, engine: str, asked: str, words: list[str]
) -> None:
    soft, hard = stand_ins.adapter("soft"), stand_ins.adapter("hard", rank=24)
    given = f"{stand_ins.checkpoint}:{soft}"
    found = plan(given, ServeTable(), place=PLACE, model=f"{engine}:night", adapters=[str(hard)])
    assert (found.ref.label, found.ref.asked_as) == (f"{engine}:night+soft", asked)
    command = found.command(81)
    wanted = [word.format(soft) for word in words]
    assert command[command.index("--enable-lora") + 1 :][: len(wanted)] == wanted
    assert command[-1].endswith(f"hard={hard}")
    assert found.revision == f"{found.weights.digest}+{found.adapters[0].digest}"


def test_transformers_are_asked_by_the_path_and_recorded_by_the_name(stand_ins: StandIns) -> None:
    found = plan(str(stand_ins.checkpoint), ServeTable(), place=PLACE, model="transformers:night")
    assert (found.ref.label, found.ref.asked_as) == ("transformers:night", str(stand_ins.checkpoint))


def test_a_server_of_the_users_own_serves_whatever_there_is(stand_ins: StandIns) -> None:
    table = ServeTable(command=("mine", "{path}", "--ctx={context}", "-p", "{port}", "{other}"), health="/ready")
    found = plan(str(stand_ins.checkpoint), table, place=PLACE)
    assert found.ref.label == "local:ward-7b"
    assert found.command(81) == ["mine", str(stand_ins.checkpoint), "--ctx=", "-p", "81", "{other}"]
    assert found.row["health"] == "/ready"


def test_equal_weights_are_one_revision_wherever_they_lie(stand_ins: StandIns, tmp_path: Any) -> None:
    other = tmp_path / "copy"
    other.mkdir()
    for file in stand_ins.checkpoint.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    first, second = (plan(str(path), ServeTable(), place=PLACE) for path in (stand_ins.checkpoint, other))
    assert first.revision == second.revision


@pytest.mark.parametrize(
    ("given", "model", "said"),
    [
        ("{0}", "vlm:x", "engine: unknown value 'vlm'. Did you mean 'vllm'"),
        ("{0}", "llamacpp:x", "llamacpp does not serve ward-7b. Engines for it: vllm, sglang, transformers"),
        ("{0}:{0}", None, "holds no adapter_config.json"),
        ("{0}:{1}", "transformers:x", "serves no adapters here. Merge the adapter"),
        ("local:smollm3", None, "unknown value 'local:smollm3'. Did you mean 'local:smollm2'"),
    ],
)
def test_what_nobody_could_serve_is_refused_before_anything_is_started(
    stand_ins: StandIns, given: str, model: str | None, said: str
) -> None:
    adapter = stand_ins.adapter("soft")
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")):
        plan(given.format(stand_ins.checkpoint, adapter), ServeTable(), place=PLACE, model=model)
    assert not stand_ins.started


def test_without_an_engine_the_ways_to_one_are_named(stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match=r"pip install vllm .* or \[serve\]|\[serve\] command of the thresholds"):
        plan(str(stand_ins.checkpoint), ServeTable(), place=PLACE)
