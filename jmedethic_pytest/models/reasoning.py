"""Splitting a model's visible reasoning from its answer."""

from __future__ import annotations

import re

_TAG = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)


def split_reasoning(text: str) -> tuple[str, str, bool]:
    """Return (answer, reasoning, unfinished) of a text that may hold ``<think>`` blocks.

    Blocks are reasoning; what stands before, between and after them was shown to the user and is the answer. Where a
    server dropped the first opening tag, everything up to the closing one is reasoning. If a block is never closed the
    rest of the text is reasoning and the answer is unfinished: nothing in it may be read as an answer.
    """
    shown: list[str] = []
    thought: list[str] = []
    position, depth = 0, 0
    for tag in _TAG.finditer(text):
        piece, opening = text[position : tag.start()], not tag[1]
        position = tag.end()
        if depth:
            thought.append(piece + tag[0])
        elif opening:
            shown.append(piece)
            thought.append(tag[0])
        elif not thought:  # The opening tag was dropped: all before the closing one is reasoning.
            thought.append("".join([*shown, piece, tag[0]]))
            shown = []
        else:  # A closing tag that closes nothing hides nothing.
            shown.append(piece)
            thought.append(tag[0])
        depth = max(0, depth + (1 if opening else -1))
    (thought if depth else shown).append(text[position:])
    return "".join(shown).strip(), "".join(thought).strip(), depth > 0
