"""Attributions of everybody in a cast, on the same rows and by the same rule."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kdaudit.abilities import Opened
from kdaudit.cast import Cast, Empty
from kdaudit.compare.seats import SLOPES, Explained, Method, Task, digest_of, has_slopes, is_network, rules_of, seats_of
from kdaudit.errors import InvalidAnswers, InvalidInput, NoSuchSignal
from kdaudit.explain.attributions import Attributions
from kdaudit.explain.occlusions import Scores
from kdaudit.explain.omissions import BASELINE, TextGame, only_text, word_occlusion
from kdaudit.rules import Rules
from kdaudit.samples import Samples
from kdaudit.signal import LOGIT, SCORE
from kdaudit.subject import Answers, Ask, Subject

if TYPE_CHECKING:
    from kdaudit.networks.network import Network


KEPT = 48
"""Attributions that are kept: those of a question's teacher, its likes with random weights, and a few more."""
_kept: OrderedDict[str, Attributions | Empty] = OrderedDict()


def explained(method: Method, cast: Cast, task: Task, ask: Ask) -> Explained:
    """Return the attributions of teacher, proxy, stranger and twin, or why there are none.

    Whoever sits in two seats is explained once.
    """
    done: dict[str, Attributions | Empty] = {}
    out: dict[str, Attributions | Empty] = {}
    for name, who in seats_of(cast).items():
        if isinstance(who, Empty):
            out[name] = who
            continue
        key = who.identity.digest
        done[key] = done[key] if key in done else attributed(method, who, task, ask)
        out[name] = done[key]
    return _of_one_kind(out)


def _of_one_kind(seats: dict[str, Attributions | Empty]) -> Explained:
    """Put out of their seats those whose units are not the teacher's."""
    first = seats["teacher"]
    if isinstance(first, Empty):
        return seats
    return {
        name: seat
        if isinstance(seat, Empty) or seat.names == first.names
        else Empty(f"its {len(seat.names)} units are not the teacher's {len(first.names)}; give both the same")
        for name, seat in seats.items()
    }


def attributed(method: Method, subject: Subject, task: Task, ask: Ask) -> Attributions | Empty:
    """Return one subject's attributions, or why there are none.

    What is computed inside a network is kept for a while: a question is put to proxy after proxy, and the teacher's
    reasons, and those of its random likes, are the same each time.
    """
    if method in SLOPES and is_network(subject):
        key = f"{method} {subject.identity.digest} {digest_of(task)}"
        if key not in _kept:
            _kept[key] = _attributed(method, subject, task, ask)
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
        return _kept[key]
    return _attributed(method, subject, task, ask)


def _attributed(method: Method, subject: Subject, task: Task, ask: Ask) -> Attributions | Empty:
    try:
        if method in SLOPES:
            return _inside(method, subject, task)
        ways = {"shapley": _shapley, "interactions": _interactions, "permutation": _permutation}
        return ways.get(method, _occlusion)(subject, task, ask)
    except (NoSuchSignal, InvalidAnswers, InvalidInput) as error:
        return Empty(str(error))


def _inside(method: Method, subject: Subject, task: Task) -> Attributions:
    if not has_slopes(subject):
        raise NoSuchSignal(f"{subject.identity.name} gives no gradients; ask by the method shapley or occlusion")
    # torch is loaded where gradients are computed, not where a plan is checked
    from kdaudit.explain import reasons

    if method == "grad_cam":
        from kdaudit.explain.maps import class_maps

        return class_maps(_network(subject), task.rows, output=task.output)

    ways: dict[str, Any] = {
        "integrated_gradients": partial(
            reasons.integrated_gradients, nodes=task.nodes, most=task.finest * task.nodes, special=task.special
        ),
        "gradient": partial(reasons.gradients, times_input=False),
        "gradient_input": partial(reasons.gradients, times_input=True),
        "gradient_shap": partial(reasons.gradient_shap, draws=task.draws, rng=task.rng()),
        "deeplift": reasons.deeplift,
        "ablation": partial(reasons.ablation, special=task.special),
    }
    found: Attributions = ways[method](subject, task.rows, task.background, output=task.output)
    return found


def _shapley(subject: Subject, task: Task, ask: Ask) -> Attributions:
    rules = rules_of(subject)
    if rules is not None:
        from kdaudit.explain.tables import table_values

        try:
            return table_values(rules, task.rows, task.lent, output=task.output)
        except InvalidInput:
            pass  # a list of too many boxes: its answers are looked at instead
    if is_network(subject) and not task.worded:
        from kdaudit.explain.reasons import sampled_shapley

        return sampled_shapley(
            _network(subject),
            task.rows,
            task.lent,
            output=task.output,
            budget=task.budget,
            scale=task.scale,
            rng=task.rng(),
        )
    from kdaudit.explain.games import RowGame
    from kdaudit.explain.reasons import from_shapley
    from kdaudit.explain.shapley import shapley

    if only_text(task.rows.domain):
        game = TextGame(_worded(subject, task, ask), task.rows, task.output)
        found = shapley(game, game.units, budget=task.budget, rng=task.rng())
        told = from_shapley(found, tuple(f"word {i + 1}" for i in range(game.units)), 1, "score")
        return replace(told, baseline=BASELINE, words=game.words)
    if rules is None:
        _can_be_asked(subject, task)
    scores = partial(_scores, ask, subject)
    names = task.rows.domain.names
    fields = RowGame(scores, task.rows, task.lent, output=task.output, donors=task.shared)
    return from_shapley(shapley(fields, len(names), budget=task.budget, rng=task.rng()), names, len(task.lent), "score")


def _interactions(subject: Subject, task: Task, ask: Ask) -> Attributions:
    from kdaudit.explain.pairs import game_pairs, network_pairs, rule_pairs

    rules = rules_of(subject)
    if rules is not None:
        try:
            return rule_pairs(rules, task.rows, task.lent, output=task.output)
        except InvalidInput:
            pass  # a list of too many boxes: its answers are looked at instead
    if is_network(subject):
        network, budget, scale = _network(subject), task.budget, task.scale
        return network_pairs(
            network, task.rows, task.lent, output=task.output, budget=budget, scale=scale, rng=task.rng()
        )
    if rules is None:
        _can_be_asked(subject, task)
    from kdaudit.explain.games import RowGame
    from kdaudit.explain.shapley import fewest

    names = task.rows.domain.names
    budget = task.budget if rules is None else max(task.budget, fewest(len(names)))
    game = RowGame(partial(_scores, ask, subject), task.rows, task.lent, output=task.output, donors=task.shared)
    return game_pairs(game, names, budget=budget, draws=len(task.lent), scale="score", rng=task.rng())


def _permutation(subject: Subject, task: Task, ask: Ask) -> Attributions:
    from kdaudit.explain.importance import exchanged_fields

    _can_be_asked(subject, task)
    repeats, name = task.donors.shape[1], subject.identity.name
    return exchanged_fields(partial(_scores, ask, subject), task.rows, rng=task.rng(), repeats=repeats, name=name)


def _occlusion(subject: Subject, task: Task, ask: Ask) -> Attributions:
    from kdaudit.explain.occlusions import occlusion

    _can_be_asked(subject, task)
    scores = partial(_scores, ask, subject)
    if only_text(task.rows.domain):
        return word_occlusion(scores, task.rows, output=task.output)
    return occlusion(scores, task.rows, task.background, output=task.output, donors=task.donors)


def _can_be_asked(subject: Subject, task: Task) -> None:
    name = subject.identity.name
    if subject.identity.by == "id":
        raise NoSuchSignal(f"{name} is a record of answers; it cannot answer rows of which one field was replaced")
    if SCORE not in subject.offers:
        raise NoSuchSignal(f"{name} answers with labels only; shares of an answer need scores")
    if not task.asks:
        raise NoSuchSignal(
            f"{name} is closed; say with `questions` how many mixed rows it may be asked, or take occlusion"
        )


def _worded(subject: Subject, task: Task, ask: Ask) -> Scores:
    """Return who gives scores to texts with words left out: a network in place, all others through the ask."""
    if isinstance(subject, Opened) and is_network(subject):
        kind = SCORE if subject.scale == "value" else LOGIT
        return lambda samples: Answers({kind: subject.raw(subject.encoding.encode(samples))}).score
    if not isinstance(subject.form, Rules):
        _can_be_asked(subject, task)
    return partial(_scores, ask, subject)


def _scores(ask: Ask, subject: Subject, samples: Samples) -> NDArray[np.float64]:
    return ask(subject, samples, {SCORE}).score


def game_of(subject: Subject, task: Task, ask: Ask) -> Any:  # noqa: ANN401 - callable; its module loads torch
    """Return the worth, in scores, of each row's own coalitions, ``(k, n, units) -> (k, n)``; mixtures as in `Task`."""
    if is_network(subject) and not task.worded:
        from kdaudit.explain.reasons import game_of as of_network

        return of_network(_network(subject), task.rows, task.lent, task.output, special=task.special)
    if only_text(task.rows.domain):
        return TextGame(_worded(subject, task, ask), task.rows, task.output).own
    from kdaudit.explain.games import RowGame

    rules = rules_of(subject)
    if rules is None:
        _can_be_asked(subject, task)
    scores = partial(_scores, ask, subject) if rules is None else rules.evaluate
    return RowGame(scores, task.rows, task.lent, output=task.output, donors=task.shared).own


def _network(subject: Subject) -> Network:
    return subject  # type: ignore[return-value]
