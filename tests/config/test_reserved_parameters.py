"""``extra`` passes vendor parameters on; what decides who answers, and what, is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.config.sampling import RESERVED
from jmedethic_pytest.config.tables import Thresholds, load
from jmedethic_pytest.core.errors import ConfigError


@pytest.mark.parametrize("table", ["target", "judges"])
@pytest.mark.parametrize("name", [*RESERVED, "Model", " messages "])
def test_reserved_name_is_an_error(table: str, name: str) -> None:
    with pytest.raises(ValueError, match=name.strip()):
        Thresholds.model_validate({"schema_version": 1, table: {"extra": {name: "x"}}})


def test_vendor_parameters_pass() -> None:
    extra = {"seed": 1, "chat_template_kwargs": {"enable_thinking": False}, "provider": {"order": ["x"]}}
    assert Thresholds.model_validate({"schema_version": 1, "target": {"extra": extra}}).target.extra == extra


def test_command_names_file_key_and_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_process: Callable[..., Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "thresholds.toml").write_text('schema_version = 1\n[target]\nextra = { model = "safe-base" }\n')
    done = in_process("run", "--model=demo:eroding", "--sample=2")
    assert done.status == 4
    assert all(word in done.err for word in ("thresholds.toml", "target.extra", "'model'", "--model"))
    assert not (tmp_path / "reports" / "runs").exists()


@pytest.mark.parametrize("value", ["2020-01-01", "nan", "{ a = [inf] }", "12:00:00"])
def test_what_json_cannot_carry_is_no_parameter(tmp_path: Path, value: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(f"schema_version = 1\n[judges]\nextra = {{ x = {value} }}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"judges\.extra.*cannot be sent as JSON"):
        load(path, tmp_path)


def test_many_problems_are_counted_not_told(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text("schema_version = 1\n" + "".join(f"k{n} = 1\n" for n in range(60)), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, tmp_path)
    assert len(caught.value.problems) == 51
    assert caught.value.problems[-1].endswith("... and 10 more problems.")
