import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdaudit.errors import InvalidInput
from kdaudit.objective.reference import Reference
from kdaudit.objective.terms import labels, logit_mse, soft_targets
from kdaudit.signal import LOGIT, SCORE
from kdaudit.subject import Answers


def softmax(z):
    e = [math.exp(x - max(z)) for x in z]
    return [x / sum(e) for x in e]


def drawn(k, n, seed, scale=3.0):
    rng = np.random.default_rng(seed)
    teacher, student = rng.normal(0, scale, (n, k)), rng.normal(0, scale, (n, k))
    return Reference.of(Answers({LOGIT: teacher}), rng.integers(0, max(2, k), n), scale="probability"), student, teacher


def slow_soft_targets(student, teacher, T):
    """The textbook formula, one row and one class at a time."""
    out = []
    for s, t in zip(student, teacher, strict=True):
        s, t = ([0.0, s[0]], [0.0, t[0]]) if len(s) == 1 else (list(s), list(t))
        p, q = softmax([x / T for x in t]), softmax([x / T for x in s])
        out.append(T**2 * sum(a * (math.log(a) - math.log(b)) for a, b in zip(p, q, strict=True)))
    return out


def slow_logit_mse(student, teacher):
    out = []
    for s, t in zip(student, teacher, strict=True):
        if len(s) > 1:
            s, t = [x - sum(s) / len(s) for x in s], [x - sum(t) / len(t) for x in t]
        out.append(sum((a - b) ** 2 for a, b in zip(s, t, strict=True)) / len(s))
    return out


def slow_labels(student, outcome):
    out = []
    for s, y in zip(student, outcome, strict=True):
        out.append(-math.log(softmax([0.0, s[0]] if len(s) == 1 else list(s))[y]))
    return out


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([1, 2, 3, 6]), st.floats(0.5, 8), st.integers(0, 10_000))
def test_terms_equal_their_slow_twins(k, T, seed):
    reference, student, teacher = drawn(k, 5, seed)
    z = torch.from_numpy(student)
    assert soft_targets(T)(z, reference).numpy() == pytest.approx(slow_soft_targets(student, teacher, T), abs=1e-9)
    assert logit_mse()(z, reference).numpy() == pytest.approx(slow_logit_mse(student, teacher), abs=1e-9)
    assert labels()(z, reference).numpy() == pytest.approx(slow_labels(student, reference.outcome.numpy()), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([1, 3]), st.floats(0.5, 8), st.integers(0, 10_000))
def test_terms_are_zero_where_the_student_answers_like_the_teacher_and_never_below(k, T, seed):
    reference, student, teacher = drawn(k, 5, seed)
    for term in (soft_targets(T), logit_mse()):
        assert term(torch.from_numpy(teacher), reference).abs().max() < 1e-9
        assert term(torch.from_numpy(student), reference).min() >= -1e-12
        # shifting all logits of several classes changes nothing
        if k > 1:
            z = torch.from_numpy(student)
            assert torch.allclose(term(z + 7.5, reference), term(z, reference))


def test_one_logit_is_two_classes():
    reference, student, teacher = drawn(1, 20, 0)
    two = Reference.of(Answers({LOGIT: np.column_stack([0 * teacher, teacher])}), None, scale="probability")
    z = torch.from_numpy(student)
    one = soft_targets(2)(z, reference)
    assert torch.allclose(one, soft_targets(2)(torch.cat([0 * z, z], dim=1), two))


@pytest.mark.parametrize("score", [[[0.0], [1.0], [0.3]], [[0.0, 1.0], [1.0, 0.0], [0.3, 0.7]]])
def test_recorded_probabilities_may_be_certain(score):
    reference = Reference.of(Answers({SCORE: np.array(score)}), None, scale="probability")
    z = torch.zeros(3, len(score[0]), dtype=torch.float64, requires_grad=True)
    value = soft_targets(1)(z, reference)
    kl = 0.3 * math.log(0.3 / 0.5) + 0.7 * math.log(0.7 / 0.5)
    assert value.detach().numpy() == pytest.approx([math.log(2), math.log(2), kl])
    value.sum().backward()
    assert torch.isfinite(z.grad).all()
    assert torch.isfinite(soft_targets(3)(z, reference)).all()


def test_the_factor_keeps_gradients_on_one_scale():
    reference, student, _ = drawn(4, 50, 1, scale=0.1)
    sizes = []
    for T in (2.0, 20.0):
        z = torch.tensor(student, requires_grad=True)
        soft_targets(T)(z, reference).mean().backward()
        sizes.append(float(z.grad.abs().mean()))
    assert sizes[1] == pytest.approx(sizes[0], rel=0.1)


def test_numbers_are_matched_as_they_are():
    reference = Reference.of(Answers({SCORE: np.array([[900.0], [-2.0]])}), np.array([1.0, 2.0]), scale="value")
    z = torch.tensor([[890.0], [-2.0]], dtype=torch.float64)
    assert logit_mse()(z, reference).tolist() == [100.0, 0.0]
    assert labels()(z, reference).tolist() == [889.0**2, 16.0]


@pytest.mark.parametrize("T", [0, -1, math.nan, math.inf])
def test_impossible_temperatures_are_refused(T):
    with pytest.raises(InvalidInput, match="temperature"):
        soft_targets(T)


def test_labels_need_outcomes_and_references_answered_rows():
    reference, student, _ = drawn(2, 3, 0)
    bare = Reference(reference.logit, reference.score)
    with pytest.raises(InvalidInput, match="outcomes"):
        labels()(torch.from_numpy(student), bare)
    with pytest.raises(InvalidInput, match="1 rows failed"):
        Reference.of(Answers({SCORE: np.full((2, 1), 0.5)}, {1: "no"}), None, scale="probability")
