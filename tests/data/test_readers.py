"""Are tables read as they stand, and faults named with their place?"""

from __future__ import annotations

import csv
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kdaudit.data.readers import Roles, read
from kdaudit.data.sheets import LONGEST
from kdaudit.domain import Category, Domain, Image, Real, Text
from kdaudit.errors import InvalidInput, OutOfDomain, UnsafeFile

DOMAIN = Domain(
    (
        Real("age", 18, 99, integer=True),
        Real("income", low=0, missing=True),
        Category("sex", ("female", "male")),
        Category("job", ("clerk", "cook, or maid"), missing=True),
    )
)
ROLES = Roles(label="bad", classes=("no", "yes"), id="who", weight="times")
HEADER = "who,age,income,sex,job,bad,times,note"
GOOD = ('a,30,1e3,female,clerk,no,1,x', 'b,41,,male,"cook, or maid",yes,2.5,', "c,52,0.5,male,,no,0,z")  # fmt: skip


def table(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "people.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def parquet(folder: Path, **columns: object) -> Path:
    path = folder / "people.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_a_csv_table(tmp_path: Path) -> None:
    reading = read(table(tmp_path, *GOOD), DOMAIN, ROLES, name="people")
    samples = reading.samples
    assert reading.ignored == ("note",)
    assert samples.ids.tolist() == ["a", "b", "c"]
    assert samples.columns["age"].tolist() == [30, 41, 52]
    np.testing.assert_array_equal(samples.columns["income"], [1000, np.nan, 0.5])
    assert samples.level("sex").tolist() == ["female", "male", "male"]
    assert samples.level("job").tolist() == ["clerk", "cook, or maid", None]
    assert samples.labels is not None
    assert samples.labels.tolist() == [0, 1, 0]
    assert samples.labels.dtype == np.int64
    assert samples.weights is not None
    assert samples.weights.tolist() == [1, 2.5, 0]
    assert (samples.origin.name, samples.origin.source) == ("people", "people.csv")
    assert len(samples.origin.digest) == 64


def test_csv_and_parquet_give_the_same_rows(tmp_path: Path) -> None:
    csv_path = table(tmp_path, *GOOD)
    frame = pd.read_csv(csv_path).astype({"sex": "category"})
    frame.to_parquet(tmp_path / "people.parquet", index=False)
    a, b = (read(p, DOMAIN, ROLES).samples for p in (csv_path, tmp_path / "people.parquet"))
    assert a.keys().tolist() == b.keys().tolist()
    assert a.ids.tolist() == b.ids.tolist()
    assert a.labels is not None
    assert b.labels is not None
    assert a.labels.tolist() == b.labels.tolist()


def test_without_roles_rows_are_numbered(tmp_path: Path) -> None:
    reading = read(table(tmp_path, *GOOD), DOMAIN)
    assert reading.samples.ids.tolist() == [0, 1, 2]
    assert reading.samples.labels is None
    assert reading.ignored == ("who", "bad", "times", "note")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("d,17,1,male,,no,1,", "line 5, column 'age': '17' is not in the range from 18 to 99"),
        ("d,30.5,1,male,,no,1,", "line 5, column 'age': '30.5' is not a whole number"),
        ("d,old,1,male,,no,1,", "line 5, column 'age': 'old' is text; a number is needed"),
        ("d,nan,1,male,,no,1,", "column 'age': 'nan' is text"),
        ("d,,1,male,,no,1,", "line 5, column 'age': the value is missing"),
        ("d,30,-1,male,,no,1,", "column 'income': '-1' is not in the range from 0 to inf"),
        ("d,30,1e999,male,,no,1,", "column 'income': '1e999' is not in the range"),
        ("d,30,1,mal,,no,1,", "line 5, column 'sex': 'mal' is no known level; did you mean 'male'?"),
        ("d,30,1,,,no,1,", "column 'sex': the value is missing"),
        ("d,30,1,male,cook,no,1,", "column 'job': 'cook' is no known level"),
        ("d,30,1,male,,maybe,1,", "column 'bad': 'maybe' is no known level"),
        ("d,30,1,male,,,1,", "column 'bad': the value is missing"),
        ("d,30,1,male,,no,-1,", "column 'times': '-1' is not in the range from 0"),
        ("b,30,1,male,,no,1,", "line 5, column 'who': 'b' is an id that line 3 has too"),
        (",30,1,male,,no,1,", "line 5, column 'who': the value is missing; each row needs an id"),
        ("d,30,1,male,,no,1,,", "line 5 has 9 columns where the header has 8"),
        ("d,30", "line 5 has 2 columns where the header has 8"),
    ],
)
def test_a_fault_in_a_csv_table_has_its_place(tmp_path: Path, line: str, said: str) -> None:
    path = table(tmp_path, *GOOD, line)
    with pytest.raises(InvalidInput) as caught:
        read(path, DOMAIN, ROLES)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_lines_are_counted_through_quoted_line_breaks_and_blank_lines(tmp_path: Path) -> None:
    lines = ('a,30,1,male,,no,1,"two\nlines"', "", "b,17,1,male,,no,1,")
    with pytest.raises(OutOfDomain, match="line 5, column 'age'"):
        read(table(tmp_path, *lines), DOMAIN, ROLES)
    with pytest.raises(InvalidInput, match="line 5 has 2 columns"):
        read(table(tmp_path, *lines[:2], "b,17"), DOMAIN, ROLES)


def test_lines_are_right_in_a_long_table_with_long_values(tmp_path: Path) -> None:
    # several blocks of the parser, and a value longer than the csv module takes
    lines = ["a,30,1,male,,no,1,x"] * 70_000
    lines[30] = f'a,30,1,male,,no,1,"{"x" * 140_000}\n\n"'
    roles = Roles(label="bad", classes=("no", "yes"))
    with pytest.raises(OutOfDomain, match="line 70004, column 'age'"):
        read(table(tmp_path, *lines, "b,17,1,male,,no,1,"), DOMAIN, roles)
    with pytest.raises(InvalidInput, match="line 70004 has 2 columns"):
        read(table(tmp_path, *lines, "b,17"), DOMAIN, roles)


def test_a_fault_counts_its_rows(tmp_path: Path) -> None:
    with pytest.raises(OutOfDomain, match=r"'male2' is no known level.*\(2 such rows\)"):
        read(table(tmp_path, *GOOD, "d,30,1,male2,,no,1,", "e,30,1,x,,no,1,"), DOMAIN, ROLES)


def test_a_fault_in_a_parquet_table_has_its_row(tmp_path: Path) -> None:
    path = parquet(tmp_path, age=[30, 17], income=[1.0, None], sex=["male", "male"], job=["clerk", None])
    with pytest.raises(OutOfDomain, match="row 2, column 'age': 17 is not in the range"):
        read(path, DOMAIN)


def test_text_in_a_number_column_of_parquet(tmp_path: Path) -> None:
    good = {"age": [30], "income": [1.0], "sex": ["male"], "job": ["clerk"]}
    with pytest.raises(OutOfDomain, match="row 1, column 'age': 'thirty' is text"):
        read(parquet(tmp_path, **{**good, "age": ["thirty"]}), DOMAIN)
    with pytest.raises(InvalidInput, match=r"column 'age' holds list<.*numbers are needed"):
        read(parquet(tmp_path, **{**good, "age": [[30]]}), DOMAIN)
    with pytest.raises(InvalidInput, match=r"column 'sex' holds list<.*texts or numbers are needed"):
        read(parquet(tmp_path, **{**good, "sex": [["male"]]}), DOMAIN)
    with pytest.raises(InvalidInput, match="column 'age' holds bool; numbers are needed"):
        read(parquet(tmp_path, **{**good, "age": [True]}), DOMAIN)
    with pytest.raises(InvalidInput, match="column 'age' holds double; ids are whole numbers or texts"):
        read(parquet(tmp_path, **{**good, "age": [30.0]}), DOMAIN, Roles(id="age"))


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (HEADER.replace("age", "Age"), "has no column 'age'; did you mean 'Age'?"),
        (HEADER.replace("note", "age"), "has two columns called 'age'"),
    ],
)
def test_headers(tmp_path: Path, header: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(table(tmp_path, *GOOD, header=header), DOMAIN, ROLES)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.parquet", b"", "is empty"),
        ("a.csv", HEADER.encode() + b"\n", "has a header and no rows"),
        ("a.csv", b"\n\n", "has no column 'age'"),
        ("a.parquet", HEADER.encode(), "is not a Parquet file"),
        ("a.parquet", b"PAR1" + b"x" * 100, "is a broken Parquet file"),
        ("a.csv", b"PAR1" + b"x" * 100, "is not a table of text in UTF-8"),
        ("a.csv", HEADER.encode("utf-16"), "is not a table of text in UTF-8"),
        ("a.csv", b"\xe4ge,income\n", "is not a table of text in UTF-8"),
        ("a.csv", HEADER.encode() + b"\na,30,1,m\xe4nnlich,,no,1,\n", "is not a table of text in UTF-8"),
        ("a.xlsx", b"x", "tables are read from .parquet and .csv files, not from .xlsx"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        read(path, DOMAIN, ROLES)
    assert said in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"absent\.csv cannot be read: No such file"):
        read(tmp_path / "absent.csv", DOMAIN)


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    for name in ("pipe.csv", "folder.csv"):
        with pytest.raises(InvalidInput, match="is no file"):
            read(tmp_path / name, DOMAIN)


def test_a_row_without_end_says_what_may_be_wrong(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("age,sex\n30,male\n" + "x" * (3 * LONGEST) + ",male\n31,male\n")
    with pytest.raises(InvalidInput, match="a row of more than 1 MiB; mend the file: is a quote left open"):
        read(tmp_path / "people.csv", Domain((Real("age"),)))


def test_a_long_value_is_not_repeated_whole(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("age\n30\n" + "x" * 9000 + "\n")
    with pytest.raises(OutOfDomain, match=r"line 3, column 'age': 'x+… \(9,002 characters\) is text") as caught:
        read(tmp_path / "people.csv", Domain((Real("age"),)))
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ["people.csv", "people.parquet", "people.pkl"])
def test_a_pickle_is_refused_by_content(tmp_path: Path, name: str, protocol: int) -> None:
    (tmp_path / name).write_bytes(pickle.dumps({"age": [30]}, protocol=protocol))
    with pytest.raises(UnsafeFile, match="is a pickle, which could run code"):
        read(tmp_path / name, DOMAIN)


def test_a_zipped_pickle_is_refused_by_content(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "people.csv", "w") as archive:
        archive.writestr("archive/data.pkl", b"x")
    with pytest.raises(UnsafeFile):
        read(tmp_path / "people.csv", DOMAIN)


def test_columns_and_levels_under_other_names(tmp_path: Path) -> None:
    roles = Roles(
        columns={"sex": "SEX", "age": "age in years"},
        levels={"sex": {"1": "male", "2": "female", "9": "female"}},
        missing=("", "?"),
    )
    path = table(tmp_path, "30,?,1,?", "31,2,2,clerk", "32,3,9,clerk", header="age in years,income,SEX,job")
    samples = read(path, DOMAIN, roles).samples
    assert samples.level("sex").tolist() == ["male", "female", "female"]
    assert samples.level("job").tolist() == [None, "clerk", "clerk"]
    assert np.isnan(samples.columns["income"][0])
    pq.write_table(
        pa.table({"age in years": [30], "income": [1], "SEX": [2.0], "job": pa.array([None], pa.string())}),
        tmp_path / "p.parquet",
    )
    assert read(tmp_path / "p.parquet", DOMAIN, roles).samples.level("sex").tolist() == ["female"]


@pytest.mark.parametrize("roles", [Roles(columns={"sexx": "SEX"}), Roles(levels={"sex": {"1": "man"}})])
def test_roles_that_the_domain_lacks(tmp_path: Path, roles: Roles) -> None:
    with pytest.raises(OutOfDomain):
        read(table(tmp_path, *GOOD), DOMAIN, roles)


def test_labels_that_are_numbers(tmp_path: Path) -> None:
    samples = read(table(tmp_path, *GOOD), DOMAIN, Roles(label="times")).samples
    assert samples.labels is not None
    assert samples.labels.dtype == np.float64
    assert samples.labels.tolist() == [1, 2.5, 0]


def test_texts(tmp_path: Path) -> None:
    path = table(tmp_path, '"a, b"', "ü", header="words")
    samples = read(path, Domain((Text("words", longest=4),))).samples
    assert samples.columns["words"].tolist() == ["a, b", "ü"]
    with pytest.raises(OutOfDomain, match="line 2, column 'words': 'a, b' is longer than 3 characters"):
        read(path, Domain((Text("words", longest=3),)))
    with pytest.raises(InvalidInput, match="is of kind image, which a table cannot hold"):
        read(path, Domain((Image("words", (1, 2, 2)),)))


cells = st.tuples(
    st.integers(18, 99),
    st.one_of(st.none(), st.floats(0, 1e12)),
    st.sampled_from(["female", "male"]),
    st.sampled_from([None, "clerk", "cook, or maid"]),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(cells, min_size=1, max_size=20))
def test_what_is_written_is_read(tmp_path: Path, rows: list[tuple[int, float | None, str, str | None]]) -> None:
    path = tmp_path / "people.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([["age", "income", "sex", "job"], *rows])
    samples = read(path, DOMAIN).samples
    assert samples.columns["age"].tolist() == [row[0] for row in rows]
    assert [None if np.isnan(v) else v for v in samples.columns["income"]] == [row[1] for row in rows]
    assert samples.level("sex").tolist() == [row[2] for row in rows]
    assert samples.level("job").tolist() == [row[3] for row in rows]
