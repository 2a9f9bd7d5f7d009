import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdaudit.errors import InvalidInput
from kdaudit.objective.reference import Reference
from kdaudit.objective.terms import correlation, decoupled, labels, logit_mse, soft_targets
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


@settings(max_examples=15, deadline=None)
@given(st.sampled_from([1, 2, 6]), st.integers(0, 10_000))
def test_a_mean_taken_in_one_pass_is_the_mean_of_the_values_and_so_is_its_slope(k, seed):
    reference, student, _ = drawn(k, 5, seed)
    one, other = (torch.from_numpy(student).requires_grad_() for _ in range(2))
    fast, slow = labels().mean(one, reference), labels()(other, reference).mean()
    fast.backward()
    slow.backward()
    assert float(fast.detach()) == pytest.approx(float(slow.detach()), abs=1e-12)
    assert torch.allclose(one.grad, other.grad, rtol=0, atol=1e-12)


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


def slow_decoupled(student, teacher, T, others):
    out = []
    for s, t in zip(student, teacher, strict=True):
        target = max(range(len(t)), key=lambda c: t[c])
        p, q = softmax([x / T for x in t]), softmax([x / T for x in s])
        binary = sum(a * math.log(a / b) for a, b in ((p[target], q[target]), (1 - p[target], 1 - q[target])))
        rest = [(p[c] / (1 - p[target]), q[c] / (1 - q[target])) for c in range(len(t)) if c != target]
        out.append(T**2 * (binary + others * sum(a * math.log(a / b) for a, b in rest)))
    return out


def pearson(a, b):
    a, b = (np.array(x) - np.mean(x) for x in (a, b))
    return float(np.sum(a * b) / math.sqrt(np.sum(a**2) * np.sum(b**2)))


def slow_correlation(student, teacher, T):
    p, q = (np.array([softmax([x / T for x in row]) for row in z]) for z in (teacher, student))
    within = np.mean([1 - pearson(q[:, c], p[:, c]) for c in range(p.shape[1])])
    return [T**2 * (1 - pearson(q[i], p[i]) + within) for i in range(len(p))]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([3, 4, 7]), st.floats(0.5, 8), st.integers(0, 10_000))
def test_terms_of_several_classes_equal_their_slow_twins(k, T, seed):
    reference, student, teacher = drawn(k, 5, seed)
    z = torch.from_numpy(student)
    assert decoupled(T, 3)(z, reference).numpy() == pytest.approx(slow_decoupled(student, teacher, T, 3), rel=1e-6)
    assert correlation(T)(z, reference).numpy() == pytest.approx(slow_correlation(student, teacher, T), abs=1e-6)
    # soft targets are the two parts at the weight 1 - p(target), which is what couples them
    for term in (decoupled(T), correlation(T)):
        assert term(torch.from_numpy(teacher), reference).abs().max() < 1e-6


def test_decoupled_stays_finite_where_the_teacher_is_sure():
    reference = Reference.of(Answers({LOGIT: np.array([[90.0, -90.0, 0.0]])}), None, scale="probability")
    z = torch.tensor([[0.0, 90.0, -90.0]], dtype=torch.float64, requires_grad=True)
    decoupled(1)(z, reference).sum().backward()
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize("term", [decoupled(), correlation()])
@pytest.mark.parametrize("k", [1, 2])
def test_two_classes_leave_nothing_to_compare(term, k):
    reference, student, _ = drawn(k, 4, 0)
    with pytest.raises(InvalidInput, match="at least 3 classes, and there are 2"):
        term(torch.from_numpy(student), reference)


def test_answers_prepared_at_a_temperature_give_the_same_value_and_gradient():
    reference, student, _ = drawn(5, 6, 2)
    z = [torch.tensor(student, requires_grad=True) for _ in range(2)]
    values = [soft_targets(3)(z[0], reference), soft_targets(3)(z[1], reference.prepared([3]))]
    for value in values:
        value.sum().backward()
    assert torch.allclose(values[0], values[1])
    assert torch.allclose(z[0].grad, z[1].grad)
    assert reference.prepared([3]).take(torch.tensor([4])).softened[3.0][0].shape == (1, 5)


@pytest.mark.parametrize(("n", "k"), [(5, 1000), (3, 40_000), (700, 1001)])
@pytest.mark.parametrize("T", [1.0, 4.0])
def test_many_classes_give_the_same_value_and_gradient(n, k, T):
    draw = torch.Generator().manual_seed(n)
    reference = Reference.from_logits(3 * torch.randn(n, k, generator=draw), None, "probability")
    values = []
    for kind in (torch.float64, torch.float32):
        z = (2 * torch.randn(n, k, generator=torch.Generator().manual_seed(1))).to(kind).requires_grad_()
        p, negative = (x.to(kind) for x in reference.soft(T))
        value = T**2 * (negative - (p * torch.log_softmax(z / T, dim=1)).sum(dim=1))
        (value * torch.arange(n)).sum().backward()
        values.append((value.detach(), z.grad))
    z = (2 * torch.randn(n, k, generator=torch.Generator().manual_seed(1))).requires_grad_()
    given = soft_targets(T)(z, reference)
    (given * torch.arange(n)).sum().backward(retain_graph=True)
    assert torch.allclose(given.detach().double(), values[0][0], atol=2e-4, rtol=1e-4)
    assert torch.allclose(z.grad.double(), values[0][1], atol=1e-5 * n)
    with pytest.raises(RuntimeError, match="one way back only"):
        given.sum().backward()
