"""Is the bundled case what its description says?"""

from __future__ import annotations

from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kdaudit.condition import parse
from kdaudit.data import census
from kdaudit.digest import of_file
from kdaudit.domain import Category
from kdaudit.errors import BrokenRun, InvalidInput
from kdaudit.samples import Samples

FILE = Path(str(files("kdaudit.data.bundled") / "acs_income.parquet"))


@pytest.fixture(scope="module")
def income() -> Samples:
    return census.bundled_rows()


def rates(samples: Samples, name: str) -> pd.Series:
    assert samples.labels is not None
    return pd.Series(samples.labels).groupby(samples.level(name)).mean()


def test_the_file_is_small_and_is_the_one_released() -> None:
    assert FILE.stat().st_size <= 700_000
    assert of_file(FILE) == census.SHA256
    source = (FILE.parent / "SOURCE.txt").read_text()
    assert census.SHA256 in source
    assert f"{FILE.stat().st_size:,} bytes" in source


def test_a_changed_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "SHA256", "0" * 64)
    with pytest.raises(BrokenRun, match="install kdaudit afresh"):
        census.bundled_rows()


def test_thirty_thousand_rows_with_one_id_each(income: Samples) -> None:
    assert len(income) == len(np.unique(income.ids)) == 30_000


def test_the_label_rate_is_that_of_the_task_and_rises_with_schooling(income: Samples) -> None:
    assert income.labels is not None
    assert 0.35 <= income.labels.mean() <= 0.39
    by_schooling = rates(income, "schooling").reindex(income.domain.category("schooling").levels)
    assert by_schooling.notna().all()
    assert by_schooling.is_monotonic_increasing


def test_codes_are_read_as_what_they_mean(income: Samples) -> None:
    assert rates(income, "sex")["male"] > rates(income, "sex")["female"] + 0.1
    frame = income.frame()
    # what cannot be otherwise: spouses are married, people from Africa are mostly Black, from Asia mostly Asian
    assert (frame.marital_status[frame.relationship == "husband or wife"] == "married").all()
    assert (frame.race[frame.birthplace == "Africa"] == "Black").mean() > 0.5
    assert (frame.race[frame.birthplace == "Asia"] == "Asian").mean() > 0.7
    assert (frame.sex[frame.occupation == "construction"] == "male").mean() > 0.9
    assert (frame.sex[frame.occupation == "healthcare support"] == "female").mean() > 0.75
    assert (frame.class_of_worker[frame.occupation == "military"] == "federal government").mean() > 0.9
    assert frame.age[frame.marital_status == "widowed"].mean() > 55 > 35 > frame.age[frame.race == "two or more"].min()


def test_every_level_occurs(income: Samples) -> None:
    for item in income.domain.fields:
        if isinstance(item, Category):
            assert set(income.level(item.name)) == set(item.levels)


def test_roles_are_named(income: Samples) -> None:
    assert income.domain.protected == ("sex", "race", "age")
    assert [f.name for f in income.domain.fields if f.immutable] == ["sex", "race", "age", "birthplace"]


def test_conditions_speak_of_the_fields(income: Samples) -> None:
    mask = parse("schooling >= 'bachelor degree' and age < 30 and occupation in ('law', 'sales')", income.domain)
    rows = income.frame()[mask.mask(income)]
    assert 0 < len(rows) < 1_000
    assert set(rows.occupation) == {"law", "sales"}


def test_spans_do_not_overlap() -> None:
    for _, spans in census.CODED.values():
        edges = sorted((first, last) for first, last, _ in spans)
        assert all(first <= last for first, last in edges)
        assert all(a[1] < b[0] for a, b in pairwise(edges))


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"ACSIncome\.validation\.parquet is missing"):
        census.build(tmp_path, tmp_path / "out.parquet")


def test_a_code_without_a_level_is_named(tmp_path: Path) -> None:
    row = {name: [1.0] for name, _ in census.CODED.values()} | {"OCCP": [445.0], "AGEP": [30.0], "WKHP": [40.0]}
    for at, name in enumerate(census.SOURCES):
        pq.write_table(pa.table({**row, "PINCP": [0], "index": [at]}), tmp_path / name)
    with pytest.raises(InvalidInput, match="column OCCP holds code 445"):
        census.build(tmp_path, tmp_path / "out.parquet")


@pytest.mark.data
def test_the_file_can_be_rebuilt(data: Path, tmp_path: Path) -> None:
    size = census.build(data / "acs_folktables", tmp_path / "again.parquet")
    assert pq.read_table(tmp_path / "again.parquet").equals(pq.read_table(FILE))
    if pq.read_metadata(FILE).created_by == pq.read_metadata(tmp_path / "again.parquet").created_by:
        assert size == FILE.stat().st_size
        assert of_file(tmp_path / "again.parquet") == census.SHA256


@pytest.mark.data
def test_the_file_holds_rows_of_the_source(data: Path, income: Samples) -> None:
    # slow, obvious second reading: by pandas, one code at a time, for some rows
    source = pd.concat([pd.read_parquet(data / "acs_folktables" / name) for name in census.SOURCES])
    frame = income.frame()
    assert income.labels is not None
    for at in range(0, len(income), 1_000):
        row, mine = source.loc[income.ids[at]], frame.iloc[at]
        for field, (column, spans) in census.CODED.items():
            assert [level for first, last, level in spans if first <= row[column] <= last] == [mine[field]]
        assert (mine.age, mine.hours_per_week, income.labels[at]) == (row.AGEP, row.WKHP, row.PINCP)


@pytest.mark.data
def test_the_other_rows_are_the_rest(data: Path, income: Samples) -> None:
    rest = census.outside_rows(data / "acs_folktables")
    assert len(rest) == 665_800 - 30_000
    assert not np.isin(rest.ids, income.ids).any()
    assert rest.labels is not None
    assert income.labels is not None
    # the draw is fair: its rate lies within five standard errors of the rest's
    assert abs(rest.labels.mean() - income.labels.mean()) < 5 * np.sqrt(0.25 / len(income))


@pytest.mark.data
def test_another_seed_draws_other_rows(data: Path, tmp_path: Path, income: Samples) -> None:
    census.build(data / "acs_folktables", tmp_path / "other.parquet", seed=1)
    ids = pq.read_table(tmp_path / "other.parquet")["id"].to_numpy()
    assert len(np.unique(ids)) == len(ids) == 30_000
    assert np.isin(ids, income.ids).mean() < 0.1
