"""The terminal: 60 columns, a pipe, no colours."""

from __future__ import annotations

import io
import re

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial
from rich.console import Console

from steps.datasets.tabular.target import Target
from steps.report.terminal import StudyDisplay, print_table
from steps.tasks.classification.task import Classification
from steps.tasks.objectives import objectives_of

TASK = Classification(Target("classification", class_names=tuple("0123456789")))

ACCURACY = objectives_of(["accuracy"], TASK)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def ended(number: int, state: TrialState, *values: float) -> FrozenTrial:
    value = values[-1] if state == TrialState.COMPLETE else None
    trial = create_trial(state=state, value=value, intermediate_values=dict(enumerate(values, 1)))
    trial.number = number
    return trial


def epoch(accuracy: float) -> dict[str, float]:
    return {"val_accuracy": accuracy, "val_log_loss": 1.0, "train_loss": 1.0}


def play(display: StudyDisplay) -> None:
    """Three trials end, each in another way, and two run."""
    with display:
        for number, accuracy in ((0, 0.91), (1, 0.5), (2, 0.7)):
            display.epoch(number, 1, epoch(accuracy))
        display.trial(ended(0, TrialState.COMPLETE, 0.91))
        display.trial(ended(1, TrialState.PRUNED, 0.5))
        display.trial(ended(2, TrialState.FAIL))
        display.epoch(3, 1, epoch(0.95))
        display.epoch(4, 1, epoch(0.4))
        display._progress.refresh()


def terminal(width: int) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=24, highlight=False, soft_wrap=True)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 120])
def test_a_terminal_shows_what_runs_and_how_it_stands(width: int) -> None:
    console = terminal(width)
    play(StudyDisplay(20, 5, [], ACCURACY, ACCURACY[0], console))
    text = _CONTROL.sub("", written(console))
    last = text[text.rindex("3/20 trials") :]
    assert "best 0.9100" in last
    assert re.search(r"\d+ s left", last)
    assert "1 done, 1 pruned, 1 failed" in last
    assert re.search(r"trial-003  epoch 1/5  val_accuracy 0.9500\s*\n", last)
    assert re.search(r"trial-004  epoch 1/5  val_accuracy 0.4000\s*\n", last)
    live = [line for line in re.split(r"[\r\n]+", last) if line.strip()]
    assert max(map(len, live)) <= width
    assert "trial-000 done" in text  # the best so far stays to be read, and so does a failure
    assert "trial-002 failed" in text
    assert "trial-001 pruned" not in text


def test_many_running_trials_do_not_fill_the_screen() -> None:
    console = terminal(80)
    with (display := StudyDisplay(50, 5, [], ACCURACY, ACCURACY[0], console)):
        for number in range(12):
            display.epoch(number, 1, epoch(0.5))
        display._progress.refresh()
    text = written(console)
    assert "and 4 more" in text
    assert "trial-008" not in text


def test_a_pipe_gets_a_plain_line_for_each_trial() -> None:
    console = Console(file=io.StringIO(), soft_wrap=True, highlight=False)
    play(StudyDisplay(20, 5, [], ACCURACY, ACCURACY[0], console))
    assert written(console).splitlines() == [
        "trial-000 done   after  1 epochs, val_accuracy 0.9100  [1/20, best 0.9100]",
        "trial-001 pruned after  1 epochs, val_accuracy 0.5000  [2/20, best 0.9100]",
        "trial-002 failed after  1 epochs, val_accuracy -  [3/20, best 0.9100]",
    ]


def test_epochs_that_were_not_seen_count() -> None:
    console = Console(file=io.StringIO(), width=120)
    with (display := StudyDisplay(20, 5, [], ACCURACY, ACCURACY[0], console)):
        display.epoch(0, 1, epoch(0.9))  # the trial of another process, looked at once a second
        display.trial(ended(0, TrialState.COMPLETE, 0.9, 0.91, 0.92))
    assert "after  3 epochs" in written(console)


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = terminal(80)
    play(StudyDisplay(20, 5, [], ACCURACY, ACCURACY[0], console))
    codes = {
        int(code) for found in re.findall(r"\x1b\[([0-9;]*)m", written(console)) for code in found.split(";") if code
    }
    assert not {code for code in codes if 30 <= code <= 49 or 90 <= code <= 107}


def test_what_was_done_before_counts() -> None:
    console = Console(file=io.StringIO(), soft_wrap=True, highlight=False)
    with (display := StudyDisplay(4, 5, [ended(0, TrialState.COMPLETE, 0.99)], ACCURACY, ACCURACY[0], console)):
        display.trial(ended(1, TrialState.COMPLETE, 0.9))
    assert "[2/4, best 0.9900]" in written(console)


@pytest.mark.parametrize("width", [60, 100])
def test_the_summary_fits(width: int) -> None:
    console = terminal(width)
    print_table([("download", "3c240e0d", "digits"), ("model", "", "word " * 40)], console)
    lines = _CONTROL.sub("", written(console)).splitlines()
    assert lines[0].split() == ["step", "run", "result"]
    assert max(map(len, lines)) <= width
    assert sum(line.count("word") for line in lines) == 40
