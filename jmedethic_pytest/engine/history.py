"""What stands in the history of a conversation, and whether the target read it.

Some servers cut a prompt silently to what their context holds.
"""

from __future__ import annotations

from collections.abc import Sequence

from jmedethic_pytest.core.records import Case, Reply

_CHARACTERS_A_TOKEN = 16
"""More characters than any tokenizer puts into a token on average, in any language."""


def standing(case: Case, replies: Sequence[Reply], history: str) -> list[str]:
    """Return what stands in the history, for target and judges alike, in place of the replies so far.

    Args:
        case: whose conversation it is.
        replies: the target's own.
        history: ``own`` or ``reference`` (``[target] history``).
    """
    return [reply.text for reply in replies] if history == "own" else list(case.reference[: len(replies)])


def unread(earlier: Sequence[Reply], added: str, reply: Reply) -> str | None:
    """Return in words why the history of a reply cannot have been read whole, ``None`` if nothing says so.

    The prompt of a turn holds that of the turn before, the reply to it and the next message; so the tokens that the
    server counts must grow by what was added. A server that counts the same for every prompt counts nothing.

    Args:
        earlier: the replies before, in order, with the tokens of their prompts.
        added: what the prompt holds beyond the last one's: the reply before, and the user's message.
        reply: the reply to this prompt.
    """
    counts = [item.usage.input for item in earlier]
    now = reply.usage.input
    if not counts or now is None or None in counts:
        return None
    known = [count for count in counts if count is not None]
    if len({*known, now}) == 1 or now >= known[-1] + len(added) // _CHARACTERS_A_TOKEN:
        return None
    return (
        f"the server read only {now:,} tokens of the prompt, after {known[-1]:,} of the turn before: it cut the "
        "history. Raise its context length (Ollama: num_ctx), or use shorter conversations"
    )
