"""Comparisons for scripts: teacher and proxy in, evidence out, no plan.

Answers are kept in memory only; to keep them on disk, give a store's ask to the recipes `Attribution` and `Fidelity`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kdaudit.cast import Cast, Empty
from kdaudit.compare.attributions import Attribution
from kdaudit.compare.fidelities import Fidelity
from kdaudit.compare.seats import Method
from kdaudit.errors import InvalidInput
from kdaudit.evidence import Evidence
from kdaudit.question import Question
from kdaudit.samples import Samples
from kdaudit.store.answers import Store
from kdaudit.subject import Subject


def attribution(
    teacher: Subject,
    proxy: Subject,
    samples: Samples,
    *,
    method: Method = "integrated_gradients",
    control: Subject | Sequence[Subject] | None = None,
    ceiling: Subject | None = None,
    rng: np.random.Generator | None = None,
) -> Evidence:
    """Return whether the proxy has the teacher's reasons.

    Parameters
    ----------
    teacher, proxy : Subject
    samples : Samples
        Rows that the proxy was not made from.
    method : str
        See `kdaudit.compare.attributions.Attribution`.
    control : Subject or sequence of Subject, optional
        Proxies of the same recipe, made from independent teachers; without any the control is a permutation.  With
        several (three at least) the interval of the excess holds for other strangers too; beside one it holds for these
        rows alone, and decides no claim.
    ceiling : Subject, optional
        The teacher trained again.
    rng : Generator, optional
        Of a fixed seed if not given.
    """
    return examine(Attribution(method), teacher, proxy, samples, control=control, ceiling=ceiling, rng=rng)


def fidelity(
    teacher: Subject,
    proxy: Subject,
    samples: Samples,
    *,
    by: tuple[str, ...] = (),
    control: Subject | Sequence[Subject] | None = None,
    ceiling: Subject | None = None,
    rng: np.random.Generator | None = None,
) -> Evidence:
    """Return how near the proxy is to the teacher.

    Parameters
    ----------
    teacher, proxy, samples, control, ceiling, rng
        As in `attribution`.
    by : tuple of str
        Fields whose groups get an agreement each.
    """
    return examine(Fidelity(by=by), teacher, proxy, samples, control=control, ceiling=ceiling, rng=rng)


def examine(
    question: Question,
    teacher: Subject,
    proxy: Subject,
    samples: Samples,
    *,
    control: Subject | Sequence[Subject] | None = None,
    ceiling: Subject | None = None,
    rng: np.random.Generator | None = None,
) -> Evidence:
    """Return the answer to any comparison or probe, such as `kdaudit.compare.boundaries.Boundary`.

    Parameters
    ----------
    question : Question
    teacher, proxy, samples, control, ceiling, rng
        As in `attribution`.

    Raises
    ------
    InvalidInput
        If they answer with other outputs, or with the same in another order.
    """
    others = () if control is None else tuple(control) if isinstance(control, Sequence) else (control,)
    for other in (proxy, *others, *(() if ceiling is None else (ceiling,))):
        if tuple(other.outputs) != tuple(teacher.outputs):
            raise InvalidInput(
                f"{other.identity.name} answers with {', '.join(other.outputs)} and {teacher.identity.name} with "
                f"{', '.join(teacher.outputs)}; the same outputs in the same order were expected"
            )
    cast = Cast(
        teacher,
        proxy,
        others[0] if others else Empty("no control was given"),
        Empty("no ceiling was given") if ceiling is None else ceiling,
        control_kind="strangers_proxy" if others else "none",
        proxy_name=proxy.identity.name,
        further=others[1:],
    )
    return question.examine(cast, samples, Store().ask, np.random.default_rng(0) if rng is None else rng)
