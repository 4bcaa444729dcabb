"""The official data set from the Hugging Face hub, at a pinned commit."""

from __future__ import annotations

import re
from pathlib import Path

from jmedethic_pytest.cases.exchange.rows import suffixes
from jmedethic_pytest.core.errors import ConfigError

OFFICIAL = "humanalysis-square/JMedEthicBench"
_COMMIT = re.compile(r"[0-9a-f]{40}")


def download(repository: str, revision: str | None) -> Path:
    """Return the folder with the data files of a data set, from the local cache or the hub.

    ``HF_HUB_OFFLINE``, ``HF_HOME``, ``HF_ENDPOINT`` and ``HF_TOKEN`` mean what they mean to huggingface-hub.

    Args:
        repository: ``owner/name``.
        revision: the commit to read, 40 hexadecimal digits: a branch would be another data set next month.

    Raises:
        ConfigError: without a commit, without the library, or if the files cannot be had.
    """
    if revision is None or not _COMMIT.fullmatch(revision):
        given = "is missing" if revision is None else f"{revision!r} is not a commit"
        raise ConfigError(
            f"--revision: {given}: a download is pinned to a commit, 40 hexadecimal digits. Next: copy it from "
            f"https://huggingface.co/datasets/{repository}/commits/main."
        )
    try:
        import huggingface_hub
    except ImportError:
        raise ConfigError(
            "--format official: a download needs huggingface-hub. Next: pip install 'jmedethic-pytest[hf]', or give "
            "the path of a local copy instead."
        ) from None
    patterns = [f"*{suffix}" for suffix in suffixes()]
    try:
        folder = huggingface_hub.snapshot_download(
            repository, repo_type="dataset", revision=revision, allow_patterns=patterns
        )
    except Exception as error:  # noqa: BLE001 - network, access, cache: the library's own words say which
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ConfigError(
            f"{repository}@{revision}: cannot be downloaded: {first} Check the commit, your access to the data set "
            "(HF_TOKEN) and HF_HUB_OFFLINE, or give the path of a local copy instead."
        ) from None
    return Path(folder)
