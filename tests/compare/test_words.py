"""Texts compared word by word: whoever answers, special pieces in or out, and what it costs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from kdaudit.chance import rng
from kdaudit.compare.attentions import Attention, everybody_reads_special, without_special
from kdaudit.compare.attributions import Attribution
from kdaudit.domain import Domain, Text
from kdaudit.errors import InvalidInput
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.networks.pretrained import Pretrained
from kdaudit.pieces import Pieces, plain_tokeniser
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LABEL, SCORE
from kdaudit.subject import Answers, Identity
from kdaudit.tokens import Tokens, split

tokenizers = pytest.importorskip("tokenizers")
pytest.importorskip("transformers")

WORDS = ("good", "bad", "the", "film", "was", "plot", "not", "very", "long", "a")
DOMAIN = Domain((Text("review"),))


def reviews(n=120, seed=0):
    chance = rng(seed, "reviews")
    texts = [" ".join(WORDS[i] for i in chance.integers(0, len(WORDS), chance.integers(4, 8))) for _ in range(n)]
    return Samples(DOMAIN, {"review": np.array(texts, dtype=object)}, np.arange(n), Origin("made reviews"))


class Weigher:
    """A closed reader: each word weighs what it weighs, whatever stands around it."""

    outputs, scale, form = ("good",), "probability", None
    offers = frozenset({SCORE, LABEL})

    def __init__(self, name, **weights):
        self.identity = Identity(name, f"{name} {sorted(weights.items())}")
        # no word weighs nothing: else texts without one that does have no order
        self.weights = {word: 0.01 * (at + 1) for at, word in enumerate(WORDS)} | weights

    def answer(self, samples, signals, draw=0):
        total = [sum(self.weights.get(word, 0.0) for word in split(text)) for text in samples.columns["review"]]
        score = 1 / (1 + np.exp(-np.array(total)))[:, None]
        values = {SCORE: score, LABEL: (score[:, 0] > 0.5).astype(np.int64)}
        return Answers({signal: values[signal] for signal in signals})


def encoder(seed=0):
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece({w: i for i, w in enumerate(marks)}, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    pieces = Pieces(DOMAIN, plain_tokeniser(made.to_str()), 12, 0, len(marks))
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    config = {"model_type": "bert", "vocab_size": pieces.vocabulary, "max_position_embeddings": 12, **sizes}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = Pretrained(config, 0, (1,))
    with torch.no_grad():
        for name, weights in module.named_parameters():
            if "LayerNorm" not in name:
                weights.mul_(6.0)
    return Network(f"encoder {seed}", module, pieces, ("good",))


def reader(name, seed=0):
    tokens = Tokens(DOMAIN, WORDS, 8)
    sizes = {"vocabulary": tokens.vocabulary, "length": 8, "outputs": 1, "width": 8, "hidden": [8]}
    return Network(name, build("transformer", sizes, seed), tokens, ("good",))


def examine(recipe, cast, samples, asking):
    return recipe.examine(cast, samples, asking, rng(0, "questions/judge"))


def three(cast):
    """The cast with three strangers."""
    return replace(cast, further=tuple(Weigher(f"s{i}", **{WORDS[i]: 1.0, "plot": 0.3}) for i in (3, 4)))


@pytest.mark.parametrize("recipe", [Attribution("occlusion", rows=40), Attribution("auto", rows=40)])
def test_closed_readers_are_compared_word_by_word(recipe, cast_of, asking):
    samples, teacher = reviews(), Weigher("teacher", good=2.0, bad=-2.0, very=0.5, **{"not": -1.0})
    proxy = Weigher("proxy", good=1.9, bad=-2.1, very=0.4, **{"not": -0.8})
    cast = three(cast_of(teacher, proxy, Weigher("s", long=1.0, film=-1.0), Weigher("twin", good=2.0, bad=-1.9)))
    evidence = examine(recipe, cast, samples, asking)
    row = evidence.row("spearman", "all", "proxy")
    assert row.value.value > 0.95 and row.excess.low > 0 and row.strangers == 3
    assert asking.rows(teacher) <= row.asked <= recipe.price(samples)
    assert evidence.context["unit"] == "words" and evidence.context["mean_absolute"]["teacher"]["bad"]["value"] > 0.2
    assert "orders the words" in evidence.claims[0].found and "replaced by '_'" in evidence.context["baseline"]
    json.dumps(evidence.context, allow_nan=False)


def test_a_network_and_one_that_answers_alone_leave_out_the_same_texts(cast_of, asking):
    samples, teacher = reviews(), reader("teacher")
    recipe = Attribution("shapley", rows=6, evaluations=40, questions=1)
    evidence = examine(recipe, cast_of(teacher, Weigher("phrases", good=1.0)), samples, asking)
    assert evidence.row("spearman", "all", "proxy").value.known
    assert evidence.context["scale"] == "score" and "replaced by '_'" in evidence.context["baseline"]
    assert set(evidence.context["methods"].values()) == {evidence.context["method"]}
    # the teacher is looked at in place: only its decisions were asked
    assert asking.rows(teacher) == 6
    assert "words" in next(text for text in evidence.context["sentences"] if "Tried on the teacher" in text)


def test_a_closed_teacher_of_texts_is_asked_for_shapley_values_within_its_questions(cast_of, asking):
    samples, teacher = reviews(), Weigher("teacher", good=2.0, bad=-2.0)
    recipe = Attribution("shapley", rows=40, questions=600)
    evidence = examine(recipe, cast_of(teacher, Weigher("proxy", good=1.0, bad=-1.0)), samples, asking)
    assert evidence.row("spearman", "all", "proxy").value.value > 0.9
    assert asking.rows(teacher) <= recipe.price(samples)


def test_special_pieces_are_in_or_out_as_the_plan_says_and_it_is_told(cast_of, asking):
    samples = reviews(40)
    for special, told in ((True, "count as one unit"), (False, "stay where they are")):
        recipe = Attribution("integrated_gradients", rows=5, nodes=4, special=special)
        evidence = examine(recipe, cast_of(encoder(), reader("proxy")), samples, asking)
        assert any(told in text for text in evidence.context["sentences"])
        assert ("special pieces" in evidence.context["mean_absolute"]["teacher"]) == special
        assert evidence.context["special"] == ("in" if special else "out")
        assert evidence.row("spearman", "all", "proxy").value.known
    for method in ("shapley", "occlusion", "auto", "gradient"):
        with pytest.raises(InvalidInput, match="special pieces have shares by"):
            Attribution(method, special=True)


def test_attention_with_special_pieces_counts_them_where_everybody_reads_such(cast_of, asking):
    samples = reviews(60)
    layers = ("model.bert.encoder.layer.*.attention.self",)
    alike = Attention(rows=40, layers=layers, proxy_layers=layers, flows=0, special=True)
    assert alike.price(samples) == 40
    evidence = examine(alike, cast_of(encoder(), encoder(1), encoder(2)), samples, asking)
    assert evidence.context["special"] == "in" and evidence.row("attention_likeness", "all", "proxy").value.known
    told = " ".join(evidence.context["sentences"])
    assert "count as one token" in told and "cannot be masked" in told
    mixed = Attention(rows=40, layers=layers, flows=0, special=True)
    evidence = examine(mixed, cast_of(encoder(), reader("proxy")), samples, asking)
    assert evidence.context["special"] == "out"
    assert "since not everybody here reads such" in " ".join(evidence.context["sentences"])
    out = examine(replace(mixed, special=False, share=0.0), cast_of(encoder(), reader("proxy")), samples, asking)
    row, same = (one.row("attention_likeness", "all", "proxy").value.value for one in (evidence, out))
    assert row == pytest.approx(same)


def test_the_first_token_is_special_only_if_all_have_it():
    whole, bare = np.ones((2, 1, 3, 3)), np.pad(np.ones((2, 1, 2, 2)), ((0, 0), (0, 0), (1, 0), (1, 0)))
    assert everybody_reads_special({"a": [whole], "b": [whole]})
    assert not everybody_reads_special({"a": [whole], "b": [bare]}) and not everybody_reads_special({})
    assert without_special({"a": [whole]})["a"][0].shape == (2, 1, 2, 2)
