"""An existing pair of models of texts, audited from a plan without anything being distilled."""

from __future__ import annotations

from itertools import product

import pandas as pd
import pytest
import torch

from kdaudit.auditing.audits import audit, read_plan
from kdaudit.auditing.pricing import price
from kdaudit.errors import InvalidInput
from kdaudit.report.composition import compose
from kdaudit.report.markdown import render
from kdaudit.run.reading import read

transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

SUBJECTS = ("the plot", "this film", "her voice", "the music", "our hero", "the ending", "that scene", "the cast")
VERBS = ("was", "seems", "feels", "looked", "is", "stayed", "became", "sounds")
ENDS = ("dull and long", "warm and wise", "too loud today", "a quiet joy", "not so bad", "hard to love")
SENTENCES = [" ".join(parts) for parts in product(SUBJECTS, VERBS, ENDS)]
PLAN = """\
title: Does a distilled model know its teacher?
seed: 1
domain:
  fields:
    - {{name: sentence, kind: text}}
samples:
  file: rows.csv
  parts: {{fit: 20, select: 40, judge: 200, pool: 40}}
behaviours:
  - {{name: likes it, outputs: [liked]}}
teacher: {{name: large, kind: huggingface, path: large{teacher}}}
proxies:
  - {{name: small, kind: existing, path: small{proxy}}}
compare:
  - {{name: fidelity, kind: fidelity, worst_slice: false, measures: [agreement]}}
  - {{name: reasons, kind: attribution, rows: 20, nodes: 4}}
  - {{name: attention, kind: attention, rows: 40, layers: ["model.bert.encoder.layer.*.attention.self"],
      proxy_layers: ["model.bert.encoder.layer.*.attention.self"], flows: 4, share: 0}}
  - {{name: layers, kind: representation, rows: 100, batch: 50, layers: ["model.bert.encoder.layer.*"],
      proxy_layers: ["model.bert.encoder.layer.*"]}}
budget:
  questions: 2000
"""


def _model(folder, layers, seed):
    words = sorted({word for text in SENTENCES for word in text.split()})
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    marks = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    transformers.PreTrainedTokenizerFast(tokenizer_object=made, **marks).save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=12,
        num_labels=2,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = transformers.BertForSequenceClassification(config).eval()
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "LayerNorm" not in name:
                weights.mul_(6.0)
    model.save_pretrained(folder)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("pairs")
    pd.DataFrame({"sentence": SENTENCES}).to_csv(place / "rows.csv", index=False)
    for name, layers, seed in (("large", 3, 0), ("small", 1, 1), ("other", 1, 2), ("second", 1, 3), ("third", 1, 4)):
        _model(place / name, layers, seed)
    return place


def _audited(home, name, teacher="", proxy=""):
    file = home / f"{name}.yaml"
    file.write_text(PLAN.format(teacher=teacher, proxy=proxy))
    assert price(read_plan(file), None).total > 0
    done = audit(file, out=home / name)
    told = read(done.path)
    by = {evidence.question.split("/")[1]: evidence for evidence in told.evidence.values()}
    return done, told, by


def test_a_pair_alone_is_audited_and_says_what_it_lacks(home):
    done, told, by = _audited(home, "alone")
    assert not done.failed and set(by) == {"fidelity", "reasons", "attention", "layers"}
    agreement = by["fidelity"].row("agreement", "all", "proxy")
    assert agreement.value.known and agreement.control_kind == "permuted"
    assert told.cards["small"]["control"]["kind"] == "none"
    assert "made elsewhere" in told.cards["small"]["control"]["reason"]
    for name in ("reasons", "attention", "layers"):
        row = by[name].rows[0]
        assert row.value.known, (name, row.value.method)
        assert row.control_kind in ("permuted", "none")
    assert by["reasons"].rows[0].control_kind == "permuted"
    assert told.cards["small"]["size"]["parameters"] > 0 and told.cards["small"]["cost"] == {"select": 40}
    assert (done.path / "proxies" / "small" / "model.safetensors").is_file()


@pytest.mark.slow
def test_beside_models_distilled_from_other_teachers(home):
    _, told, by = _audited(home, "beside", proxy=", strangers: [other, second, third]")
    outcomes = {"made": False, "reason": "it was made elsewhere, and nobody here can make another by its recipe"}
    control = {"kind": "strangers_proxy", "reason": "", "count": 3, "outcomes": outcomes}
    assert told.cards["small"]["control"] == control
    for evidence in by.values():
        row = evidence.rows[0]
        assert row.value.known and (row.control_kind, row.strangers) == ("strangers_proxy", 3)
        assert row.excess is not None and row.excess.low <= row.excess.value <= row.excess.high
    # the teacher was never shown to anybody here: no claim may hold by luck
    assert not any(f.verdict == "holds" for f in told.findings if "closer" in f.claim)


@pytest.mark.slow
def test_beside_independent_teachers(home):
    names = "".join(
        f"{{name: t{i}, kind: huggingface, path: {p}}}, " for i, p in enumerate(("other", "second", "third"))
    )
    _, told, by = _audited(home, "swapped", teacher=f", strangers: [{names}]")
    for evidence in by.values():
        row = evidence.rows[0]
        assert row.value.known and (row.control_kind, row.strangers) == ("swapped_teacher", 3)
    assert "independent teachers" in render(compose(told)).decode()


def test_the_teacher_is_not_its_own_proxy(home):
    file = home / "self.yaml"
    file.write_text(PLAN.format(teacher="", proxy="").replace("path: small", "path: large"))
    with pytest.raises(InvalidInput, match="is the teacher itself"):
        audit(file, out=home / "self")
