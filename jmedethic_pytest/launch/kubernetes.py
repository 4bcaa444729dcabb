"""A sweep as manifests of Kubernetes: an Indexed Job for every run, and one that merges, judges and compares.

The last one is suspended until somebody lets it go: Kubernetes has no order between jobs, and it alone sees the judges'
keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.launch.plan import Unit
from jmedethic_pytest.launch.sweep_file import KubernetesTable, Sweep
from jmedethic_pytest.launch.work import Work

HOME = "/work"
"""Where every pod has the volume, and works."""
USER = 10001
"""Of the image; the volume belongs to it."""
_ANSWERS = [1, 4, 6, 7]
"""Exit statuses that are answers: the same again would come of another attempt."""
_LONGEST = 52
"""Letters of a name: those of its pods are longer."""
_HIDDEN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Signs that YAML takes for line ends, or for none."""
_BLOCK = re.compile(r"(?!\s)[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]+\n")
"""Texts that may stand as they are, line by line."""


def manifests(sweep: Sweep, work: Work) -> str:
    """Return the manifests of a sweep as YAML.

    Raises:
        ConfigError: if the file does not say where it is to run.
        StoreError: if a file that goes along cannot be read.
    """
    if sweep.kubernetes is None:
        raise ConfigError(f"{work.file}: --on=print-k8s: table [kubernetes] is missing: give image and claim.")
    if not re.fullmatch(r"[-._a-zA-Z0-9]+", work.file.name):
        raise ConfigError(f"{work.file}: --on=print-k8s: give the file a name of letters, digits, dots and hyphens.")
    made = _Manifests(sweep, sweep.kubernetes, work)
    return "".join(f"---\n{''.join(_yaml(item))}" for item in made.all())


class _Manifests:
    def __init__(self, sweep: Sweep, rules: KubernetesTable, work: Work) -> None:
        self._sweep, self._rules, self._work = sweep, rules, work
        self._gpus = {target.name: target.gpus for target in sweep.models}

    def all(self) -> Iterator[dict[str, Any]]:
        files_there = {name: self._text(name) for name in self._files()}
        yield {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": self._metadata("files", "files"),
            "data": files_there,
        }
        for unit in self._work.plan.units:
            yield self._collection(unit)
        yield self._judging()

    def _files(self) -> list[str]:
        return [name for name in ("thresholds.toml",) if (self._work.home / name).is_file()] + [self._work.file.name]

    def _text(self, name: str) -> str:
        try:
            return files.read(self._work.home / name).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{self._work.home / name}: cannot be read: {error}.") from None

    def _metadata(self, name: str, part: str) -> dict[str, Any]:
        labels = {
            "app.kubernetes.io/name": "jmedethic",
            "jmedethic/sweep": _name(self._sweep.name),
            "jmedethic/part": part,
        }
        space = {} if self._rules.namespace is None else {"namespace": self._rules.namespace}
        return {"name": _name(f"{self._sweep.name}-{name}"), **space, "labels": labels}

    def _collection(self, unit: Unit) -> dict[str, Any]:
        step = f"{unit.name}/$((JOB_COMPLETION_INDEX + 1))"
        command = ["sh", "-c", f'exec jmedethic sweep step {self._work.file.name} "{step}"']
        gpus = self._gpus[unit.model]
        limits = {self._rules.gpu_resource: str(gpus)} if gpus else {}
        spec = {
            "completionMode": "Indexed",
            "completions": unit.shards,
            "parallelism": min(self._rules.at_once or unit.shards, unit.shards),
            "backoffLimitPerIndex": self._rules.retries,
            "podFailurePolicy": {"rules": [_LOST_NODE]},
            "template": self._pod("collect", command, self._rules.secrets, limits),
        }
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": self._metadata(unit.name, "collect"), "spec": spec}

    def _judging(self) -> dict[str, Any]:
        command = ["jmedethic", "sweep", self._work.file.name, "--no-collect"]
        final = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": _ANSWERS}}
        spec = {
            "suspend": True,
            "backoffLimit": self._rules.retries,
            "podFailurePolicy": {"rules": [_LOST_NODE, final]},
            "template": self._pod("judge", command, self._rules.judge_secrets, {}),
        }
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": self._metadata("judge", "judge"), "spec": spec}

    def _pod(self, part: str, command: list[str], secrets: Sequence[str], limits: Mapping[str, str]) -> dict[str, Any]:
        container = {
            "name": "jmedethic",
            "image": self._rules.image,
            "command": command,
            "workingDir": HOME,
            **({"envFrom": [{"secretRef": {"name": name}} for name in secrets]} if secrets else {}),
            "resources": {"requests": dict(self._rules.requests), **({"limits": dict(limits)} if limits else {})},
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [
                {"name": "work", "mountPath": HOME},
                *(
                    {"name": "files", "mountPath": f"{HOME}/{name}", "subPath": name, "readOnly": True}
                    for name in self._files()
                ),
            ],
        }
        return {
            "metadata": {"labels": self._metadata(part, part)["labels"]},
            "spec": {
                "restartPolicy": "Never",
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": USER,
                    "fsGroup": USER,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [container],
                "volumes": [
                    {"name": "work", "persistentVolumeClaim": {"claimName": self._rules.claim}},
                    {"name": "files", "configMap": {"name": self._metadata("files", "files")["name"]}},
                ],
            },
        }


_LOST_NODE = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
"""A pod that went with its node is begun again, however often."""


def _name(text: str) -> str:
    """Return a name that Kubernetes takes; two texts that differ have two names."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if plain == text and len(plain) <= _LONGEST:
        return plain
    return f"{plain[: _LONGEST - 7].strip('-')}-{files.sha256(text)[:6]}"


def _yaml(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield a value as lines of YAML; single values are written as JSON has them, texts of several lines as blocks."""
    pad = "  " * depth
    for key, item in value.items():
        if isinstance(item, str) and _BLOCK.fullmatch(item):
            yield f"{pad}{key}: |+\n"
            yield from (f"{pad}  {line}\n" if line else "\n" for line in item.split("\n")[:-1])
        elif isinstance(item, dict) and item:
            yield f"{pad}{key}:\n"
            yield from _yaml(item, depth + 1)
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            yield f"{pad}{key}:\n"
            for inner in item:
                first, *rest = _yaml(inner, depth + 1)
                yield f"{pad}- {first.lstrip()}"
                yield from rest
        else:
            text = json.dumps(item, ensure_ascii=False)
            yield f"{pad}{key}: {_HIDDEN.sub(lambda sign: f'{chr(92)}u{ord(sign[0]):04x}', text)}\n"
