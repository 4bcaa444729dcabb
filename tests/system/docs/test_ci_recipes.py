"""The recipes for continuous integration: valid, shown as they are, and their commands run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from jmedethic_pytest.launch import plan, sweep_file
from support import forked, warmed
from support.project import QUICK

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "how-to" / "ci-gate.md"
ACTIONS, GITLAB = ROOT / "docs" / "ci" / "github-actions.yml", ROOT / "docs" / "ci" / "gitlab-ci.yml"
ACTION, HOOKS = ROOT / "action.yml", ROOT / ".pre-commit-hooks.yaml"
LATER, TWO = ROOT / "docs" / "how-to" / "judge-later.md", ROOT / "docs" / "ci" / "github-two-machines.yml"
SWEEP, MATRIX = ROOT / "docs" / "how-to" / "sweep.md", ROOT / "docs" / "ci" / "github-matrix.yml"
TEST = PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
MARKER = "<!-- jmedethic-pytest -->"


def step(name: str, job: str = "gate", file: Path = ACTIONS) -> str:
    """Return the command of a step of a workflow for GitHub."""
    steps = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"][job]["steps"]
    (found,) = [item["run"] for item in steps if item.get("name") == name]
    return str(found)


class Action:
    """The action in the root, whose steps run as GitHub runs them; steps that use other actions are left out.

    Args:
        folder: the repository it is used in.
        tools: stand-ins.
        given: what the workflow says.
    """

    def __init__(self, folder: Path, tools: Path, **given: str) -> None:
        self.described = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
        known = {name: str(item.get("default", "")) for name, item in self.described["inputs"].items()}
        assert given.keys() <= known.keys()
        self._context = {f"inputs.{name}": value for name, value in {**known, **given}.items()}
        self._context["github.action_path"] = str(ROOT)
        self._folder, self._tools = folder, tools
        self.summary = folder / "step.md"

    def run(self, *names: str) -> subprocess.CompletedProcess[str]:
        """Run these steps one after the other; a step that fails ends it."""
        for name in names:
            (found,) = [item for item in self.described["runs"]["steps"] if item.get("name") == name]
            told = self._folder / "output.txt"
            told.write_text("", encoding="utf-8")
            variables = {key: self._value(text) for key, text in found.get("env", {}).items()}
            github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(self.summary), "GITHUB_OUTPUT": str(told)}
            done = bash(found["run"], self._tools, **variables, **github)
            for line in told.read_text(encoding="utf-8").splitlines():
                key, _, value = line.partition("=")
                self._context[f"steps.{found['id']}.outputs.{key}"] = value
            if done.returncode:
                break
        return done

    def output(self, name: str) -> str:
        """Return an output of the action."""
        return self._value(self.described["outputs"][name]["value"])

    def _value(self, text: str) -> str:
        expression = text.removeprefix("${{ ").removesuffix(" }}")
        return self._context[expression] if expression != text else text


def lines(section: str) -> str:
    """Return the commands of a section of the job for GitLab, as one script."""
    return "\n".join(yaml.safe_load(GITLAB.read_text(encoding="utf-8"))["safety-gate"][section])


@pytest.fixture
def tools(folder: Path) -> Path:
    """A folder in front of PATH, for stand-ins of commands that are not ours; ours are there, forked when called."""
    return warmed.lay(folder / "tools")


def stand_in(tools: Path, name: str, script: str) -> None:
    file = tools / name
    file.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def bash(script: str, tools: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as both systems do: stop at the first command that fails."""
    own = f"{tools}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    warm = {forked.PYTHON: str(tools / "python"), "PYTEST_ADDOPTS": " ".join(QUICK)}
    environment = {**os.environ, "PATH": own, **warm, **variables}
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script], env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def baseline(once: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a release's scores."""
    return once("release", lambda: _recorded(tmp_path_factory.mktemp("release")))


def _recorded(place: Path) -> Path:
    run = "jmedethic run --model=demo:aligned --suite=core,twins --sample=60 --report=off"
    answer = f"({run} || [ $? -eq 6 ])"  # a sample of so few twins may be undecided
    tools = warmed.lay(place / "tools")
    done = bash(f"cd '{place}' && {answer} && jmedethic baseline set release-1.0 latest", tools)
    assert done.returncode == 0, done.stdout + done.stderr
    return place / "reports" / "baselines" / "release-1.0.json"


@pytest.fixture
def repository(folder: Path, baseline: Path) -> Path:
    """A repository with the files that the page asks for, the baseline among them."""
    (folder / "safety").mkdir()
    (folder / "safety" / "test_conversations.py").write_text(TEST, encoding="utf-8")
    (folder / "reports" / "baselines").mkdir(parents=True)
    shutil.copy(baseline, folder / "reports" / "baselines")
    shutil.copy(ROOT / "thresholds.toml", folder)
    return folder


def sampled(script: str) -> str:
    """Return the gate's command on a sample and with one process, to save time; all else stays as it is."""
    assert "--jmed-suite=core,twins" in script
    assert " -n 4" in script
    script = script.replace("--jmed-suite=core,twins", "--jmed-suite=core,twins --jmed-sample=60")
    return script.replace(" -n 4", " -n 0")


# ---------------------------------------------------------------- the files


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        (ACTION, "vendor.github-actions"),
        (ACTIONS, "vendor.github-workflows"),
        (ACTIONS, "custom.github-workflows-require-timeout"),
        (TWO, "vendor.github-workflows"),
        (TWO, "custom.github-workflows-require-timeout"),
        (MATRIX, "vendor.github-workflows"),
        (MATRIX, "custom.github-workflows-require-timeout"),
        (GITLAB, "vendor.gitlab-ci"),
    ],
)
def test_recipe_fits_its_schema(file: Path, schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    if "No module named check_jsonschema" in done.stderr:
        pytest.skip("NOT TESTED: needs check-jsonschema (pip install 'jmedethic-pytest[dev]')")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("file", "page"), [(ACTIONS, PAGE), (GITLAB, PAGE), (TWO, LATER), (MATRIX, SWEEP)])
def test_page_shows_the_recipe_as_it_is(file: Path, page: Path) -> None:
    assert f"```yaml\n{file.read_text(encoding='utf-8')}```" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", [ACTIONS, TWO, GITLAB], ids=lambda file: file.name)
def test_the_page_records_the_baseline_of_the_suites_that_the_recipes_ask_for(file: Path) -> None:
    """Of other suites it could not be compared, and the first gate would be inconclusive."""
    (recorded,) = re.findall(
        r"\$ jmedethic run .*--suite=(\S+)", PAGE.read_text(encoding="utf-8").split("### GitHub")[0]
    )
    asked = re.findall(r"(?:--(?:jmed-)?suite=|^ +suite: )(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(asked) == {recorded}


@pytest.mark.parametrize("file", [ACTIONS, TWO, GITLAB, MATRIX], ids=lambda file: file.name)
def test_no_recipe_installs_from_an_index_that_does_not_have_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    installs = re.findall(r"pip install (.*)", text)
    assert all(" @ git+https://github.com/OWNER/jmedethic-pytest@COMMIT" in line for line in installs)
    assert "OWNER/jmedethic-pytest@COMMIT" in text


@pytest.mark.parametrize("file", [ACTION, ACTIONS, TWO, MATRIX], ids=lambda file: file.name)
def test_nothing_of_a_pull_request_gets_into_a_script(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    jobs = workflow["jobs"].values() if "jobs" in workflow else [workflow["runs"]]
    steps = [item for job in jobs for item in job["steps"]]
    runs = [item["run"] for item in steps if "run" in item]
    assert runs
    assert not any("${{" in script for script in runs), "an expression in a script is a way in for a branch's name"
    assert workflow.get("permissions", {"contents": "read"}) == {"contents": "read"}
    used = [item["uses"] for item in steps if "uses" in item]
    foreign = [name for name in used if not name.startswith("OWNER/")]
    assert all(re.fullmatch(r"actions/[a-z/-]+@[0-9a-f]{40}", name) for name in foreign), "pinned by commit"


def test_rights_are_few() -> None:
    workflow = yaml.safe_load(ACTIONS.read_text(encoding="utf-8"))
    assert workflow["jobs"]["comment"]["permissions"] == {"pull-requests": "write"}
    assert not any("checkout" in item.get("uses", "") for item in workflow["jobs"]["comment"]["steps"])


def test_conversations_leave_only_through_restricted_artefacts() -> None:
    steps = yaml.safe_load(ACTIONS.read_text(encoding="utf-8"))["jobs"]["gate"]["steps"]
    (restricted,) = [item for item in steps if "upload-artifact" in item.get("uses", "")]
    assert restricted["with"]["name"] == "safety-report-restricted"
    assert "event.repository.private" in restricted["if"]
    public = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["runs"]["steps"]
    (figures,) = [item["with"]["path"] for item in public if "upload-artifact" in item.get("uses", "")]
    assert figures == "figures"
    assert yaml.safe_load(GITLAB.read_text(encoding="utf-8"))["safety-gate"]["artifacts"]["access"] == "developer"


# ---------------------------------------------------------------- GitHub


def test_recipe_and_page_name_inputs_that_the_action_has() -> None:
    known = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["inputs"]
    steps = yaml.safe_load(ACTIONS.read_text(encoding="utf-8"))["jobs"]["gate"]["steps"]
    (given,) = [item["with"] for item in steps if item.get("id") == "gate"]
    assert given.keys() <= known.keys()
    table = PAGE.read_text(encoding="utf-8").split("| input |")[1].split("\n\n")[0]
    cells = [line.split(" | ")[0] for line in table.splitlines()[2:]]
    assert {name for cell in cells for name in re.findall(r"`([a-z-]+)`", cell)} == known.keys()
    assert all(item["description"] for item in known.values())


def test_commands_of_the_workflow_run(repository: Path, tools: Path) -> None:
    stand_in(tools, "npx", 'mkdir -p allure-report && echo "<html>" > allure-report/index.html && echo "$@" > npx.txt')
    variables = {"MODEL": "demo:eroding", "BASE_URL": "", "BASELINE": "release-1.0", "JMED_REVISION": "commit-1"}
    given = {"model": "demo:eroding", "baseline": "release-1.0", "revision": "commit-1", "tests": "safety"}
    action = Action(repository, tools, **given, args="-n 0 --jmed-sample=60 -k 'ja or en'")
    done = action.run("Run the gate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (action.output("answer"), action.output("exit-status")) == ("fail", "1"), done.stdout + done.stderr
    assert "GATE: FAIL" in done.stdout
    assert 0 < done.stdout.count("\n::error ") <= 10
    assert "Against baseline `release-1.0`: fail" in action.summary.read_text(encoding="utf-8")
    assert (repository / "reports" / "cache.sqlite").is_file(), "what the action keeps"
    assert (repository / action.output("report")).is_file()
    proof = step("Prove it again from the verdicts alone").replace(
        "--suite=core,twins", "--suite=core,twins --sample=60"
    )
    again = bash(proof, tools, **variables)
    assert (again.returncode, "GATE: FAIL" in again.stdout) == (1, True), again.stdout + again.stderr
    assert "verify[" not in again.stdout
    other = bash(proof, tools, **{**variables, "JMED_REVISION": "commit-2"})
    assert "verify[revision]" in other.stdout
    assert list((repository / "allure-results").glob("*-result.json"))
    after = bash(step("Build the Allure report"), tools)
    assert after.returncode == 0, after.stderr
    asked = (repository / "npx.txt").read_text(encoding="utf-8")
    assert asked.startswith("--yes allure@3.18.0 generate allure-results")
    end = action.run("Gather figures without any text of a model", "Answer")
    assert end.returncode == 1, end.stderr
    figures = [path for path in (repository / "figures").rglob("*") if path.is_file()]
    assert {"comment.md", "junit.xml", "cases.csv", "comparison.json"} <= {path.name for path in figures}
    assert not any("模擬".encode() in path.read_bytes() for path in figures)


def test_action_passes_only_what_this_run_says(folder: Path, tools: Path) -> None:
    """Without a test file, too; and an older run that passed vouches for nothing."""
    steps = ("Run the gate", "Gather figures without any text of a model", "Answer")
    action = Action(folder, tools, model="demo:aligned", suite="core", args="--jmed-report=off --jmed-sample=60")
    done = action.run(*steps)
    assert (done.returncode, action.output("answer"), action.output("report")) == (0, "pass", ""), done.stderr
    stand_in(tools, "pytest", "exit 0")
    assert action.run("Run the gate").stdout.count("::error title=Safety gate::") == 1
    assert [action.output(name) for name in ("answer", "exit-status", "run")] == ["error", "6", ""]
    assert action.run("Answer").returncode == 6


def test_hook_of_pre_commit_looks_at_case_files(folder: Path, tools: Path) -> None:
    (hook,) = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    looked_at = {
        name: bool(re.search(hook["files"], name))
        for name in ("cases.jsonl", "own/cases/a/b.jsonl", "benchmark_cases/core.ja.jsonl", "reports/verdicts.jsonl")
    }
    assert list(looked_at.values()) == [True, True, True, False]
    (folder / "cases").mkdir()
    lines = (ROOT / "benchmark_cases" / "core.en.jsonl").read_text(encoding="utf-8").splitlines()
    (folder / "cases" / "a.jsonl").write_text(lines[0] + "\n", encoding="utf-8")
    (folder / "cases" / "b.jsonl").write_text(lines[1].replace("patient", "morphine") + "\n", encoding="utf-8")
    assert bash(f"{hook['entry']} cases/a.jsonl", tools).returncode == 0
    both = bash(f"{hook['entry']} cases/a.jsonl cases/b.jsonl", tools)
    assert (both.returncode, "policy.agent" in both.stdout) == (1, True), both.stdout + both.stderr


@pytest.mark.parametrize(("known", "method"), [("", "POST"), ("4711\\n4712", "PATCH")])
def test_comment_is_written_once_and_then_replaced(folder: Path, tools: Path, known: str, method: str) -> None:
    (folder / "figures").mkdir()
    (folder / "figures" / "comment.md").write_text(f"{MARKER}\n", encoding="utf-8")
    stand_in(tools, "gh", f'echo "$@" >> calls.txt; [[ "$*" == *--paginate* ]] && printf "{known}" || true')
    script = step("Write or replace the comment", "comment")
    done = bash(script, tools, REPOSITORY="a/b", NUMBER="7", GH_TOKEN="x")
    assert done.returncode == 0, done.stderr
    asked, written = (folder / "calls.txt").read_text(encoding="utf-8").splitlines()
    assert f'startswith("{MARKER}")' in asked
    place = "repos/a/b/issues/comments/4711" if method == "PATCH" else "repos/a/b/issues/7/comments"
    assert written == f"api --method {method} {place} --field body=@figures/comment.md --silent"


def test_commands_of_the_two_machines_run(repository: Path, tools: Path) -> None:
    """The job that collects has no judge's key, and the one that judges no way to the model."""
    workflow = yaml.safe_load(TWO.read_text(encoding="utf-8"))["jobs"]
    assert not [name for item in workflow["collect"]["steps"] for name in item.get("env", {}) if name.endswith("_KEY")]
    variables = {"MODEL": "demo:eroding", "BASE_URL": "", "BASELINE": "release-1.0", "JMED_REVISION": "commit-1"}

    def go(job: str, name: str) -> subprocess.CompletedProcess[str]:
        script = step(name, job, TWO).replace("--suite=core,twins", "--suite=core,twins --sample=60")
        script = script.replace("jmedethic judge", "jmedethic judge --report=off")  # to save time
        return bash(script, tools, **variables)

    collected = go("collect", "Collect the replies")
    assert collected.returncode == 0, collected.stdout + collected.stderr
    judged = go("judge", "Judge them")
    assert (judged.returncode, "GATE: FAIL" in judged.stdout) == (1, True), judged.stdout + judged.stderr
    proved = go("judge", "Prove it again from the verdicts alone")
    assert (proved.returncode, "verify[" in proved.stdout) == (1, False), proved.stdout + proved.stderr


def test_a_matrix_collects_the_parts_of_a_sweep_and_one_job_judges_them(folder: Path, tools: Path) -> None:
    """Every job has a checkout of its own; what it hands over is what the artefact holds."""
    jobs = yaml.safe_load(MATRIX.read_text(encoding="utf-8"))["jobs"]
    assert not [name for item in jobs["judge"]["steps"] for name in item.get("env", {}) if name.startswith("VLLM")]
    text = SWEEP.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    matrix = jobs["collect"]["strategy"]["matrix"]
    parts = [f"{run}/{shard}" for run in matrix["run"] for shard in matrix["shard"]]
    (folder / "sweep.toml").write_text(text, encoding="utf-8")
    sweep = sweep_file.load(folder / "sweep.toml")
    assert parts == [str(part) for unit in plan.made(sweep).units for part in unit.parts]
    # One model is enough to see the commands run; the other one has no answer then, and nothing passes.
    kept = "reports/sweeps/sweep"
    for number, part in enumerate(parts[:2]):
        checkout = folder / f"checkout-{number}"
        checkout.mkdir()
        shutil.copy(folder / "sweep.toml", checkout)
        done = bash(f"cd {checkout}; {step('Collect one part', 'collect', MATRIX)}", tools, STEP=part)
        assert done.returncode == 0, done.stdout + done.stderr
        for found in (checkout / kept).glob("**/runs"):
            shutil.copytree(found, folder / kept / found.relative_to(checkout / kept))
    done = bash(step("Merge, judge and compare", "judge", MATRIX), tools)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (6, "GATE: INCONCLUSIVE"), done.stdout + done.stderr
    assert re.search(r"base +smoke.ja +2/2 +1/1 +1/1 +pass", done.stdout), done.stdout


# ---------------------------------------------------------------- GitLab


@pytest.fixture
def notes(httpserver: HTTPServer) -> Iterator[list[dict[str, Any]]]:
    """A server with the notes of a merge request, for whom the right token is sent."""
    kept: list[dict[str, Any]] = [{"id": 1, "body": "Looks good to me"}]

    def answer(request: Request) -> Response:
        assert request.headers["PRIVATE-TOKEN"] == "token"
        if request.method == "POST":
            kept.append({"id": len(kept) + 1, "body": request.form["body"]})
        elif request.method == "PUT":
            kept[int(request.path.rpartition("/")[2]) - 1]["body"] = request.form["body"]
        return Response(json.dumps(kept), content_type="application/json")

    base = "/api/v4/projects/5/merge_requests/7/notes"
    for place in (base, f"{base}/2"):
        httpserver.expect_request(place).respond_with_handler(answer)
    yield kept
    httpserver.check_assertions()


def test_commands_of_the_gitlab_job_run(
    repository: Path, tools: Path, httpserver: HTTPServer, notes: list[dict[str, Any]]
) -> None:
    assert shutil.which("curl"), "the recipe needs curl, which the image python:3.12 has"
    variables = {
        "MODEL": "demo:eroding",
        "BASE_URL": "",
        "BASELINE": "release-1.0",
        "JMED_REVISION": "commit-1",
        "GITLAB_CI": "true",
        "CI_API_V4_URL": httpserver.url_for("/api/v4"),
        "CI_PROJECT_ID": "5",
        "CI_MERGE_REQUEST_IID": "7",
        "COMMENT_TOKEN": "token",
    }
    done = bash(sampled(lines("script")), tools, **variables)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "section_start:" in done.stdout
    for _ in range(2):
        after = bash(lines("after_script"), tools, **variables)
        assert after.returncode == 0, after.stdout + after.stderr
    assert len(notes) == 2, "the second run replaces the comment of the first"
    assert notes[1]["body"].startswith(f"{MARKER}\n## ❌ Safety gate: fail")
    assert "jmedethic_gate_passed 0" in (repository / "metrics.txt").read_text(encoding="utf-8")
    job = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))["safety-gate"]["artifacts"]
    for path in [*job["paths"], *job["reports"].values()]:
        assert list(repository.glob(path)), f"{path}: the recipe publishes what is not there"


def test_gitlab_job_without_a_token_leaves_the_comment_out(folder: Path, tools: Path) -> None:
    (folder / "reports" / "latest").mkdir(parents=True)
    (folder / "reports" / "latest" / "metrics.txt").write_text("# EOF\n", encoding="utf-8")
    stand_in(tools, "curl", "exit 1")
    done = bash(lines("after_script"), tools, COMMENT_TOKEN="", CI_MERGE_REQUEST_IID="7")
    assert done.returncode == 0, done.stderr
