import numpy as np
import pytest
import torch

from kdaudit.domain import Domain, Image, Real, Text
from kdaudit.errors import InvalidInput
from kdaudit.students.transformer import Transformer

TEXT, PICTURE = Domain((Text("said"),)), Domain((Image("digit", (1, 8, 8)),))
SMALL = Transformer(vocabulary=30, length=7, patch=4, width=6, hidden=(5,), heads=3)


@pytest.mark.parametrize(("domain", "columns"), [(TEXT, 7), (PICTURE, 64)])
def test_it_depends_on_the_generator_alone(domain, columns):
    first, again, other = (SMALL.build(domain, tuple("abc"), np.random.default_rng(s)) for s in (0, 0, 1))
    assert first(torch.ones(4, columns)).shape == (4, 3)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))


def test_its_size_is_that_of_its_parts():
    module = SMALL.build(TEXT, ("a", "b"), np.random.default_rng(0))
    layer = 2 * 12 + 4 * (36 + 6) + (6 * 5 + 5) + (5 * 6 + 6)
    assert sum(p.numel() for p in module.parameters()) == 30 * 6 + 7 * 6 + layer + 12 + 7 * 2


def test_a_table_is_refused():
    with pytest.raises(InvalidInput, match="one picture"):
        SMALL.build(Domain((Real("x"),)), ("a",), np.random.default_rng(0))
