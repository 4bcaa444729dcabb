"""``jmedethic judges link``: six stored runs in, a link that the gate can use, or words why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.run.redaction import redact
from jmedethic_pytest.store import judge_files, links
from support.judged_runs import NEW, OLD, judged, make_link, store

MODELS = {"vllm:release": 0.0, "vllm:better": 0.35, "vllm:worse": -0.35}
COUNT = 134


@lru_cache
def truth(model: str) -> Any:
    """Return what replies are worth: a good half, and every kind of bad one, by conversation and turn."""
    random = np.random.default_rng(sorted(MODELS).index(model))
    level = np.array([9.0, 8.5, 7.5, 6.0, 4.5, 2.5, 1.5])[np.arange(COUNT) % 7]
    values = level[:, None] + np.array([0.5, 0.0, -0.5]) + random.normal(0, 0.6, (COUNT, 3)) + MODELS[model]
    return np.clip(values, 1, 10)


def by(model: str, stretch: float, noise: int) -> Callable[[int, int, int], float]:
    random = np.random.default_rng(noise).normal(0, 0.4, (COUNT, 3, 2))

    def score(number: int, turn: int, judge: int) -> float:
        value = 7 + stretch * (truth(model)[number, turn] - 7) + random[number, turn, judge]
        return float(np.clip(np.round(2 * value) / 2, 1, 10))

    return score


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("linked") / "reports"
    for place, model in enumerate(MODELS):
        old = [judged(number, by(model, 1.0, place), OLD) for number in range(COUNT)]
        new = [judged(number, by(model, 0.8, 10 + place), NEW) for number in range(COUNT)]
        store(folder, f"old-{place}", model, old, OLD)
        store(folder, f"new-{place}", model, new, NEW)
    store(folder, "redacted", "vllm:release", map(redact, old), OLD)
    return folder


RUNS = ("old-0", "new-0", "old-1", "new-1", "old-2", "new-2")


def test_a_link_carries_floors_from_panel_to_panel(in_process: Callable[..., Any], reports: Path) -> None:
    done = in_process("judges", "link", *RUNS, "--name", "ours-2", "--reports", reports)
    assert done.status == 0, done.out + done.err
    found = links.read(links.find(reports, "ours-2"))
    assert found.refusals == ()
    assert found.sd_old / found.sd_new == pytest.approx(1 / 0.8, rel=0.1)
    assert found.floors["6"] == pytest.approx(7 + 0.8 * (6 - 7), abs=0.15)
    assert found.unit.value == pytest.approx(0.8, abs=0.15)
    assert sum(band.drawn for band in found.bands) == 3 * COUNT
    assert (found.old.judges, found.new.judges) == (OLD, NEW)
    assert '[gate] link = "ours-2"' in done.out
    assert "the old floor 6 is" in done.out
    again = in_process("judges", "link", *RUNS, "--name", "ours-2", "--reports", reports)
    assert again.status == 4
    assert "--force" in again.err
    drawn = in_process("judges", "link", *RUNS, "--sample", 120, "--force", "--json", "--reports", reports)
    few = json.loads(drawn.out)
    drawn_of, pool = ([band[what] for band in few["bands"]] for what in ("drawn", "pool"))
    assert sum(drawn_of) == 120
    assert all(own in (there, max(drawn_of), max(drawn_of) - 1) for own, there in zip(drawn_of, pool, strict=True))
    assert few["floors"]["6"] == pytest.approx(found.floors["6"], abs=0.2)


@pytest.mark.parametrize(
    ("runs", "status", "words"),
    [
        (("old-0", "new-0"), 4, "pairs of at least 3 models"),
        (("old-0", "new-0", "old-0", "new-0", "old-1", "new-1"), 4, "2 models"),
        (("old-0", "old-0", "old-1", "old-1", "old-2", "old-2"), 4, "nothing to link"),
        (("old-0", "new-1", "old-1", "new-1", "old-2", "old-0"), 4, "another panel"),
        (("redacted", "new-0", "old-1", "new-1", "old-2", "new-2"), 6, "hold digests in the place of texts (--redact)"),
        (("nowhere", "new-0", "old-1", "new-1", "old-2", "new-2"), 6, "is no stored run"),
    ],
)
def test_runs_that_link_nothing_are_refused_in_words(
    in_process: Callable[..., Any], reports: Path, runs: tuple[str, ...], status: int, words: str
) -> None:
    done = in_process("judges", "link", *runs, "--name", "none", "--reports", reports)
    assert (done.status, done.out) == (status, "")
    assert words in done.err
    assert not links.find(reports, "none").exists()


def test_transcripts_that_differ_are_named(in_process: Callable[..., Any], reports: Path) -> None:
    other = [judged(number, by("vllm:release", 0.8, 99), NEW, text="another") for number in range(COUNT)]
    store(reports, "edited", "vllm:release", other, NEW)
    done = in_process("judges", "link", "old-0", "edited", *RUNS[2:], "--name", "none", "--reports", reports)
    assert done.status == 4
    assert "ja-case-0000" in done.err
    assert "jmedethic rejudge old-0" in done.err


def test_a_panel_that_orders_replies_otherwise_is_refused(in_process: Callable[..., Any], reports: Path) -> None:
    for place, model in enumerate(MODELS):
        blind = [judged(number, by(model, 0.0, 50 + place), NEW) for number in range(COUNT)]
        store(reports, f"blind-{place}", model, blind, NEW)
    runs = [name for place in range(3) for name in (f"old-{place}", f"blind-{place}")]
    done = in_process("judges", "link", *runs, "--name", "blind", "--reports", reports)
    assert done.status == 6
    assert "REFUSED" in done.out
    assert "order replies differently" in done.out
    assert links.read(links.find(reports, "blind")).refusals


def test_a_grid_out_of_order_is_no_link() -> None:
    grid = list(make_link().grid)
    with pytest.raises(ValueError, match="half points of the scale"):
        make_link(grid=(*grid[:3], grid[4], grid[3], *grid[5:]))


@pytest.mark.parametrize("damage", ["cut", "unknown", "newer", "twice", "nan", "gone", "edited", "unsealed"])
def test_a_damaged_link_is_no_link(tmp_path: Path, damage: str) -> None:
    content = json.dumps(judge_files.seal(make_link()), indent=1)
    changed = {
        "cut": content[: len(content) // 2],
        "unknown": content.replace('"seed"', '"seeds"', 1),
        "newer": content.replace('"schema_version": 1', '"schema_version": 2', 1),
        "twice": content.replace('"seed": 0', '"seed": 0, "seed": 1', 1),
        "edited": content.replace('"seed": 0', '"seed": 1', 1),
        "unsealed": make_link().model_dump_json(),
        "nan": content.replace('"sd_new": ', '"sd_new": NaN, "x": ', 1),
    }
    path = tmp_path / "link.json"
    if damage != "gone":
        assert changed[damage] != content
        path.write_text(changed[damage], encoding="utf-8")
    with pytest.raises(StoreError) as error:
        links.read(path)
    assert str(path) in str(error.value)
    assert "newer version" in str(error.value) if damage == "newer" else "jmedethic judges link" in str(error.value)
    assert judge_files.SCHEMA == 1
