"""``--jmed-serve`` with llama.cpp itself, a tiny random model, and real LoRA adapters for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.config.serving import ServeTable
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.models import ChatRequest, Message, ModelRef, open_provider
from jmedethic_pytest.serving.plan import Plan, plan
from jmedethic_pytest.serving.server import Server
from support.project import make_case, make_project
from support.standin import alive

pytestmark = pytest.mark.real_server

TABLE = ServeTable(parallel=2, flags=("--threads", "1"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Any) -> Path:
    """A folder with a tiny model and two adapters, ``tiny.gguf``, ``soft.gguf`` and ``hard.gguf``."""
    folder = tmp_path_factory.mktemp("served")
    size = tiny_llama.write_model(folder / "tiny.gguf", [tiny_llama.some_text()])
    for seed, name in enumerate(("soft", "hard")):
        tiny_llama.write_adapter(folder / f"{name}.gguf", size, seed)
    return folder


def served(folder: Path, given: str, *adapters: str) -> Iterator[tuple[Server, Plan]]:
    found = plan(str(folder / given), TABLE, place="--jmed-serve", adapters=[str(folder / name) for name in adapters])
    server = Server(replace(found, context=512), folder / "server.log", folder / "kept.log")
    yield server, replace(found, address=server.address)
    server.stop()


def said(ref: ModelRef) -> str:
    """Return what a model answers, through the transport that a run uses."""

    async def ask() -> str:
        provider = open_provider(ref)
        try:
            question = ChatRequest((Message("user", "今日の天気は?"),), Sampling(max_tokens=12))
            return (await provider.chat(question, patient=False)).text
        finally:
            await provider.aclose()

    return asyncio.run(ask())


def test_an_adapter_changes_the_replies_and_leaves_the_base_as_it_is(tiny: Path) -> None:
    alone = [said(plan_.ref) for _, plan_ in served(tiny, "tiny.gguf")]
    for _, several in served(tiny, "tiny.gguf", "soft.gguf", "hard.gguf"):
        base, soft, hard = (said(several.answering(chosen).ref) for chosen in (None, 0, 1))
        assert [base] == alone
        assert len({base, soft, hard}) == 3
        assert said(several.ref) == base, "whoever was asked before changes nothing"
    given = f"tiny.gguf:{tiny / 'soft.gguf'}"
    assert [said(plan_.ref) for _, plan_ in served(tiny, given)] == [soft]
    assert not alive(tiny)


def test_a_run_needs_no_url_and_leaves_no_process(tiny: Path, tmp_path: Path) -> None:
    project = make_project(tmp_path, map(make_case, range(4)))
    project.write(
        "thresholds.toml",
        "schema_version = 1\n[target]\nmax_tokens = 64\nextra = { grammar = 'root ::= [a-z]{8}' }\n"
        "[serve]\nflags = ['--threads', '1']\n",
    )
    wanted = [f"--jmed-serve={tiny / 'tiny.gguf'}", "--jmed-judges=none", "--jmed-cases=cases.jsonl"]
    done = project.pytest(*wanted, "--jmed-locale=en", "--jmed-report=off", "-n", "2", model=None)
    assert done.status == 6, done.output
    info = done.read("run.json")
    assert (info["status"], info["calls"]["target llamacpp:tiny"]) == ("complete", 12)
    serving = info["target"]["serving"]
    assert (serving["engine"], serving["flags"]) == ("llamacpp", ["--threads", "1"])
    assert serving["version"]
    assert set(info["identity"]["served"]["target"]) == {"tiny"}
    assert not alive(tiny)


def test_a_file_that_llama_cpp_cannot_load_is_told_in_its_words(tiny: Path) -> None:
    (tiny / "torn.gguf").write_bytes((tiny / "tiny.gguf").read_bytes()[:50_000])
    with pytest.raises(ConfigError, match="while it started"):
        list(served(tiny, "torn.gguf"))
    assert not alive(tiny)
