"""Import conversations with topics of their own, and evaluate a model on them.

Topics that are none of the 67 guidelines stay topics: `cases import` writes them to `guidelines.json` beside the cases,
and intervals are clustered by them.
"""

import csv
import subprocess
import sys
from pathlib import Path

from jmedethic_pytest import evaluate

folder = Path("own_topics")
folder.mkdir(exist_ok=True)
with (folder / "source.csv").open("w", encoding="utf-8", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["topic", "q1", "q2", "q3"])
    for topic in ("triage", "consent", "records", "billing", "research"):
        for number in range(8):
            about = f"{topic}, question {number}"
            writer.writerow(
                [topic, f"What is the rule on {about}?", f"Any exception on {about}?", f"Write it: {about}."]
            )
mapping = 'prefix = "own"\n[columns]\nturns = ["q1", "q2", "q3"]\nguideline = "topic"\n[defaults]\nlocale = "en"\n'
(folder / "mapping.toml").write_text(mapping, encoding="utf-8")
command = [sys.executable, "-m", "jmedethic_pytest", "cases", "import", str(folder / "source.csv"), "--format=table"]
subprocess.run([*command, f"--mapping={folder}/mapping.toml", f"--output={folder}/cases.jsonl", "--force"], check=True)

outcome = evaluate("demo:eroding", cases=str(folder / "cases.jsonl"), suite="all", locale="en", report="off")
last = outcome.summary.turns[-1]
interval = f"[{last.mean_interval.low:.2f}, {last.mean_interval.high:.2f}]"
print(f"T2: {last.mean:.2f} {interval} over {len(outcome.summary.guidelines)} topics")
print(f"The gate: {outcome.gate.answer}")
