import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdaudit.errors import InvalidInput
from kdaudit.objective.features import cka, contrastive, cosine_hint, explanation, hint, relation, similarity
from kdaudit.objective.maps import attention

N = 6
SHAPES = {"vectors": (N, 5), "tokens": (N, 3, 5), "maps": (N, 5, 2, 4)}


def drawn(shape, seed):
    return np.random.default_rng(seed).normal(size=shape)


def call(term, a, b):
    return term(torch.from_numpy(a), torch.from_numpy(b)).numpy()


def cosine(a, b):
    a, b = np.ravel(a), np.ravel(b)
    return float(sum(x * y for x, y in zip(a, b, strict=True))) / (np.linalg.norm(a) * np.linalg.norm(b))


def huber(x):
    return 0.5 * x**2 if abs(x) < 1 else abs(x) - 0.5


def slow_hint(a, b):
    return [float(np.mean((a[i] - b[i]) ** 2)) for i in range(N)]


def slow_cosine_hint(a, b):
    out = []
    for x, y in zip(a, b, strict=True):
        x, y = (v.reshape(len(v), -1).T if v.ndim == 3 else v.reshape(-1, v.shape[-1]) for v in (x, y))
        out.append(float(np.mean([1 - cosine(p, q) for p, q in zip(x, y, strict=True)])))
    return out


def slow_similarity(a, b):
    def table(x):
        out = np.array([[float(np.sum(x[i] * x[j])) for j in range(N)] for i in range(N)])
        return [row / math.sqrt(float(np.sum(row**2))) for row in out]

    left, right = table(a), table(b)
    return [float(np.mean((left[i] - right[i]) ** 2)) for i in range(N)]


def slow_relation(a, b):
    def distances(x):
        out = np.array([[np.linalg.norm(x[i] - x[j]) for j in range(N)] for i in range(N)])
        return out / (out.sum() / (N * N - N))

    def angle(x, i, j, k):
        return 0.0 if i == j or k == j else cosine(x[i] - x[j], x[k] - x[j])

    a, b = a.reshape(N, -1), b.reshape(N, -1)
    left, right = distances(a), distances(b)
    out = []
    for j in range(N):
        far = np.mean([huber(left[j, i] - right[j, i]) for i in range(N)])
        wide = np.mean([huber(angle(a, i, j, k) - angle(b, i, j, k)) for i in range(N) for k in range(N)])
        out.append(float(far + 2 * wide))
    return out


def slow_contrastive(a, b, tau=0.1):
    def vector(x):
        return x.mean(axis=(1, 2)) if x.ndim == 3 else x.mean(axis=0) if x.ndim == 2 else x

    out = []
    for i in range(N):
        scores = [math.exp(cosine(vector(a[i]), vector(b[j])) / tau) for j in range(N)]
        out.append(-math.log(scores[i] / sum(scores)))
    return out


def slow_cka(a, b):
    """The estimate without bias, by its definition over quadruples of distinct rows."""
    k, m = (np.array([[float(np.sum(x[i] * x[j])) for j in range(N)] for i in range(N)]) for x in (a, b))

    def hsic(k, m):
        total, count = 0.0, 0
        for i in range(N):
            for j in range(N):
                for q in range(N):
                    for r in range(N):
                        if len({i, j, q, r}) == 4:
                            total += k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q])
                            count += 1
        return total / count

    return [1 - hsic(k, m) / math.sqrt(hsic(k, k) * hsic(m, m))] * N


def slow_explanation(a, b):
    return [1 - cosine(a[i], b[i]) for i in range(N)]


TWINS = {
    "hint": (hint("x"), slow_hint),
    "cosine_hint": (cosine_hint("x"), slow_cosine_hint),
    "similarity": (similarity("x"), slow_similarity),
    "relation": (relation("x"), slow_relation),
    "contrastive": (contrastive(at="x"), slow_contrastive),
    "cka": (cka("x"), slow_cka),
    "explanation": (explanation(), slow_explanation),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("name", TWINS)
def test_terms_equal_their_slow_twins(name, shape):
    term, slow = TWINS[name]
    for seed in (0, 1):
        a, b = drawn(shape, seed), drawn(shape, seed + 10)
        assert call(term, a, b) == pytest.approx(slow(a, b), abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(set(TWINS) - {"contrastive"})), st.integers(0, 10_000))
def test_nothing_is_missing_where_both_layers_are_the_same(name, seed):
    a = drawn((N, 4), seed)
    assert call(TWINS[name][0], a, a) == pytest.approx(np.zeros(N), abs=1e-9)
    if name != "cka":
        assert call(TWINS[name][0], a, drawn((N, 4), seed + 1)).min() >= 0


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["similarity", "relation", "cka"]), st.integers(0, 10_000))
def test_relations_do_not_see_how_a_layer_is_turned(name, seed):
    a, b = drawn((N, 4), seed), drawn((N, 7), seed + 1)
    turn = np.linalg.qr(drawn((4, 4), seed + 2))[0]
    assert call(TWINS[name][0], a @ turn, b) == pytest.approx(call(TWINS[name][0], a, b), abs=1e-9)


def test_copies_of_a_row_leave_gradients_finite_and_small():
    a = torch.ones(4, 3, requires_grad=True)
    relation("x")(a, torch.randn(4, 3)).sum().backward()
    assert a.grad.abs().max() < 100


def test_debiased_alignment_of_independent_layers_is_about_zero():
    values = [1 - call(cka("x"), drawn((64, 256), s), drawn((64, 256), s + 1000))[0] for s in range(20)]
    assert abs(np.mean(values)) < 0.02


def test_layers_of_different_kinds_are_compared_by_their_mean():
    maps, tokens = drawn((N, 5, 2, 4), 0), drawn((N, 3, 5), 1)
    slow = slow_hint(maps.mean(axis=(2, 3)), tokens.mean(axis=1))
    assert call(hint("x"), maps, tokens) == pytest.approx(slow)
    coarse = drawn((N, 5, 1, 2), 2)
    halves = maps.reshape(N, 5, 1, 2, 2, 2).mean(axis=(3, 5))
    assert call(hint("x"), maps, coarse) == pytest.approx(slow_hint(halves, coarse))


@pytest.mark.parametrize(
    ("term", "a", "b", "told"),
    [
        (hint("x"), (4, 3), (4, 2), "width 3"),
        (contrastive(at="x"), (4, 3), (4, 2), "width 3"),
        (cka("x"), (3, 3), (3, 3), "at least 4"),
        (relation("x"), (2, 3), (2, 3), "at least 3"),
        (explanation(), (2, 3), (2, 4), "same numbers"),
        (attention("x"), (2, 3), (2, 3), "needs a layer with places"),
        (attention("x"), (2, 3, 4), (2, 5, 4), "3 places"),
        (attention("x:map"), (2, 1, 3, 3), (2, 1, 4, 4), "same tokens"),
        (attention("x:value"), (2, 1, 3, 3), (2, 1, 4, 3), "same tokens"),
    ],
)
def test_what_cannot_be_compared_is_told(term, a, b, told):
    with pytest.raises(InvalidInput, match=told):
        term(torch.zeros(a), torch.zeros(b))


def test_terms_refuse_impossible_arguments():
    with pytest.raises(InvalidInput, match="temperature"):
        contrastive(0, "x")
    with pytest.raises(InvalidInput, match="two kinds"):
        attention("x:map", "y")


# attention


def slow_places(a, b):
    out = []
    for x, y in zip(a, b, strict=True):
        places = [(v**2).mean(axis=0).ravel() if v.ndim == 3 else (v**2).mean(axis=1) for v in (x, y)]
        x, y = (p / math.sqrt(float(np.sum(p**2))) for p in places)
        out.append(float(np.sum((x - y) ** 2)))
    return out


def softmax(rows):
    e = np.exp(rows - rows.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def slow_divergence(a, b):
    out = []
    for x, y in zip(a, b, strict=True):
        values = []
        for p, q in zip(y.reshape(-1, y.shape[-1]), x.reshape(-1, x.shape[-1]), strict=True):
            if p.sum() > 0.5:
                values.append(sum(s * math.log(s / t) for s, t in zip(p, q, strict=True) if s > 0))
        out.append(float(np.mean(values)))
    return out


@pytest.mark.parametrize("shape", [(N, 3, 5), (N, 5, 2, 4)])
def test_activations_are_compared_by_where_they_are_large(shape):
    a, b = drawn(shape, 0), drawn(shape, 1)
    assert call(attention("x"), a, b) == pytest.approx(slow_places(a, b))
    assert call(attention("x"), a, 3 * a) == pytest.approx(np.zeros(N), abs=1e-12)


def test_maps_are_compared_row_by_row_without_padding():
    a, b = softmax(drawn((N, 2, 4, 4), 0)), softmax(drawn((N, 2, 4, 4), 1))
    b[0, :, 3] = 0
    assert call(attention("x:map"), a, b) == pytest.approx(slow_divergence(a, b))
    many = softmax(drawn((N, 6, 4, 4), 2))
    slow = slow_divergence(many.mean(axis=1, keepdims=True), b.mean(axis=1, keepdims=True))
    assert call(attention("x:map"), many, b) == pytest.approx(slow)


@pytest.mark.parametrize("side", ["query", "key", "value"])
def test_relations_of_tokens_are_compared_as_maps(side):
    a, b = drawn((N, 2, 4, 3), 0), drawn((N, 2, 4, 5), 1)
    b[0, :, 3] = 0

    def relations(x, there):
        scores = x @ x.swapaxes(2, 3) / math.sqrt(x.shape[-1])
        scores[~np.broadcast_to(there[:, None, None], scores.shape)] = -1e30
        return softmax(scores) * there[:, None, :, None]

    there = np.ones((N, 4), dtype=bool)
    there[0, 3] = False
    slow = slow_divergence(relations(a, there), relations(b, there))
    assert call(attention(f"x:{side}"), a, b) == pytest.approx(slow)
    joined = drawn((N, 3, 4, 3), 2)
    assert call(attention(f"x:{side}"), joined, b).shape == (N,)


def _padded(lengths, width, seed, places):
    """Tokens of texts of these lengths, with zeros behind them; and the same as a list of arrays without padding."""
    rng = np.random.default_rng(seed)
    texts = [rng.normal(size=(length, width)) for length in lengths]
    out = np.zeros((len(lengths), places, width))
    for row, text in zip(out, texts, strict=True):
        row[: len(text)] = text
    return out, texts


LENGTHS = (3, 1, 4, 2, 2, 4)


def test_padding_counts_for_nothing_where_positions_are_averaged():
    (a, mine), (b, theirs) = _padded(LENGTHS, 5, 0, 6), _padded(LENGTHS, 5, 1, 6)
    hints = [float(np.mean((x - y) ** 2)) for x, y in zip(mine, theirs, strict=True)]
    np.testing.assert_allclose(call(hint("t"), a, b), hints, rtol=1e-9)
    assert float(hint("t").mean(torch.from_numpy(a), torch.from_numpy(b))) == pytest.approx(np.mean(hints))
    cosines = [
        np.mean([1 - cosine(p, q) for p, q in zip(x, y, strict=True)]) for x, y in zip(mine, theirs, strict=True)
    ]
    np.testing.assert_allclose(call(cosine_hint("t"), a, b), cosines, rtol=1e-9)
    # vectors of texts read in other tokens are the means over the words that are there
    b, theirs = _padded((2, 5, 1, 3, 3, 2), 5, 2, 7)
    means = [np.array([text.mean(axis=0) for text in side]) for side in (mine, theirs)]
    np.testing.assert_allclose(call(hint("t"), a, b), slow_hint(*means), rtol=1e-9)
    np.testing.assert_allclose(call(contrastive(0.1, "t"), a, b), slow_contrastive(*means), rtol=1e-9)


@pytest.mark.parametrize("make", [hint, cosine_hint, similarity, relation, lambda at: contrastive(0.1, at), cka])
def test_more_padding_changes_nothing(make):
    (a, _), (b, _) = _padded(LENGTHS, 5, 0, 4), _padded(LENGTHS, 5, 1, 4)
    longer = [np.concatenate([x, np.zeros((N, 3, 5))], axis=1) for x in (a, b)]
    np.testing.assert_allclose(call(make("t"), *longer), call(make("t"), a, b), rtol=1e-9, atol=1e-12)
