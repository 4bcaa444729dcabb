"""The hooks this plugin calls; implement them in the ``conftest.py`` of the project's root, or in a plugin.

Both are called in the process that owns the run (with ``-n`` the controller, which reads no ``conftest.py`` below the
root). Neither can change a verdict: what they are given are copies, and the gate reads what is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from jmedethic_pytest.core.labels import Labelled
    from jmedethic_pytest.core.records import Verdict


@pytest.hookspec
def pytest_jmed_modify_cases(config: pytest.Config, cases: list[Labelled]) -> None:
    """Drop or reorder the selected cases, in place, before the run is planned; none can be added or changed.

    What was dropped is named in the header, in ``run.json`` and in the note of the results.

    Args:
        config: pytest's.
        cases: the selected cases without their texts: ``id``, ``stem``, ``locale``, ``guideline``, ``strategy``,
            ``suites``, ``twin_of``.
    """


@pytest.hookspec
def pytest_jmed_verdict(config: pytest.Config, verdict: Verdict) -> None:
    """Be told of a verdict of the run, once, after it is stored.

    An error in here is shown and fails the session (exit status 1); it does not change the gate's answer.

    Args:
        config: pytest's.
        verdict: a copy of its own.
    """
