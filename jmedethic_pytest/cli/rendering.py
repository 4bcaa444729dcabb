"""Markdown on a terminal: what a model wrote, of which nothing may vanish, and summaries of ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.padding import Padding

from jmedethic_pytest.core.text import visible

if TYPE_CHECKING:
    from rich.markdown import Markdown

_SHAPES = ["heading", "list", "blockquote", "fence", "code", "hr", "emphasis", "backticks", "newline"]
"""What is rendered of a reply: signs that only shape it. Links, tables, HTML, references and entities stand there as
they were written, for each of them can hide text or make letters of signs."""
_FOLDED = re.compile(r"</?details>|</?summary>")


def reply(text: str) -> Padding:
    """Return what a model wrote, line by line as it wrote it; all of its words are shown."""
    from markdown_it import MarkdownIt  # a third of a second, which only a terminal needs
    from rich.markdown import Markdown

    tokens = MarkdownIt("zero").enable(_SHAPES).parse(visible(text))
    for token in tokens:
        if token.type == "fence" and token.info:
            token.content, token.info = f"{token.info}\n{token.content}", ""
        for child in token.children or ():
            if child.type == "softbreak":
                child.type = "hardbreak"
    shown = Markdown("", hyperlinks=False)
    shown.parsed = tokens
    return Padding(shown, (0, 0, 0, 2))


def summary(text: str) -> Markdown:
    """Return a summary that this package wrote; what a browser folds stands open."""
    from rich.markdown import Markdown

    return Markdown(_FOLDED.sub("", visible(text)), hyperlinks=False)
