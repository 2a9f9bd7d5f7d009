"""The rules of each readable proxy, printed whole, with the teacher's rate in each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kdaudit.domain import Domain
from kdaudit.errors import KdauditError
from kdaudit.report.branches import picture_of
from kdaudit.report.document import Block, Code, Fold, Heading, Note, Paragraph
from kdaudit.report.words import clean, count, number, whole
from kdaudit.surrogates.drawing import draw
from kdaudit.surrogates.readings import Reading

WIDTH = 58
"""Characters of the longest line of a rule; its numbers stand to the right."""
PAGE, NARROWEST = 100, 30
"""Characters of the longest line with its numbers; rules have so many at least, however long the answers are."""

if TYPE_CHECKING:
    from kdaudit.evidence import Evidence, Row
    from kdaudit.rules import Rule, Rules
    from kdaudit.run.reading import Run


def rulebook(run: Run) -> tuple[Block, ...]:
    """Return the section with every rule of every proxy that has rules."""
    names = [name for name in run.account.get("proxies", ()) if name in run.rules]
    if not names:
        return ()
    out: list[Block] = [
        Heading("The rules, whole"),
        Paragraph("The last column is the teacher's own, on rows that the rules were not made from."),
    ]
    for name in names:
        out += _proxy(run, name)
    return tuple(out)


def _proxy(run: Run, name: str) -> list[Block]:
    rules = run.rules[name]
    evidence = next((e for e in run.evidence.values() if e.shows == "rules" and e.proxy_name == name), None)
    rates = rule_rows(rules, evidence)
    words = str(run.cards.get(name, {}).get("words", f"{len(rules.rules)} rules"))
    out: list[Block] = [Heading(f"{name}: {words}", 3)]
    why = str(run.cards.get(name, {}).get("notes", {}).get("why", ""))
    if why:
        # what decides one thing only is explained, never just shown
        out.append(Note(f"{why[0].upper()}{why[1:]}."))
    out += [Paragraph(f"It tests {words}.", quiet=True) for words in _read(run, name)]
    out += [Paragraph(words, quiet=True) for words in steady_words(run.cards.get(name, {}).get("notes", {}))]
    likeness = " ".join(words for words in (_agreement(run, name), *_by_class(evidence)) if words)
    if likeness:
        out.append(Paragraph(likeness))
    control = next((row.control for row in rates if row is not None and row.control is not None), None)
    if control is not None and control.known:
        out.append(Paragraph(f"Over all these rows the teacher says yes in {whole(control, 'percent')}."))
    if not any(rates):
        out.append(Paragraph("The teacher's rate in each rule was not measured in this run.", quiet=True))
    order = {
        "list": "The first rule that applies answers.",
        "set": "All rules that apply add their points to the start.",
    }.get(rules.family, "Exactly one leaf applies to each row.")
    out.append(Paragraph(order, quiet=True))
    domain = _domain(run, name)
    unit = unit_of(run, name)
    text = Code(printed(rules, domain, rates, unit))
    if domain is None:
        out.append(text)
    else:
        out.append(picture_of(rules, domain, rates, unit))
        out.append(Fold("The same with all numbers, as text", (text,), kept=True))
    contests = run.cards.get(name, {}).get("notes", {}).get("contests", ())
    if contests:
        lines = Code("\n".join(contest_words(one) for one in contests))
        out.append(Fold("How sure each split is: its field against the best split of every other field", (lines,)))
    return out


def contest_words(one: Mapping[str, Any]) -> str:
    """Return one line: where rows were parted, which field won, against which, how surely, and on how many rows."""
    where = clean(f"where {one['at']}" if one["at"] != "every other row" else "all rows")
    fields = [str(one[key]).replace("_", " ") for key in ("winner", "rival")]
    rows, asked = (count(int(one[key])) for key in ("rows", "asked"))
    told = f"{number(float(one['sure']), 'percent')} sure; {rows} rows, {asked} asked for it"
    if not one["winner"]:
        return f"{where}: not parted, {rows} rows are too few or alike"
    return (
        f"{where}: {fields[0]} before {fields[1]}, {told}"
        if one["won"]
        else f"{where}: not parted, {fields[0]} or {fields[1]}, {told}"
    )


def steady_words(notes: Mapping[str, Any]) -> list[str]:
    """Return what refits and candidates tell of how much chance is in the rules; nothing where neither is known."""
    out = []
    steady = notes.get("steadiness")
    if steady:
        fields = ", ".join(
            f"{name.replace('_', ' ')} {share:.0%}"
            for name, share in sorted(steady["fields"].items(), key=lambda one: (-one[1], one[0]))
        )
        what = f"{number(steady['agreement'], 'percent')} of {count(int(steady['rows']))} rows on average"
        # of numbers there is no agreement, but how much of one's variance another explains
        if any(one.get("agreement") is None for one in notes.get("curve", ())):
            what = what.replace(" of ", " of another's variance over ", 1)
            does = "one such proxy explains"
        else:
            does = "two such proxies agree on"
        out.append(
            f"Drawn again {count(int(steady['refits']))} times from the same rows, {does} {what} (from "
            f"{number(steady['least'], 'percent')} to {number(steady['most'], 'percent')}), and two share "
            f"{number(steady['alike'], 'percent')} of the fields that they test. Tested by: {clean(fields)}."
        )
    tied = [one for one in notes.get("curve", ()) if one.get("tied")]
    if len(tied) > 1:
        sizes = sorted({int(one["size"]) for one in tied})
        several = f"{sizes[0]} to {sizes[-1]}" if len(sizes) > 1 else str(sizes[0])
        out.append(
            f"{count(len(tied))} of {count(len(notes['curve']))} candidates, of {several} rules, did as well within a "
            "standard error; this one was taken among them."
        )
    return out


def _by_class(evidence: Evidence | None) -> list[str]:
    """Return the decision on which the proxy follows the teacher least, and how much of its scores it explains."""
    rows = [] if evidence is None else [row for row in evidence.rows if row.value.known]
    classes = [row for row in rows if row.measure == "agreement_by_class"]
    out = []
    if len(classes) > 1:
        worst = min(classes, key=lambda row: row.value.value)
        beside = "" if worst.control is None else f", where chance would give {number(worst.control.value, 'percent')}"
        out.append(
            f"Worst class: {worst.title[0].lower()}{worst.title[1:]} on {whole(worst.value, 'percent')}{beside}."
        )
    out += [
        f"Its scores explain {whole(row.value, 'percent')} of the variance of the teacher's."
        for row in rows
        if row.measure == "explained_variance"
    ]
    return out


def unit_of(run: Run, name: str) -> str:
    """Return the unit of a proxy's answers: "percent" of chances, "points" of their differences, none of values."""
    body = run.bodies.get(name, {})
    minus = body.get("minus") or {}
    if minus.get("of") == "decision":
        return "percent"
    if run.plan.get("behaviour", {}).get("scale") == "value":
        return ""
    return "points" if minus or body.get("contrast") else "percent"


def _read(run: Run, name: str) -> list[str]:
    return [str(words) for words in run.cards.get(name, {}).get("notes", {}).get("read", ())]


def _agreement(run: Run, name: str) -> str:
    for evidence in run.evidence.values():
        row = evidence.row("agreement", "all", "teacher-proxy") or evidence.row("agreement", "all", "proxy")
        if evidence.proxy_name == name and row is not None:
            return f"Decides as the teacher does on {whole(row.value, row.unit)}."
    return ""


def _domain(run: Run, name: str) -> Domain | None:
    try:
        given = Domain.from_data(run.plan["domain"])
        read = run.bodies.get(name, {}).get("reading")
        return given if read is None else Reading.from_data(read).domain(given)
    except (KeyError, TypeError, KdauditError):
        return None  # a plan of another form: rules are printed by field and number


def rule_rows(rules: Rules, evidence: Evidence | None) -> list[Row | None]:
    """Return the teacher's row of each rule, in the order of the rules; None where there is none."""
    found = [] if evidence is None else [r for r in evidence.rows if r.of == "teacher"]
    by_name = {row.group.partition(":")[0]: row for row in found}
    named = [by_name.get(f"rule {at + 1}") for at in range(len(rules.rules))]
    if any(named) or len(found) != len(rules.rules):
        return named
    return list(found)


def printed(rules: Rules, domain: Domain | None, rates: list[Row | None], unit: str = "percent") -> str:
    """Return all rules as text; beside each its answer, the rows it was made from, and the teacher's rate there."""
    head = "proxy says"
    answers = [_answer(rules, rule, unit) for rule in rules.rules]
    column = max(len(head), *(len(answer) for answer in answers))
    beside = 2 + column + 2 + 9 + 2 + max(len("the teacher does"), *(len(_rate(row)) for row in rates))
    width = max(NARROWEST, min(WIDTH, PAGE - beside))
    lines = draw(rules, domain, width=width) if domain is not None else _unnamed(rules)
    wide = max(len(text) for text, _ in lines)
    out = [f"{'':<{wide}}  {head:<{column}}  {'made from':>9}  the teacher does"]
    for text, at in lines:
        line = clean(text)
        if at is not None:
            line = f"{line:<{wide}}  {answers[at]:<{column}}  {count(rules.rules[at].n):>9}  {_rate(rates[at])}"
        out.append(line)
    return "\n".join(out)


def _unnamed(rules: Rules) -> list[tuple[str, int | None]]:
    lines: list[tuple[str, int | None]] = []
    for at, rule in enumerate(rules.rules):
        words = [f"{t.field} {t.levels or ''} above {t.above} at most {t.below}" for t in rule.tests]
        lines.append((" and ".join(words) or "every other row", at))
    return lines


def _answer(rules: Rules, rule: Rule, unit: str) -> str:
    best = max(range(len(rule.score)), key=lambda at: rule.score[at])
    return clean(f"{rules.outputs[best]} {number(rule.score[best], unit, signed=unit == 'points')}")


def _rate(row: Row | None) -> str:
    return "not asked" if row is None else whole(row.value, row.unit)
