"""The shape of the package: imports go down only, heavy libraries stay behind fences, everything is documented."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

import jmedethic_pytest

PACKAGE = "jmedethic_pytest"
ROOT = Path(jmedethic_pytest.__file__).parent

# From low to high: the folders of ARCHITECTURE.md's tree. A module may import its own folder and those above it there.
FOLDERS = re.findall(
    r"^  (\w+)/ ", (ROOT.parent / "ARCHITECTURE.md").read_text(encoding="utf-8").split("```")[1], re.MULTILINE
)
ALONE = {"(package)", "__main__", "_version"}
"""The package's root holds no other module."""

# Which modules may import a library, at any level, in functions too.
FENCES = {
    "pytest": ("pytest_plugin.*",),
    "_pytest": (),
    "xdist": (),
    "allure": ("reports.allure.*",),
    "allure_commons": ("reports.allure.*",),
    "openai": ("models.openai", "models.openai_clients"),
    "anthropic": ("models.anthropic", "models.anthropic_clients"),
    "azure": ("models.clouds",),
    "boto3": (),
    "google": (),
    "aiohttp_socks": ("models.proxies",),
    "aiohttp": ("models.direct",),
    "httpx2": ("models.direct",),
    "pandas": ("stats.*", "analysis.*", "gate.*", "exam.stored"),
    "numpy": (
        "stats.*",
        "analysis.*",
        "gate.*",
        "exam.stored",
        "reports.plots.*",
        "cases.checks.similarity",
        "cases.checks.separability",
        "generation.*",
    ),
    "scipy": ("stats.*", "analysis.*", "cases.checks.similarity", "cases.checks.separability", "generation.*"),
    "matplotlib": ("reports.*",),
    "pyarrow": ("cases.exchange.*",),
    "huggingface_hub": ("cases.exchange.*", "reports.model_card"),
    "inspect_ai": ("reports.inspect_log",),
    "mlflow": ("reports.trackers.mlflow",),
    "wandb": ("reports.trackers.wandb",),
    "docx": ("reports.evidence.docx",),
    "opentelemetry": (),
    "openpyxl": ("cases.exchange.sheet",),
    "sqlite3": ("models.cache", "models.cache_merging"),
    "jinja2": ("reports.*",),
    "ray": ("launch.on_ray",),
    "rich": ("cli.*",),
    "typer": ("cli.*",),
    "click": (),
    "hypothesis": (),
    "pickle": (),
}

IN_USE = {"pytest", "allure", "openai", "anthropic", "pandas", "numpy", "sqlite3", "jinja2", "rich", "typer"}

NOT_IN_A_WORKER = (
    "openai",
    "anthropic",
    "pandas",
    "numpy",
    "scipy",
    "matplotlib",
    "hypothesis",
    "jinja2",
    "rich",
    "typer",
    "sqlite3",
    "aiohttp",
    "httpx",
    "allure",
)


class Import(NamedTuple):
    """One imported module, and whether the statement stands in a function."""

    name: str
    line: int
    in_function: bool


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    return ".".join(parts) or "(package)"


@cache
def modules() -> dict[str, ast.Module]:
    """Return every module of the package, parsed, by its name."""
    return {_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))}


@cache
def nodes() -> dict[str, tuple[ast.AST, ...]]:
    """Return all nodes of every module."""
    return {module: tuple(ast.walk(tree)) for module, tree in modules().items()}


@cache
def imports() -> dict[str, tuple[Import, ...]]:
    """Return what every module imports at run time."""
    return {module: tuple(_imports(tree)) for module, tree in modules().items()}


def _imports(tree: ast.AST, in_function: bool = False) -> Iterator[Import]:
    """Yield what a module imports at run time; blocks for type checkers do not count."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.expr) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
            continue
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, in_function) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield Import(full if _own(full) in modules() else str(node.module), node.lineno, in_function)
        else:
            inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _imports(node, inside)


def _own(name: str) -> str | None:
    """Return our name of a module of this package, ``None`` for any other."""
    if name == PACKAGE:
        return "(package)"
    return name.removeprefix(f"{PACKAGE}.") if name.startswith(f"{PACKAGE}.") else None


def _is_one_of(module: str, patterns: tuple[str, ...] | list[str]) -> bool:
    return any(
        module == pattern or (pattern.endswith(".*") and f"{module}.".startswith(pattern[:-1])) for pattern in patterns
    )


def _folder(module: str) -> str:
    return module.split(".")[0]


# ---------------------------------------------------------------- layers


def test_every_module_lies_in_a_folder_of_the_tree() -> None:
    assert 17 <= len(FOLDERS) == len(set(FOLDERS))
    found = {_folder(module) for module in modules()}
    assert found - ALONE == set(FOLDERS)
    assert {module for module in modules() if "." not in module} - set(FOLDERS) == ALONE


def test_imports_go_down_only() -> None:
    """Also from inside functions: what is loaded late is still known."""
    floors = {folder: floor for floor, folder in enumerate(FOLDERS)}
    upward = [
        f"{module}, line {found.line}: {target}"
        for module in set(modules()) - ALONE
        for found in imports()[module]
        if (target := _own(found.name)) not in {None, *ALONE} and floors[_folder(target)] > floors[_folder(module)]
    ]
    assert not upward, "imports from above"


def test_no_two_modules_import_each_other_when_they_are_loaded() -> None:
    """Also within a folder, whose modules have no order."""
    graph = {
        module: {_own(found.name) or "" for found in listed if not found.in_function and _own(found.name)}
        for module, listed in imports().items()
    }
    tuple(TopologicalSorter(graph).static_order())


def test_module_names_are_computed_only_where_the_rules_above_need_not_see_it() -> None:
    """``import_module`` would slip through: lazy exports and commands, what a run loads early, an optional library."""
    users = {
        module
        for module, found in nodes().items()
        for node in found
        if "import_module" in (getattr(node, "id", ""), getattr(node, "attr", ""))
    }
    assert users <= {"(package)", "cases.exchange.rows", "cli.main", "reports.inspect_log", "run.loading"}


# ---------------------------------------------------------------- fences


@pytest.mark.parametrize("library", FENCES)
def test_library_stays_behind_its_fence(library: str) -> None:
    users = {
        module
        for module, listed in imports().items()
        for found in listed
        if found.name.split(".")[0] == library and _own(found.name) is None
    }
    outside = {module for module in users if not _is_one_of(module, FENCES[library])}
    assert not outside, f"{library} may be imported only in {FENCES[library]}"
    assert users or library not in {
        "pytest",
        "allure_commons",
        "openai",
        "anthropic",
        "pandas",
        "numpy",
        "sqlite3",
        "jinja2",
        "typer",
    }


def _loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_worker_process_loads_no_heavy_library() -> None:
    """A run may have 32 workers: each of these libraries would be paid for 32 times, in time and in memory."""
    loaded = _loaded_after(f"import {PACKAGE}.pytest_plugin.plugin, {PACKAGE}.pytest_plugin.session")
    assert f"{PACKAGE}.pytest_plugin.session" in loaded
    assert not loaded.intersection(NOT_IN_A_WORKER)


def test_collecting_loads_no_statistics() -> None:
    """Collecting is what an editor does at every change of a file."""
    loaded = _loaded_after(
        "import pytest\npytest.main(['--collect-only', '-q', '--model=demo:aligned', 'benchmark_cases'])"
    )
    assert f"{PACKAGE}.pytest_plugin.controller" in loaded
    assert not loaded.intersection({"pandas", "scipy.stats", "matplotlib", "openai", "anthropic"})


def test_the_gate_is_told_before_anything_is_loaded_that_draws() -> None:
    """Figures and texts of a run are written first; matplotlib takes a second, and not every run draws."""
    loaded = _loaded_after(f"import {PACKAGE}.reports.files, {PACKAGE}.reports.terminal.summary")
    assert f"{PACKAGE}.gate.outcome" in loaded
    assert not loaded.intersection({"matplotlib", "scipy.stats", "jinja2", f"{PACKAGE}.reports.page"})


def test_plugin_alone_loads_next_to_nothing() -> None:
    """It is loaded in every pytest session of every project it is installed for."""
    loaded = _loaded_after(f"import {PACKAGE}.pytest_plugin.plugin")
    assert not loaded.intersection(NOT_IN_A_WORKER)
    assert not {
        name
        for name in loaded
        if name.startswith((f"{PACKAGE}.pytest_plugin.session", f"{PACKAGE}.run.running", f"{PACKAGE}.engine.conv"))
    }


def test_providers_load_no_sdk_until_one_is_opened() -> None:
    loaded = _loaded_after(f"import {PACKAGE}.models, {PACKAGE}.run.prepare, {PACKAGE}.models.client")
    assert not loaded & {"openai", "anthropic", "pandas", "numpy"}


# ---------------------------------------------------------------- the public face


def test_every_exported_name_exists_and_no_other_does() -> None:
    for name in jmedethic_pytest.__all__:
        assert getattr(jmedethic_pytest, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Surprise'"):
        jmedethic_pytest.Surprise  # noqa: B018


def _undocumented(tree: ast.AST, prefix: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        if not (ast.get_docstring(node) or "").strip():
            yield f"{prefix}.{node.name} (line {node.lineno})"
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(node, f"{prefix}.{node.name}")


def test_everything_public_has_a_docstring() -> None:
    assert not [module for module, tree in modules().items() if not ast.get_docstring(tree)]
    assert not [name for module, tree in modules().items() for name in _undocumented(tree, module)]


def test_no_module_outgrows_its_one_idea() -> None:
    lines = {
        module: max((getattr(node, "end_lineno", 0) or 0 for node in found), default=0)
        for module, found in nodes().items()
    }
    assert not {module: count for module, count in lines.items() if count > 400}


def test_what_is_inconclusive_has_one_constructor() -> None:
    """Seven arguments at each of thirty places hid which of them had a figure, and which a cause."""
    by_hand = [
        (module, node.lineno)
        for module, found in nodes().items()
        for node in found
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Condition"
        for keyword in node.keywords
        if keyword.arg == "answer" and isinstance(keyword.value, ast.Constant) and keyword.value.value == "inconclusive"
    ]
    assert not by_hand


def test_no_function_outgrows_a_screen() -> None:
    """What stands between a docstring and the end; a command's options and an explanation are read at a glance."""
    longest = 50
    lengths = {
        f"{module}.{node.name}": (node.end_lineno or 0) - body[0].lineno + 1
        for module, found in nodes().items()
        for node in found
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for body in [node.body[1:] if ast.get_docstring(node) and node.body[1:] else node.body]
    }
    assert not {name: length for name, length in lengths.items() if length > longest}
