"""Draw docs/images/summary.svg: what a failing run prints, from a real run of the demo model."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

TARGET = Path(__file__).parent / "images" / "summary.svg"


def main() -> None:
    """Run `jmedethic run --model demo:eroding --suite smoke` and draw its output."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["run", "--model", "demo:eroding", "--suite", "smoke", "--reports", folder]
        done = subprocess.run(
            [sys.executable, "-m", "jmedethic_pytest", *command], capture_output=True, text=True, check=False
        )
    lines = [line for line in done.stdout.splitlines() if not line.startswith(("run: ", "report: ", "which: "))]
    console = Console(record=True, width=122, file=sys.stderr)
    for line in lines:
        text = Text(line)
        text.highlight_regex(r"^GATE: FAIL.*|^  fail .*", "bold red")
        text.highlight_regex(r"^SIMULATION.*", "yellow")
        console.print(text)
    svg = console.export_svg(title="pytest --model=demo:eroding --jmed-suite smoke")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono")
    TARGET.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
