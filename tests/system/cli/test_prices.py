"""``jmedethic prices``: the table, its date, and what a thresholds file states otherwise."""

from __future__ import annotations

import json
from pathlib import Path

STATED = """schema_version = 1
[prices."openai:gpt-4o-mini"]
input = 0.2
output = 0.6
[prices."mine:x"]
input = 1.0
output = 2.0
cached = 0.1
"""


def test_table_is_shown_with_its_date_and_stated_prices_are_compared(cli, folder: Path) -> None:
    shown = cli("prices")
    assert shown.status == 0
    assert "prices as of 20" in shown.out
    assert "openai:gpt-4o-mini*" in shown.out
    assert cli("prices", "--check").status == 0
    (folder / "thresholds.toml").write_text(STATED)
    assert "1 in, 0.1 from the prompt cache, 2 out   (stated in the thresholds file)" in cli("prices").out
    checked = cli("prices", "--check")
    assert checked.status == 1
    assert '[prices."openai:gpt-4o-mini"] input = 0.2, but 0.15 in the table of 20' in checked.out
    assert "mine:x" not in checked.out.splitlines()[-1]
    found = json.loads(cli("prices", "--check", "--json").out)
    assert len(found["differing"]) == 1
    assert found["prices"]["mine:x"] == {"input": 1.0, "output": 2.0, "cached": 0.1}
