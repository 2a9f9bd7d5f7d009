"""What answers cost beside questions: rows shown in place, and the privacy of clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kdaudit.report.document import Block, Note, Paragraph, Table
from kdaudit.report.words import count

if TYPE_CHECKING:
    from kdaudit.run.reading import Run

NEIGHBOURS = {
    "joined": "one client more or less",
    "replaced": "another client in the place of one",
}


def privacy(run: Run) -> tuple[Block, ...]:
    """Return what was lost of the privacy of clients; nothing where nobody was a federation."""
    lost = run.account.get("privacy", ())
    if not lost:
        return ()
    head = ("who", "clients", "rows released", "epsilon", "delta", "noise (times clip)", "what must look alike")
    rows = tuple(_row(one) for one in lost)
    out: list[Block] = [
        Paragraph(
            "Privacy that was lost: every distinct row is a release, and all of them compose (Gaussian mechanism, in "
            "closed form). The unit is the client."
        ),
        Table(head, rows, frozenset({1, 2, 3, 4, 5})),
    ]
    for text in dict.fromkeys(sentence for one in lost for sentence in _sentences(one)):
        out.append(Paragraph(text, quiet=True))
    return tuple(out)


def shown_in_place(run: Run) -> tuple[Block, ...]:
    """Return how many made rows the teacher was shown outside the budget, by which proxies."""
    made = {name: card.get("notes", {}).get("made") for name, card in run.cards.items()}
    words = [f"{name} {count(n)}" for name, n in made.items() if isinstance(n, int)]
    if not words:
        return ()
    return (
        Paragraph(
            f"Rows that a generator made and showed the teacher's network in place, outside the budget: "
            f"{', '.join(words)}."
        ),
    )


def standing(run: Run) -> tuple[Block, ...]:
    """Return what is to be made of each proxy that was made without data."""
    return tuple(Note(str(text)) for text in run.account.get("standing", {}).values())


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    who = f"{one.get('seat', '')} · {one.get('name', '')}"
    alike = NEIGHBOURS.get(str(one.get("neighbours")), str(one.get("neighbours", "")))
    numbers = (count(one["clients"]), count(one["releases"]), epsilon_words(one), f"{one['delta']:g}")
    return (who, *numbers, f"{one['noise']:g}", alike)


def _sentences(one: Mapping[str, Any]) -> list[str]:
    out = [f"It protects {one['protects']}. The noise is added by {one['added_by']}."]
    if in_all := one.get("in_all"):
        out.append(
            f"With the audits whose answers lie in the same folder, {count(in_all['releases'])} rows of "
            f"{one.get('name', '')} were released: epsilon {epsilon_words(in_all)}."
        )
    return out


def epsilon_words(one: Mapping[str, Any]) -> str:
    """Return a privacy loss in words."""
    value = one.get("epsilon")
    return "none is kept" if value is None else f"{value:.3g}"
