"""From a run to a document: the answer first, then the evidence, then how it was come by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kdaudit.report import account, charges
from kdaudit.report.believing import believing
from kdaudit.report.bias import bias
from kdaudit.report.costs import costs
from kdaudit.report.curves import curves
from kdaudit.report.document import Document
from kdaudit.report.leaves import leaves
from kdaudit.report.rulebook import rulebook
from kdaudit.report.transfer import transfer
from kdaudit.report.verdict import box, headline
from kdaudit.report.words import count

if TYPE_CHECKING:
    from kdaudit.run.reading import Run

SCHEMA = 1
"""Version of report.json."""


def compose(run: Run) -> Document:
    """Return what a run found as a document.

    It holds no time, path or host: the same run gives the same document.

    Parameters
    ----------
    run : Run
        As `kdaudit.run.reading.read` returns it.
    """
    blocks = (
        box(run),
        *believing(run),
        *bias(run),
        *transfer(run),
        *curves(run),
        *leaves(run),
        *costs(run),
        *rulebook(run),
        *account.cost(run),
        *charges.shown_in_place(run),
        *charges.privacy(run),
        *account.untested(run),
        *account.method(run),
        *account.repeat(run),
    )
    title = str(run.account.get("title") or "What do small proxies of this model show?")
    return Document(title, "kdaudit fidelity report", _lead(run), blocks, data_of(run))


def _lead(run: Run) -> str:
    names = run.account.get("proxies", ())
    budget, parts = run.account.get("budget", {}), run.account.get("parts", {})
    made = "1 proxy" if len(names) == 1 else f"{count(len(names))} proxies"
    answers = parts.get("fit", 0) + parts.get("select", 0)
    text = f"Audited through {made} distilled from {count(answers)} answers"
    used = budget.get("used")
    if isinstance(used, int) and used > answers:
        text += f", confirmed with {count(used - answers)} further questions to the model itself"
    return text + "."


def data_of(run: Run) -> dict[str, Any]:
    """Return everything that a machine needs as plain JSON data without NaN."""
    head = headline(run)
    data = {
        "schema": SCHEMA,
        "run": run.path.name,
        "title": run.account.get("title", ""),
        "verdict": str(head.verdict),
        "sentence": head.sentence,
        "further": list(head.further),
        "account": dict(run.account),
        "cards": {name: dict(card) for name, card in run.cards.items()},
        "rules": {name: rules.to_data() for name, rules in run.rules.items()},
        "findings": [finding.to_data() for finding in run.findings],
        "evidence": {
            stem: {
                "question": e.question,
                "title": e.title,
                "proxy": e.proxy_name,
                "shows": e.shows,
                "context": dict(e.context),
                "rows": [row.flat() for row in e.rows],
            }
            for stem, e in run.evidence.items()
        },
        "environment": dict(run.environment),
    }
    plain: dict[str, Any] = _finite(data)
    return plain


def _finite(value: Any) -> Any:  # noqa: ANN401 - plain data
    """Return the data with NaN and infinity as null."""
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
