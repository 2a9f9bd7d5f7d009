"""Can a plan ask for data sets by name?"""

from __future__ import annotations

import gzip
import html
import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from kdaudit.behaviour import Behaviour
from kdaudit.data.digits import FILES
from kdaudit.data.reviews import PARTS, SHORT, sharing
from kdaudit.data.sets import SETS, load_set, named_set
from kdaudit.errors import InvalidInput


def test_the_bundled_set_needs_no_folder() -> None:
    assert len(load_set("acs_income")) == 30_000


def test_an_unknown_set_names_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'german_credit'"):
        named_set("german_credits")


@pytest.mark.parametrize("name", [name for name, found in SETS.items() if found.folder])
def test_without_data_the_error_says_what_to_set(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="set KDAUDIT_DATA to a folder"):
        load_set(name)
    with pytest.raises(InvalidInput, match="KDAUDIT_DATA must name a folder"):
        load_set(name, tmp_path)


@pytest.mark.parametrize("name", SETS)
def test_a_set_describes_a_behaviour(name: str) -> None:
    found = named_set(name)
    assert found.label
    scope = "age >= 21 and sex == 'female'" if "age" in found.domain else ""
    Behaviour(found.title, found.outputs, found.domain, scope=scope)


@pytest.mark.data
def test_german_credit(data: Path) -> None:
    samples = load_set("german_credit", data)
    assert samples.labels is not None
    assert (len(samples), samples.labels.sum()) == (1_000, 300)
    assert samples.domain.protected == ("sex", "age", "foreign_worker")
    counts = {name: int((samples.level("purpose") == name).sum()) for name in samples.domain.category("purpose").levels}
    # the counts of codes A40, A41, A42, A43, A44, A45, A46, A48, A49, A410 in the original
    assert list(counts.values()) == [234, 103, 181, 280, 12, 22, 50, 9, 97, 12]
    assert list(counts)[3] == "radio or television"
    assert len(np.unique(samples.keys())) == 1_000


def test_digits_come_with_the_package() -> None:
    samples = load_set("digits")
    assert samples.labels is not None
    assert (len(samples), len(named_set("digits").outputs)) == (1_797, 10)
    assert np.bincount(samples.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    # a zero has a hole in its middle, a one has none
    means = [samples.columns["digit"][samples.labels == digit, 0, 3:5, 3:5].mean() for digit in (0, 1)]
    assert means[0] < 0.25 < 0.6 < means[1]


@pytest.mark.data
def test_mnist(data: Path) -> None:
    samples = load_set("mnist", data)
    assert samples.labels is not None
    assert (len(samples), samples.ids[60_000]) == (70_000, "test 0")
    assert np.bincount(samples.labels[60_000:]).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert samples.columns["digit"].shape == (70_000, 1, 28, 28)
    assert samples.columns["digit"].max() == 1


@pytest.mark.data
def test_sentences_of_films(data: Path) -> None:
    sst, reviews = load_set("sst", data), load_set("movie_reviews", data)
    assert [int(np.char.startswith(sst.ids, part).sum()) for part in ("train", "dev", "test")] == [6_920, 872, 1_821]
    assert sst.labels is not None
    assert sst.labels[np.char.startswith(sst.ids, "test")].sum() == 909
    held = {_letters(text) for text in sst.columns["sentence"][6_920:]}
    ours = [_letters(text) for text in reviews.columns["sentence"]]
    assert not held & set(ours)
    assert 7_000 < len(reviews) < 8_600
    # slowly, for some: neither stands in the other
    long = [one for one in sorted(held)[::40] if len(one) >= SHORT]
    assert not any(one in text or (len(text) >= SHORT and text in one) for one in long for text in ours)
    # misspelt copies: eight words in a row, whatever signs stand between them
    held_words = " ".join(_words(text) + " |" for text in sst.columns["sentence"][6_920:])
    for text in reviews.columns["sentence"][::20]:
        words = _words(text).split()
        assert not any(f" {' '.join(words[i : i + 8])} " in held_words for i in range(len(words) - 7)), text


def _words(text: str) -> str:
    return " ".join(re.findall("[a-z0-9]+", html.unescape(text.lower())))


def _letters(text: str) -> str:
    return "".join(re.findall("[a-z0-9]", unicodedata.normalize("NFKD", text.lower())))


def test_a_text_that_holds_a_held_one_is_seen() -> None:
    long = "a film that nobody needed"
    texts = [
        "Bad film .",
        f"It is {long.upper()}!",
        "good",
        "a bad film",
        "",
        "It 's a d\u00e9j\u00e0 vu",
        long[2:],
        "",
    ]
    held = ["bad film", long, "it's a deja vu", ""]
    assert sharing(texts, held).tolist() == [True, True, False, False, False, True, True, False]


def test_a_misspelt_copy_is_seen() -> None:
    held = ["What the director can't do is make either of these two people worth caring about"]
    copies = [
        "what the director can&#8217;t do is make either of those two personas worth anything",
        "what the director can",
    ]
    assert sharing(copies, held).tolist() == [True, False]
    assert sharing(["what the director can never do is make either of those"], held).tolist() == [False]


@pytest.mark.parametrize("content", [b"", b"\0\0\x08\x03" + b"\0" * 12 + b"1", b"no"])
def test_a_file_that_holds_no_digits_is_refused(content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "mnist"
    folder.mkdir()
    for _, *names in FILES:
        for name in names:
            (folder / name).write_bytes(gzip.compress(content))
    with pytest.raises(InvalidInput, match="IDX|bytes"):
        load_set("mnist", tmp_path)


def test_a_line_without_a_label_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "sst_mr"
    folder.mkdir()
    for part in PARTS:
        (folder / f"stsa.binary.{part}").write_text("1 good\nbad\n")
    with pytest.raises(InvalidInput, match="line 2 of .* begins with 'bad'"):
        load_set("sst", tmp_path)
