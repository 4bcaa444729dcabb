"""Calls in flight are bounded by the files a process may open."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

_CODE = """
import json, resource, sys
from jmedethic_pytest.models.descriptors import ceiling
soft, hard, wanted, clients = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(json.dumps([*ceiling(wanted, clients), resource.getrlimit(resource.RLIMIT_NOFILE)[0]]))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "bounded", "raised"),
    [(256, 1024, 32, False, False), (256, 1024, 200, False, True), (256, 256, 96, True, False)],
)
def test_limit_is_raised_where_allowed_and_kept_otherwise(
    soft: int, hard: int, wanted: int, bounded: bool, raised: bool
) -> None:
    command = [sys.executable, "-c", _CODE, *map(str, (soft, hard, wanted, 3))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    most, note, limit = json.loads(done.stdout)
    assert (most < wanted) is bounded
    assert most >= 1
    assert (limit > soft) is raised
    assert limit <= hard
    assert ("ulimit -n" in note) is bounded
    assert 3 * most < limit
