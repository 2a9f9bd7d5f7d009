"""What a probe claims and finds, in words for people."""

from __future__ import annotations

from dataclasses import replace

from kdaudit.interval import Interval


def capital(text: str) -> str:
    """Return `text` with its first letter raised."""
    return text[:1].upper() + text[1:]


def listed(names: list[str]) -> str:
    """Return names as a list in words: ``"a, b and c"``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def amount(margin: float, unit: str) -> str:
    """Return a margin for people: ``"5 points"``, ``"2.5 %"``."""
    if unit == "percent":
        return f"{100 * margin:g} %"
    return f"{100 * margin:g} points" if unit == "points" else f"{margin:g}"


def size(interval: Interval, unit: str) -> tuple[str, bool]:
    """Return the interval's size in words, and whether its value is below 0 (then it is told mirrored)."""
    below = interval.value < 0
    if below:
        interval = replace(interval, value=-interval.value, low=-interval.high, high=-interval.low)
    return interval.text(unit), below


def equally_often(who: str, whom: str, yes: str, margin: float) -> str:
    """Return the claim that two groups are decided alike."""
    return capital(f"{who} and {whom} are {yes} equally often, within {amount(margin, 'points')}")


def how_often(who: str, whom: str, yes: str, gap: Interval) -> str:
    """Return the finding on two groups' rates."""
    told, below = size(gap, "points")
    return capital(f"{who} are {yes} {told} {'less' if below else 'more'} often than {whom}.")


def in_proportion(who: str, whom: str, yes: str, least: float) -> str:
    """Return the claim that one group is chosen at least `least` times as often as another."""
    return capital(f"{who} are {yes} at least {least:g} times as often as {whom}")


def how_proportioned(who: str, whom: str, yes: str, ratio: Interval) -> str:
    """Return the finding on the ratio of two groups' rates."""
    return capital(f"{who} are {yes} {ratio.text()} times as often as {whom}.")


def equally_high(who: str, whom: str, margin: float, unit: str, noun: str = "score") -> str:
    """Return the claim that two groups' means are alike."""
    return capital(f"{who} and {whom} are given the same {noun} on average, within {amount(margin, unit)}")


def how_high(who: str, whom: str, gap: Interval, unit: str, noun: str = "score") -> str:
    """Return the finding on two groups' means."""
    told, below = size(gap, unit)
    article = "an" if noun[:1] in "aeiou" else "a"
    way = "lower" if below else "higher"
    return capital(f"{who} are given {article} {noun} {told} {way} than {whom}, on average.")


def no_shift(change: str, yes: str, margin: float) -> str:
    """Return the claim that changing one field moves the rate by little; `change` such as ``"sex from a to b"``."""
    return capital(f"changing {change} and nothing else moves how many are {yes} by at most {amount(margin, 'points')}")


def how_shifted(change: str, yes: str, shift: Interval) -> str:
    """Return the finding on the shift that a change brings."""
    told, below = size(shift, "points")
    way = "lowers" if below else "raises"
    return capital(f"changing {change} and nothing else {way} the share {yes} by {told}.")


def few_flips(change: str, margin: float) -> str:
    """Return the claim that changing one field turns few decisions."""
    return capital(f"changing {change} and nothing else turns at most {amount(margin, 'percent')} of decisions")


def how_flipped(change: str, rate: Interval) -> str:
    """Return the finding on the share of decisions that a change turns."""
    return capital(f"changing {change} and nothing else turns {rate.text('percent')} of decisions.")
