import numpy as np
import torch

from kdaudit.domain import Category, Domain, Real
from kdaudit.students.mlp import Mlp

DOMAIN = Domain((Real("x", missing=True), Real("y"), Category("g", ("a", "b", "c"), missing=True)))


def test_it_fits_the_encoding_and_depends_on_the_generator_alone():
    first, again, other = (Mlp((5, 3)).build(DOMAIN, ("p", "q"), np.random.default_rng(s)) for s in (0, 0, 1))
    assert first(torch.zeros(4, 2 + 1 + 4)).shape == (4, 2)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))
    assert sum(p.numel() for p in first.parameters()) == 7 * 5 + 5 + 5 * 3 + 3 + 3 * 2 + 2


def test_without_hidden_layers_it_is_linear():
    module = Mlp(()).build(DOMAIN, ("p",), np.random.default_rng(0))
    x = torch.randn(3, 7)
    assert torch.allclose(module(x) + module(-x), 2 * module(torch.zeros(3, 7)), atol=1e-6)
