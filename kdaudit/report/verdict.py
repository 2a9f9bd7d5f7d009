"""The answer to the title, in sentences that can be quoted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kdaudit.finding import Finding, Transfer, Verdict
from kdaudit.report.contrasts import about_proxies, contrasts, measure_words, strength
from kdaudit.report.document import Contrast, VerdictBox
from kdaudit.report.words import count, listed, number, short

if TYPE_CHECKING:
    from kdaudit.run.reading import Run


@dataclass(frozen=True)
class Headline:
    """Verdict, the sentence that answers the title, and what else a reader must know."""

    verdict: Verdict
    sentence: str
    further: tuple[str, ...] = ()


def headline(run: Run) -> Headline:
    """Return the answer of a run.

    FAILS if any claim about the teacher fails; else UNDECIDED if any is undecided, a question could not be asked, or
    nothing was claimed about the teacher; else HOLDS.
    """
    found = contrasts(run)
    faults = sorted((c for c in found if c.verdict is Verdict.FAILS), key=strength)
    unclear = [c for c in found if c.verdict is Verdict.UNDECIDED]
    if faults:
        verdict, sentence = Verdict.FAILS, faults[0].sentence
    elif unclear or not found or run.account.get("failed_questions"):
        verdict, sentence = Verdict.UNDECIDED, _undecided_sentence(found, unclear)
    else:
        verdict, sentence = Verdict.HOLDS, _holds_sentence(found)
    told = (*_others(faults[1:]), *_hidden(found), *_invented(found), *_open(unclear))
    # where nothing was claimed about the teacher, what was claimed about proxies is counted
    counted = _counted(found, "the teacher") if found else _counted(about_proxies(run), "the proxies")
    return Headline(verdict, _sentence(sentence), (*counted, *told))


def box(run: Run) -> VerdictBox:
    """Return the verdict box."""
    head = headline(run)
    return VerdictBox(head.verdict, head.sentence, head.further, _limits(run), _facts(run))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] if text else text


def _undecided_sentence(found: tuple[Contrast, ...], unclear: list[Contrast]) -> str:
    if not found:
        return "It cannot be said: no claim about the teacher was tested."
    if not unclear:
        return "It cannot be said yet: a question could not be asked."
    return f"It cannot be said yet: {count(len(unclear))} of {_claims(len(found))} about the teacher stay undecided."


def _holds_sentence(found: tuple[Contrast, ...]) -> str:
    if len(found) == 1:
        return found[0].sentence
    weakest = min(found, key=lambda c: c.margin - max(abs(c.teacher.low), abs(c.teacher.high)))
    return f"All {_claims(len(found))} about the teacher hold. The nearest to its margin: {weakest.sentence}"


def _claims(n: int) -> str:
    return "1 claim" if n == 1 else f"{count(n)} claims"


def _counted(found: Sequence[Contrast | Finding], whom: str) -> tuple[str, ...]:
    if not found:
        return ()
    numbers = {v: sum(c.verdict is v for c in found) for v in Verdict}
    fail, hold, unclear = (numbers[v] for v in (Verdict.FAILS, Verdict.HOLDS, Verdict.UNDECIDED))
    verbs = (("fails", "fail", fail), ("holds", "hold", hold), ("is undecided", "are undecided", unclear))
    parts = [f"{count(n)} {one if n == 1 else many}" for one, many, n in verbs]
    return (f"Of {_claims(len(found))} about {whom}, {parts[0]}, {parts[1]} and {parts[2]}.",)


def _others(faults: list[Contrast]) -> tuple[str, ...]:
    if not faults:
        return ()
    items = tuple(f"{_subject(c)} ({number(c.teacher.value, c.unit, signed=True)})" for c in faults)
    return (f"Failing too: {listed(items, len(items))}.",)


def _hidden(found: tuple[Contrast, ...]) -> tuple[str, ...]:
    return _told(found, Transfer.MASKED, "Hidden by", "does not show it")


def _invented(found: tuple[Contrast, ...]) -> tuple[str, ...]:
    return _told(found, Transfer.INVENTED, "Invented by", "shows what the teacher does not do")


def _told(found: tuple[Contrast, ...], kind: Transfer, words: str, tail: str) -> tuple[str, ...]:
    by_proxy: dict[str, list[str]] = {}
    for contrast in found:
        for shown in contrast.shown:
            if shown.transfer is kind:
                teacher = number(contrast.teacher.value, contrast.unit, signed=True)
                proxy = number(shown.value.value, contrast.unit, signed=True, bare=True)
                by_proxy.setdefault(shown.proxy_name, []).append(
                    f"{_subject(contrast)} (teacher {teacher}, proxy {proxy})"
                )
    return tuple(f"{words} the {name}, which {tail}: {listed(tuple(items), 3)}." for name, items in by_proxy.items())


def _open(unclear: list[Contrast]) -> tuple[str, ...]:
    if not unclear:
        return ()
    items = tuple(
        _subject(c) + (f" (about {count(c.needed)} questions would decide it)" if c.needed else "") for c in unclear
    )
    return (f"Undecided: {listed(items)}.",)


def _subject(contrast: Contrast) -> str:
    words = measure_words(contrast.measure).lower()
    return f"{contrast.label}, {words}" if words else contrast.label


def _limits(run: Run) -> tuple[str, ...]:
    account = run.account
    origin, scope = account.get("origin", {}), account.get("scope", "")
    where = f"Valid for {origin.get('name', 'these rows')}"
    where += f" ({origin['source']})" if origin.get("source") else ""
    where += f", where {scope}" if scope else ""
    out = [f"{where}; for other rows it is no evidence."]
    untested = tuple(str(item).rstrip(".") for item in account.get("not_tested", ()))
    if untested:
        out.append(f"Not tested: {listed(untested)}.")
    failed = tuple(str(item["question"]) for item in account.get("failed_questions", ()))
    if failed:
        out.append(f"Could not be asked: {listed(failed)}.")
    if account.get("epoch", {}).get("moved"):
        out.append(str(account["epoch"]["sentence"]))
    return tuple(out)


def _facts(run: Run) -> tuple[tuple[str, str], ...]:
    teacher, budget = run.account.get("teacher", {}), run.account.get("budget", {})
    names = run.account.get("proxies", ())
    proxies = " · ".join(f"{name}, {run.cards[name].get('words', '')}" if name in run.cards else name for name in names)
    used, limit = budget.get("used"), budget.get("limit")
    asked = "not counted" if used is None else count(used) + (f" of {count(limit)}" if limit else "")
    return (
        ("Teacher", f"{teacher.get('name', 'unnamed')} · {short(str(teacher.get('digest', '')))}"),
        ("Proxies", proxies or "none"),
        ("Questions asked", asked),
        ("Run", run.path.name),
    )
