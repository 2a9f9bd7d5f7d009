"""Census income: the American Community Survey 2018 with readable levels, bundled as 30,000 rows.

The task is that of Ding, Hardt, Miller and Schmidt (2021), "Retiring Adult": persons above 16 who worked and earned,
and whether their yearly income is above 50,000 dollars.  Codes are those of the PUMS 2018 data dictionary, except that
the source counts race from 0.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from kdaudit.digest import of_data, of_file, of_rows
from kdaudit.domain import Category, Domain, Real
from kdaudit.errors import BrokenRun, InvalidInput
from kdaudit.samples import Origin, Samples

SHA256 = "fc851c8b1c7145546d7025544b111ed0a166605f5cbeadc38168d837d88b9012"
"""Digest of the bundled file."""
SEED, ROWS = 2018, 30_000
SOURCES = ("ACSIncome.validation.parquet", "ACSIncome.test.parquet")
TITLE = "American Community Survey 2018, income task"
ID, LABEL = "id", "income_above_50k"

Span = tuple[int, int, str]
"""First code, last code (included), level."""

SEX: tuple[Span, ...] = ((1, 1, "male"), (2, 2, "female"))
RACE: tuple[Span, ...] = (
    (0, 0, "white"),
    (1, 1, "Black"),
    (2, 2, "American Indian"),
    (3, 3, "Alaska Native"),
    (4, 4, "other Native"),
    (5, 5, "Asian"),
    (6, 6, "Pacific Islander"),
    (7, 7, "other"),
    (8, 8, "two or more"),
)
SCHOOLING: tuple[Span, ...] = (
    (1, 15, "no high school diploma"),
    (16, 17, "high school diploma"),
    (18, 19, "some college"),
    (20, 20, "associate degree"),
    (21, 21, "bachelor degree"),
    (22, 22, "master degree"),
    (23, 24, "professional degree or doctorate"),
)
OCCUPATION: tuple[Span, ...] = (
    (10, 440, "management"),
    (500, 750, "business"),
    (800, 960, "finance"),
    (1005, 1240, "computing and mathematics"),
    (1305, 1560, "engineering and architecture"),
    (1600, 1980, "science"),
    (2001, 2060, "community and social service"),
    (2100, 2180, "law"),
    (2205, 2555, "education and libraries"),
    (2600, 2920, "arts, media and sport"),
    (3000, 3550, "medicine and nursing"),
    (3601, 3655, "healthcare support"),
    (3700, 3960, "protection"),
    (4000, 4160, "food preparation"),
    (4200, 4255, "cleaning and grounds"),
    (4330, 4655, "personal care"),
    (4700, 4965, "sales"),
    (5000, 5940, "office"),
    (6005, 6130, "farming, fishing and forestry"),
    (6200, 6765, "construction"),
    (6800, 6950, "extraction"),
    (7000, 7640, "installation and repair"),
    (7700, 8990, "production"),
    (9005, 9760, "transport"),
    (9800, 9830, "military"),
)
WORKER: tuple[Span, ...] = (
    (1, 1, "private company"),
    (2, 2, "private non-profit"),
    (3, 3, "local government"),
    (4, 4, "state government"),
    (5, 5, "federal government"),
    (6, 6, "self-employed, not incorporated"),
    (7, 7, "self-employed, incorporated"),
    (8, 8, "unpaid in family business"),
)
MARITAL: tuple[Span, ...] = (
    (1, 1, "married"),
    (2, 2, "widowed"),
    (3, 3, "divorced"),
    (4, 4, "separated"),
    (5, 5, "never married"),
)
RELATIONSHIP: tuple[Span, ...] = (
    (0, 0, "reference person"),
    (1, 1, "husband or wife"),
    (2, 4, "child"),
    (14, 14, "child"),
    (5, 5, "brother or sister"),
    (6, 6, "parent or parent-in-law"),
    (8, 8, "parent or parent-in-law"),
    (7, 7, "grandchild"),
    (9, 9, "child-in-law"),
    (10, 10, "other relative"),
    (11, 12, "lodger or housemate"),
    (13, 13, "unmarried partner"),
    (15, 15, "other nonrelative"),
    (16, 16, "in an institution"),
    (17, 17, "in other group quarters"),
)
BIRTHPLACE: tuple[Span, ...] = (
    (1, 59, "United States"),
    (60, 99, "US island areas"),
    (100, 169, "Europe"),
    (200, 254, "Asia"),
    (300, 302, "Canada and other Americas"),
    (399, 399, "Canada and other Americas"),
    (303, 303, "Mexico"),
    (310, 319, "Central America"),
    (321, 359, "Caribbean"),
    (360, 374, "South America"),
    (400, 469, "Africa"),
    (500, 554, "Oceania"),
)


def _levels(spans: tuple[Span, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(level for _, _, level in spans))


DOMAIN = Domain(
    (
        Category("sex", _levels(SEX), protected=True, immutable=True),
        Category("race", _levels(RACE), protected=True, immutable=True),
        Real("age", 17, 99, unit="years", integer=True, protected=True, immutable=True),
        Category("birthplace", _levels(BIRTHPLACE), immutable=True),
        Category("schooling", _levels(SCHOOLING), ordered=True),
        Category("occupation", _levels(OCCUPATION)),
        Category("class_of_worker", _levels(WORKER)),
        Real("hours_per_week", 1, 99, unit="hours per week", integer=True),
        Category("marital_status", _levels(MARITAL)),
        Category("relationship", _levels(RELATIONSHIP)),
    )
)
CODED: dict[str, tuple[str, tuple[Span, ...]]] = {
    "sex": ("SEX", SEX),
    "race": ("RAC1P", RACE),
    "birthplace": ("POBP", BIRTHPLACE),
    "schooling": ("SCHL", SCHOOLING),
    "occupation": ("OCCP", OCCUPATION),
    "class_of_worker": ("COW", WORKER),
    "marital_status": ("MAR", MARITAL),
    "relationship": ("RELP", RELATIONSHIP),
}
"""Field -> column of the source and the meaning of its codes."""
COUNTED = {"age": "AGEP", "hours_per_week": "WKHP"}


def build(source: Path, target: Path, seed: int = SEED) -> int:
    """Draw the bundled rows and write them as one Parquet file with levels by name.

    The draw takes the `ROWS` rows whose id has the smallest digest under `seed`: it depends on no generator's version
    and on no order of rows or files.

    Parameters
    ----------
    source : Path
        Folder that holds `SOURCES`.
    target : Path
        File to write.
    seed : int

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    InvalidInput
        If a source file is missing or holds a code that no level stands for.
    """
    columns = _translated(source)
    at = _drawn(columns[ID], seed)
    arrays: dict[str, pa.Array] = {ID: pa.array(columns[ID][at].astype(np.int32))}
    for item in DOMAIN.fields:
        values = columns[item.name][at]
        match item:
            case Category(levels=levels):
                arrays[item.name] = pa.DictionaryArray.from_arrays(values.astype(np.int8), list(levels))
            case _:
                arrays[item.name] = pa.array(values.astype(np.uint8))
    arrays[LABEL] = pa.array(columns[LABEL][at].astype(np.uint8))
    dictionary = [name for name in arrays if name != ID]
    pq.write_table(
        pa.table(arrays), target, compression="zstd", compression_level=19, use_dictionary=dictionary,
        write_statistics=False, row_group_size=ROWS,
    )  # fmt: skip
    return target.stat().st_size


def bundled_rows() -> Samples:
    """Return the 30,000 bundled rows; labels are 1 where the income is above 50,000 dollars.

    Raises
    ------
    BrokenRun
        If the file inside the package is not the one that was released.
    """
    with as_file(files("kdaudit.data.bundled") / "acs_income.parquet") as path:
        if not path.is_file() or of_file(path) != SHA256:
            raise BrokenRun(f"{path.name} inside the package is missing or changed; install kdaudit afresh")
        table = pq.read_table(path)
    columns: dict[str, NDArray[Any]] = {}
    for item in DOMAIN.fields:
        match item:
            case Category(levels=levels):
                codes = pc.index_in(table[item.name].cast(pa.string()), value_set=pa.array(levels))
                columns[item.name] = codes.to_numpy()
            case _:
                columns[item.name] = table[item.name].to_numpy()
    labels = table[LABEL].to_numpy().astype(np.int64)
    ids = table[ID].to_numpy().astype(np.int64)
    return Samples(DOMAIN, columns, ids, Origin(TITLE, "acs_income", SHA256), labels)


def outside_rows(source: Path) -> Samples:
    """Return all rows of the two source files that are not among the bundled ones, in the order of their ids.

    They come from the same population, so that what a run says of itself can be checked on rows it never saw.  A row
    may still be a copy of a bundled one in all ten fields: leave such rows out by `Samples.keys` where that matters.

    Raises
    ------
    InvalidInput
        If a source file is missing.
    """
    columns = _translated(source)
    rest = np.ones(len(columns[ID]), dtype=bool)
    rest[_drawn(columns[ID], SEED)] = False
    digest = of_data([of_file(source / name) for name in SOURCES])
    fields = {name: columns[name][rest] for name in DOMAIN.names}
    origin = Origin(f"{TITLE}, rows outside the bundled draw", "acs_income_full", digest)
    return Samples(DOMAIN, fields, columns[ID][rest], origin, columns[LABEL][rest].astype(np.int64))


def _drawn(ids: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    order: NDArray[np.int64] = np.argsort(of_rows(f"acs_income/draw/{seed}", [ids.view("V8")]), kind="stable")
    return order[:ROWS]


def _translated(source: Path) -> dict[str, NDArray[Any]]:
    """Return ids, levels' positions, numbers and labels of both files, in the order of the ids."""
    for name in SOURCES:
        if not (source / name).is_file():
            raise InvalidInput(f"{source / name} is missing; census income is read from {' and '.join(SOURCES)}")
    table = pa.concat_tables([pq.read_table(source / name) for name in SOURCES])
    ids = table["index"].to_numpy()
    order = np.argsort(ids, kind="stable")

    def column(name: str) -> NDArray[np.int64]:
        values: NDArray[np.int64] = table[name].to_numpy()[order].astype(np.int64)
        return values

    columns: dict[str, NDArray[Any]] = {ID: ids[order], LABEL: column("PINCP")}
    columns |= {field: _positions(name, column(name), spans) for field, (name, spans) in CODED.items()}
    columns |= {field: column(name) for field, name in COUNTED.items()}
    return columns


def _positions(name: str, codes: NDArray[np.int64], spans: tuple[Span, ...]) -> NDArray[np.int32]:
    levels, out = _levels(spans), np.full(len(codes), -1, dtype=np.int32)
    for first, last, level in spans:
        out[(codes >= first) & (codes <= last)] = levels.index(level)
    if (out < 0).any():
        raise InvalidInput(f"column {name} holds code {codes[out < 0][0]}, which stands for no level")
    return out
