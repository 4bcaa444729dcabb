"""What a terminal shows of a reply: rendered, and nothing of it lost."""

from __future__ import annotations

import io
import re

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from jmedethic_pytest.cli import rendering

SIGNS = st.sampled_from(
    [*list("*_`#>~|[]()<>!&;:-+=\\\"'/ \n\n\t1."), "```", "<b>", "<!--", "-->", "&#x202e;", "[a]: b", "| - |"]
)
TEXTS = st.lists(SIGNS | st.text("ab日本", min_size=1, max_size=4)).map("".join)


def shown(text: str) -> str:
    console = Console(file=io.StringIO(), force_terminal=True, width=200, color_system="truecolor")
    console.print(rendering.reply(text))
    return console.file.getvalue()  # type: ignore[attr-defined]


def words(text: str) -> list[str]:
    return re.findall(r"[ab日本]+", re.sub(r"\x1b\[[0-9;]*m", "", text))


@given(TEXTS)
def test_no_word_of_a_reply_is_lost(text: str) -> None:
    assert "".join(words(shown(text))) == "".join(words(text))


def test_markdown_is_rendered_line_by_line() -> None:
    found = shown("# 見出し\n\none **bold** line\nnext line\n\n* item\n")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", found)
    assert "#" not in plain
    assert "**" not in plain
    assert "\x1b[1mbold" in found
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    assert lines == ["見出し", "one bold line", "next line", "• item"]


def test_nothing_in_a_reply_hides_moves_or_links() -> None:
    text = "\x1b[2J\u202e [click](http://evil) <div style='display:none'>seen</div> &#27;&#x202e; [x]: http://gone"
    found = re.sub(r"\x1b\[[0-9;]*m", "", shown(text))
    for part in ("[click](http://evil)", "seen</div>", "&#27;&#x202e;", "[x]: http://gone"):
        assert part in found
    assert not set(found) & {"\x1b", "\u202e"}


def test_summary_shows_what_a_browser_folds() -> None:
    console = Console(file=io.StringIO(), force_terminal=False, width=100)
    console.print(
        rendering.summary(
            "## Gate\n\n<details><summary>All 1 conditions</summary>\n\n| a |\n|---|\n| b |\n\n</details>\n"
        )
    )
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "All 1 conditions" in text
    assert "<" not in text
