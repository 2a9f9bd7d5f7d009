"""What a person sees while work goes on."""

import io
import sys

from kdaudit.cli.progress import progress
from kdaudit.live import say


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_how_far_a_training_is(monkeypatch):
    from rich.console import Console
    from rich.status import Status

    shown = []
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(Console, "is_terminal", property(lambda self: False))
    monkeypatch.setattr(Status, "update", lambda self, words: shown.append(str(words)))
    with progress() as tell:
        tell("proxy small: distilling")
        say(lambda: "step 20 of 1,000, decides as its teacher on 61% of a batch")
    assert shown == [
        "proxy small: distilling (0 s)",
        "proxy small: distilling: step 20 of 1,000, decides as its teacher on 61% of a batch (0 s)",
    ]


def test_a_pipe_gets_steps_and_nothing_that_moves(capsys):
    with progress() as tell:
        tell("proxy small: distilling")
        say(lambda: "step 20 of 1,000")
    assert capsys.readouterr().err.splitlines() == ["[  0.0 s] proxy small: distilling"]
