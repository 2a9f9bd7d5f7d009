"""Texts with slots: templates filled with terms, in pairs that differ in nothing but the group that a term stands for.

A template says ``"{person} made this film, and {pronoun} was {word}."``.  Slots with terms by group (`person`,
`pronoun`) move together from group to group; all others keep their term on both sides of a pair.  Which fillings are
written is drawn evenly: in every beginning of the order each term occurs equally often, as near as whole numbers allow.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdaudit.chance import rng
from kdaudit.errors import InvalidInput
from kdaudit.sampling.terms import Terms, terms_of

Slots = Mapping[str, Terms | Mapping[str, Terms]]
"""Name of a slot -> its terms, the name of a list of terms, or either by group."""
SLOT = re.compile(r"\{([^{}]*)\}")
LARGEST = 10**6
"""Fillings of one template beside its groups, above which the template is refused: nobody reads so many."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Fillings, each in one text a group; inside a template in the order in which they are to be asked.

    Parameters
    ----------
    names : tuple of str
        Templates.
    groups : tuple of str
        One a side; a single empty one where nothing is compared.
    template : array of shape (n,), int64
        Position of each filling's template.
    texts : array of shape (n, sides), object
    terms : array of shape (n,), int64, optional
        Which term stands for the group in each filling, such as which pair of names; None where it is not known.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    template: NDArray[np.int64]
    texts: NDArray[np.object_]
    terms: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.template)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Fillings of each template."""
        return np.bincount(self.template, minlength=len(self.names))

    def first(self, share: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the positions of the first fillings of each template, rising; `share`: how many, one a template."""
        place = np.arange(len(self)) - _starts(self.template)
        chosen: NDArray[np.int64] = np.flatnonzero(place < share[self.template])
        return chosen


def _starts(template: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where the template of each filling begins; fillings of a template lie together."""
    begins = np.flatnonzero(np.diff(template, prepend=-1))
    out: NDArray[np.int64] = begins[np.searchsorted(begins, np.arange(len(template)), side="right") - 1]
    return out


def slots_of(template: str) -> tuple[str, ...]:
    """Return the names of a template's slots, each once."""
    return tuple(dict.fromkeys(SLOT.findall(template)))


def groups_of(slots: Slots) -> tuple[str, ...]:
    """Return the groups that slots are filled by; none where no slot has groups.

    Raises
    ------
    InvalidInput
        If two slots have other groups, or one has fewer than two.
    """
    found = {name: tuple(terms) for name, terms in slots.items() if isinstance(terms, Mapping)}
    if not found:
        return ()
    first = next(iter(found))
    for name, groups in found.items():
        if set(groups) != set(found[first]):
            raise InvalidInput(
                f"slot {name!r} has the groups {', '.join(groups)}, and slot {first!r} has {', '.join(found[first])}; "
                "slots that move together need the same groups"
            )
    if len(found[first]) < 2:
        raise InvalidInput(f"slot {first!r} has one group; at least two were expected")
    return found[first]


def check(templates: Sequence[str], slots: Slots, *, compared: bool) -> None:
    """Refuse templates that cannot be filled.

    Parameters
    ----------
    templates : sequence of str
    slots : mapping
    compared : bool
        Whether every template must have a slot with groups.

    Raises
    ------
    InvalidInput
        On an unfilled slot, an unknown or empty list of terms, a slot that no template has, a template twice, a brace
        that opens no slot, or a template in which nothing would differ; the sentence names slot and template.
    """
    groups_of(slots)
    for name, terms in slots.items():
        for part in terms.values() if isinstance(terms, Mapping) else (terms,):
            terms_of(part, name)
        if not any(name in slots_of(text) for text in templates):
            raise InvalidInput(f"slot {name!r} stands in no template; remove it, or write {{{name}}} where it belongs")
    for at, text in enumerate(templates):
        for name in slots_of(text):
            if name not in slots:
                raise InvalidInput(
                    f"slot {name!r} of template {text!r} is not filled; name its terms under `slots`: "
                    f"there are {', '.join(slots) or 'none'}"
                )
        if "{" in SLOT.sub("", text) or "}" in SLOT.sub("", text):
            raise InvalidInput(f"a brace of template {text!r} opens or closes no slot")
        if text in templates[:at]:
            raise InvalidInput(f"template {text!r} stands there twice")
        if compared and not any(isinstance(slots[name], Mapping) for name in slots_of(text)):
            raise InvalidInput(f"template {text!r} has no slot with groups; nothing in it would differ")


def another(group: str) -> str:
    """Return how the side is called on which another term of the same group stands."""
    return f"{group}, another"


def several(slots: Slots, group: str) -> bool:
    """Return whether a group has two terms or more in some slot."""
    return any(isinstance(terms, Mapping) and len(terms_of(terms[group], name)) > 1 for name, terms in slots.items())


def exchanged(slots: Slots, group: str) -> Slots:
    """Return the slots with one more group: the terms of `group`, each in the place of the one before it."""
    out: dict[str, Terms | Mapping[str, Terms]] = {}
    for name, terms in slots.items():
        if isinstance(terms, Mapping):
            own = terms_of(terms[group], name)
            out[name] = {**terms, another(group): (*own[1:], own[0])}
        else:
            out[name] = terms
    return out


def sizes_of(templates: Sequence[str], slots: Slots) -> NDArray[np.int64]:
    """Return how many fillings each template has, each with a text for every group."""
    return np.array([math.prod(_shape(text, slots)) for text in templates], dtype=np.int64)


def expand(
    templates: Sequence[str], slots: Slots, groups: tuple[str, ...], share: NDArray[np.int64], seed: int
) -> Cells:
    """Return fillings in balanced random order.

    Parameters
    ----------
    templates : sequence of str
        Checked before.
    slots : mapping
    groups : tuple of str
        Sides, in their order; empty where nothing is compared.
    share : array of int
        Fillings of each template, at most `sizes_of`.
    seed : int
        A template's fillings and their order depend on it and on the template alone.
    """
    place: list[int] = []
    terms: list[int] = []
    rows: list[list[str]] = []
    for at, (text, n) in enumerate(zip(templates, share.tolist(), strict=True)):
        for term, context in _balanced(text, slots, n, seed):
            place.append(at)
            terms.append(term)
            rows.append([_filled(text, slots, group, term, context) for group in groups or ("",)])
    texts = np.array(rows, dtype=object).reshape(len(rows), len(groups) or 1)
    which = np.array(terms, dtype=np.int64) if groups else None
    return Cells(tuple(templates), groups or ("",), np.array(place, dtype=np.int64), texts, which)


def _shape(text: str, slots: Slots) -> tuple[int, int]:
    """Return how many terms move from group to group, and how many fillings the other slots have."""
    moving, still = 1, 1
    for name in slots_of(text):
        terms = slots[name]
        if isinstance(terms, Mapping):
            # a shorter list begins anew, so that a pronoun goes with every name
            moving = max(moving, *(len(terms_of(part, name)) for part in terms.values()))
        else:
            still *= len(terms_of(terms, name))
    if still > LARGEST:
        raise InvalidInput(f"template {text!r} has {still:,} fillings; at most {LARGEST:,} were expected")
    return moving, still


def _balanced(text: str, slots: Slots, n: int, seed: int) -> list[tuple[int, int]]:
    """Return `n` pairs of a moving term and a filling of the other slots, each pair once.

    Terms come in turn; the fillings beside them are shifted by one from term to term and from turn to turn, as in a
    Latin square, so that both occur equally often.
    """
    moving, still = _shape(text, slots)
    chance = rng(seed, f"templates/{text}")
    terms, others = chance.permutation(moving), chance.permutation(still)
    turns, step = np.divmod(np.arange(n), moving)
    return list(zip(terms[step].tolist(), others[(turns + step) % still].tolist(), strict=True))


def _filled(text: str, slots: Slots, group: str, term: int, context: int) -> str:
    values: dict[str, str] = {}
    for name in slots_of(text):
        terms = slots[name]
        if isinstance(terms, Mapping):
            found = terms_of(terms[group], name)
            values[name] = found[term % len(found)]
        else:
            found = terms_of(terms, name)
            context, at = divmod(context, len(found))
            values[name] = found[at]
    filled = SLOT.sub(lambda match: values[match[1]], text)
    return filled[:1].upper() + filled[1:]
