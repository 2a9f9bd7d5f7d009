"""Lists of terms that a slot can name instead of writing them out."""

from __future__ import annotations

from kdaudit.errors import InvalidInput

Terms = tuple[str, ...] | str
"""Terms, or the name of a list of them."""

TERMS: dict[str, tuple[str, ...]] = {
    "women_names": (
        "Amanda", "Betsy", "Courtney", "Ellen", "Heather", "Katie", "Kristin", "Melanie", "Nancy", "Stephanie",
    ),
    "men_names": ("Adam", "Alan", "Andrew", "Frank", "Harry", "Jack", "Josh", "Justin", "Roger", "Ryan"),
    "african_american_women_names": (
        "Ebony", "Jasmine", "Lakisha", "Latisha", "Latoya", "Nichelle", "Shaniqua", "Shereen", "Tanisha", "Tia",
    ),
    "african_american_men_names": (
        "Alonzo", "Alphonse", "Darnell", "Jamel", "Jerome", "Lamar", "Leroy", "Malik", "Terrence", "Torrance",
    ),
    "women_relatives": ("my daughter", "my wife", "my aunt", "my sister", "my mother"),
    "men_relatives": ("my son", "my husband", "my uncle", "my brother", "my father"),
    "religions": ("Christian", "Muslim", "Jewish", "Buddhist", "Hindu", "Sikh"),
    "nationalities": ("American", "Mexican", "Canadian", "Chinese", "Japanese", "Nigerian", "Indian", "Polish"),
    "gay_terms": ("gay", "lesbian", "homosexual", "queer"),
    "straight_terms": ("straight", "heterosexual"),
    "standard_english": ("is not", "are not", "have not", "am going to", "you all", "do not have any"),
    "vernacular_english": ("ain't", "ain't", "ain't", "finna", "y'all", "don't got no"),
    "feelings_pleasant": ("happy", "relieved", "excited", "glad", "ecstatic"),
    "feelings_unpleasant": ("angry", "sad", "anxious", "miserable", "furious"),
    "praise": ("good", "brilliant", "touching", "funny", "excellent"),
    "blame": ("bad", "dull", "boring", "awful", "stupid"),
}  # fmt: skip
"""Name of a list -> its terms.

First names are those of the Equity Evaluation Corpus (Kiritchenko and Mohammad 2018), which took them from Caliskan,
Bryson and Narayanan (2017); there they stand for European and African American women and men.  The two lists of English
hold words of one meaning in one place (Blodgett, Green and O'Connor 2016 tell how the vernacular differs).
"""


def terms_of(terms: Terms, slot: str) -> tuple[str, ...]:
    """Return the terms of a slot.

    Raises
    ------
    InvalidInput
        If there is no list of that name, or no term.
    """
    if isinstance(terms, str):
        if terms not in TERMS:
            raise InvalidInput(
                f"slot {slot!r} names the list of terms {terms!r}, which does not exist; lists are "
                f"{', '.join(sorted(TERMS))}, and a list of your own is written [so, so]"
            )
        return TERMS[terms]
    if not terms or not all(terms):
        raise InvalidInput(f"slot {slot!r} has no terms, or an empty one")
    return tuple(terms)
