"""Are parts disjoint by content, and the same whatever the order of rows?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdaudit.data.parts import split
from kdaudit.data.sets import load_set
from kdaudit.domain import Domain, Real
from kdaudit.errors import InvalidInput
from kdaudit.samples import Origin, Samples

DOMAIN = Domain((Real("x"),))


def rows(values: list[int]) -> Samples:
    return Samples(DOMAIN, {"x": np.array(values, dtype=float)}, np.arange(len(values)), Origin("numbers"))


def contents(part: Samples) -> list[float]:
    return sorted(part.columns["x"].tolist())


values = st.lists(st.integers(0, 30), min_size=4, max_size=80)
sizes = st.lists(st.integers(1, 20), min_size=1, max_size=4)


def try_split(samples: Samples, counts: list[int], seed: int) -> dict[str, Samples] | None:
    try:
        return split(samples, {f"part {i}": count for i, count in enumerate(counts)}, seed=seed)
    except InvalidInput:
        return None


@settings(deadline=None)
@given(values, sizes, st.integers(0, 5))
def test_copies_stay_together_and_parts_are_disjoint(numbers: list[int], counts: list[int], seed: int) -> None:
    parts = try_split(rows(numbers), counts, seed)
    for name, part in (parts or {}).items():
        inside = set(part.columns["x"])
        # every copy of a row is in its part: a part's rows are all rows with these contents
        assert contents(part) == sorted(float(n) for n in numbers if n in inside)
        assert part.origin.part == name


@settings(deadline=None)
@given(values, sizes, st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(numbers: list[int], counts: list[int], seed: int, random) -> None:  # type: ignore[no-untyped-def]
    first = try_split(rows(numbers), counts, seed)
    random.shuffle(numbers)
    second = try_split(rows(numbers), counts, seed)
    assert (first is None) == (second is None)
    assert [contents(p) for p in (first or {}).values()] == [contents(p) for p in (second or {}).values()]


@settings(deadline=None)
@given(values, sizes, st.integers(0, 5))
def test_sizes_are_met_as_nearly_as_groups_allow(numbers: list[int], counts: list[int], seed: int) -> None:
    parts = try_split(rows(numbers), counts, seed)
    left = list(numbers)
    for count, part in zip(counts, (parts or {}).values(), strict=False):
        left = [n for n in left if n not in part.columns["x"]]
        smallest = min((left.count(n) for n in set(left)), default=count + 1)
        assert 0 <= count - len(part) < smallest


@given(st.integers(0, 3))
def test_unique_rows_give_exact_sizes_in_the_order_of_the_file(seed: int) -> None:
    parts = split(rows(list(range(100))), {"fit": 33, "judge": 0.3, "pool": 37}, seed=seed)
    assert [len(p) for p in parts.values()] == [33, 30, 37]
    assert all((np.diff(p.ids) > 0).all() for p in parts.values())


def test_a_later_part_changes_none_before_it() -> None:
    samples = rows(list(range(100)))
    short = split(samples, {"fit": 30, "judge": 20}, seed=4)
    long = split(samples, {"fit": 30, "judge": 20, "pool": 50}, seed=4)
    assert all((short[name].ids == long[name].ids).all() for name in short)


def test_seed_and_name_are_other_draws() -> None:
    samples = rows(list(range(100)))
    draws = [split(samples, {"fit": 50}, seed=s, name=n)["fit"].ids for s, n in ((0, "parts"), (1, "parts"), (0, "b"))]
    assert len({tuple(ids) for ids in draws}) == 3


def test_membership_is_a_fair_draw() -> None:
    # over 400 seeds each of 20 rows is in a half 200 times, give or take five standard errors
    samples = rows(list(range(20)))
    counts = np.zeros(20)
    for seed in range(400):
        counts[split(samples, {"fit": 10}, seed=seed)["fit"].ids] += 1
    assert np.abs(counts - 200).max() < 50


def test_a_row_more_moves_few_others() -> None:
    # order is by the digest of content, so that a new row takes at most one place in a part
    before = split(rows(list(range(100))), {"fit": 50}, seed=0)["fit"]
    after = split(rows([*range(100), 1000]), {"fit": 50}, seed=0)["fit"]
    assert len(set(contents(before)) - set(contents(after))) <= 1


def test_too_few_rows_are_counted() -> None:
    with pytest.raises(InvalidInput, match=r"need 12 rows \(fit 8, judge 4\) and there are 10"):
        split(rows(list(range(10))), {"fit": 8, "judge": 4}, seed=0)


def test_a_part_that_copies_leave_empty_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"part 'judge' of 5 rows stays empty.*at least 10"):
        split(rows([1] * 10 + [2] * 10), {"fit": 12, "judge": 5}, seed=0)


@pytest.mark.parametrize("size", [0, -1, 0.0, 1.5, float("nan"), True, 0.01])
def test_sizes_that_are_none(size: float) -> None:
    with pytest.raises(InvalidInput, match="part 'fit'"):
        split(rows(list(range(10))), {"fit": size}, seed=0)


def test_the_bundled_case_is_split_to_the_row() -> None:
    sizes = {"teacher": 8_000, "fit": 4_000, "select": 2_000, "judge": 4_000, "pool": 12_000}
    parts = split(load_set("acs_income"), sizes, seed=7)
    assert {name: len(part) for name, part in parts.items()} == sizes
    keys = [set(part.keys().tolist()) for part in parts.values()]
    assert sum(map(len, keys)) == len(set.union(*keys))
