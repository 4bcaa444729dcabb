"""Parts of pages that ask nothing of any network: one script that may run, and data that cannot become one."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from typing import Any


def compact(value: Any) -> str:
    """Return JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def embedded(value: Any) -> str:
    """Return JSON that can end neither its element nor a line of script; in its strings the escapes mean the same."""
    return compact(value).translate({ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"})


def script(parts: Iterable[str]) -> str:
    """Return one script of these parts, whose names nobody outside it sees."""
    body = "\n".join(parts)
    return f'"use strict";\n(() => {{\n{body}\n}})();\n'


def script_digest(text: str) -> str:
    """Return what a content security policy calls a script: its sha256 in base64."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
