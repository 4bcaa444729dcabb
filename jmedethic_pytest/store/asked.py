"""What a run asked of its models, as far as a run that it is compared with must have asked the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.secrets import Secrets, in_parameters

TARGET_KEYS = ("temperature", "top_p", "max_tokens", "extra", "system", "history", "blocked_is_refusal")
"""What two runs must ask of their targets alike; the model and its address may differ."""
JUDGING_KEYS = ("temperature", "top_p", "max_tokens", "extra", "models", "allow_single")
"""What two runs must ask of their judges alike."""
DECIDING = ("conversation", "gate", "policy")
"""Tables of the thresholds file that decide what scores come to."""
ATTACKING_KEYS = ("temperature", "top_p", "max_tokens", "extra", "send_seed")
"""What two runs must ask of their attackers alike."""
_PRIVATE = ("system", "extra", "models")
"""A product's own texts and addresses have no place in a file to be committed."""


def of_target(info: RunInfo) -> dict[str, Any]:
    """Return how the target was called; of the system prompt and vendor parameters only the digest."""
    return _parameters(info.target, TARGET_KEYS)


def of_server(info: RunInfo) -> dict[str, Any] | None:
    """Return which server the run started for its target, ``None`` if it started none; of its flags only the digest."""
    found = info.target.get("serving")
    if not found:
        return None
    flags = hashlib.sha256(json.dumps(found["flags"]).encode()).hexdigest()[:16] if found["flags"] else "none"
    return {"engine": found["engine"], "version": found["version"], "weights": found["weights"], "flags": flags}


def of_judges(info: RunInfo) -> dict[str, Any]:
    """Return how the judges of a run were called; what the settings say of others is of no matter."""
    third = info.third["model"] if info.third is not None else None
    return of_panel(info.thresholds.get("judges", {}), [judge["model"] for judge in info.judges], third)


def of_panel(table: Mapping[str, Any], asked: Sequence[str], third: str | None) -> dict[str, Any]:
    """Return how judges are called by ``[judges]`` of a thresholds file.

    Args:
        table: that table.
        asked: their names.
        third: that of the third judge, if there is one; it and the distance it is asked at then belong to the panel.
    """
    own = {name: given for name, given in table.get("models", {}).items() if name in (*asked, third)}
    found = _parameters({**table, "models": own or None}, JUDGING_KEYS)
    return found if third is None else {**found, "third": f"{third} beyond {table.get('contested', 3.0):g} points"}


def of_attacker(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return how an attacker is called by ``[attacker]`` of a thresholds file."""
    return _parameters(table, ATTACKING_KEYS)


def _parameters(given: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    found = {key: given.get(key) for key in keys}
    for key in _PRIVATE:
        if found.get(key):
            text = Secrets((), in_parameters(found[key])).hide(json.dumps(found[key], sort_keys=True))
            found[key] = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return found
