import numpy as np
import pytest
import torch

from kdaudit.errors import InvalidInput
from kdaudit.objective.balance import balance
from kdaudit.objective.sum import parse


def test_it_is_what_a_walk_down_the_tree_gives():
    asked = np.random.default_rng(0).normal(size=(5, 7))
    right = 1 / (1 + np.exp(-asked))
    total = 0.0
    for question in range(7):
        # the way to a question is the binary form of its number plus one, behind the leading 1
        way, share, here = f"{question + 1:b}"[1:], np.ones(5), 0
        for turn in way:
            share = share * (right[:, here] if turn == "1" else 1 - right[:, here])
            here = 2 * here + 1 + int(turn)
        assert here == question
        a = (share * right[:, question]).sum() / share.sum()
        total -= 2.0 ** -len(way) * (np.log(a) + np.log(1 - a)) / 2
    given = balance("questions")(torch.from_numpy(asked), None)
    np.testing.assert_allclose(given, np.full(5, total), rtol=1e-9)


def test_it_is_least_where_half_of_the_rows_go_each_way():
    even, skewed = torch.zeros(4, 3), torch.full((4, 3), 2.0)
    assert float(balance()(even, None)[0]) == pytest.approx(np.log(2) * 2)
    assert balance()(skewed, None)[0] > balance()(even, None)[0]
    assert torch.isfinite(balance()(torch.full((4, 3), 1e4), None)).all()


def test_it_is_written_as_it_is_read_and_needs_a_whole_tree():
    assert str(parse("ramp(0.5, 0, 0, 0.5) * balance")) == "ramp(0.5, 0.0, 0, 0.5) * balance('questions')"
    with pytest.raises(InvalidInput, match="questions of a whole tree"):
        balance("layers.0")(torch.zeros(4, 5), None)
