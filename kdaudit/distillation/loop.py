"""Distilling: the teacher is recorded first, then the student learns from the record."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from kdaudit.chance import rng as chance
from kdaudit.digest import of_arrays, of_data
from kdaudit.distillation.looking import Shown, blocks, look, opened, state_of, unchanged
from kdaudit.distillation.processes import Alone, Processes
from kdaudit.distillation.recordings import Kept
from kdaudit.distillation.recordings import record as keep
from kdaudit.distillation.refusals import check_alone, check_fit, check_objective, check_outside
from kdaudit.distillation.scales import Standard, standard
from kdaudit.distillation.schedule import chances
from kdaudit.distillation.showing import is_long, longest, of_views, topped, viewed
from kdaudit.distillation.training import Lesson, Progress, Teaching, Told, Training, View
from kdaudit.distillation.training import Schedule as Schedule
from kdaudit.encoders import Encoder, fitted, read_of
from kdaudit.errors import InvalidAnswers, InvalidInput, NoSuchSignal
from kdaudit.networks.network import Network
from kdaudit.networks.taps import resolve
from kdaudit.objective.reference import Reference
from kdaudit.objective.sum import Objective, parse, spread
from kdaudit.objective.terms import FAITHFUL, GRADIENT
from kdaudit.samples import Samples
from kdaudit.signal import GRADIENT as GRADIENTS
from kdaudit.signal import LABEL, LOGIT, SCORE, Signal, Signals
from kdaudit.store.answers import Store
from kdaudit.subject import Answers, Ask, Subject


class Door(Protocol):
    """Whatever subjects are asked through, such as a store."""

    def ask(self, subject: Subject, samples: Samples, signals: Signals) -> Answers:
        """Return answers aligned with the rows."""
        ...


@dataclass(frozen=True, eq=False)
class Extras:
    """What few students need.

    Parameters
    ----------
    view : View, optional
        Changes rows, for student and teacher alike.
    views : int
        How many changed rows are made of each row and recorded once, in `recording` where it is named; 0 changes rows
        anew at each step, and the teacher runs beside.
    watch : Record, optional
        Rows set apart with the teacher's answers, for `Schedule.patience`.
    encoding : Encoder, optional
        How the student sees rows; None leaves it to the rows or the teacher.
    checkpoint : Path, optional
        Folder of one training; one that was stopped goes on from there, to the same bits.
    recording : Path, optional
        Folder for what the teacher's layers give, in half precision; None keeps it in memory.  Of answers in more than
        `kdaudit.distillation.recordings.FULL` classes the likeliest are kept there with the mass of all others.
    progress : Progress, optional
    device : str
        Such as ``"cuda"`` or ``"mps"``.
    processes : Processes, optional
        Several that train one student together (see `kdaudit.distillation.processes`); they bring their devices.
    """

    view: View | None = None
    views: int = 0
    watch: Record | None = None
    encoding: Encoder | None = None
    checkpoint: Path | None = None
    recording: Path | None = None
    progress: Progress | None = None
    device: str = "cpu"
    processes: Processes | None = None


@dataclass(frozen=True, eq=False)
class Record:
    """Rows with what the teacher said about them.

    Parameters
    ----------
    samples : Samples
        n answered rows.
    reference : Reference
        Of n rows.
    failed : int
        Rows that the teacher could not answer, left out.
    """

    samples: Samples
    reference: Reference
    failed: int


def distil(  # noqa: PLR0913 - the public face, data first
    module: nn.Module,
    teacher: Subject,
    objective: Objective | str = FAITHFUL,
    samples: Samples | None = None,
    *,
    store: Door | None = None,
    rng: np.random.Generator | None = None,
    schedule: Schedule | None = None,
    extras: Extras | None = None,
) -> Network:
    """Return a student that learned a teacher's answers, and what its layers give where the objective asks for it.

    The teacher is asked once about every row, through the store, and is no part of the student.  Numbers are
    standardised by `samples` (see `kdaudit.encoders`), or as the teacher does it where the objective looks
    into the teacher.

    Parameters
    ----------
    module : Module
        From (batch, columns of the encoding) to (batch, outputs) logits; a copy of it learns, it stays as it is.
    teacher : Subject
    objective : Objective or str
        Such as ``"soft_targets(2) + 0.5 * hint('layers.0')"``.  The default, ``"faithful"``, is
        ``"soft_targets(4) + 0.2 * explanation"`` for a teacher that lies open and whose gradients can be had, else
        ``"soft_targets(4)"``, or ``"logit_mse"`` where it answers with numbers.
    samples : Samples
        n rows; those that the teacher could not answer are left out.
    store : Store, optional
        Keeps the answers; None keeps them in memory for this call.
    rng : Generator, optional
        Draws batches; None stands for the stream "distil" of seed 0.
    schedule : Schedule, optional
    extras : Extras, optional
        Changed rows, checkpoints, rows set apart for stopping early, another device.

    Returns
    -------
    Network
        The same bits for the same module, answers and `rng`.  Its `notes` tell rows used, rows failed, the loss and
        each term with its unit.

    Raises
    ------
    InvalidInput
        If the objective cannot be used with these answers, the module does not fit rows or outputs, it holds the
        teacher or shares weights with it, or no row was answered.
    NoSuchSignal
        If the objective looks into a teacher that gives answers only.

    Examples
    --------
    >>> distil(module, teacher, samples=samples, store=store, rng=rng)  # doctest: +SKIP
    """
    if not isinstance(samples, Samples):
        raise InvalidInput(
            "rows were expected after the objective, as in distil(module, teacher, objective, samples), or by name; "
            f"got {type(samples).__name__}"
        )
    ask = Store().ask if store is None else store.ask
    together = (extras and extras.processes) or Alone()
    # the others find in a store on disk what the first one asked
    with together.first():
        record = recorded(teacher, samples, ask)
    return learn(module, teacher, objective, record, schedule or Schedule(), rng or chance(0, "distil"), extras)


def recorded(teacher: Subject, samples: Samples, ask: Ask) -> Record:
    """Ask a teacher about rows: scores where it gives them, else logits, else decisions as scores of 0 and 1.

    Raises
    ------
    InvalidInput
        If no row was answered.
    InvalidAnswers
        If it decides for classes that it does not name, or scores another number of them.
    """
    if not len(samples):
        raise InvalidInput("there are no rows to learn from; a student needs some that its teacher answers")
    wanted = next((signal for signal in (SCORE, LOGIT, LABEL) if signal in teacher.offers), None)
    if wanted is None:
        raise NoSuchSignal(f"{teacher.identity.name} gives neither scores, logits nor labels to learn from")
    answers = ask(teacher, samples, (wanted,))
    rows = np.flatnonzero(answers.answered)
    if not len(rows):
        raise InvalidInput(
            f"{teacher.identity.name} answered none of {len(samples)} rows; a student learns from answers"
        )
    kept, given = samples.take(rows), answers.take(rows)
    reference = Reference.of(_scored(teacher, given, wanted), kept.labels, scale=teacher.scale)
    return Record(kept, reference, len(samples) - len(rows))


def _scored(teacher: Subject, answers: Answers, wanted: Signal) -> Answers:
    k, name = len(teacher.outputs), teacher.identity.name
    if wanted == LABEL:
        if answers.label.min() < 0 or answers.label.max() >= max(2, k):
            raise InvalidAnswers(
                f"{name} gave labels from {answers.label.min()} to {answers.label.max()}; "
                f"0 to {max(2, k) - 1} were expected"
            )
        one: NDArray[np.float64] = answers.label[:, None].astype(np.float64)
        return Answers({SCORE: np.eye(k)[answers.label] if k > 1 else one})
    if answers.values[wanted].shape != (len(answers), k):
        raise InvalidAnswers(
            f"{name} gave answers of shape {answers.values[wanted].shape}; ({len(answers)}, {k}) was expected, "
            f"one column for each of {', '.join(teacher.outputs)}"
        )
    return Answers({signal: answers.values[signal] for signal in (SCORE, LOGIT) if signal in answers.values})


def learn(
    module: nn.Module,
    teacher: Subject,
    objective: Objective | str,
    record: Record,
    schedule: Schedule,
    rng: np.random.Generator,
    extras: Extras | None = None,
) -> Network:
    """Return the student that learned a record; see `distil`."""
    more = extras or Extras()
    goal = suited(objective, teacher, more.encoding)
    check_alone(goal)
    check_objective(goal, record.reference)
    check_outside(module, teacher)
    live = _live(teacher, goal, more)
    encoding = more.encoding or (live.encoding if live is not None else fitted(record.samples))
    encoded = encoding.encode(record.samples)
    student, seed = copy.deepcopy(module), int(rng.integers(2**62))
    check_fit(student, encoded, len(teacher.outputs))
    goal = named(goal, student, live)
    if is_long(record.reference, more.recording):
        goal = topped(goal)
    scale, before = standard(student, record.reference), "" if live is None else state_of(live.module)
    shown, view = torch.from_numpy(encoded), more.view
    if view is not None and more.views:
        shown, view = viewed(shown, view, more.views, seed), None
    teaching = _teaching(teacher, live, goal, (record, shown, scale), more)
    reach = drawn(record.reference, schedule, len(shown))
    lesson = Lesson([student], goal, shown, teaching, teacher.scale, view, _watched(more.watch, encoding), reach)
    losses = Training(lesson, schedule, seed, more.processes or Alone(more.device))
    curve = losses.run(more.checkpoint, more.progress)
    if live is not None:
        unchanged(live.module, before, live.name)
    scale.undo()
    network = Network("student", student, encoding, teacher.outputs, scale=teacher.scale)
    network.notes = told(goal, losses, curve) | {"fitted": len(record.samples), "failed": record.failed}
    if (card := getattr(teacher, "card", None)) is not None:
        network.notes["teacher"] = card(record.samples)
    return network


def suited(objective: Objective | str, teacher: Subject, encoding: Encoder | None = None) -> Objective:
    """Return the objective with `faithful` replaced by what this teacher allows.

    Parameters
    ----------
    objective : Objective or str
    teacher : Subject
    encoding : Encoder, optional
        How the student sees rows; None where it sees them as the teacher does.
    """
    goal = parse(objective) if isinstance(objective, str) else objective
    opened = isinstance(teacher, Network) and GRADIENTS in teacher.offers
    alike = opened and encoding in (None, getattr(teacher, "encoding", None))
    return goal.suited(teacher.scale, opened=alike)


def encoder_of(objective: str, teacher: Subject, samples: Samples, reads: Sequence[str] = ()) -> Encoder:
    """Return how a student sees rows: as its teacher where the objective looks into it, else standardised by them.

    Parameters
    ----------
    objective : str
    teacher : Subject
    samples : Samples
    reads : sequence of str
        Fields that the student reads; none stands for all.  Where they are others than the teacher's, its layers are
        compared with those of a student that sees the same row in another form.
    """
    if not isinstance(teacher, Network) or not suited(objective, teacher).taught_by("teacher"):
        return fitted(samples, reads)
    # what both see is compared, so both see rows in the same way
    alike = not reads or tuple(reads) == read_of(teacher.encoding)
    return teacher.encoding if alike else fitted(samples, reads)


def told(goal: Objective, training: Training, curve: NDArray[np.float64]) -> dict[str, Any]:
    """Return what a reader should know of how a student learned, as plain data."""
    return {
        "objective": str(goal),
        "steps": training.done,
        "loss": float(curve[-max(1, len(curve) // 10) :].mean()),
        "terms": training.bound[0].account() if training.bound else [],
    }


def drawn(reference: Reference, schedule: Schedule, shown: int) -> torch.Tensor | None:
    """Return running sums of the rows' chances where these differ; all views of a row have its own."""
    if not schedule.doubt:
        return None
    return chances(reference, schedule.doubt).repeat_interleave(shown // len(reference)).cumsum(dim=0)


def _live(teacher: Subject, goal: Objective, more: Extras) -> Network | None:
    """Return the teacher where it is looked into or sees changed rows; None where its answers suffice."""
    if taps := goal.taught_by("teacher"):
        if GRADIENT + ":in" in taps and not getattr(getattr(teacher, "encoding", None), "continuous", True):
            raise InvalidInput(
                f"the objective {goal} takes gradients by the input, and numbers of words have none; "
                "name the layer that embeds them, such as explanation('embedding')"
            )
        return opened(teacher, f"the objective {goal} ({', '.join(sorted(taps))})")
    return opened(teacher, "a changed view of a row") if more.view is not None else None


def named(goal: Objective, student: nn.Module, live: Network | None) -> Objective:
    """Return the objective with every layer by its full name; an unknown one is refused here, before training.

    Raises
    ------
    InvalidInput
        If student or teacher has no such layer.
    """

    def of_teacher(tap: str, by: str) -> tuple[str, ...]:
        module = live.module if by == "teacher" and live is not None else student
        return _resolved(module, tap, "teacher" if by == "teacher" else "student")

    return spread(goal, lambda tap: _resolved(student, tap, "student"), of_teacher)


def _resolved(module: nn.Module, tap: str, who: str) -> tuple[str, ...]:
    try:
        return resolve(module, tap)
    except InvalidInput as error:
        early = "; a network has early exits where it is made with exits" if tap.startswith("exits") else ""
        raise InvalidInput(f"the {who}: {error}{early}") from error


def _teaching(
    teacher: Subject, live: Network | None, goal: Objective, rows: tuple[Record, torch.Tensor, Standard], more: Extras
) -> Teaching:
    """Return who teaches rows that were recorded, are shown as tensors, and are learned on a scale."""
    record, shown, scale = rows
    given = scale.of(record.reference).single()
    if live is None:
        if more.recording is not None and is_long(given, more.recording):
            return longest(teacher.identity.digest, given, more.recording)
        return Told(given if given.scale == "value" else given.prepared(goal.temperatures))
    if more.view is not None:
        if live.encoding != (more.encoding or live.encoding):
            raise InvalidInput("a changed row is seen by student and teacher alike; leave the encoding to the teacher")
        plain = record.reference.single()
        if more.views:
            return scale.taught(of_views(live, goal, shown, plain, more.recording))
        return scale.taught(Shown(live.module, goal.taught_by("teacher"), outcome=plain.outcome, scale=plain.scale))
    given = given if given.scale == "value" else given.prepared(goal.temperatures)
    asked = live.module, live.encoding.encode(record.samples), goal.taught_by("teacher")
    top = record.reference.top if given.logit.shape[1] > 1 else None
    if more.recording is None:
        return Told(replace(given, taps=look(*asked, top)))
    who = of_data([live.identity.digest, sorted(asked[2]), of_arrays({"rows": asked[1]})])
    kept = keep(more.recording, lambda _: blocks(*asked, top), rows=len(given), teacher=who)
    return Kept(given, kept)


def _watched(watch: Record | None, encoding: Encoder) -> tuple[torch.Tensor, Reference] | None:
    if watch is None:
        return None
    return torch.from_numpy(encoding.encode(watch.samples)), watch.reference
