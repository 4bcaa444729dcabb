"""What the documentation shows is run, and what it links to exists."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from jmedethic_pytest.cases.exchange.mapping import Mapping
from jmedethic_pytest.cases.vocabulary_files import Pack, load_strategies
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.records import Case
from jmedethic_pytest.generation.machinery import config as generation
from jmedethic_pytest.launch import sweep_file
from support import demo_chain as chain
from support import forked, warmed
from support.project import QUICK

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("benchmark_cases", "docs", "examples")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
PAGES = [
    page for page in PAGES if page.parent.name != "site"
]  # front pages stand elsewhere; building the site checks them
JAPANESE = [page for page in PAGES if page.name.endswith(".ja.md")]
_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[tuple[str, str]]:
    """Return (page and position, dedented text) of every code block in a language."""
    found = []
    for page in PAGES:
        for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
            if match[2] == language:
                lines = [line.removeprefix(match[1]) for line in match[3].splitlines()]
                found.append((f"{page.relative_to(ROOT)}@{match.start()}", "\n".join(lines)))
    return found


def consoles() -> list[tuple[str, str]]:
    """Return the console blocks joined by page: later commands may use what earlier ones made."""
    pages: dict[str, list[str]] = {}
    for place, text in blocks("console"):
        pages.setdefault(place.split("@")[0], []).append(text)
    return [(page, "\n".join(texts)) for page, texts in pages.items()]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder like a checkout, so that nothing is written into this one."""
    for name in ("pyproject.toml", "conftest.py", "thresholds.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("policy.toml", "robustness.toml"):
        shutil.copy(ROOT / "docs" / "ci" / name, tmp_path)
    shown = (text for place, text in blocks("toml") if "how-to/sweep.md" in place)
    (tmp_path / "sweep.toml").write_text(next(shown), encoding="utf-8")
    (tmp_path / "benchmark_cases").mkdir()
    shutil.copy(ROOT / "benchmark_cases" / "test_conversations.py", tmp_path / "benchmark_cases")
    warmed.lay(tmp_path / ".tools")
    return tmp_path


def run(command: str, folder: Path) -> tuple[int, str]:
    """Run a command of an example; return its exit status and all it printed."""
    program, *arguments = shlex.split(command)
    assert program in ("pytest", "jmedethic"), f"an example is a call of pytest or jmedethic, not {command!r}"
    # No example shows what is in report.html, and drawing it takes longer than the rest of a run.
    if program == "jmedethic" and arguments[:1] in (["run"], ["attack"]):
        arguments.append("--report=off")
    environment = {**os.environ, "COLUMNS": "120", "PYTEST_ADDOPTS": " ".join(("--jmed-report=off", *QUICK))}
    environment[forked.PYTHON] = str(folder / ".tools" / "python")  # of what a command starts in its turn
    kept = {name: value for name, value in environment.items() if not name.startswith(("GITHUB_", "GITLAB_"))}
    output = folder.with_suffix(".output")
    process = forked.start(program, arguments, folder=folder, environment=kept, output=output)
    process.join()
    assert process.exitcode is not None
    return process.exitcode, output.read_text(encoding="utf-8")


def _status(shown: list[str]) -> int:
    """Return the exit status that goes with what a command shows."""
    answers = {line.split(":")[1].strip() for line in shown if line.startswith("GATE: ")}
    return 1 if "FAIL" in answers else 6 if "INCONCLUSIVE" in answers else 0


def _parts(text: str) -> list[str]:
    """Return the commands of a page, each with what it prints."""
    return re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]


FIRST = Counter(_parts(text)[0].splitlines()[0] for _, text in consoles() if "$ " in text)
"""The commands that pages begin with; a run that several of them begin with is made once."""


@pytest.fixture
def begin(once: Callable[..., Any], checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Run the first command of a page, or bring its checkout to where another process has left one."""

    def make(command: str) -> tuple[int, str, Path]:
        left = tmp_path_factory.mktemp("begun") / "checkout"
        shutil.copytree(checkout, left)
        return *run(command, left), left

    def bring(command: str) -> tuple[int, str]:
        if FIRST[command] == 1:
            return run(command, checkout)
        name = f"console-{hashlib.sha256(command.encode()).hexdigest()[:16]}"
        status, output, left = once(name, lambda: make(command))
        shutil.copytree(left, checkout, symlinks=True, dirs_exist_ok=True)
        return status, output

    return bring


@pytest.mark.parametrize(("page", "text"), consoles(), ids=lambda value: value if value.endswith(".md") else "")
def test_console_examples_print_what_they_show(
    page: str, text: str, checkout: Path, begin: Callable[[str], tuple[int, str]], demo_chain: Callable[[], Path]
) -> None:
    assert "$ " in text
    for number, part in enumerate(_parts(text)):
        command, *expected = part.splitlines()
        if command == chain.COMMAND:
            status, output = 0, (demo_chain() / "output.txt").read_text(encoding="utf-8")
            shutil.copytree(demo_chain() / "reports", checkout / "reports", dirs_exist_ok=True)
        else:
            status, output = run(command, checkout) if number else begin(command)
        assert status == _status(expected), f"{page}: {command}\n{output}"
        shown = output.splitlines()
        for line in expected:
            assert line == "..." or line in shown, f"{page}: {command}: {line!r} is not in\n{output}"


@pytest.mark.parametrize(("place", "text"), {text: (place, text) for place, text in blocks("python")}.values())
def test_python_examples_run(place: str, text: str, checkout: Path) -> None:
    (checkout / "test_example.py").write_text(text, encoding="utf-8")
    command = "pytest --model=demo:aligned --jmed-suite smoke --jmed-sample 49 -q -r N test_example.py"
    status, output = run(command, checkout)
    assert status == 0, f"{place}\n{output}"


@pytest.mark.parametrize(("place", "text"), blocks("toml"))
def test_toml_examples_are_valid_thresholds_or_settings(place: str, text: str, tmp_path: Path) -> None:
    """Roles build a benchmark, columns map a data set, models make a sweep; anything else is a thresholds file."""
    content = tomllib.loads(text)
    if "roles" in content:
        generation.read(content, place)
    elif "columns" in content:
        Mapping.model_validate(content)
    elif "models" in content:
        (tmp_path / "sweep.toml").write_text(text, encoding="utf-8")
        sweep_file.load(tmp_path / "sweep.toml")
    else:
        Thresholds.model_validate(content)


def test_settings_shown_are_the_shipped_ones() -> None:
    page = (ROOT / "docs" / "reference" / "generation.md").read_text(encoding="utf-8")
    assert f"```toml\n{generation.sample().rstrip()}\n```" in page


@pytest.mark.parametrize(("place", "text"), blocks("json"))
def test_json_examples_are_valid_cases_or_packs(place: str, text: str, tmp_path: Path) -> None:
    if '"guidelines"' in text:
        Pack.model_validate_json(text)
        return
    if '"strategies"' in text:
        (tmp_path / "strategies.json").write_text(text, encoding="utf-8")
        load_strategies(tmp_path / "strategies.json")
        return
    for line in text.splitlines():
        Case.model_validate(json.loads(line))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", JAPANESE, ids=lambda page: page.name)
def test_japanese_pages_link_to_japanese_pages(page: Path) -> None:
    """What there is in Japanese; a link that says English is meant so."""
    for words, target in re.findall(r"\[([^\]]*)\]\((?!https?://|#)([^)#\s]+)\.md", page.read_text(encoding="utf-8")):
        japanese = page.parent / f"{target}.ja.md"
        meant = words == "English" or "英語" in words
        assert meant or target.endswith(".ja") or not japanese.exists(), f"{target}: give {japanese.name}"


@pytest.mark.parametrize("page", [*JAPANESE, ROOT / "docs" / "site" / "index.ja.md"], ids=lambda page: page.name)
def test_japanese_pages_use_the_words_of_the_report_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("審査基準", "")
    assert not re.findall("戦略|点数|基準", text), "手法, スコア, and ベースライン or しきい値"


def test_on_the_site_japanese_pages_lead_to_those_of_the_same_site(tmp_path: Path) -> None:
    _script("make_site").gather("ja", tmp_path)
    for page in JAPANESE:
        name = (
            "overview.md" if page.name == "README.ja.md" else page.relative_to(ROOT).with_suffix("").with_suffix(".md")
        )
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert re.search("[ぁ-ん]", text)
        assert ".ja.md" not in text


def _script(name: str) -> ModuleType:
    """Return a script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reference_pages_are_up_to_date() -> None:
    for name, text in _script("make_reference").pages().items():
        assert (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") == text, f"{name}: run `make reference`"


def test_shipped_thresholds_file_shows_the_defaults() -> None:
    """A key that a user's file leaves out keeps its default, so the file we show must show just those."""
    shown = Thresholds.model_validate(tomllib.loads((ROOT / "thresholds.toml").read_text(encoding="utf-8")))
    assert shown == Thresholds(schema_version=1)
