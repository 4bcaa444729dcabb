"""The canary: a sentence with a GUID in every case, by which benchmark data is found where it must not be.

It stands in each case and not once in a file, so that it stays with what is cut out, merged, exported or stored with a
run. Models never see it, and it is no part of a case's digest.
"""

from __future__ import annotations

import uuid

from jmedethic_pytest.data import load


def sentence(guid: str) -> str:
    """Return the sentence with a GUID."""
    return str(load("canary.toml")["sentence"]).format(guid=guid)


def ours() -> str:
    """Return the sentence of the conversations that come with the package."""
    return sentence(load("canary.toml")["guid"])


def of_a_build(name: str, digest: str) -> str:
    """Return the sentence of a benchmark that was built: its GUID is that of its content, so that it is no other's.

    Args:
        name: of the benchmark, or of the stage whose file it marks.
        digest: over what it was made of.
    """
    return sentence(str(uuid.uuid5(uuid.UUID(load("canary.toml")["guid"]), f"{name}:{digest}")))
