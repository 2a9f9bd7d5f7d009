"""Published pairs of sentences: what is paired, what is a template, what a reader is told."""

from __future__ import annotations

import csv
import gzip
import io

import numpy as np
import pytest

from kdaudit.data.corpora import CORPORA, load_corpus
from kdaudit.errors import InvalidInput


def table(path, columns, rows):
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows(rows)
    raw = out.getvalue().encode()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


@pytest.fixture
def made(tmp_path):
    people = [("Alonzo", "male", "African-American"), ("Ebony", "female", "African-American"),
              ("Adam", "male", "European"), ("Amanda", "female", "European"), ("my son", "male", ""),
              ("my daughter", "female", "")]  # fmt: skip
    rows = [
        (f"{p} feels {w}.", "<person subject> feels <emotion word>.", p, g, r, "x", w)
        for w in ("sad", "glad") for p, g, r in people
    ]  # fmt: skip
    columns = ("Sentence", "Template", "Person", "Gender", "Race", "Emotion", "Emotion word")
    table(tmp_path / "eec" / "Equity-Evaluation-Corpus.csv.gz", columns, rows)
    rows = [("you_are", "toxic", f"You are a vile {t}") for t in ("gay", "straight", "gayish", "trans")]
    rows += [("you_are", "nontoxic", "You are a kind straight"), ("you_are", "nontoxic", "You are a kind gay")]
    rows += [("name", "nontoxic", "Gay is deaf")]
    file = tmp_path / "identity_templates" / "en_sentence_templates.csv.gz"
    table(file, ("template", "toxicity", "phrase"), rows)
    for kind in (1, 2):
        for part in ("dev", "test"):
            for side, (one, two) in {"pro": ("he", "her"), "anti": ("she", "his")}.items():
                file = tmp_path / "winobias" / f"{side}_stereotyped_type{kind}.txt.{part}"
                file.parent.mkdir(exist_ok=True)
                other = "nurse" if side == "pro" or part == "dev" else "clerk"
                file.write_text(
                    f"1 [The cook] met the maid because [{one}] {kind} {part}.\n"
                    f"2 The cook met [the maid] and [{two}] friend {kind} {part}.\n"
                    f"3 [The guard] met the {other} when [{one}] {kind} {part}.\n"
                    f"4 The guard met [the nurse] when [{two}] {kind} {part}.\n"
                )
    rows = [(0, "They rob.", "We rob.", "stereo", "race"), (1, "He cooks.", "She cooks.", "antistereo", "gender")]
    columns = ("", "sent_more", "sent_less", "stereo_antistereo", "bias_type")
    table(tmp_path / "crows_pairs" / "crows_pairs_anonymized.csv", columns, rows)
    return tmp_path


def test_people_of_the_equity_corpus_are_paired_by_race_or_gender(made):
    gender = load_corpus("eec", "gender", made)
    assert gender.groups == ("women", "men")
    assert gender.names == ("<person subject> feels <emotion word>.",)
    assert [pair.tolist() for pair in gender.texts[:3]] == [
        ["my daughter feels sad.", "my son feels sad."],
        ["Ebony feels sad.", "Alonzo feels sad."],
        ["Amanda feels sad.", "Adam feels sad."],
    ]
    race = load_corpus("eec", "race", made)
    assert ["Ebony feels glad.", "Amanda feels glad."] in race.texts.tolist()
    assert len(race.texts) == 4


def test_identity_terms_are_whole_words_and_patterns_with_other_tones_are_other_templates(made):
    found = load_corpus("identity_templates", "gay - straight", made)
    assert found.names == ("you_are, toxic", "you_are, nontoxic")
    assert found.texts.tolist() == [
        ["You are a vile gay", "You are a vile straight"],
        ["You are a kind gay", "You are a kind straight"],
    ]
    assert "few patterns" in found.notes[0]


def test_pronouns_are_paired_and_lines_that_do_not_belong_together_left_out(made):
    gender, stereotype = (load_corpus("winobias", c, made) for c in ("gender", "stereotype"))
    assert gender.texts[0].tolist() == [
        "The cook met the maid because she 1 dev.",
        "The cook met the maid because he 1 dev.",
    ]
    assert stereotype.texts[0].tolist() == gender.texts[0].tolist()[::-1]
    assert gender.texts[1].tolist()[0].startswith("The cook met the maid and her friend")
    assert gender.names == ("cook and maid", "guard and nurse")
    assert len(gender.texts) == 4 * 4 - 2


def test_the_sentence_about_the_disadvantaged_group_comes_first_with_the_criticism(made):
    found = load_corpus("crows_pairs", "all", made)
    assert found.texts.tolist() == [["They rob.", "We rob."], ["She cooks.", "He cooks."]]
    assert "Blodgett" in found.notes[0]
    assert len(load_corpus("crows_pairs", "race", made).texts) == 1


@pytest.mark.parametrize(
    ("name", "contrast", "part"),
    [
        ("eecs", "gender", "no corpus"), ("eec", "age", "gender, race"), ("winobias", "race", "stereotype"),
        ("identity_templates", "gay", "two terms"), ("identity_templates", "gay - purple", "two terms"),
        ("crows_pairs", "religion", "all, race, gender"),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_named(made, name, contrast, part):
    with pytest.raises(InvalidInput, match=part):
        load_corpus(name, contrast, made)


def test_files_that_are_not_there_or_are_others_are_named(made):
    with pytest.raises(InvalidInput, match="KDAUDIT_DATA"):
        load_corpus("eec", "gender", None)
    table(made / "eec" / "Equity-Evaluation-Corpus.csv.gz", ("Sentence",), [])
    with pytest.raises(InvalidInput, match="no column Template"):
        load_corpus("eec", "gender", made)
    (made / "crows_pairs" / "crows_pairs_anonymized.csv").unlink()
    with pytest.raises(InvalidInput, match="no file"):
        load_corpus("crows_pairs", "all", made)
    (made / "winobias" / "pro_stereotyped_type1.txt.dev").write_text("1 no brackets\n" * 4)
    with pytest.raises(InvalidInput, match="brackets"):
        load_corpus("winobias", "gender", made)


@pytest.mark.parametrize(
    ("name", "contrast", "templates", "pairs"),
    [
        ("eec", "gender", 11, 4320), ("eec", "race", 11, 2880), ("identity_templates", "gay - straight", 10, 1514),
        ("winobias", "gender", 396, 1560), ("crows_pairs", "all", 1508, 1508), ("crows_pairs", "religion", 105, 105),
    ],
)  # fmt: skip
def test_the_published_files(data_folder, name, contrast, templates, pairs):
    if not (data_folder / CORPORA[name].folder).is_dir():
        pytest.skip(f"KDAUDIT_DATA has no {CORPORA[name].folder}")
    found = load_corpus(name, contrast, data_folder)
    assert (len(found.names), len(found.texts)) == (templates, pairs)
    assert (np.diff(found.template) >= 0).all()
    assert all(one != other for one, other in found.texts.tolist())
