"""Evidence as files: the table as Parquet, words and claims as JSON, arrays as safetensors."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors
import safetensors.numpy

from kdaudit.digest import canonical
from kdaudit.errors import BrokenRun, KdauditError
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Claim
from kdaudit.interval import unknown
from kdaudit.run.folder import RunFolder

SCHEMA = 1
"""Version of the JSON form."""
_STEM = re.compile(r"[^\s/\\:*?\"<>|\x00-\x1f]+")
_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


def stem_of(evidence: Evidence) -> str:
    """Return the name of the evidence's files without ending, such as ``probes.parity.tree``.

    Raises
    ------
    KdauditError
        If question and proxy have names that no file can have.
    """
    stem = ".".join(part for part in (evidence.question.replace("/", "."), evidence.proxy_name) if part)
    if not _STEM.fullmatch(stem) or stem.startswith("."):
        raise KdauditError(f"evidence called {stem!r} cannot be written; names need plain characters without spaces")
    return stem


def write_evidence(folder: RunFolder, evidence: Evidence) -> tuple[str, ...]:
    """Write the evidence into ``evidence/`` and return the names of its files: the same bytes for the same evidence.

    Raises
    ------
    KdauditError
        If its context is no plain data or holds NaN, or an array holds no numbers.
    """
    stem = f"evidence/{stem_of(evidence)}"
    files = {f"{stem}.parquet": _table_bytes(evidence)}
    arrays = {name: _numbers(name, array) for name, array in evidence.arrays.items()}
    if arrays:
        files[f"{stem}.safetensors"] = safetensors.numpy.save(arrays)  # sorts them by name itself
    try:
        claims = [json.loads(canonical(vars(claim))) for claim in evidence.claims]
        context = json.loads(canonical(dict(evidence.context)))
    except ValueError as error:
        raise KdauditError(f"context or claims of {evidence.question} cannot be written: {error}") from error
    words: dict[str, Any] = {"question": evidence.question, "title": evidence.title, "proxy_name": evidence.proxy_name}
    words |= {"schema": SCHEMA, "shows": evidence.shows, "claims": claims, "context": context}
    words["arrays"] = {name: {"dtype": str(a.dtype), "shape": list(a.shape)} for name, a in arrays.items()}
    for name, data in files.items():
        folder.write_bytes(name, data)
    folder.write_json(f"{stem}.json", words)  # last: evidence is what has a JSON file
    return (*files, f"{stem}.json")


def read_evidence(folder: RunFolder, stem: str) -> Evidence:
    """Return the evidence whose files are called `stem`.

    Raises
    ------
    BrokenRun
        If a file is missing or is not what was written.
    """
    where = f"evidence/{stem}"
    words = folder.read_json(f"{where}.json")
    schema = words.get("schema") if isinstance(words, dict) else None
    if schema != SCHEMA:
        raise BrokenRun(f"{folder.path / where}.json has schema {schema!r}; this version reads schema {SCHEMA}")
    try:
        table = pq.read_table(pa.BufferReader(folder.read_bytes(f"{where}.parquet")), use_threads=False)
        arrays = safetensors.numpy.load(folder.read_bytes(f"{where}.safetensors")) if words["arrays"] else {}
        return Evidence(
            question=words["question"],
            title=words["title"],
            rows=tuple(Row.from_flat({**_BLANK, **row}) for row in table.to_pylist()),
            claims=tuple(Claim(**claim) for claim in words["claims"]),
            context=words["context"],
            arrays={name: arrays[name] for name in sorted(arrays)},
            shows=words["shows"],
            proxy_name=words["proxy_name"],
        )
    except (KeyError, TypeError, ValueError, OSError, safetensors.SafetensorError) as error:
        raise BrokenRun(f"{folder.path / where} cannot be read as evidence: {error!r}") from error


_BLANK = Row("", "", "teacher", unknown(""), no_control="none", no_ceiling="none").flat()
"""A row without content: the columns of the table and their types."""


def _table_bytes(evidence: Evidence) -> bytes:
    # written without pandas, whose metadata would name its own version and more
    rows = [row.flat() for row in evidence.rows]
    columns = {name: pa.array([_cell(row[name]) for row in rows], _TYPES[type(v)]) for name, v in _BLANK.items()}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, compression="zstd")
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _cell(value: Any) -> Any:  # noqa: ANN401 - one cell of any column
    plain = value.item() if isinstance(value, np.generic) else value
    # all NaN are one, so that the same table is the same bytes
    return math.nan if isinstance(plain, float) and math.isnan(plain) else plain


def _numbers(name: str, array: Any) -> np.ndarray[Any, Any]:  # noqa: ANN401 - whatever a question put there
    out = np.asarray(array)
    if out.dtype.kind not in "biuf":
        raise KdauditError(
            f"array {name!r} of the evidence holds {out.dtype}, not numbers; texts belong in its context"
        )
    # safetensors copies memory as it lies there
    return np.ascontiguousarray(out.astype(out.dtype.newbyteorder("="))).reshape(out.shape)
