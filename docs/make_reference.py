"""Write docs/reference/*.md from the code, so that it cannot fall behind; a test compares."""

from __future__ import annotations

import ast
import inspect
import itertools
import json
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from jmedethic_pytest.analysis import counts
from jmedethic_pytest.cases.perturb import kinds
from jmedethic_pytest.config import servers
from jmedethic_pytest.config import tables as thresholds
from jmedethic_pytest.core import companions, interface, looks, records, run_info, shards, vocabulary
from jmedethic_pytest.data import load
from jmedethic_pytest.launch import sweep_file
from jmedethic_pytest.run.options import MODEL_HELP, OPTIONS

FOLDER = Path(__file__).parent / "reference"
_STORED = (
    records.Case,
    records.Verdict,
    records.Turn,
    records.Reply,
    records.Score,
    records.Attack,
    companions.Companions,
    run_info.RunInfo,
    run_info.Identity,
    run_info.AttackPlan,
    looks.Looks,
    shards.Shard,
    shards.MergedOf,
    records.Gate,
    records.Condition,
    records.PartAnswer,
    counts.Counts,
    counts.Tally,
    counts.Conditions,
)
NOTE = "<!-- Written by docs/make_reference.py; do not edit. -->\n\n"


def pages() -> dict[str, str]:
    """Return the text of every generated page by file name."""
    makers = {
        "options": _options,
        "thresholds": _thresholds,
        "files": _files,
        "providers": _providers,
        "guidelines": _guidelines,
        "sweep": _sweep,
    }
    return {f"{name}.md": make() for name, make in makers.items()}


def _options() -> str:
    lines = [
        "# Options\n",
        "The same options for pytest (`--jmed-x`) and for `jmedethic run` (`--x`); only `--model` has no prefix.\n",
        "| pytest | command line | value | meaning |",
        "|---|---|---|---|",
        f"| `--model` | `--model` | PROVIDER:NAME | {MODEL_HELP} |",
    ]
    for option in OPTIONS:
        value = option.metavar.replace("|", "\\|") or "(flag)"
        meaning = option.help.replace("|", "\\|")
        lines.append(f"| `--jmed-{option.name}` | `--{option.name}` | {value} | {meaning} |")
    lines += [
        f"| `--jmed-lang` | `--lang`, of every command | en\\|ja | {interface.HELP} |",
        "\n## Kinds of `--jmed-perturb`\n",
        f"Version {kinds.VERSION} of the rewriters. More of each: [robustness](../explanation/robustness.md).\n",
        "| kind | languages | what it changes |",
        "|---|---|---|",
    ]
    lines += [f"| `{name}` | {', '.join(kind.rewriters)} | {kind.about} |" for name, kind in kinds.KINDS.items()]
    return NOTE + "\n".join(lines) + "\n"


def _thresholds() -> str:
    lines = [
        "# thresholds.toml\n",
        "Unknown keys are errors. A key you leave out keeps its default. All keys with their defaults:\n",
        "```toml",
        (FOLDER.parent.parent / "thresholds.toml").read_text(encoding="utf-8").rstrip(),
        "```\n",
        "## Keys\n",
    ]
    for name, field in thresholds.Thresholds.model_fields.items():
        optional = get_args(field.annotation)[:1] if field.default is None else ()
        table = optional[0] if optional else field.annotation
        if isinstance(table, type) and issubclass(table, BaseModel):
            lines += [f"### [{name}]\n", (table.__doc__ or "").split("\n")[0] + "\n", *_table(table)]
    return NOTE + "\n".join(lines)


def _sweep() -> str:
    lines = [
        "# sweep.toml\n",
        "What `jmedethic sweep` reads ([how](../how-to/sweep.md)). Unknown keys are errors.\n",
    ]
    for heading, table in (
        ("The file", sweep_file.Sweep),
        ("[[models]]", sweep_file.Target),
        ("[slurm]", sweep_file.SlurmTable),
        ("[ray]", sweep_file.RayTable),
        ("[kubernetes]", sweep_file.KubernetesTable),
    ):
        lines += [f"## {heading}\n", *_table(table)]
    return NOTE + "\n".join(lines)


def _files() -> str:
    lines = [
        "# Files\n",
        "A run is a folder `reports/runs/<UTC time>-<model>-<4 hex>/`; `reports/latest` points to the newest.\n",
        "| file | holds |",
        "|---|---|",
        "| `run.json` | what was run: `RunInfo` |",
        "| `verdicts.jsonl` | one `Verdict` a line, written when it is complete |",
        "| `summary.json`, `summary.md` | the figures; no text of a model |",
        "| `gate.json` | the gate's answer and its conditions: `Gate` |",
        "| `comparison.json` | the run against each of its baselines: `Comparison`, a list |",
        "| `report.html` | one page with everything, texts of the model included |",
        "| `tables/*.csv` | scores, turns, strategies, guidelines, judges, comparisons; no text of a model |",
        "| `plots/*.png`, `plots/*.svg` | the figures drawn |",
        "| `comment.md`, `metrics.txt` | for a pull request and for GitLab; no text of a model |",
        "| `robustness.jsonl` | where conversations were reworded: one `Companions` a line; texts |",
        "| `annotation.json` | what people said of the run, if a study of it was closed; no text |",
        "| `reviews.json` | what readers of `report.html` think of its scores (not blind), and their comments |",
        "| `unevaluated.jsonl` | planned cases that were not reached, if there are any |",
        "| `../../baselines/NAME.json` | a baseline: scores and digests, no text |",
        "| `../../annotations/<date>-<6 hex>/` | a study: the key, all marks, everybody's sheets; texts of the model |",
        "| `../../judges/links/NAME.json` | what scores of another panel are worth: `jmedethic judges link`; no text |",
        "| `../../judges/cards/JUDGE.json` | what speaks for a judge: `jmedethic judges card`; no text |",
        "| `../../judges/anchors/NAME/` | conversations that judges score again (private), and all checks of them |",
        "| `../../exams/<id>/exam.json` | the result of an exam |",
        "| `../../cache.sqlite` | replies of models by the digest of the question |",
        "| `../../plots.json` | which run has the plots of which figures, by digests: the same are not drawn again |",
        "| `../../batches/` | batches that were handed over: ids of the provider, digests of the questions, counts |\n",
        "A case file is JSONL: one `Case` a line. Scores run from 1.0 to 10.0 and 10 is safe. A missing score",
        "is `null` with a status that says why.\n",
        *_failures(),
    ]
    for model in _STORED:
        lines += [f"## {model.__name__}\n", (model.__doc__ or "").split("\n")[0] + "\n", *_table(model)]
    return NOTE + "\n".join(lines)


def _failures() -> list[str]:
    """Return what "failed" means, and how other tools count it."""
    rows = (
        f"| `{name}` | {found.text} | {'yes' if name in counts.FAILED else 'no'} | {found.pytest} | {found.allure} |"
        for name, found in counts.MEANINGS.items()
    )
    return [
        "## What failed, and how many\n",
        "Conversations, benign twins and conditions of the gate are three things, counted apart in the terminal,",
        "`summary.json` (`counts`), `summary.md`, `metrics.txt`, `report.html`, JUnit and Allure's environment. What",
        "became of an evaluation:\n",
        "| result | means | counts as failed | its test in pytest and JUnit | in Allure |",
        "|---|---|---|---|---|",
        *rows,
        "",
        "`--jmed-strict` lets tests of known failures fail, too. pytest and JUnit have one number for all: tests that",
        "fail, and the conditions of the gate that do not pass, inconclusive ones included. Allure shows inconclusive",
        "conditions as broken, and has one result more: the gate itself.\n",
    ]


def _providers() -> str:
    lines = [
        "# Providers\n",
        "`--model PROVIDER:NAME`, judges also `PROVIDER:NAME@URL`.",
        "Add your own server with a `[providers.NAME]` table of the thresholds file, one that speaks neither protocol",
        "with a [class of your own](../how-to/extend.md) ([gateways, clouds, proxies](../how-to/servers.md)). The",
        "names of public services are taken: a key goes to its own address alone (the default, or the one in its",
        "variable). Keys of the table:\n",
        *_table(servers.ProviderTable),
        "| provider | speaks | default address | key |",
        "|---|---|---|---|",
    ]
    for name, row in load("providers.toml").items():
        otherwise = " or the cloud's own credentials" if "cloud" in row else " (optional)"
        optional = f"{row['optional_key_env']}{otherwise}" if "optional_key_env" in row else "none"
        key = row.get("api_key_env", optional)
        speaks, address = row["kind"], row.get("base_url", "none: give one")
        speaks, address = ("simulation", "-") if speaks == "demo" else (speaks, address)
        address = "[by region, project or resource](../how-to/servers.md#clouds)" if "cloud" in row else address
        lines.append(f"| `{name}` | {speaks} | {address} | {key} |")
    return NOTE + "\n".join(lines) + "\n"


def _guidelines() -> str:
    lines = [
        "# Guidelines\n",
        "The project guideline set: every case names one of these. It is a reconstruction by this project, not the",
        "official list of the Japan Medical Association, and the notes on law are no legal advice. The anchor of a",
        "guideline is its id in small letters: `guidelines.md#jma-19`.\n",
    ]
    for code, category in vocabulary.categories().items():
        lines.append(f"## {code} {category.name['en']} · {category.name['ja']}\n")
        for guideline in vocabulary.guidelines().values():
            if guideline.category == code:
                lines += _guideline(guideline)
    return NOTE + "\n".join(lines)


def _guideline(guideline: vocabulary.Guideline) -> list[str]:
    law = [f"\nRelated law: {', '.join(guideline.related_law)}"] if guideline.related_law else []
    return [
        f'<a id="{guideline.id.lower()}"></a>\n',
        f"### {guideline.id} {guideline.title['en']} · {guideline.title['ja']}\n",
        guideline.summary["en"] + "\\",
        guideline.summary["ja"],
        *law,
        "",
    ]


def _table(model: type[BaseModel]) -> list[str]:
    """Return a table of a model's fields: what is allowed, the default, the meaning."""
    schema, meanings = model.model_json_schema(), _attribute_docs(model)
    schema = schema if "properties" in schema else schema["$defs"][model.__name__]  # a record that holds its own kind
    lines = ["| key | allowed | default | meaning |", "|---|---|---|---|"]
    for key, field in schema["properties"].items():
        default = f"`{json.dumps(field['default'], ensure_ascii=False)}`" if "default" in field else "required"
        lines.append(f"| `{key}` | {_allowed(field)} | {default} | {meanings.get(key, '')} |")
    return [*lines, ""]


def _allowed(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_allowed(option) for option in field["anyOf"])
    if "$ref" in field:
        return field["$ref"].rsplit("/", 1)[-1]
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    kind = field.get("type", "anything")
    kind = {"array": "list", "object": "table", "null": "nothing"}.get(kind, kind)
    if kind == "list" and isinstance(field.get("items"), dict):
        kind = f"list of {_allowed(field['items'])}"
    bounds = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    return " ".join([kind, *(f"{sign} {field[name]:g}" for name, sign in bounds.items() if name in field)])


def _attribute_docs(model: type[BaseModel]) -> dict[str, str]:
    """Return the texts that stand under the fields of a class and its bases in the source."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if not base.__module__.startswith("jmedethic_pytest"):
            continue
        body = ast.parse(inspect.getsource(base)).body[0]
        assert isinstance(body, ast.ClassDef)
        for first, second in itertools.pairwise(body.body):
            if isinstance(first, ast.AnnAssign) and isinstance(first.target, ast.Name):
                is_text = isinstance(second, ast.Expr) and isinstance(second.value, ast.Constant)
                found[first.target.id] = " ".join(str(second.value.value).split()) if is_text else ""
    return found


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
