"""What comparisons say, in words for people."""

from __future__ import annotations

RIVALS: dict[str, str] = {
    "strangers_proxy": "the proxy of one independent teacher",
    "label_only": "a proxy made from recorded outcomes alone",
    "permuted": "its own answers given to the wrong rows",
    "swapped_teacher": "it does as an independent teacher",
    "none": "a stranger",
}
"""Whom the proxy is compared with, by kind of control."""


def capital(text: str) -> str:
    """Return `text` with its first letter raised."""
    return text[:1].upper() + text[1:]
