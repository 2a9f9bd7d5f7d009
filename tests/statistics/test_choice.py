import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kdaudit.errors import InvalidInput
from kdaudit.statistics.choice import allocation, balanced, priorities


def rows(n, seed=0):
    keys = np.frombuffer(np.random.default_rng(seed).bytes(16 * n), dtype="S16")
    return keys, np.arange(n)


def test_a_rows_priority_does_not_depend_on_its_company():
    keys, ids = rows(500)
    whole, order = priorities(keys, ids, 7, "a"), np.random.default_rng(1).permutation(500)
    assert (priorities(keys[order], ids[order], 7, "a") == whole[order]).all()
    assert priorities(keys[3:4], ids[3:4], 7, "a") == whole[3]
    assert (priorities(keys, ids.astype("U9"), 7, "a") == whole).all()


def test_seed_name_content_and_id_all_count():
    keys, ids = rows(50)
    whole = priorities(keys, ids, 7, "a")
    for other in (
        priorities(keys, ids, 8, "a"),
        priorities(keys, ids, 7, "b"),
        priorities(rows(50, seed=1)[0], ids, 7, "a"),
        priorities(keys, ids + 50, 7, "a"),
    ):
        assert not (whole == other).any()


def test_keys_that_end_in_zero_bytes_differ():
    keys = np.array([b"a" + b"\0" * 15, b"a" + b"\0" * 14 + b"\1"], dtype="S16")
    whole = priorities(np.repeat(keys, 2), np.zeros(4), 0, "a")
    assert whole[0] == whole[1] != whole[2] == whole[3]


def test_priorities_are_evenly_distributed():
    shares = priorities(*rows(4000), 0, "a") / 2.0**64
    assert stats.kstest(shares, "uniform").pvalue > 0.001


SIZES = st.lists(st.integers(0, 40), min_size=1, max_size=6)


@given(SIZES, st.integers(0, 150))
def test_shares_are_equal_where_groups_are_large_enough(sizes, n):
    got = allocation(np.array(sizes), n)
    assert got.sum() == min(n, sum(sizes))
    assert (got <= sizes).all()
    cut_short = got < sizes
    if cut_short.any():
        # nobody with rows left has less than another, but for the remainder of a division
        assert got[cut_short].min() >= got.max() - 1


@given(SIZES, st.integers(0, 150), st.integers(0, 5))
def test_a_choice_takes_the_lowest_of_each_group(sizes, n, seed):
    groups = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    priority = priorities(*rows(len(groups)), seed, "a")
    got, shares = balanced(groups, n, priority), allocation(np.array(sizes), n)
    slow = [sorted(np.flatnonzero(groups == g), key=lambda i: priority[i])[: shares[g]] for g in range(len(sizes))]
    assert got.tolist() == sorted(int(i) for part in slow for i in part)


def test_a_smaller_choice_lies_within_a_larger_one_and_groups_left_out_stay_out():
    keys, ids = rows(3000)
    priority = priorities(keys, ids, 3, "pool")
    groups = np.random.default_rng(0).integers(-1, 3, 3000)
    few, many = balanced(groups, 90, priority), balanced(groups, 600, priority)
    assert set(few) < set(many)
    assert (groups[many] >= 0).all()
    assert np.bincount(groups[few]).tolist() == [30, 30, 30]


def test_questions_on_other_groupings_share_rows():
    keys, ids = rows(4000)
    priority, rng = priorities(keys, ids, 3, "pool"), np.random.default_rng(0)
    first, second = (balanced(rng.integers(0, 2, 4000), 400, priority) for _ in range(2))
    assert len(np.intersect1d(first, second)) > 300


def test_every_row_of_a_group_is_chosen_equally_often():
    keys, ids = rows(60)
    groups = np.repeat([0, 1], [20, 40])
    times = np.zeros(60)
    for seed in range(600):
        times[balanced(groups, 20, priorities(keys, ids, seed, "a"))] += 1
    for group, share in ((0, 0.5), (1, 0.25)):
        mine = times[groups == group]
        assert stats.chisquare(mine).pvalue > 0.001
        assert mine.mean() == pytest.approx(600 * share)


def test_rows_and_priorities_must_align():
    with pytest.raises(InvalidInput):
        balanced(np.zeros(3, dtype=int), 1, np.zeros(2))
    assert balanced(np.full(3, -1), 2, np.zeros(3)).size == 0
