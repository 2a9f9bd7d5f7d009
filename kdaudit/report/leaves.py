"""Soft trees in the report: the leaves as sentences, and how far the sentences alone can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kdaudit.report.document import Block, Bullets, Fold, Heading, Paragraph
from kdaudit.report.words import clean, count

if TYPE_CHECKING:
    from kdaudit.run.reading import Run


def leaves(run: Run) -> tuple[Block, ...]:
    """Return the leaves of every soft tree among the proxies; empty where there is none."""
    out: list[Block] = []
    for name, card in run.cards.items():
        tree = card.get("notes", {}).get("tree")
        if tree:
            out += [Heading(f"What {clean(name)}, a soft tree, asks"), _trust(tree), _told(tree)]
    return tuple(out)


def _trust(tree: dict[str, Any]) -> Paragraph:
    return Paragraph(
        f"Each row goes to the leaf where it ends most probably. On {count(tree['alone'])} of {count(tree['rows'])} "
        "rows that it learned from, that leaf alone decides as the whole tree does; on the others these sentences do "
        "not tell why. A question is told by what weighs most in it, and answered so by rows of that kind."
    )


def _told(tree: dict[str, Any]) -> Fold:
    items = tuple(
        f"{count(leaf['rows'])} rows: {clean(leaf['says'])}, where {clean('; then '.join(leaf['way']))}"
        for leaf in tree["leaves"]
    )
    return Fold(f"Leaves ({count(len(items))})", (Bullets(items),))
