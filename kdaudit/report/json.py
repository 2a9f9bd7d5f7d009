"""A document as JSON for machines: versioned, sorted keys, no NaN."""

from __future__ import annotations

import json

from kdaudit.report.document import Document


def render(document: Document) -> bytes:
    """Return the document's data; ASCII only, so that no terminal obeys a control character in it.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    return (json.dumps(document.data, indent=1, sort_keys=True, allow_nan=False) + "\n").encode("ascii")
