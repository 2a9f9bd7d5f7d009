import numpy as np
import torch

from kdaudit.domain import Category, Domain, Image, Real
from kdaudit.students.soft_tree import SoftTree

DOMAIN = Domain((Real("x", missing=True), Real("y"), Category("g", ("a", "b", "c"), missing=True)))


def test_it_fits_the_encoding_and_depends_on_the_generator_alone():
    first, again, other = (SoftTree(2).build(DOMAIN, ("p", "q"), np.random.default_rng(s)) for s in (0, 0, 1))
    assert first(torch.zeros(4, 2 + 1 + 4)).shape == (4, 2)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))
    assert sum(p.numel() for p in first.parameters()) == 3 * (7 + 1) + 4 * 2


def test_it_reads_a_picture_too():
    module = SoftTree(3, numbers=True).build(Domain((Image("p", (1, 4, 5)),)), ("ink",), np.random.default_rng(0))
    assert module(torch.zeros(2, 20)).shape == (2, 1)
