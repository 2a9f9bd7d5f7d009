"""What comparisons say, in words for people."""

from __future__ import annotations

from kdaudit.statistics.beside import Beside

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

ONE_STRANGER = (
    "One stranger stands for all: the interval of the excess is over these rows, and another stranger may be nearer or "
    "farther by its luck alone, so that no claim is decided on it. Name at least three strangers."
)


def rival(item: Beside, permuted: str = "its own answers given to the wrong rows") -> str:
    """Return whom the proxy is compared with, `permuted` where its own rows were exchanged."""
    several = number(item.strangers)
    match item.control_kind:
        case "strangers_proxy" if item.strangers > 1:
            return f"the proxies of {several} independent teachers"
        case "strangers_proxy":
            return "the proxy of one independent teacher"
        case "label_only" if item.strangers > 1:
            return f"{several} proxies made from recorded outcomes alone"
        case "label_only":
            return "a proxy made from recorded outcomes alone"
        case "permuted":
            return permuted
        case "swapped_teacher" if item.strangers > 1:
            return f"it does as {several} independent teachers"
        case "swapped_teacher":
            return "it does as an independent teacher"
        case _:
            return "a stranger"


def number(n: int) -> str:
    """Return a small number in words, a larger one in figures."""
    return NUMBERS[n] if n < len(NUMBERS) else f"{n:,}"


def capital(text: str) -> str:
    """Return `text` with its first letter raised."""
    return text[:1].upper() + text[1:]
