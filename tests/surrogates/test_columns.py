import numpy as np
import pytest

from kdaudit.domain import Domain, Real, Text
from kdaudit.errors import InvalidInput
from kdaudit.samples import Origin, Samples
from kdaudit.surrogates.columns import MOST, columns_of


def test_a_test_holds_for_just_the_rows_whose_codes_it_says(draw_rows):
    rows = draw_rows(400)
    rng = np.random.default_rng(1)
    for column in columns_of(rows):
        for _ in range(20):
            codes = rng.random(column.size + 1) < 0.5
            if column.cuts is not None:  # codes with an order must follow one another
                first, last = sorted(rng.integers(0, column.size, 2))
                codes[:-1] = (np.arange(column.size) >= first) & (np.arange(column.size) <= last)
            if column.sayable(codes) and (column.field.missing or not codes[-1]):
                held = column.test(codes).holds(rows)
                assert (held == codes[column.codes]).all()


def test_no_whole_number_lies_on_a_cut(draw_rows):
    hours = columns_of(draw_rows(60))[0]
    assert all(cut % 1 == 0.5 for cut in hours.cuts)


def test_many_values_share_codes_and_lose_no_row():
    rng = np.random.default_rng(0)
    domain = Domain((Real("x"),))
    rows = Samples(domain, {"x": rng.lognormal(size=5000)}, np.arange(5000), Origin("drawn"))
    (column,) = columns_of(rows)
    counts = np.bincount(column.codes, minlength=column.size + 1)
    assert column.size <= MOST
    assert counts[:-1].min() > 0
    assert counts[-1] == 0
    assert counts.max() < 5000 / MOST * 3


def test_texts_are_refused():
    rows = Samples(Domain((Text("letter"),)), {"letter": np.array(["a"], dtype=object)}, np.arange(1), Origin("x"))
    with pytest.raises(InvalidInput, match="letter"):
        columns_of(rows)
