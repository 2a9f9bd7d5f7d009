"""Published sentences in pairs that differ in the people they name, with what is known of their worth."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kdaudit.digest import of_data, of_file
from kdaudit.errors import InvalidInput

Row = dict[str, str]
Pair = tuple[str, str, str]
"""Template, text of the group asked about, text of the reference."""


@dataclass(frozen=True, eq=False)
class Corpus:
    """Pairs of sentences.

    Parameters
    ----------
    title : str
        For people.
    groups : (str, str)
        The group asked about, and the reference.
    names : tuple of str
        Templates.
    template : array of shape (n,), int64
        Position of each pair's template, rising.
    texts : array of shape (n, 2), object
    notes : tuple of str
        What a reader must know before believing what these sentences show.
    digest : str
        sha256 over the files.
    terms : array of shape (n,), int64, optional
        Which pair of people each pair of texts names; None where the corpus does not tell.
    """

    title: str
    groups: tuple[str, str]
    names: tuple[str, ...]
    template: NDArray[np.int64]
    texts: NDArray[np.object_]
    notes: tuple[str, ...]
    digest: str
    terms: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Named:
    """A corpus that a plan can name.

    Parameters
    ----------
    folder : str
        Below the data folder.
    contrasts : str
        Which contrasts it has, in words.
    read : callable
        Folder and contrast -> pairs.
    """

    folder: str
    contrasts: str
    read: Callable[[Path, str], Corpus]


def load_corpus(name: str, contrast: str, data: Path | None) -> Corpus:
    """Return the pairs of a named corpus.

    Parameters
    ----------
    name : str
        A key of `CORPORA`.
    contrast : str
        Who is compared with whom; each corpus has its own.
    data : Path, optional
        Folder of public data sets, one folder a corpus; what KDAUDIT_DATA names.

    Raises
    ------
    InvalidInput
        If there is no such corpus or contrast, or no such folder or file.
    """
    if name not in CORPORA:
        raise InvalidInput(f"there is no corpus {name!r}; corpora are {', '.join(CORPORA)}")
    found = CORPORA[name]
    if data is None or not (data / found.folder).is_dir():
        raise InvalidInput(
            f"corpus {name!r} is not part of the package; set KDAUDIT_DATA to a folder that holds {found.folder}/"
        )
    return found.read(data / found.folder, contrast)


PEOPLE = (
    ("she", "he"), ("her", "him"), ("this woman", "this man"), ("this girl", "this boy"), ("my sister", "my brother"),
    ("my daughter", "my son"), ("my wife", "my husband"), ("my girlfriend", "my boyfriend"),
    ("my mother", "my father"), ("my aunt", "my uncle"), ("my mom", "my dad"),
)  # fmt: skip
"""Noun phrases of the Equity Evaluation Corpus, in pairs; names are paired in the order of the alphabet."""
EEC_FILE = "Equity-Evaluation-Corpus.csv.gz"
EEC_NOTE = (
    "The Equity Evaluation Corpus has {n} templates, all short and written by its authors: what holds of them may not "
    "hold of texts that people write."
)


def eec(folder: Path, contrast: str) -> Corpus:
    """Return pairs of the Equity Evaluation Corpus (Kiritchenko and Mohammad 2018): ``gender`` or ``race``.

    ``gender`` compares female with male people, by noun phrases and by first names of the same race; ``race`` African
    American with European American first names of the same gender.
    """
    if contrast not in ("gender", "race"):
        raise _no_contrast("eec", contrast)
    rows = _table(folder / EEC_FILE, ("Sentence", "Template", "Person", "Gender", "Race", "Emotion word"))
    text = {(r["Template"], r["Emotion word"], r["Person"]): r["Sentence"] for r in rows}
    people: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        if row["Race"] and row["Person"] not in people[row["Gender"], row["Race"]]:
            people[row["Gender"], row["Race"]].append(row["Person"])
    races, genders = ("African-American", "European"), ("female", "male")
    sides = [((g, races[0]), (g, races[1])) for g in genders]
    if contrast == "gender":
        sides = [((genders[0], r), (genders[1], r)) for r in races]
    partners = [] if contrast == "race" else list(PEOPLE)
    for one, other in sides:
        partners += list(zip(sorted(people[one]), sorted(people[other]), strict=False))
    frames = dict.fromkeys((template, word) for template, word, _ in text)
    pairs = [
        (template, text[template, word, a], text[template, word, b])
        for template, word in frames
        for a, b in partners
        if (template, word, a) in text and (template, word, b) in text
    ]
    groups = ("women", "men") if contrast == "gender" else ("African American names", "European American names")
    title = f"Equity Evaluation Corpus (2018), {groups[0]} against {groups[1]}"
    notes = (EEC_NOTE.format(n=len({template for template, _ in frames})),)
    found = _corpus(title, groups, pairs, notes, [folder / EEC_FILE])
    who = {
        text[template, word, a]: at
        for template, word in frames
        for at, (a, _) in enumerate(partners)
        if (template, word, a) in text
    }
    return replace(found, terms=np.array([who[one] for one, _ in found.texts], dtype=np.int64))


IDENTITY_FILE = "en_sentence_templates.csv.gz"
IDENTITY_NOTE = (
    "The identity templates are few patterns filled with lists of words, so that many of their sentences mean nothing "
    "(\"I am a wonderful male\"); they show what a term does by itself, not how people who use it are treated."
)  # fmt: skip


def identity(folder: Path, contrast: str) -> Corpus:
    """Return pairs of identity-term templates (Dixon and others 2018): contrasts such as ``"gay - straight"``.

    A pattern with toxic words and the same pattern with friendly ones count as two templates.
    """
    terms = tuple(part.strip() for part in contrast.split(" - "))
    rows = _table(folder / IDENTITY_FILE, ("template", "toxicity", "phrase"))
    whole = [re.compile(rf"(?<!\w){re.escape(term)}(?!\w)") for term in terms]
    frames: list[dict[tuple[str, str], str]] = [{} for _ in terms]
    for row in rows:
        name = f"{row['template']}, {row['toxicity']}"
        for at, pattern in enumerate(whole):
            if pattern.search(row["phrase"]):
                frames[at][name, pattern.sub("{}", row["phrase"])] = row["phrase"]
    if len(terms) != 2 or not all(frames):
        raise _no_contrast("identity_templates", contrast)
    pairs = [(key[0], text, frames[1][key]) for key, text in frames[0].items() if key in frames[1]]
    title = f"identity-term templates (2018), {terms[0]} against {terms[1]}"
    return _corpus(title, (terms[0], terms[1]), pairs, (IDENTITY_NOTE,), [folder / IDENTITY_FILE])


WINO_FILES = tuple(f"{{}}_stereotyped_type{kind}.txt.{part}" for kind in (1, 2) for part in ("dev", "test"))
WINO_NOTE = (
    "WinoBias was made for systems that find out whom a pronoun means; for a model that judges texts it shows only "
    "whether the pronoun changes the judgement. Its occupations follow US labour statistics, and its pronouns are two."
)
FEMALE = frozenset(("she", "her", "hers", "herself"))


def winobias(folder: Path, contrast: str) -> Corpus:
    """Return pairs of WinoBias (Zhao and others 2018): ``gender``, she against he, or ``stereotype``, pro against anti.

    Sentences about the same two occupations are fillings of one template.
    """
    if contrast not in ("gender", "stereotype"):
        raise _no_contrast("winobias", contrast)
    lines: list[tuple[str, str]] = []
    files = []
    for name in WINO_FILES:
        both = [folder / name.format(side) for side in ("pro", "anti")]
        files += both
        lines += zip(*(_lines(file) for file in both), strict=True)
    people = re.compile(
        "|".join(sorted({_person(line) for pair in lines for line in pair}, key=lambda p: (-len(p), p)))
    )
    pairs: list[Pair] = []
    for pro, anti in lines:
        # some lines of the published files do not belong together
        if re.sub(r"\[\w+\]", "", pro).split() == re.sub(r"\[\w+\]", "", anti).split():
            first, second = (pro, anti) if contrast == "stereotype" or _pronoun(pro) in FEMALE else (anti, pro)
            about = sorted(set(people.findall(_bare(pro).lower())))
            pairs.append((" and ".join(about), _bare(first), _bare(second)))
    groups = ("she", "he") if contrast == "gender" else ("the stereotype's pronoun", "the other pronoun")
    return _corpus(f"WinoBias (2018), {groups[0]} against {groups[1]}", groups, pairs, (WINO_NOTE,), files)


def _pronoun(line: str) -> str:
    return _bracketed(line)[-1]


def _person(line: str) -> str:
    return _bracketed(line)[0].removeprefix("the ")


def _bracketed(line: str) -> list[str]:
    """Return what stands in brackets: whom a pronoun means, and the pronoun."""
    found = [text.lower() for text in re.findall(r"\[([^\]]+)\]", line)]
    if len(found) < 2:
        raise InvalidInput(f"line {line!r} has no person and pronoun in brackets")
    return found


def _bare(line: str) -> str:
    return line.replace("[", "").replace("]", "")


CROWS_FILE = "crows_pairs_anonymized.csv"
CROWS_NOTE = (
    "CrowS-Pairs has been criticised: Blodgett and others (2021) found in its pairs unclear or wrong stereotypes, "
    "changes of more than the group, and slips of grammar, and hold that it is not clear what it measures. It was "
    "written by US crowd workers for language models. Read what it shows as a hint where to look, not as a finding of "
    "bias, and its absence as nothing."
)


def crows(folder: Path, contrast: str) -> Corpus:
    """Return pairs of CrowS-Pairs (Nangia and others 2020): a kind of bias, such as ``religion``, or ``all``.

    The sentence about a historically disadvantaged group is compared with that about the other one.  Each pair is its
    own template.
    """
    rows = _table(folder / CROWS_FILE, ("sent_more", "sent_less", "stereo_antistereo", "bias_type"))
    kinds = dict.fromkeys(row["bias_type"] for row in rows)
    if contrast != "all" and contrast not in kinds:
        raise InvalidInput(f"corpus 'crows_pairs' has no contrast {contrast!r}; there are all, {', '.join(kinds)}")
    pairs = []
    for at, row in enumerate(rows):
        if contrast in ("all", row["bias_type"]):
            more, less = row["sent_more"], row["sent_less"]
            about, other = (more, less) if row["stereo_antistereo"] == "stereo" else (less, more)
            pairs.append((f"pair {at}", about, other))
    title = f"CrowS-Pairs (2020), {contrast}: a disadvantaged against an advantaged group"
    return _corpus(title, ("a disadvantaged group", "an advantaged group"), pairs, (CROWS_NOTE,), [folder / CROWS_FILE])


CORPORA = {
    "eec": Named("eec", "gender, race", eec),
    "identity_templates": Named("identity_templates", 'two terms, such as "gay - straight"', identity),
    "winobias": Named("winobias", "gender, stereotype", winobias),
    "crows_pairs": Named("crows_pairs", "all, or a kind of bias such as religion", crows),
}


def _no_contrast(name: str, contrast: str) -> InvalidInput:
    return InvalidInput(f"corpus {name!r} has no contrast {contrast!r}; contrasts are {CORPORA[name].contrasts}")


def _corpus(
    title: str, groups: tuple[str, str], pairs: Iterable[Pair], notes: tuple[str, ...], files: list[Path]
) -> Corpus:
    by_template: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, one, other in dict.fromkeys(pairs):
        if one != other:
            by_template[name].append((one, other))
    names = tuple(by_template)
    template = np.repeat(np.arange(len(names)), [len(by_template[name]) for name in names])
    texts = np.array([pair for name in names for pair in by_template[name]], dtype=object).reshape(-1, 2)
    return Corpus(title, groups, names, template, texts, notes, of_data([of_file(file) for file in files]))


def _text(file: Path) -> str:
    if not file.is_file():
        raise InvalidInput(f"there is no file {file.name} in {file.parent}")
    raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    return raw.decode("utf-8")


def _table(file: Path, columns: tuple[str, ...]) -> list[Row]:
    reader = csv.DictReader(io.StringIO(_text(file)))
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise InvalidInput(f"{file.name} has no column {', '.join(missing)}; {', '.join(columns)} were expected")
    return [dict(row) for row in reader]


def _lines(file: Path) -> list[str]:
    """Return the sentences of numbered lines."""
    return [line.partition(" ")[2].strip() for line in _text(file).splitlines() if line.strip()]
