"""Writing cases as JSONL, CSV or Parquet, at one stroke and never over a file by accident."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from jmedethic_pytest.cases.exchange import flat
from jmedethic_pytest.cases.exchange.notices import beside
from jmedethic_pytest.cases.exchange.rows import pyarrow
from jmedethic_pytest.cases.vocabulary_files import FILE, STRATEGIES_FILE, Pack
from jmedethic_pytest.core import files
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.records import Case


def write(cases: Sequence[Case], output: Path, kind: str, notice: Sequence[str], *, force: bool = False) -> None:
    """Write a file of cases and, if there is one, its notice beside it.

    Args:
        cases: in the order of the file.
        output: the file.
        kind: one of :data:`KINDS`.
        notice: lines of the licence notice.
        force: replace an existing file.

    Raises:
        ConfigError: if the file exists, or pyarrow is missing.
        StoreError: if it cannot be written.
    """
    check_output(output, force=force)
    data = KINDS[kind](cases)
    advice = "Give another file (--output)."
    if notice:
        files.replace(beside(output), "\n".join(notice) + "\n", advice)
    files.replace(output, data, advice)


def write_guidelines(pack: Pack, folder: Path) -> None:
    """Write the guidelines that cases of a folder may name beside them.

    Raises:
        StoreError: if they cannot be written.
    """
    text = json.dumps(pack.model_dump(mode="json", by_alias=True, exclude_unset=True), ensure_ascii=False, indent=2)
    files.replace(folder / FILE, f"{text}\n", "Give another folder (--output).")


def carry_words(sources: Iterable[Path], folder: Path) -> None:
    """Put the guidelines and strategies that lie beside files of cases beside their copies, unless some lie there.

    Raises:
        StoreError: if they cannot be written.
    """
    for place in dict.fromkeys(source.parent for source in sources):
        for name in (FILE, STRATEGIES_FILE):
            if (place / name).is_file() and not (folder / name).exists():
                files.replace(folder / name, (place / name).read_bytes(), "Give another folder (--output).")


def check_output(output: Path, *, force: bool) -> None:
    """Refuse to write over a file that nobody said to replace.

    Raises:
        ConfigError: if the file exists.
    """
    if output.is_dir() or (output.exists() and not force):
        next_step = "Give the name of a file." if output.is_dir() else "Give another name, or --force to replace it."
        raise ConfigError(f"--output: {output} exists already. {next_step}")


def _jsonl(cases: Sequence[Case]) -> bytes:
    lines = (json.dumps(case.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False) for case in cases)
    return "".join(f"{line}\n" for line in lines).encode()


def _csv(cases: Sequence[Case]) -> bytes:
    """Return CSV with a byte-order mark, without which Excel shows Japanese as noise."""
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, flat.columns(cases), restval="")
    writer.writeheader()
    writer.writerows(flat.row(case) for case in cases)
    return stream.getvalue().encode("utf-8-sig")


def _parquet(cases: Sequence[Case]) -> bytes:
    arrow, parquet = pyarrow("", "parquet"), pyarrow("parquet", "parquet")
    schema = arrow.schema([(name, _arrow_type(arrow, name)) for name in Case.model_fields])
    table = arrow.Table.from_pylist([case.model_dump(mode="json") for case in cases], schema=schema)
    stream = io.BytesIO()
    parquet.write_table(table, stream)
    return stream.getvalue()


def _arrow_type(arrow: Any, field: str) -> Any:
    default = Case.model_fields[field].default
    is_list = field == "turns" or isinstance(default, tuple)
    return arrow.list_(arrow.string()) if is_list else arrow.int64() if isinstance(default, int) else arrow.string()


KINDS: dict[str, Callable[[Sequence[Case]], bytes]] = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet}
"""How cases are turned into the bytes of a file, by format."""
