"""One trial with everything real around it: study, child run, leases, checkpoint."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import numpy as np
import optuna
import pytest
import sqlalchemy as sa
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from optuna.trial import FrozenTrial, TrialState

from steps.base.errors import InputError
from steps.datasets import Dataset
from steps.mlp.config import MLPConfig
from steps.search.recovery import continue_study, gather_trials, n_to_continue
from steps.search.settings_before import changed_settings
from steps.search.space.file import load_space, space_path
from steps.search.store.attributes import TUNE_RUNS, TrialAttributes
from steps.search.store.heartbeat import PROCESSES
from steps.search.store.leases import Leases
from steps.search.store.outputs import read_outputs
from steps.search.store.records import records_of
from steps.search.store.url import open_storage
from steps.search.study_report import result_of, row_of
from steps.search.trials.checkpoints import FolderCheckpoints
from steps.search.trials.context import Job, TrialContext, WorkerContext
from steps.search.trials.training import Lost
from steps.search.trials.trial import prepare, run_trial
from steps.search.trials.workers import trials_of
from steps.tracking.trials import TrialRuns
from tests.search.clock import NEVER, Clock

POINT = {"n_layers": 1, "units_0": 128, "optimizer": "adam", "learning_rate": 3e-3, "augmentation": "none"}
EPOCHS = 4


Metrics = Mapping[str, float]


class Crash(BaseException):
    """Stands for the end of the process: nothing in the code under test handles it."""


@pytest.fixture(scope="module")
def context(digits: Dataset) -> TrialContext:
    return TrialContext.of(digits, space=load_space(space_path("image")), epochs=EPOCHS)


@dataclass
class WorkerHarness:
    """One process that works at the study."""

    worker: WorkerContext
    parent: Run
    clock: Clock

    def ask(self) -> optuna.Trial:
        """The next trial, leased."""
        with self.worker.leases.study_lock():
            trials_of(self.worker)
            trial = self.worker.study.ask()
            assert self.worker.leases.acquire(trial.number)
            return trial

    def prepare(self) -> Job:
        """The next trial, leased and suggested."""
        return prepare(self.worker, self.ask())

    def next(self, crash_at: int = 0, stop_at: int = 0) -> FrozenTrial | None:
        """Run the next trial; crash or ask it to stop after an epoch."""
        stop = threading.Event()

        def on_epoch(number: int, epoch: int, metrics: Metrics) -> None:
            if epoch == crash_at:
                raise Crash
            if epoch == stop_at:
                stop.set()

        return run_trial(self.worker, self.prepare(), stop, on_epoch)

    def crash(self) -> None:
        """Leave as a process that is killed on another host does."""
        leases = self.worker.leases
        dead = {"process": "elsewhere 1 x", "beat": datetime(2020, 1, 1)}
        with leases.storage.engine.begin() as connection:
            connection.execute(sa.update(PROCESSES).where(PROCESSES.c.worker == leases.worker).values(dead))
        self.worker.runs.close()


StartWorker = Callable[..., WorkerHarness]


@pytest.fixture
def start_worker(context: TrialContext, tracking: Path) -> Iterator[StartWorker]:
    started: list[WorkerHarness] = []

    def make(pruner: optuna.pruners.BasePruner | None = None, *, alone: bool = True, **changes: Any) -> WorkerHarness:
        """Start as the next process would; alone: those before this one are left as a crash leaves them."""
        for old in started if alone else []:
            old.crash()
        mlflow.end_run()
        parent = mlflow.start_run()
        storage = open_storage(f"sqlite:///{tracking}/optuna.db")
        study = optuna.create_study(
            storage=storage, study_name="s", direction="maximize", load_if_exists=True,
            pruner=pruner or optuna.pruners.NopPruner(),
        )  # fmt: skip
        clock = Clock()
        leases = Leases(storage, "s", parent.info.run_id, interval=NEVER, clock=clock).__enter__()
        runs = TrialRuns(parent)
        checkpoints = FolderCheckpoints(0, tracking / "checkpoints")
        worker = WorkerContext(replace(context, **changes), study, runs, leases, checkpoints)
        started.append(WorkerHarness(worker, parent, clock))
        continue_study(worker, parent)
        study.enqueue_trial(context.space.complete(POINT), skip_if_exists=True)
        return started[-1]

    yield make
    started[-1].worker.leases.__exit__()
    started[-1].worker.runs.close()
    mlflow.end_run()


@pytest.fixture(scope="module")
def expected(context: TrialContext) -> list[Metrics]:
    trial = optuna.trial.FixedTrial(context.space.complete(POINT))
    trainer = context.trainer(MLPConfig.from_hyperparameters(context.space.suggest(trial)))
    return [context.score(trainer.run_epoch()) for _ in range(EPOCHS)]


def checkpoint_folder(harness: WorkerHarness) -> Path:
    assert isinstance(harness.worker.checkpoints, FolderCheckpoints)
    return harness.worker.checkpoints.folder


def history(run_id: str) -> list[tuple[int, float, float, float]]:
    points = [MlflowClient().get_metric_history(run_id, key) for key in ("train_loss", "val_accuracy", "val_log_loss")]
    assert [[m.step for m in metric] for metric in points] == [[m.step for m in points[0]]] * 3
    return [(m.step, *(metric[i].value for metric in points)) for i, m in enumerate(points[0])]


def assert_undisturbed(harness: WorkerHarness, trial: FrozenTrial | None, expected: list[Metrics]) -> None:
    assert trial is not None
    assert (trial.number, trial.state) == (0, TrialState.COMPLETE)
    assert trial.intermediate_values == {i: m["val_accuracy"] for i, m in enumerate(expected, 1)}
    harness.worker.runs.close()
    (child,) = MlflowClient().search_runs(["0"], "tags.`optuna.trial_number` = '0'")
    assert (child.info.status, child.data.tags["optuna.state"]) == ("FINISHED", "COMPLETE")
    assert (child.info.run_id, child.data.tags["mlflow.parentRunId"]) == (
        TrialAttributes.read(trial).run_id,
        harness.parent.info.run_id,
    )
    assert history(child.info.run_id) == [(i, *m.values()) for i, m in enumerate(expected, 1)]
    assert list(checkpoint_folder(harness).glob("*")) == []


@pytest.mark.parametrize("epoch", [1, 3, EPOCHS])
def test_a_crash_after_an_epoch_is_not_seen_in_the_result(
    start_worker: StartWorker, expected: list[Metrics], epoch: int
) -> None:
    with pytest.raises(Crash):
        start_worker().next(crash_at=epoch)
    harness = start_worker()
    assert n_to_continue(harness.worker.study) == 1
    assert_undisturbed(harness, harness.next(), expected)


def test_a_changed_option_does_not_change_a_trial_that_goes_on(
    start_worker: StartWorker, expected: list[Metrics]
) -> None:
    with pytest.raises(Crash):
        start_worker().next(crash_at=2)
    harness = start_worker(epochs=9, seed=5)
    assert_undisturbed(harness, harness.next(), expected)


def test_a_damaged_checkpoint_costs_only_its_epochs(
    start_worker: StartWorker, expected: list[Metrics], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Crash):
        start_worker().next(crash_at=3)
    harness = start_worker()
    (file,) = checkpoint_folder(harness).glob("*.ckpt")
    file.write_bytes(file.read_bytes()[:-1])
    assert_undisturbed(harness, harness.next(), expected)
    assert "Trial 0 starts from its first epoch: checkpoint" in caplog.text


def test_an_interruption_puts_the_trial_back_after_its_epoch(
    start_worker: StartWorker, expected: list[Metrics]
) -> None:
    harness = start_worker()
    assert harness.next(stop_at=2) is None
    (waiting,) = harness.worker.study.get_trials()
    assert (waiting.state, len(waiting.intermediate_values)) == (TrialState.WAITING, 2)
    harness = start_worker()
    (child,) = MlflowClient().search_runs(["0"], "tags.`optuna.trial_number` = '0'")
    assert (child.info.status, child.data.tags["optuna.state"]) == ("KILLED", "INTERRUPTED")
    assert_undisturbed(harness, harness.next(), expected)


def test_a_crash_before_the_child_run_was_noted_leaves_no_second_one(
    start_worker: StartWorker, expected: list[Metrics]
) -> None:
    harness = start_worker()
    harness.prepare()
    harness.worker.runs.create("trial-000", {}, {"optuna.trial_number": 0, "optuna.state": "RUNNING"})
    harness = start_worker()
    assert_undisturbed(harness, harness.next(), expected)


@pytest.mark.parametrize("when", ["at the end", "when it is continued"])
def test_a_child_run_of_a_repeated_request_is_deleted(
    when: str, start_worker: StartWorker, expected: list[Metrics]
) -> None:
    harness = start_worker()
    done = harness.next()
    repeated = harness.worker.runs.create("trial-000", {}, {"optuna.trial_number": 0, "optuna.state": "RUNNING"})
    if when == "at the end":
        gather_trials(harness.worker, harness.parent)
    else:
        harness.crash()
        harness = start_worker()
    assert MlflowClient().get_run(repeated).info.lifecycle_stage == "deleted"
    assert_undisturbed(harness, done, expected)


def die_after_telling(harness: WorkerHarness, expected: list[Metrics]) -> FrozenTrial:
    """Run the next trial as a process that is killed when the study knows of its end and the child run does not."""
    trial, runs = harness.prepare().trial, harness.worker.runs
    run_id = runs.create("trial-000", {}, {"optuna.trial_number": 0, "optuna.state": "RUNNING"})
    runs.log_metrics(run_id, expected[0], 1)
    TrialAttributes(run_id=run_id, metrics=tuple(expected)).write(trial.set_user_attr)
    for epoch, metrics in enumerate(expected, 1):
        trial.report(metrics["val_accuracy"], epoch)
    return harness.worker.study.tell(trial, expected[-1]["val_accuracy"])


def test_a_child_run_that_lacks_its_end_is_repaired(start_worker: StartWorker, expected: list[Metrics]) -> None:
    done = die_after_telling(start_worker(), expected)
    assert_undisturbed(start_worker(), done, expected)
    known = TrialAttributes.read(done)
    params = MlflowClient().get_run(known.run_id).data.params
    assert params == {name: str(value) for name, value in (known.hyperparameters or {}).items()}


def test_a_process_that_goes_on_repairs_what_another_one_left(
    start_worker: StartWorker, expected: list[Metrics]
) -> None:
    first = start_worker()
    harness = start_worker(alone=False)
    done = die_after_telling(first, expected)  # after the start of the other one
    gather_trials(harness.worker, harness.parent)
    assert (
        MlflowClient().get_run(TrialAttributes.read(done).run_id).info.status == "RUNNING"
    )  # what it still writes, it will
    first.crash()
    gather_trials(harness.worker, harness.parent)
    assert_undisturbed(harness, done, expected)


def test_a_process_that_goes_on_takes_over_a_child_run_that_was_not_noted(
    start_worker: StartWorker, expected: list[Metrics]
) -> None:
    first = start_worker()
    harness = start_worker(alone=False)
    first.prepare()
    first.worker.runs.create("trial-000", {}, {"optuna.trial_number": 0, "optuna.state": "RUNNING"})
    first.crash()
    done = harness.next()
    gather_trials(harness.worker, harness.parent)
    assert_undisturbed(harness, done, expected)


@pytest.mark.parametrize(("is_image", "epochs"), [(True, EPOCHS), (False, 1)])
def test_after_the_deadline_only_a_trial_that_needs_its_last_epoch_goes_on(
    start_worker: StartWorker, digits: Dataset, is_image: bool, epochs: int
) -> None:
    harness = start_worker(dataset=digits if is_image else replace(digits, image_shape=None))
    trial = run_trial(harness.worker, harness.prepare(), threading.Event(), lambda *_: None, deadline=0.0)
    assert trial is not None
    known = TrialAttributes.read(trial)
    assert (trial.state, known.epochs, len(known.metrics)) == (TrialState.COMPLETE, epochs, epochs)


class PruneAt(optuna.pruners.BasePruner):
    """Prunes at one epoch and keeps which it was asked about."""

    def __init__(self, epoch: int) -> None:
        self.epoch, self.asked = epoch, []

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        self.asked.append(trial.last_step)
        return trial.last_step == self.epoch


def test_epochs_that_were_judged_are_not_judged_again(start_worker: StartWorker, tracking: Path) -> None:
    with pytest.raises(Crash):
        start_worker().next(crash_at=3)  # epoch 3 is reported, and not yet judged
    for file in (tracking / "checkpoints").iterdir():
        file.unlink()  # so that epochs 1 to 3 are trained again
    pruner = PruneAt(3)
    trial = start_worker(pruner).next()
    assert trial is not None
    assert (trial.state, pruner.asked, list(trial.intermediate_values)) == (TrialState.PRUNED, [3], [1, 2, 3])


def test_a_folder_that_takes_no_checkpoint_costs_the_checkpoint_only(
    start_worker: StartWorker, expected: list[Metrics], caplog: pytest.LogCaptureFixture
) -> None:
    harness = start_worker()
    checkpoint_folder(harness).touch()  # a file where the folder should be
    trial = harness.next()
    assert "Trial 0 goes on without a checkpoint" in caplog.text
    assert_undisturbed(harness, trial, expected)


def test_a_trial_that_was_taken_over_is_left_alone(start_worker: StartWorker, expected: list[Metrics]) -> None:
    sleeper = start_worker()
    job = sleeper.prepare()
    harness = start_worker()  # the first worker seems dead
    done = harness.next()
    sleeper.clock.ahead = 3600
    awake = replace(sleeper.worker, runs=harness.worker.runs)
    assert run_trial(awake, job, threading.Event(), lambda *_: None) is None
    assert done is not None
    assert [t.values for t in harness.worker.study.get_trials()] == [done.values]
    assert len(MlflowClient().search_runs(["0"], "tags.`optuna.trial_number` = '0'")) == 1


def test_a_trial_that_was_taken_over_is_not_suggested_by_the_process_that_lost_it(
    start_worker: StartWorker, expected: list[Metrics]
) -> None:
    sleeper = start_worker()
    trial = sleeper.ask()
    harness = start_worker()  # the first worker seems dead
    taken_over = harness.ask()
    sleeper.clock.ahead = 3600
    with pytest.raises(Lost):
        prepare(sleeper.worker, trial)
    assert TrialAttributes.read(harness.worker.study.trials[0]).hyperparameters is None
    done = run_trial(harness.worker, prepare(harness.worker, taken_over), threading.Event(), lambda *_: None)
    assert_undisturbed(harness, done, expected)
    with pytest.raises(Lost):
        prepare(sleeper.worker, trial)


def test_a_study_is_not_continued_with_other_data(start_worker: StartWorker, context: TrialContext) -> None:
    harness = start_worker()
    other = replace(context.dataset, digest="other")
    with pytest.raises(InputError, match="study_name must be new for other data, got 's'"):
        continue_study(replace(harness.worker, context=replace(context, dataset=other)), harness.parent)


class BrokenRuns(TrialRuns):
    """A tracking store whose client has a fault."""

    def create(self, *_: object) -> str:
        raise ValueError("no run")


BAD_POINTS = {
    "no such choice": {"optimizer": "lion"},
    "no number": {"units_0": "many"},
    "not a number": {"learning_rate": math.nan},
    "beyond the range": {"units_0": 10**6},
    "below the range": {"learning_rate": -1.0},
    "no whole number of layers": {"n_layers": 99},
    "nothing": {"optimizer": None},
    "a list": {"batch_size": [64]},
}


def test_a_bad_point_by_hand_fails_by_itself_and_says_why(start_worker: StartWorker) -> None:
    harness = start_worker()
    study = harness.worker.study
    assert harness.next() is not None
    for point in BAD_POINTS.values():
        study.enqueue_trial(point)
    for _ in BAD_POINTS:
        ended = harness.next()
        assert ended is not None
        assert ended.state == TrialState.FAIL
        assert TrialAttributes.read(ended).error.startswith("ValueError: its point cannot be tried: ")
    study.enqueue_trial({"unknown": 1})
    last = harness.next()
    assert last is not None
    assert last.state == TrialState.COMPLETE
    harness.worker.runs.close()
    failed = MlflowClient().search_runs(["0"], "attributes.status = 'FAILED'")
    assert len(failed) == len(BAD_POINTS)
    assert all("cannot be tried" in child.data.tags["error"] for child in failed)
    result = result_of(study, harness.worker.context, "data", None, "", ())
    assert len(result.study().trials) == len(BAD_POINTS) + 2


def test_a_study_goes_on_without_the_tune_runs_that_are_gone(start_worker: StartWorker) -> None:
    first = start_worker()
    assert first.next() is not None
    first.worker.runs.close()
    study, client = first.worker.study, MlflowClient()
    mlflow.end_run()
    client.delete_run(first.parent.info.run_id)
    study.set_user_attr(TUNE_RUNS, ["0" * 32, *study.user_attrs[TUNE_RUNS]])  # that of another tracking store
    second = start_worker()
    said = continue_study(second.worker, second.parent)
    assert said == [
        f"Gone: the tune run {run_id} is deleted, or of another tracking store"
        for run_id in ("0" * 32, first.parent.info.run_id)
    ]
    third = start_worker()
    tags = client.get_run(third.parent.info.run_id).data.tags
    assert tags["pipeline.continues"] == second.parent.info.run_id
    assert "pipeline.continued_by" not in client.get_run(first.parent.info.run_id).data.tags


def test_settings_that_changed_since_are_said(start_worker: StartWorker) -> None:
    harness = start_worker()
    assert harness.next() is not None
    plan = SimpleNamespace(max_epochs=EPOCHS + 1, seed=0, precision="bfloat16")
    assert changed_settings(plan, harness.worker.study) == [
        "Settings: max_epochs was 4 for 1 of the earlier trials, which keep it, and is 5 for new ones",
        "Settings: precision was float32 for 1 of the earlier trials, which keep it, and is bfloat16 for new ones",
    ]
    (record,) = records_of(harness.worker.study)
    assert record.max_epochs == EPOCHS


def test_an_error_outside_training_is_not_a_failed_trial(start_worker: StartWorker) -> None:
    harness = start_worker()
    broken = replace(harness.worker, runs=BrokenRuns(harness.parent))
    with pytest.raises(ValueError, match="no run"):
        run_trial(broken, harness.prepare(), threading.Event(), lambda *_: None)
    assert [trial.state for trial in harness.worker.study.get_trials()] == [TrialState.RUNNING]


def test_a_trial_of_a_table_is_judged_at_its_best_epoch_and_ends_when_none_follows(
    start_worker: StartWorker, context: TrialContext
) -> None:
    table = replace(context.dataset, image_shape=None)

    def ended(*crashes: int) -> FrozenTrial:
        for epoch in crashes:
            with pytest.raises(Crash):
                start_worker(dataset=table, epochs=60).next(crash_at=epoch)
        trial = start_worker(dataset=table, epochs=60).next()
        assert trial is not None
        return trial

    known = TrialAttributes.read(trial := ended(8, 20))
    losses, curve = ([metrics[key] for metrics in known.metrics] for key in ("val_log_loss", "val_accuracy"))
    best = [losses.index(min(losses[:epoch])) for epoch in range(1, len(losses) + 1)]
    assert trial.values == [curve[best[-1]]]
    assert known.epochs == 1 + best[-1]
    assert len(curve) == min(60, known.epochs + 16)
    assert trial.intermediate_values == {epoch: curve[i] for epoch, i in enumerate(best, 1)}
    assert known.measures is not None
    assert known.measures["accuracy_low"] < trial.values[0] < known.measures["accuracy_high"]  # of that epoch's outputs
    trainer = replace(context, dataset=table, epochs=60).trainer(
        MLPConfig.from_hyperparameters(known.hyperparameters or {})
    )
    outputs = [trainer.run_epoch().outputs for _ in range(known.epochs)][-1]
    assert outputs is not None
    score = context.task.primary.measure(table.splits["validation"].targets, outputs)
    assert (known.measures["accuracy_low"], known.measures["accuracy_high"]) == (score.low, score.high)
    np.testing.assert_array_equal(read_outputs(known.run_id), outputs, strict=True)
    assert row_of(trial, replace(context, dataset=table)).score == score
