"""Words exchanged along gradients: the estimate is exact where it must be, and what is kept was verified."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from kdaudit.chance import rng
from kdaudit.domain import Category, Domain, Text
from kdaudit.encoders import Reading
from kdaudit.explain.flips import promising
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.probe.attacks import MADE, OWN, Attack
from kdaudit.probe.changes import Effort, changed
from kdaudit.probe.rewording import has_words
from kdaudit.samples import Origin, Samples
from kdaudit.sampling.attacks import Reach
from kdaudit.signal import LABEL
from kdaudit.tokens import Tokens

WORDS = ("fine", "dull", "film", "plot", "so", "very", "warm", "slow", "it's")


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    # networks as small as these wait for a second thread longer than they compute
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Bag(nn.Module):
    """The sum of a linear score over words: an estimate of first order is exact."""

    def __init__(self, vocabulary, outputs):
        super().__init__()
        self.embedding, self.head = nn.Embedding(vocabulary, 4), nn.Linear(4, outputs)

    def forward(self, inputs):
        return self.head((self.embedding(inputs.long()) * (inputs != 0)[..., None]).sum(1))


def texts(n=12, seed=0):
    told = [" ".join(row) for row in np.array(WORDS)[np.random.default_rng(seed).integers(0, len(WORDS), (n, 5))]]
    return Samples(Domain((Text("t"),)), {"t": np.array(told, dtype=object)}, np.arange(n), Origin("made"))


def network(kind, outputs, seed=0, rows=None):
    samples = rows or texts()
    encoding = Tokens.fitted(samples, least=1, length=12)
    torch.manual_seed(seed)
    if kind == "bag":
        module = Bag(encoding.vocabulary, len(outputs))
    else:
        sizes = {"vocabulary": encoding.vocabulary, "length": 12, "outputs": len(outputs)}
        module = build("transformer", {**sizes, "width": 8, "hidden": [8]}, seed)
    return Network(kind, module, encoding, outputs, batch=64)


def margin(who, samples, own):
    raw, rows = who.raw(who.encoding.encode(samples)), np.arange(len(own))
    if raw.shape[1] == 1:
        return np.where(own > 0, 1, -1) * raw[:, 0]
    mine = raw[rows, own]
    raw[rows, own] = -np.inf
    return mine - raw.max(axis=1)


def exchanged(text, place, word):
    parts = text.split()
    parts[place] = word
    return " ".join(parts)


def every(who, text, own):
    """Return the margin after each single exchange, by hand."""
    tried = [(p, w) for p in range(len(text.split())) for w in range(len(WORDS)) if text.split()[p] != WORDS[w]]
    column = np.array([exchanged(text, p, WORDS[w]) for p, w in tried], dtype=object)
    rows = Samples(Domain((Text("t"),)), {"t": column}, np.arange(len(tried)), Origin("made"))
    return tried, margin(who, rows, np.repeat(own, len(tried)))


@pytest.mark.parametrize("outputs", [("yes",), ("a", "b")])
def test_the_estimate_is_exact_for_a_network_that_adds_words_up(outputs):
    who, samples = network("bag", outputs), texts()
    own = who.answer(samples, {LABEL}).values[LABEL]
    places, words = promising(who, samples, own, WORDS, 3)
    for row, text in enumerate(samples.columns["t"][:6]):
        tried, far = every(who, text, own[row])
        # a word in several pieces stands for their mean, so that only whole words are exact
        single = [i for i, (p, w) in enumerate(tried) if "'" not in text.split()[p] + WORDS[w]]
        best = tried[single[int(np.argmin(far[single]))]]
        found = [(p, w) for p, w in zip(places[row], words[row], strict=True) if "'" not in text.split()[p] + WORDS[w]]
        if len(found) == 3:
            assert found[0] == best


@pytest.mark.parametrize("outputs", [("yes",), ("a", "b", "c")])
def test_what_is_kept_is_nearer_to_turning_and_no_more_words_are_exchanged(outputs):
    who, samples = network("transformer", outputs), texts(8)
    own, reach = who.answer(samples, {LABEL}).values[LABEL], Reach.over(samples, 0.0, 2)
    assert has_words(who, samples)
    made = changed(who, samples, own, None, reach, Effort("pgd", 1, 6), 0)
    before, after = margin(who, samples, own), margin(who, made, own)
    assert (after <= before + 1e-6).all()
    assert (after < before).mean() > 0.9
    for a, b in zip(samples.columns["t"], made.columns["t"], strict=True):
        assert sum(x != y for x, y in zip(a.split(), b.split(), strict=True)) <= 2
    one = changed(who, samples, own, None, replace(reach, swaps=1), Effort("hotflip", 1, len(WORDS) * 5), 0)
    # with all exchanges tried it is the best of all
    for row, text in enumerate(samples.columns["t"][:2]):
        assert margin(who, one.take([row]), own[[row]])[0] == pytest.approx(
            every(who, text, own[row])[1].min(), abs=1e-5
        )


def test_only_networks_of_the_rows_own_words_are_changed_so(formula):
    samples = texts()
    wide = Domain((Text("t"), Category("group", ("x", "y"))))
    both = Samples(wide, {**samples.columns, "group": np.zeros(12, dtype=np.int32)}, samples.ids, samples.origin)
    who = network("transformer", ("yes",))
    assert not has_words(formula(lambda s: np.zeros(len(s))), samples)
    assert not has_words(who, both)
    reader = Network("r", who.module, Reading(wide, who.encoding), ("yes",))
    assert has_words(reader, both)
    own = reader.answer(both, {LABEL}).values[LABEL]
    made = changed(reader, both, own, None, Reach.over(both, 0.0, 1, ("t",)), Effort("hotflip", 1, 4), 0)
    assert (made.columns["t"] != both.columns["t"]).any()
    kept = changed(reader, both, own, None, Reach.over(both, 0.0, 1, ("group",)), Effort("hotflip", 1, 4), 0)
    assert (kept.columns["t"] == both.columns["t"]).all()


def test_an_attack_on_texts_stands_beside_strangers_and_the_teachers_own(cast_of, asking):
    samples = texts(60)
    teacher, proxy, *strangers = (network("transformer", ("above",), seed, samples) for seed in range(5))
    cast = cast_of(teacher, proxy, strangers[0], further=tuple(strangers[1:]))
    found = Attack(questions=280, brood=3, minimum=5).examine(cast, samples, asking, rng(0, "questions/pool"))
    (claim,) = found.claims
    assert claim.group == "made on proxy by HotFlip"
    assert "HotFlip" in found.context["method"]
    row = found.row(MADE, claim.group, "teacher")
    assert row.strangers == 3
    assert found.row(OWN, claim.group, "teacher").value.value >= row.value.value
