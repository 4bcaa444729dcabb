"""What a sweep.toml may say; everything that is wrong is named before anything is begun."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.launch import sweep_file


def one(**fields: object) -> str:
    lines = {"name": "'a'", "model": "'demo:aligned'", **fields}
    return "[[models]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items() if value is not None)


def test_what_is_left_out_has_a_default(write_sweep: Callable[..., Path]) -> None:
    sweep = sweep_file.load(write_sweep())
    assert (sweep.name, sweep.suites, sweep.locales, sweep.shards) == ("sweep", ("core",), ("ja",), 1)


@pytest.mark.parametrize(
    ("before", "models", "said"),
    [
        ("shards = 0", one(), "shards"),
        ("locales = ['fr']", one(), "'fr' is no language"),
        ("suites = ['core', 'core']", one(), "suite 'core' is there twice"),
        ("", one() + one(), "model 'a' is there twice"),
        ("", one(name="'../a'"), "letters, digits"),
        ("", one(base="'a'"), "is no other model"),
        ("", one(model=None), "say 'model', PROVIDER:NAME, or 'serve'"),
        ("", one(args="['--conurrency=3']"), "Did you mean '--concurrency'"),
        ("", one(args="['--concurrency=many']"), "give a whole number"),
        ("", one(args="['--concurrency']"), "--concurrency needs a value: --concurrency=N"),
        ("", one(args="['--shared=yes']"), "--shared takes no value"),
        ("", one(args="['--shard=1/2']"), "--shard: say it by 'shards'"),
        ("", one(args="['--adapters=x']"), "--adapters: say it by 'adapters'"),
        ("", one(args="['--redact']"), "nobody can judge replies whose texts are gone"),
        ("judge_args = ['--suite=core']", one(), "judge_args: unknown value '--suite=core'"),
        ("judge_args = ['--reports=x']", one(), "--reports: say it by 'reports'"),
        ("", one(base_url="'http://me:s3cret-word@host/v1'"), "Keys belong into the environment"),
        ("", one(gpus="-1"), "gpus"),
        ("", one(adapters="['x']"), "adapters mean nothing without 'serve'"),
        ("", one(serve="'x.gguf'", base_url="'http://host/v1'"), "starts a server of its own"),
        ("", one(serve="'x.gguf'", adapters="['a/x.gguf', 'b/x.gguf']"), "model 'a+x' is there twice"),
        ("[kubernetes]\nimage = 'x'\nclaim = 'Big Claim'", one(), "as Kubernetes has it"),
        ("", one(card="1"), "unknown field 'models.0.card'"),
    ],
)
def test_what_cannot_be_meant_is_refused(before: str, models: str, said: str, write_sweep: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError) as refused:
        sweep_file.load(write_sweep(before, models=models))
    assert said in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_every_adapter_is_one_more_model_that_is_compared_with_its_base(write_sweep: Callable[..., Path]) -> None:
    text = one(model=None, serve="'out/ward'", adapters="['lora/soft', 'lora/hard.gguf']", gpus="1")
    sweep = sweep_file.load(write_sweep(models=text))
    assert [(item.name, item.base, item.serve, item.gpus) for item in sweep.models] == [
        ("a", None, "out/ward", 1),
        ("a+soft", "a", "out/ward:lora/soft", 1),
        ("a+hard", "a", "out/ward:lora/hard.gguf", 1),
    ]
    assert sweep_file.of_run(sweep, sweep.models[1]) == ["--serve=out/ward:lora/soft"]


def test_options_stand_in_one_word_or_in_two(write_sweep: Callable[..., Path]) -> None:
    text = one(args="['--concurrency', '3', '--shared', '--sample=5']")
    sweep = sweep_file.load(write_sweep(models=text))
    assert sweep_file.of_run(sweep, sweep.models[0]) == [
        "--model=demo:aligned",
        *("--concurrency", "3", "--shared", "--sample=5"),
    ]
