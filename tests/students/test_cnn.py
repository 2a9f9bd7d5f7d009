import numpy as np
import pytest
import torch

from kdaudit.domain import Domain, Image, Real
from kdaudit.errors import InvalidInput
from kdaudit.students.cnn import Cnn

DOMAIN = Domain((Image("digit", (1, 8, 8)),))


def test_it_reads_pictures_and_depends_on_the_generator_alone():
    first, again, other = (Cnn((4, 6)).build(DOMAIN, tuple("abc"), np.random.default_rng(s)) for s in (0, 0, 1))
    assert first(torch.zeros(5, 64)).shape == (5, 3)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))
    assert sum(p.numel() for p in first.parameters()) == 9 * 4 + 8 + 9 * 4 * 6 + 12 + 3 * 7


def test_split_convolutions_have_fewer_weights():
    whole, split = (
        sum(p.numel() for p in Cnn((16, 24), separable=s).build(DOMAIN, ("a",), np.random.default_rng(0)).parameters())
        for s in (False, True)
    )
    assert whole == 9 * 16 + 32 + 9 * 16 * 24 + 48 + 25
    assert split == 9 * 16 + 32 + 9 * 16 + 16 * 24 + 48 + 25


def test_a_table_is_refused():
    with pytest.raises(InvalidInput, match="one picture"):
        Cnn().build(Domain((Real("x"),)), ("a",), np.random.default_rng(0))
