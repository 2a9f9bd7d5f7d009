"""What it cost, what was not tested, how it was done, how to repeat it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from kdaudit.cast import CONTROL_WORDS
from kdaudit.measures.named import DEFINITIONS
from kdaudit.report.believing import headings
from kdaudit.report.contrasts import measure_words
from kdaudit.report.document import Block, Bullets, Code, Facts, Fold, Heading, Note, Paragraph, Table
from kdaudit.report.words import GLOSSARY, count, short

if TYPE_CHECKING:
    from kdaudit.evidence import Evidence
    from kdaudit.run.reading import Run

ORDER = ("teacher", "stranger", "strangers", "fit", "select", "judge", "pool")
PARTS = {
    "fit": "questions for making the proxies",
    "select": "questions for choosing among proxies",
    "proxies": "making the proxies",
    "compare": "comparing proxies with the teacher",
    "probes": "probing the teacher",
    "judge": "comparing proxies with the teacher (judge)",
    "pool": "probing the teacher (pool)",
}


def cost(run: Run) -> tuple[Block, ...]:
    """Return the section on questions and budget."""
    budget = run.account.get("budget", {})
    names = _in_order([k for k in budget if k not in ("limit", "used")], tuple(PARTS))
    spent = [(PARTS.get(k, k), budget[k]) for k in names if isinstance(budget[k], int)]
    rows = [(name, count(n)) for name, n in spent]
    if isinstance(budget.get("used"), int):
        rows.append(("in all, each row counted once", count(budget["used"])))
    if isinstance(budget.get("limit"), int):
        rows.append(("allowed by the plan", count(budget["limit"])))
    out: list[Block] = [Heading("What this cost")]
    if rows:
        out.append(
            Paragraph("Distinct rows that the teacher was asked, whether now or in an earlier audit of the same rows.")
        )
        out.append(Table(("what for", "questions"), tuple(rows), frozenset({1})))
    cards = [run.cards[name] for name in run.account.get("proxies", ()) if name in run.cards]
    if cards:
        made = tuple(_card(card) for card in cards)
        head = ("proxy", "what it is", "recipe", "fit", "select", "identity")
        out.append(Table(head, made, frozenset({3, 4})))
    return tuple(out) if len(out) > 1 else ()


def _in_order(names: Iterable[str], order: tuple[str, ...]) -> list[str]:
    """Return names in the order that is meant, the others behind by the alphabet: a file's own order says nothing."""
    return sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))


def _card(card: Mapping[str, Any]) -> tuple[str, ...]:
    recipe = ", ".join(f"{key} {value}" for key, value in sorted(card.get("recipe", {}).items()) if key)
    spent = card.get("cost", {})
    n = tuple(count(spent[part]) if isinstance(spent.get(part), int) else "–" for part in ("fit", "select"))
    return (str(card.get("name", "")), str(card.get("words", "")), recipe, *n, short(str(card.get("identity", ""))))


def untested(run: Run) -> tuple[Block, ...]:
    """Return the section on what this audit says nothing about."""
    account = run.account
    items = [str(item) for item in account.get("not_tested", ())]
    items += [f"{one['question']} could not be asked: {one['reason']}" for one in account.get("failed_questions", ())]
    absent = {"stranger": "No independent teacher", "twin": "No second copy of the teacher"}
    items += [f"{absent[seat]}: {who['reason']}" for seat, who in seated(account) if who.get("reason")]
    out: list[Block] = [Heading("What was not tested")]
    out.append(Bullets(tuple(items)) if items else Paragraph("The plan names nothing that was left out."))
    out.append(Paragraph("What no question asks about is not shown to be sound.", quiet=True))
    return tuple(out)


def method(run: Run) -> tuple[Block, ...]:
    """Return the section on how it was done: people and data, seats, measures, sentences of each question."""
    account = run.account
    out: list[Block] = [Heading("How it was done"), Facts(_seats(account))]
    epoch = account.get("epoch", {})
    if epoch.get("moved"):
        out.append(Note(str(epoch["sentence"])))
    elif epoch.get("sentence"):
        out.append(Paragraph(str(epoch["sentence"])))
    kinds = dict.fromkeys(r.control_kind for e in run.evidence.values() for r in e.rows if r.control is not None)
    controls = tuple(f"Control, {kind.replace('_', ' ')}: {CONTROL_WORDS[kind]}." for kind in kinds)
    used = dict.fromkeys(r.measure for e in run.evidence.values() for r in e.rows)
    measures = tuple(f"{measure_words(name)}: {DEFINITIONS[name]}." for name in used if name in DEFINITIONS)
    levels = sorted({r.value.level for e in run.evidence.values() for r in e.rows})
    ways = sorted({r.value.method for e in run.evidence.values() for r in e.rows if r.value.known and r.value.method})
    intervals = tuple(f"Intervals of {level * 100:.4g} % certainty occur." for level in levels[:1])
    if len(levels) > 1:
        words = ", ".join(f"{level * 100:.4g} %" for level in levels)
        intervals = (f"Intervals of {words} certainty occur: higher ones where several claims are decided at once.",)
    if ways:
        intervals += (f"Intervals are made by: {'; '.join(ways)}.",)
    out.append(Bullets((*controls, *intervals)))
    if measures:
        out.append(Fold(f"What the {count(len(measures))} measures are", (Bullets(measures),)))
    questions = _sentences(run)
    if questions:
        parts = [block for question, told in questions.items() for block in (Heading(question, 3), Bullets(told))]
        out.append(Fold(f"How each of the {count(len(questions))} questions was asked", tuple(parts)))
    notes = tuple(str(note) for note in account.get("notes", ()))
    return (*out, *((Heading("Notes", 3), Bullets(notes)) if notes else ()))


def seated(account: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return who took part: seat -> name, digest and basis, or the reason why it is empty."""
    strangers = list(account.get("strangers", ()))
    names = ["stranger" if len(strangers) == 1 else f"stranger {at + 1}" for at in range(len(strangers))]
    return [
        ("teacher", account.get("teacher", {})),
        *zip(names, strangers, strict=True),
        ("twin", account.get("twin", {})),
    ]


def _seats(account: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    out = []
    for seat, who in seated(account):
        if who.get("digest"):
            basis = {"content": "known by its weights", "declared": "known by what is declared"}.get(
                str(who.get("basis")), ""
            )
            out.append(
                (seat, f"{who.get('name', '')} · {short(str(who['digest']))}" + (f" · {basis}" if basis else ""))
            )
        elif who.get("reason"):
            out.append((seat, f"none: {who['reason']}"))
    behaviour = account.get("teacher", {}).get("behaviour")
    if behaviour:
        out.append(("behaviour", str(behaviour)))
    origin = account.get("origin", {})
    if origin:
        out.append(("rows", " · ".join(str(origin[k]) for k in ("name", "source") if origin.get(k))))
    out.append(("scope", str(account.get("scope") or "all rows")))
    parts = account.get("parts", {})
    if parts:
        out.append(("parts", ", ".join(f"{name} {count(parts[name])}" for name in _in_order(parts, ORDER))))
    return tuple(out)


def _sentences(run: Run) -> dict[str, tuple[str, ...]]:
    """Return what is to be known of each question, of all proxies together."""
    questions: dict[str, list[Evidence]] = {}
    for evidence in run.evidence.values():
        questions.setdefault(evidence.question, []).append(evidence)
    titles = headings(questions)
    out = {
        f"{titles[question]} ({question})": tuple(dict.fromkeys(text for one in found for text in _told(one)))
        for question, found in questions.items()
    }
    return {title: told for title, told in out.items() if told}


def _told(evidence: Evidence) -> list[str]:
    context = evidence.context
    out = []
    for key in ("population", "method", "baseline", "left_out", "sentence", "sentences"):
        value = context.get(key)
        items = [value] if isinstance(value, str) else value if isinstance(value, (list, tuple)) else []
        words = "" if key.startswith("sentence") else f"{key.replace('_', ' ').capitalize()}: "
        out += [f"{words}{item}" for item in items if isinstance(item, str) and item]
    failed = context.get("failed")
    for seat, n in failed.items() if isinstance(failed, Mapping) else (("teacher", failed),):
        if isinstance(n, int) and n > 0:
            out.append(f"Rows that the {seat} failed to answer: {count(n)}.")
    worst = context.get("worst_slice")
    if isinstance(worst, Mapping) and isinstance(worst.get("tried"), int):
        words = f"The worst slice was found among {count(worst['tried'])}: {worst.get('group', '')}"
        out.append(f"{words} ({worst['method']})." if worst.get("method") else f"{words}.")
    return out


def repeat(run: Run) -> tuple[Block, ...]:
    """Return the commands that repeat the audit and the glossary."""
    commands = tuple(dict.fromkeys(f.repeat for f in run.findings if f.repeat))
    out: list[Block] = [Heading("Repeat it")]
    if commands:
        out.append(
            Paragraph("Inside the run folder. The same plan and seed on the same kind of machine give the same bytes.")
        )
        out.append(Code("\n".join(commands)))
    packages = run.environment.get("packages", {})
    if packages:
        words = ", ".join(f"{name} {version}" for name, version in sorted(packages.items()))
        out.append(Paragraph(f"Python {run.environment.get('python', '')}; {words}.", quiet=True))
    out += [Heading("Words"), Facts(GLOSSARY)]
    return tuple(out)
