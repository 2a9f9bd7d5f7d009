import numpy as np
import pytest

from kdaudit.domain import Category, Domain
from kdaudit.errors import OutOfDomain
from kdaudit.samples import Samples
from kdaudit.teachers.rows import conform, filled


def test_rows_of_the_same_domain_are_handed_through(rows, domain):
    assert conform(rows, domain) is rows


def test_levels_take_the_models_order_and_keys_stay(rows, domain):
    levels = ("school", "sea", "office", "farm")
    theirs = Domain((*domain.fields[:3], Category("work", levels, missing=True)))
    work = np.array([levels.index(w) if w is not None else -1 for w in rows.level("work")])
    turned = Samples(theirs, {**rows.columns, "work": work}, rows.ids, rows.origin)
    back = conform(turned, domain)
    assert (back.columns["work"] == rows.columns["work"]).all()
    assert (back.keys() == rows.keys()).all()
    with pytest.raises(OutOfDomain, match="work has the level 'sea', which this model never met"):
        conform(turned.setting("work", "sea"), domain)


def test_other_fields_are_refused(rows, domain):
    with pytest.raises(OutOfDomain, match="age, hours, sex, work were expected"):
        conform(Samples(Domain(domain.fields[:2]), rows.columns, rows.ids, rows.origin), domain)


@pytest.mark.parametrize(("n", "size"), [(0, 4), (1, 4), (4, 4), (5, 4), (11, 4), (3, 1)])
def test_pieces_are_full_and_cover_each_row_once(rows, n, size):
    some = rows.take(np.arange(n))
    pieces = list(filled(some, size))
    assert all(len(block) == size for _, block in pieces)
    assert [i for piece, _ in pieces for i in range(piece.start, piece.stop)] == list(range(n))
    for piece, block in pieces:
        true = piece.stop - piece.start
        assert list(block.ids[:true]) == list(some.ids[piece])
        assert set(block.ids[true:]) <= {some.ids[piece.start]}
