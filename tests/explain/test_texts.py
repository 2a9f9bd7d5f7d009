"""Words from pieces: aligned by characters, added up, left out together; beside slow second ways."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdaudit.domain import Domain, Text
from kdaudit.errors import NoSuchSignal
from kdaudit.explain.embeddings import embedded
from kdaudit.explain.layers import attention_maps
from kdaudit.explain.omissions import TextGame, most_parts, word_occlusion, words_in
from kdaudit.explain.pairs import network_pairs
from kdaudit.explain.paths import integrated
from kdaudit.explain.reasons import ablation, game_of, integrated_gradients, sampled_shapley
from kdaudit.explain.texts import SPECIAL, aligned, attended, summed, words_of
from kdaudit.networks.architectures import build
from kdaudit.networks.network import Network
from kdaudit.networks.pretrained import Pretrained
from kdaudit.pieces import Pieces, plain_tokeniser
from kdaudit.samples import Origin, Samples
from kdaudit.signal import LOGIT
from kdaudit.tokens import Tokens, spans, split

tokenizers = pytest.importorskip("tokenizers")
pytest.importorskip("transformers")

DOMAIN = Domain((Text("sentence"),))
TEXTS = ("the film is unwatchable, not good", "played well", "un-played film", "é good", "")


def rows(texts=TEXTS):
    return Samples(DOMAIN, {"sentence": np.array(texts, dtype=object)}, np.arange(len(texts)), Origin("made"))


def pieces(length=16):
    known = "the film is not good un ##watch ##able play ##ed , - well e"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *known.split(" ")]
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    made.normalizer = tokenizers.normalizers.BertNormalizer()
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return Pieces(DOMAIN, plain_tokeniser(made.to_str()), length, 0, len(words))


@pytest.fixture(scope="module")
def teacher():
    encoder = pieces()
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    config = {"model_type": "bert", "vocab_size": encoder.vocabulary, "max_position_embeddings": 16, **sizes}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Pretrained(config, 0, (1,))
    with torch.no_grad():
        for name, weights in module.named_parameters():
            if "LayerNorm" not in name:
                weights.mul_(6.0)
    return Network("teacher", module, encoder, ("liked",))


@pytest.fixture(scope="module")
def student():
    encoder = Tokens.fitted(rows(), least=1)
    arguments = {"vocabulary": encoder.vocabulary, "length": encoder.length, "outputs": 1, "width": 8, "hidden": [8]}
    return Network("student", build("transformer", arguments, 1), encoder, ("liked",))


def test_pieces_of_a_word_are_found_by_their_characters(teacher):
    found = words_of(teacher.encoding, rows())
    # [CLS] the film is un ##watch ##able , not good [SEP]
    assert found[0][:11].tolist() == [-1, 0, 1, 2, 3, 3, 3, 4, 5, 6, -1]
    assert found[1][:5].tolist() == [-1, 0, 0, 1, -1]
    assert found[2][:7].tolist() == [-1, 0, 1, 2, 2, 3, -1]
    assert found[3][:4].tolist() == [-1, 0, 1, -1]
    assert found[4].max() == -1


def test_a_byte_level_piece_with_its_space_belongs_to_the_word_behind():
    encoder = pieces()
    made = tokenizers.Tokenizer(tokenizers.models.BPE({"Ġ": 0, "g": 1, "o": 2, "d": 3, "a": 4}, []))
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False)
    level = Pieces(DOMAIN, plain_tokeniser(made.to_str()), 16, 0, 6)
    assert level.spans("a go")[0] == (0, 1)
    assert aligned(level.spans("a go"), spans("a go")).tolist() == [0, -1, 1, 1]
    assert encoder.width == 16


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), max_size=8), st.text("ab ,.é'", max_size=24))
def test_alignment_is_by_most_characters(raw, text):
    words = spans(text)
    told = aligned([(low, low + size) for low, size in raw], words)
    for (low, size), word in zip(raw, told, strict=True):
        shares = [len(set(range(low, low + size)) & set(range(*one))) for one in words]
        assert word == (shares.index(max(shares)) if shares and max(shares) else -1)


@given(st.text(max_size=40))
def test_spans_are_those_of_the_words(text):
    if len(text.lower()) == len(text):
        assert [text.lower()[low:high] for low, high in spans(text)] == split(text)


def test_sums_and_maps_by_words_equal_loops():
    rng = np.random.default_rng(0)
    places = np.array([[-1, 0, 0, 1, 2, -1], [-1, 0, 1, 1, -1, -1]])
    values, maps = rng.normal(size=(2, 6)), rng.random((2, 3, 6, 6))
    got, seen = summed(values, places, 3), attended(maps, places)
    for row in range(2):
        for word in range(3):
            of = [t for t in range(6) if places[row, t] == word]
            assert got[row, word] == pytest.approx(sum(values[row, t] for t in of))
            for head in range(3):
                for other in range(3):
                    to = [t for t in range(6) if places[row, t] == other]
                    wanted = sum(maps[row, head, a, b] for a in of for b in to) / max(len(of), 1)
                    assert seen[row, head, word, other] == pytest.approx(wanted)


def test_reasons_of_both_are_of_the_same_words(teacher, student):
    output = np.zeros(len(TEXTS), dtype=np.int64)
    for way in (integrated_gradients, ablation):
        a, b = (way(who, rows(), rows(), output=output) for who in (teacher, student))
        assert a.names == b.names and len(a.names) == 7
        assert np.abs(a.values[1, 2:]).max() == 0 and np.abs(b.values[1, 2:]).max() == 0
        assert np.abs(a.values[:4]).max() > 0
    found = integrated_gradients(teacher, rows(), rows(), output=output, nodes=64)
    assert np.abs(found.values.sum(axis=1) - found.reach).max() < 0.02 * np.abs(found.values).sum(axis=1).max()


def test_texts_that_go_through_by_length_have_the_shares_they_have_among_longer_ones(teacher):
    output = np.zeros(len(TEXTS), dtype=np.int64)
    found = integrated_gradients(teacher, rows(), rows(), output=output, nodes=8)
    whole = integrated(*embedded(teacher, rows(), output), nodes=8)
    places = words_of(teacher.encoding, rows())[:, : whole.values.shape[1]]
    assert np.allclose(found.values, summed(whole.values, places, 7), atol=1e-6)
    assert np.allclose(found.error, summed(whole.error, places, 7), atol=1e-6)
    assert np.allclose(found.gap, whole.gap, atol=1e-6)
    assert np.allclose(found.reach, whole.reach, atol=1e-6)
    alone = integrated_gradients(teacher, rows(TEXTS[1:2]), rows(), output=output[:1], nodes=8)
    assert alone.values[0].tolist() == found.values[1, :2].tolist()


def test_ablation_leaves_out_all_pieces_of_a_word(teacher):
    values = ablation(teacher, rows(), rows(), output=np.zeros(len(TEXTS), dtype=np.int64)).values
    encoded = teacher.encoding.encode(rows())
    without = encoded.copy()
    without[0, [4, 5, 6]] = 0
    gap = teacher.raw(encoded)[0, 0] - teacher.raw(without)[0, 0]
    assert values[0, 3] == pytest.approx(gap, abs=1e-4)


def test_shapley_of_words_sums_to_what_the_words_do(teacher):
    output = np.zeros(len(TEXTS), dtype=np.int64)
    found = sampled_shapley(
        teacher, rows(), rows(), output=output, budget=200, scale="logit", rng=np.random.default_rng(0)
    )
    whole = teacher.answer(rows(), {LOGIT}).logit[:, 0]
    nothing = teacher.raw(teacher.encoding.blank(rows()))[:, 0]
    assert np.abs(found.values.sum(axis=1) - (whole - nothing)).max() < 1e-4
    game = game_of(teacher, rows(), rows(), output)
    assert game(np.ones((1, len(TEXTS), 9), dtype=bool)).shape == (1, len(TEXTS))


def test_attention_is_among_words_without_special_pieces(teacher):
    raw = attention_maps(teacher, rows(), ("model.bert.encoder.layer.0.attention.self",))[0]
    maps = attention_maps(teacher, rows(), ("model.bert.encoder.layer.0.attention.self",), words=True)[0]
    assert maps.shape[2:] == (7, 7)
    assert maps[0, 0, 3, 0] == pytest.approx(raw[0, 0, [4, 5, 6], 1].mean())
    assert maps[0, 0, 0, 3] == pytest.approx(raw[0, 0, 1, [4, 5, 6]].sum())
    assert maps[4].max() == 0 and maps[1, :, 2:].max() == 0


def test_special_pieces_count_as_one_unit_in_front_where_they_are_to_count(teacher, student):
    output = np.zeros(len(TEXTS), dtype=np.int64)
    assert words_of(teacher.encoding, rows(), special=True)[0][:13].tolist() == [
        0,
        1,
        2,
        3,
        4,
        4,
        4,
        5,
        6,
        7,
        0,
        -1,
        -1,
    ]
    for way in (integrated_gradients, ablation):
        without, within = (way(teacher, rows(), rows(), output=output, special=special) for special in (False, True))
        assert within.names == (SPECIAL, *without.names) and within.words[1] == (SPECIAL, *without.words[1])
        assert np.abs(within.values[:, 0]).min() > 0 and within.baseline != without.baseline
        assert np.abs(way(student, rows(), rows(), output=output, special=True).values[:, 0]).max() == 0
    encoded = teacher.encoding.encode(rows())
    bare = encoded.copy()
    bare[0, [0, 10]] = 0
    assert within.values[0, 0] == pytest.approx(teacher.raw(encoded)[0, 0] - teacher.raw(bare)[0, 0], abs=1e-4)
    assert np.allclose(within.values[:, 1:], without.values, atol=1e-6)
    # an order of units with the special one in front is tried in a game that knows it
    game = game_of(teacher, rows(), rows(), output, special=True)
    kept = np.ones((2, len(TEXTS), len(within.names)), dtype=bool)
    kept[1, :, 0] = False
    worth = game(kept)
    assert np.abs(worth[0] - worth[1]).max() > 0


def test_maps_among_words_with_and_without_special_pieces(teacher, student):
    names = ["model.bert.encoder.layer.*.attention.self"]
    bare = attention_maps(teacher, rows(), names, words=True)
    whole = attention_maps(teacher, rows(), names, words=True, special=True)
    for without, within in zip(bare, whole, strict=True):
        assert np.allclose(within[:, :, 1:, 1:], without)
        # with them a word looks at nothing else than what is told
        assert np.allclose(within[0, :, :8].sum(axis=2), 1.0, atol=1e-5) and (within[0, :, 0, 0] > 0).all()
    for layer in attention_maps(student, rows(), ["layers.*.attention"], words=True, special=True):
        assert not layer[:, :, 0].any() and not layer[:, :, :, 0].any()


def test_a_closed_reader_is_asked_texts_with_words_left_out():
    asked = []

    def scores(samples):
        asked.extend(samples.columns["sentence"])
        return np.array([[("not" in text) * 1.0 + text.count("film") / 4] for text in samples.columns["sentence"]])

    some = rows(("not a film film", "good", ""))
    found = word_occlusion(scores, some, output=np.zeros(3, dtype=np.int64))
    assert found.words == (("not", "a", "film", "film"), ("good",), ())
    assert found.values[0].tolist() == [1.0, 0.0, 0.25, 0.25] and not found.values[1:].any()
    assert sorted(asked) == sorted(
        ["not a film film", "_ a film film", "not _ film film", "not a _ film", "not a film _", "good", "_", ""]
    )
    assert words_in(some).tolist() == [4, 1, 0] and most_parts(some) == 4


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["a", "not", "Ünder", "!", "b2"]), max_size=5), st.integers(0, 2**5 - 1))
def test_coalitions_of_words_are_texts_put_together_word_by_word(words, kept):
    text = " ".join(words)
    mask = np.array([bool(kept >> i & 1) for i in range(max(len(words), 1))])
    seen = []

    def scores(samples):
        seen.extend(samples.columns["sentence"])
        return np.zeros((len(samples), 1))

    TextGame(scores, rows((text,)), np.zeros(1, dtype=np.int64))(mask[None])
    assert seen == [" ".join(word if there else "_" for word, there in zip(words, mask, strict=False))]


def test_pairs_of_words_have_no_interactions_to_compare(teacher):
    with pytest.raises(NoSuchSignal, match="pairs differ from text to text"):
        network_pairs(
            teacher, rows(), rows(), output=np.zeros(5, dtype=np.int64), budget=64, scale="logit",
            rng=np.random.default_rng(0),
        )  # fmt: skip
