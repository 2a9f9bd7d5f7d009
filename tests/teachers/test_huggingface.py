"""Teachers of texts from a folder, beside the library's own answers: a tiny model of random weights, made here."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from kdaudit.behaviour import Behaviour
from kdaudit.domain import Category, Domain, Real, Text
from kdaudit.errors import InvalidInput, NoSuchSignal, OutOfDomain, UnsafeFile
from kdaudit.explain.layers import attention_maps, representations
from kdaudit.explain.reasons import ablation, integrated_gradients
from kdaudit.networks.files import load, save
from kdaudit.pieces import Pieces, plain_tokeniser, trimmed
from kdaudit.question import Setting
from kdaudit.samples import Origin, Samples
from kdaudit.signal import GRADIENT, LABEL, LOGIT, SCORE
from kdaudit.teachers import opening
from kdaudit.teachers.huggingface import HuggingFace, fetched

transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

DOMAIN = Domain((Text("sentence"),))
# fmt: off
WORDS = [
    "the", "film", "is", "good", "bad", "long", "warm", "dull", "and", "not", "a",
    "very", "well-made", "un", "##watch", "##able", "play", "##ed", "it", "was", "[MASK]",
]
# fmt: on
TEXTS = (
    "the film is very good",
    "dull and long",
    "A film not watchable , well-made",
    "it was bad",
    "",
    "the film is good and warm and the film is not bad and not dull and not long and it was played very well",
)


def _tokeniser(folder):
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]))}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = tokenizers.normalizers.BertNormalizer()
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    marks = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=made, mask_token="[MASK]", **marks)
    made.save_pretrained(folder)
    return made


def _config(**more):
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
    return transformers.BertConfig(vocab_size=40, max_position_embeddings=24, **sizes, **more)


def _saved(folder, kind, config):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = kind(config).eval()
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "LayerNorm" not in name:
                weights.mul_(8.0)
    model.save_pretrained(folder)
    _tokeniser(folder)
    return model


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("hf") / "tiny"
    labels = {0: "negative", 1: "neutral", 2: "positive"}
    config = _config(id2label=labels, label2id={name: i for i, name in labels.items()})
    _saved(place, transformers.BertForSequenceClassification, config)
    return place


def _rows(texts=TEXTS, domain=DOMAIN, **columns):
    values = {"sentence": np.array(texts, dtype=object), **columns}
    return Samples(domain, values, np.arange(len(texts)), Origin("made", part="rows"))


def _opened(folder, outputs=("negative", "neutral", "positive"), domain=DOMAIN, **more):
    recipe = HuggingFace(str(folder), length=20, **more)
    return recipe.open(Setting(folder.parent, Behaviour("tells", outputs, domain)))


def _direct(folder, texts=TEXTS, *, kind="AutoModelForSequenceClassification"):
    """The library's own answers, in eager attention, padded to the longest text."""
    model = getattr(transformers, kind).from_pretrained(folder, attn_implementation="eager", local_files_only=True)
    tokens = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    given = tokens(list(texts), padding=True, truncation=True, max_length=20, return_tensors="pt")
    with torch.no_grad():
        out = model.eval()(**given, output_attentions=True, output_hidden_states=True)
    return out, given["attention_mask"].numpy()


@pytest.mark.parametrize("kernel", ["sdpa", "eager"])
def test_answers_are_those_of_the_library(folder, kernel):
    teacher, (out, _) = _opened(folder, kernel=kernel), _direct(folder)
    answers = teacher.answer(_rows(), {LOGIT, SCORE, LABEL})
    assert np.abs(answers.values[LOGIT] - out.logits.numpy()).max() < 2e-5
    assert np.abs(answers.score - out.logits.softmax(1).numpy()).max() < 1e-5
    assert (answers.label == out.logits.argmax(1).numpy()).all()
    assert np.ptp(out.logits.numpy(), axis=0).min() > 0.05


@pytest.mark.parametrize("kernel", ["sdpa", "eager"])
def test_attention_equals_eager_under_padding_whatever_the_kernel(folder, kernel):
    teacher, (out, there) = _opened(folder, kernel=kernel), _direct(folder)
    maps = attention_maps(teacher, _rows(), ("model.bert.encoder.layer.*.attention.self",))
    k = there.shape[1]
    assert len(maps) == len(out.attentions) == 2 and there.min() == 0
    for got, wanted in zip(maps, out.attentions, strict=True):
        wanted = wanted.numpy() * there[:, None, :, None]
        assert np.abs(got[:, :, :k, :k] - wanted).max() < 1e-6
        assert np.abs(got[:, :, k:]).max(initial=0) == 0
    assert np.std(out.attentions[0].numpy()) > 0.05


def test_layers_are_those_of_the_library(folder):
    out, there = _direct(folder)
    got = representations(_opened(folder), _rows(), ("model.bert.encoder.layer.0",))["model.bert.encoder.layer.0"]
    wanted = (out.hidden_states[1].numpy() * there[..., None]).sum(1) / there.sum(1)[:, None]
    assert np.abs(got - wanted).max() < 2e-5


def test_outputs_are_found_by_name_by_labels_or_by_order(folder):
    logits = _direct(folder)[0].logits.double().numpy()
    swapped = _opened(folder, ("positive", "negative", "neutral")).answer(_rows(), {LOGIT}).logit
    assert np.abs(swapped - logits[:, [2, 0, 1]]).max() < 2e-5
    named = _opened(folder, ("bad", "so", "good"), labels=("neutral", "negative", "positive"))
    assert np.abs(named.answer(_rows(), {LOGIT}).logit - logits[:, [1, 0, 2]]).max() < 2e-5
    one = _opened(folder, ("liked",)).answer(_rows(), {SCORE}).score[:, 0]
    share = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert np.abs(one - share[:, 2]).max() < 1e-5


def test_a_text_is_answered_alike_in_any_company(folder):
    teacher = _opened(folder)
    whole = teacher.answer(_rows(), {LOGIT}).logit
    alone = [teacher.answer(_rows((text,)), {LOGIT}).logit[0] for text in TEXTS]
    assert np.array_equal(whole, np.array(alone))


def test_identity_follows_weights_tokeniser_and_length(folder, tmp_path):
    teacher = _opened(folder)
    assert _opened(folder).identity.digest == teacher.identity.digest
    shutil.copytree(folder, tmp_path / "tiny")
    assert _opened(tmp_path / "tiny").identity.digest == teacher.identity.digest
    text = (tmp_path / "tiny" / "tokenizer.json").read_text()
    (tmp_path / "tiny" / "tokenizer.json").write_text(text.replace('"lowercase": true', '"lowercase": false'))
    assert _opened(tmp_path / "tiny").identity.digest != teacher.identity.digest
    recipe = HuggingFace(str(folder), length=12)
    assert recipe.open(Setting(folder.parent, Behaviour("tells", teacher.outputs, DOMAIN))).identity != teacher.identity


def test_what_is_kept_is_read_again_the_same(folder, tmp_path):
    teacher = _opened(folder)
    save(teacher, tmp_path / "kept")
    again = load(tmp_path / "kept")
    assert again.identity.digest == teacher.identity.digest
    assert np.array_equal(again.answer(_rows(), {LOGIT}).logit, teacher.answer(_rows(), {LOGIT}).logit)


def test_it_offers_no_gradient_by_numbers_of_pieces(folder):
    teacher = _opened(folder)
    assert teacher.offers == {LOGIT, SCORE, LABEL}
    with pytest.raises(NoSuchSignal, match="does not offer gradient"):
        teacher.answer(_rows(), {GRADIENT})


def test_one_text_among_other_fields_is_read(folder):
    domain = Domain((Real("age"), Text("sentence"), Category("sex", ("f", "m"))))
    rows = _rows(domain=domain, age=np.arange(6.0), sex=np.zeros(6, dtype=np.int64))
    teacher = _opened(folder, domain=domain)
    assert np.array_equal(teacher.answer(rows, {LOGIT}).logit, _opened(folder).answer(_rows(), {LOGIT}).logit)


def test_an_address_opens_it(folder, tmp_path):
    _saved(tmp_path / "short", transformers.BertForSequenceClassification, _config(num_labels=2, pad_token_id=0))
    teacher = opening.load(f"hf:{tmp_path / 'short'}", domain=DOMAIN, outputs=("liked",))
    assert teacher.encoding.length == 24 and teacher.answer(_rows(), {SCORE}).score.shape == (6, 1)
    with pytest.raises(InvalidInput, match="give domain"):
        opening.load(f"hf:{folder}")


def test_risky_or_missing_files_are_refused(folder, tmp_path):
    def copy(name):
        return shutil.copytree(folder, tmp_path / name)

    with pytest.raises(InvalidInput, match="does not exist"):
        _opened(tmp_path / "nowhere")
    pickled = copy("pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(UnsafeFile, match=r"pytorch_model\.bin, a format that could run code"):
        _opened(pickled)
    (pickled / "pytorch_model.bin").unlink()
    with pytest.raises(InvalidInput, match=r"has no model\.safetensors"):
        _opened(pickled)
    coded = copy("coded")
    config = json.loads((coded / "config.json").read_text())
    (coded / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "own.Model"}}))
    (coded / "own.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(UnsafeFile, match="Python code of its own"):
        _opened(coded)
    bare = copy("bare")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (bare / name).unlink(missing_ok=True)
    with pytest.raises(InvalidInput, match="tokeniser"):
        _opened(bare)
    damaged = copy("damaged")
    (damaged / "config.json").write_text("{")
    with pytest.raises(InvalidInput, match="cannot be read as JSON"):
        _opened(damaged)


def test_a_model_without_its_head_is_refused(tmp_path):
    _saved(tmp_path / "body", transformers.BertModel, _config())
    with pytest.raises(InvalidInput, match="no weights for classifier"):
        _opened(tmp_path / "body")


def test_what_does_not_fit_is_refused(folder):
    with pytest.raises(InvalidInput, match="3 labels .* and the behaviour has 2 outputs"):
        _opened(folder, ("no", "yes"))
    with pytest.raises(InvalidInput, match="one of negative, neutral, positive was expected"):
        _opened(folder, ("no", "yes"), labels=("neutral", "good"))
    with pytest.raises(OutOfDomain, match="say which with `reads`"):
        _opened(folder, domain=Domain((Text("sentence"), Text("title"))))
    with pytest.raises(InvalidInput, match="at most 24 pieces"):
        HuggingFace(str(folder), length=60).open(Setting(folder.parent, Behaviour("tells", ("liked",), DOMAIN)))
    with pytest.raises(InvalidInput, match="there is no layer"):
        attention_maps(_opened(folder), _rows(), ("model.bert.encoder.layer.9.attention.self",))


def test_without_the_extra_it_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(InvalidInput, match=r"pip install 'kdaudit\[hf\]'"):
        _opened(folder)


def test_a_masked_model_answers_by_its_completions(tmp_path):
    place = tmp_path / "masked"
    _saved(place, transformers.BertForMaskedLM, _config())
    teacher = _opened(place, ("liked",), task="masked", prompt="{text} . it was [MASK]", completions=("good", "bad"))
    out, _ = _direct(place, [f"{text} . it was [MASK]" for text in TEXTS[:4]], kind="AutoModelForMaskedLM")
    tokens = transformers.AutoTokenizer.from_pretrained(place, local_files_only=True)
    for row, text in enumerate(TEXTS[:4]):
        numbers = tokens(f"{text} . it was [MASK]")["input_ids"]
        logits = out.logits[row, numbers.index(tokens.mask_token_id)]
        good, bad = (logits[tokens.convert_tokens_to_ids(word)].item() for word in ("good", "bad"))
        assert teacher.answer(_rows((text,)), {LOGIT}).logit[0, 0] == pytest.approx(good - bad, abs=1e-4)
    # of the longest text the end is cut, never the question
    assert np.isfinite(teacher.answer(_rows(), {LOGIT}).logit).all()
    long = teacher.encoding.encode(_rows((TEXTS[-1],)))[0].astype(int)
    assert tokens.mask_token_id in long.tolist()
    with pytest.raises(InvalidInput, match="no piece that the tokeniser knows"):
        _opened(place, ("liked",), task="masked", prompt="{text} [MASK]", completions=("zzz", "bad"))
    with pytest.raises(InvalidInput, match="one completion twice"):
        _opened(place, ("liked",), task="masked", prompt="{text} [MASK]", completions=("bad", "bad"))
    with pytest.raises(InvalidInput, match="mask sign"):
        _opened(place, ("liked",), task="masked", prompt="{text} it was", completions=("good", "bad"))


def test_a_causal_model_answers_by_what_comes_next(tmp_path):
    place, sizes = tmp_path / "causal", {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 24}
    config = transformers.GPT2Config(vocab_size=40, pad_token_id=0, eos_token_id=3, bos_token_id=2, **sizes)
    model = _saved(place, transformers.GPT2LMHeadModel, config)
    teacher = _opened(place, ("good", "bad"), task="causal", prompt="{text} it was", completions=("good", "bad"))
    tokens = transformers.AutoTokenizer.from_pretrained(place, local_files_only=True)
    for text in TEXTS[:4]:
        numbers = torch.tensor([tokens(f"{text} it was")["input_ids"]])
        with torch.no_grad():
            logits = model(input_ids=numbers).logits[0, -1]
        wanted = logits[tokens.convert_tokens_to_ids(["good", "bad"])].numpy()
        assert np.abs(teacher.answer(_rows((text,)), {LOGIT}).logit[0] - wanted).max() < 1e-4


def _chance(logits, piece):
    return torch.log_softmax(logits, dim=0)[piece].item()


def test_completions_of_several_pieces_are_as_likely_as_each_piece_behind_those_before(tmp_path):
    place, sizes = tmp_path / "causal", {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 24}
    config = transformers.GPT2Config(vocab_size=40, pad_token_id=0, eos_token_id=3, bos_token_id=2, **sizes)
    model = _saved(place, transformers.GPT2LMHeadModel, config)
    said = {"task": "causal", "prompt": "{text} it was", "completions": ("played good", "bad")}
    teacher, single = _opened(place, ("liked", "not"), **said), _opened(place, ("liked",), **said)
    setting = Setting(tmp_path, Behaviour("tells", ("liked", "not"), DOMAIN))
    assert HuggingFace(str(place), **said).open(setting).encoding.length == 24 - 2
    tokens = transformers.AutoTokenizer.from_pretrained(place, local_files_only=True)
    for text in TEXTS[:4]:
        numbers = tokens(f"{text} it was")["input_ids"]
        wanted = []
        for completion in said["completions"]:
            known, total = list(numbers), 0.0
            for piece in tokens(completion, add_special_tokens=False)["input_ids"]:
                with torch.no_grad():
                    total += _chance(model(input_ids=torch.tensor([known])).logits[0, -1], piece)
                known.append(piece)
            wanted.append(total)
        row = _rows((text,))
        assert np.abs(teacher.answer(row, {LOGIT}).logit[0] - wanted).max() < 1e-4
        assert single.answer(row, {LOGIT}).logit[0, 0] == pytest.approx(wanted[0] - wanted[1], abs=1e-4)
    nothing = np.zeros(4, dtype=np.int64)
    with pytest.raises(NoSuchSignal, match="completions of several pieces"):
        integrated_gradients(single, _rows(TEXTS[:4]), _rows(), output=nothing, nodes=2)
    assert np.isfinite(ablation(single, _rows(TEXTS[:4]), _rows(), output=nothing).values).all()
    with pytest.raises(InvalidInput, match="a completion of 3 are too many"):
        HuggingFace(str(place), length=24, **said).open(setting)


def test_a_masked_model_fills_several_pieces_in_from_the_left(tmp_path):
    place = tmp_path / "masked"
    model = _saved(place, transformers.BertForMaskedLM, _config())
    said = {"task": "masked", "prompt": "it was [MASK] , {text}", "completions": ("played", "bad")}
    teacher = _opened(place, ("liked", "not"), **said)
    tokens = transformers.AutoTokenizer.from_pretrained(place, local_files_only=True)
    for text in TEXTS[:3]:
        wanted = []
        for completion in said["completions"]:
            pieces = tokens(completion, add_special_tokens=False)["input_ids"]
            given = tokens(f"it was {' '.join([tokens.mask_token] * len(pieces))} , {text}")["input_ids"]
            at, total = given.index(tokens.mask_token_id), 0.0
            for place_, piece in enumerate(pieces):
                with torch.no_grad():
                    logits = model(input_ids=torch.tensor([given])).logits[0, at + place_]
                total += _chance(logits, piece)
                given[at + place_] = piece
            wanted.append(total)
        assert np.abs(teacher.answer(_rows((text,)), {LOGIT}).logit[0] - wanted).max() < 1e-4


def test_a_pinned_revision_is_read_from_where_the_library_keeps_it(folder, tmp_path, monkeypatch):
    constants = pytest.importorskip("huggingface_hub").constants
    commit = "0123456789abcdef0123456789abcdef01234567"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    kept = tmp_path / "models--org--reader" / "snapshots" / commit
    shutil.copytree(folder, kept)
    assert fetched("org/reader", commit) == kept
    setting = Setting(tmp_path, Behaviour("tells", ("negative", "neutral", "positive"), DOMAIN))
    found = HuggingFace("org/reader", length=20, revision=commit).open(setting)
    assert found.identity.digest == _opened(folder).identity.digest
    with pytest.raises(InvalidInput, match=f"hf download org/reader --revision {commit[::-1]}"):
        HuggingFace("org/reader", revision=commit[::-1]).open(setting)
    with pytest.raises(InvalidInput, match="a branch or a tag moves"):
        HuggingFace("org/reader", revision="main")
    with pytest.raises(InvalidInput, match="no name of a model"):
        HuggingFace("../up", revision=commit).open(setting)


def test_pieces_know_where_they_stand(folder):
    pieces = _opened(folder).encoding
    text = "The  film un-watchable"
    spans = pieces.spans(text)
    assert [text[low:high] for low, high in spans] == ["", "The", "film", "un", "-", "watchable", ""]
    assert trimmed(" a  ", (0, 3)) == (1, 2)
    assert Pieces.from_data(pieces.to_data()) == pieces
    assert plain_tokeniser(pieces.tokeniser) == pieces.tokeniser


def test_short_texts_are_computed_short_and_alone_as_in_company(folder):
    teacher, seen = _opened(folder), []
    teacher.module.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape)))
    rows = _rows((*TEXTS, *TEXTS[:3]))
    together = teacher.answer(rows, {LOGIT}).values[LOGIT]
    assert all(rows_ == (64 if width <= 8 else 32 if width <= 16 else 16) for rows_, width in seen)
    for i in range(len(TEXTS)):
        assert (teacher.answer(rows.take([i]), {LOGIT}).values[LOGIT] == together[i]).all()
    pieces = teacher.encoding
    encoded = pieces.encode(rows)
    reach = pieces.reach(encoded)
    for row, width in zip(encoded, reach, strict=True):
        assert (row[width:] == pieces.padding).all()
        assert width == 20 or width - max(int((row != pieces.padding).sum()), 4) == 0
    assert pieces.reach(np.full((1, 20), pieces.padding, dtype=np.float32)).tolist() == [4]
    with_other = Domain((*DOMAIN.fields, Real("stars")))
    both = _opened(folder, domain=with_other, reads="sentence")
    again = both.answer(_rows((*TEXTS, *TEXTS[:3]), with_other, stars=np.zeros(9)), {LOGIT}).values[LOGIT]
    assert (again == together).all()
