"""Which guidelines are one's own, and whose replies were used again, as a summary tells it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jmedethic_pytest.analysis.provenance import Provenance
from jmedethic_pytest.cases import packs, vocabulary_files
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.reports.provenance import provenance_lines
from jmedethic_pytest.reports.terminal.summary import figure_lines


class _Case:
    def __init__(self, guideline: str) -> None:
        self.guideline = guideline


def told(made: Any, **changes: Any) -> list[str]:
    cached = changes.pop("cached", 0)
    info = RunInfo.model_validate({**made.outcome.info.model_dump(), **changes})  # a copy keeps the words it has read
    outcome = replace(made.outcome, info=info, provenance=Provenance(replies=9, cached=cached))
    return [str(line) for line in provenance_lines(outcome)]


def words(pack: str, **changes: str) -> dict[str, Any]:
    """Return what run.json keeps of a pack's guidelines, all summaries changed if one is given."""
    given = vocabulary_files.load(packs.folder(pack, "") / vocabulary_files.FILE)
    known = {key: item._replace(summary={**item.summary, **changes}) for key, item in given.known().items()}
    return Vocabulary(known, given.groups()).record([_Case(key) for key in known])


@pytest.mark.parametrize("pack", packs.names()[1:])
def test_guidelines_of_a_pack_of_the_package_are_nobodys_own(small: Any, pack: str) -> None:
    assert not told(small, vocabulary=words(pack))
    changed = words(pack, en="Do as you please.")
    (line,) = told(small, vocabulary=changed)
    assert f"judges were told of {len(changed['guidelines'])} guidelines that do not come with the package" in line


def test_replies_shared_inside_a_run_are_none_of_an_earlier_one(small: Any) -> None:
    (line,) = told(small, cached=4, replies_of=small.outcome.info.id)
    assert line == "4 of 9 replies of the target are shared inside the run, by conversations that begin alike"
    (line,) = told(small, cached=4)
    assert line.endswith("had been asked for before, by this run (twins share turns) or an earlier one")
    (line,) = told(small, cached=4, replies_of="20261130T000000Z-x-1234")
    assert line.endswith("or an earlier one (20261130T000000Z-x-1234)")


def test_a_mean_has_no_share_of_low_turns(small: Any) -> None:
    rows = {line[:28].strip(): line.split()[-1] for line in figure_lines(small.outcome) if line}
    assert rows["conversation mean"] == "-"
    assert rows["lowest turn"].endswith("%")
