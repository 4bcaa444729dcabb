"""What ``run.json`` says of a run, when it starts and when it has ended."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from typing import Any

from jmedethic_pytest import _version
from jmedethic_pytest.attack import prompt as attack_prompt
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.looks import Looks
from jmedethic_pytest.core.run_info import AttackPlan, RunInfo
from jmedethic_pytest.core.shards import Shard
from jmedethic_pytest.judging import prompt as judge_prompt
from jmedethic_pytest.models import prices
from jmedethic_pytest.models.client import Client, Tally
from jmedethic_pytest.run import companions, identity
from jmedethic_pytest.run.spec import RunSpec
from jmedethic_pytest.store import asked
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store.transcripts import StoredTranscripts


def started(spec: RunSpec, run_id: str, git_commit: str | None = None) -> RunInfo:
    """Return the record of a run that is about to start; it says whose replies are scored, if no target is called."""
    settings, rules = spec.settings, spec.thresholds
    labels, words = spec.whole.labels.values(), spec.cases.vocabulary
    named, used = {label.guideline for label in labels}, sorted({label.locale for label in labels})
    info = RunInfo(
        id=run_id,
        status="started",
        started=run_files.now(),
        tool_version=_version.VERSION,
        git_commit=git_commit,
        command=tuple(shlex.quote(part) for part in settings.command),
        target={
            **spec.target.describe(),
            **rules.target.model_dump(mode="json"),
            "revision": identity.stated_revision(settings, rules, spec.serving),
            **({"serving": spec.serving.describe()} if spec.serving is not None else {}),
        },
        judges=tuple(judge.describe() for judge in spec.judges),
        third=spec.third.describe() if spec.third is not None else None,
        judge_context=rules.judges.context,
        judge_prompt=rules.judges.prompt,
        simulated=spec.simulated,
        selection={
            **settings.selection.model_dump(mode="json"),
            "repeats": settings.repeats,
            **({"perturb": companions.plan(spec)} if settings.perturb else {}),
            **({"dropped": list(spec.dropped)} if spec.dropped else {}),
            **({"reordered": True} if spec.reordered else {}),
        },
        digests={
            "cases": spec.case_digest,
            "prompts": judge_prompt.digest(rules.judges.prompt, used, [words.guidelines[key] for key in named]),
            "thresholds": rules.digest(),
        },
        guidelines={key: judge_prompt.guideline_digest(words.guidelines[key]) for key in sorted(named)},
        prompts_schema_1=judge_prompt.digest_as_schema_1(rules.judges.prompt, words),
        attack=attack(spec),
        shard=_shard(spec),
        concurrency=settings.concurrency,
        thresholds=rules.model_dump(mode="json"),
        baselines=settings.baselines,
        looks=Looks(declared=rules.gate.baseline.looks, early=settings.early) if settings.early != "off" else None,
        vocabulary=words.record(labels),
    )
    return info if spec.transcripts is None else info.model_copy(update=_of_then(spec.transcripts, info))


def _shard(spec: RunSpec) -> Shard | None:
    """Return which part of a run it is, if it is one."""
    part = spec.settings.shard
    if part is None or spec.undivided is None:
        return None
    return Shard(number=part.number, count=part.count, cases=spec.undivided.digest, evaluations=len(spec.plan()))


def attack(spec: RunSpec) -> AttackPlan | None:
    """Return how conversations are attacked after their written turns, if they are."""
    if spec.attacker is None:
        return None
    settings, table, told = spec.settings, spec.thresholds.attacker, attack_prompt.texts()
    return AttackPlan(
        attacker=spec.attacker.describe(),
        style=settings.attack_style,
        max_turns=settings.max_turns,
        seeds=table.seeds,
        calls=table.calls,
        version=told.version,
        prompt=told.digest,
        sampling=asked.of_attacker(table.model_dump(mode="json")),
    )


def _of_then(transcripts: StoredTranscripts, info: RunInfo) -> dict[str, Any]:
    """Return what a run that scores the replies of another one takes from that: whatever tells of target and cases."""
    then = transcripts.info
    kept = ("target", "selection", "identity", "replies_of", "replayed", "attack", "shard", "unasked")
    return {
        **{name: getattr(then, name) for name in kept},
        "digests": {**info.digests, "cases": then.digests["cases"]},
        "transcripts_of": transcripts.source,
    }


def ended(info: RunInfo, clients: Sequence[Client], rules: Thresholds) -> RunInfo:
    """Return the record with the end of the run, and what each model was called for."""
    tallies = {f"{client.role} {client.ref.label}{client.suffix}": client.tally for client in clients}
    limits = ((*client.limit.changes, *client.endpoint.notes) for client in clients)
    learned = (client.learned for client in clients)
    return info.model_copy(
        update={
            "finished": run_files.now(),
            "calls": {name: tally.calls for name, tally in tallies.items()},
            "tokens": {
                name: {
                    "input": tally.input_tokens,
                    "output": tally.output_tokens,
                    "prompt_cached": tally.prompt_cached,
                    "prompt_written": tally.prompt_written,
                    "cached_calls": tally.cached,
                    "failed_calls": tally.failed,
                    **_batched(tally),
                }
                for name, tally in tallies.items()
            },
            "cost_usd": {name: cost(client, rules) for name, client in zip(tallies, clients, strict=True)},
            "seconds_per_call": {name: tally.seconds / tally.calls for name, tally in tallies.items() if tally.calls},
            "limits": dict(zip(tallies, limits, strict=True)),
            "learned": {name: found for name, found in zip(tallies, learned, strict=True) if found},
        }
    )


def cost(client: Client, rules: Thresholds) -> float | None:
    """Return US dollars spent on a model, ``None`` if that is unknown."""
    label, tally, batched = client.ref.label, client.tally, client.tally.batched
    if tally.uncounted or (batched and batched.uncounted):
        return None
    single = prices.cost(label, tally.usage, rules.prices)
    if batched is None or single is None:
        return single
    return single + prices.batch_share(label) * (prices.cost(label, batched.usage, rules.prices) or 0.0)


def _batched(tally: Tally) -> dict[str, int]:
    """Return what came in batches, if anything did; it is not among the calls and tokens of single ones."""
    found = tally.batched
    if found is None:
        return {}
    return {"batched": found.calls, "batched_input": found.input_tokens, "batched_output": found.output_tokens}


def git_commit() -> str | None:
    """Return the commit of the working folder, ``None`` where there is none."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
