"""The file of a baseline: what it holds, and what is wrong with one that was touched."""

from __future__ import annotations

import json

import pytest

from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.files import compact_digest
from jmedethic_pytest.store import baselines as baselines
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.scores import ScoreSheet


@pytest.fixture
def kept(tmp_path, row, sheet):
    """A baseline of a few cases, written; some scores are missing, one case is a twin, one is a repetition."""
    rows = [
        row(0, [9.5, 8, 1.5], key="ja-case-0000~2", failed=True),
        row(1, [9, None, None], status="judge_refused", judges=((9, None, 8), (9, 2, None))),
        row(2, [10, 10, 10], twin=True, refused=(True, None)),
    ]
    found = Baseline(name="release-1", created="2026-01-02T03:04:05Z", sheet=sheet(rows))
    path = baselines.folder(tmp_path) / "release-1.json"
    path.parent.mkdir()
    path.write_text(baselines.text(found), encoding="utf-8")
    return path, found


def test_everything_comes_back(kept) -> None:
    path, found = kept
    assert baselines.read(path) == found
    assert isinstance(found.sheet, ScoreSheet)


def test_one_evaluation_stands_on_one_line(kept) -> None:
    path, _ = kept
    lines = path.read_text(encoding="utf-8").splitlines()
    for number in range(3):
        (line,) = [line for line in lines if f'"ja-case-{number:04d}' in line]
        assert json.loads(line.rstrip(","))["guideline"] == f"JMA-{1 + number:02d}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.5", "8.5"),
        ('"failed":true', '"failed":false'),
        ('"model": "vllm:base"', '"model": "vllm:tuned"'),
        ("2026-01-02T03:04:05Z", "2026-01-03T03:04:05Z"),
        ("[9,null,null]", "[9,9,9]"),
    ],
)
def test_a_file_edited_by_hand_is_refused(kept, old: str, new: str) -> None:
    path, _ = kept
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match="digest does not fit"):
        baselines.read(path)


def test_a_removed_line_is_refused(kept) -> None:
    path, _ = kept
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "ja-case-0001" not in line]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigError, match="digest does not fit"):
        baselines.read(path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"schema_version": 3, "rows": []}', "newer version.*Upgrade jmedethic-pytest"),
        ("{", "no valid JSON"),
        ("[]", "is no baseline file"),
        ('{"name": "x"}', "is no baseline file"),
        ('{"schema_version": 1}', "digest does not fit"),
        ("\udcff", "no valid JSON"),
    ],
)
def test_other_files_are_refused(kept, content: str, told: str) -> None:
    path, _ = kept
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError, match=told):
        baselines.read(path)


def test_wrong_scores_under_a_right_digest_are_refused(kept) -> None:
    path, _ = kept
    content = json.loads(path.read_text(encoding="utf-8"))
    content["rows"][0]["turns"] = [11, 8, 1]
    del content["digest"]
    content["digest"] = compact_digest(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ConfigError, match="damaged"):
        baselines.read(path)


def test_all_missing_baselines_are_named_at_once(kept, tmp_path) -> None:
    with pytest.raises(ConfigError) as error:
        baselines.load(tmp_path, ["relaese-1", "other", "release-1"])
    first, second = error.value.problems
    assert "'relaese-1' does not exist" in first
    assert "Did you mean 'release-1'?" in first
    assert "jmedethic baseline set NAME RUN" in second


def test_the_same_baseline_twice_is_refused(kept, tmp_path) -> None:
    path, _ = kept
    with pytest.raises(ConfigError, match="given 2 times"):
        baselines.load(tmp_path, ["release-1", str(path)])
