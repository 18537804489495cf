from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from steps.tracking.retry import FifoLock
from steps.tracking.trials import TrialRuns


def test_children_of_many_threads_are_complete_and_ended(tracking: Path) -> None:
    client = MlflowClient()
    with mlflow.start_run() as parent:
        runs = TrialRuns(parent)

        def trial(number: int) -> None:
            run_id = runs.create(f"trial-{number:03d}", {"units_0": number}, {"optuna.trial_number": number})
            for epoch in range(1, 21):
                runs.log_metrics(run_id, {"val_accuracy": number + epoch / 100}, epoch)
            runs.end(run_id, ("FINISHED", "KILLED", "FAILED")[number % 3], {"optuna.state": "ended"})

        threads = [threading.Thread(target=trial, args=(number,)) for number in range(9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        runs.close()
    children = client.search_runs(
        [parent.info.experiment_id],
        f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'",
        order_by=["tags.`mlflow.runName`"],
    )
    assert [run.info.run_name for run in children] == [f"trial-{n:03d}" for n in range(9)]
    for number, run in enumerate(children):
        assert run.info.status == ("FINISHED", "KILLED", "FAILED")[number % 3]
        assert run.data.params == {"units_0": str(number)}
        assert run.data.tags["optuna.state"] == "ended"
        history = client.get_metric_history(run.info.run_id, "val_accuracy")
        assert [(m.step, m.value) for m in history] == [(e, number + e / 100) for e in range(1, 21)]


def test_a_store_that_refuses_is_reported(tracking: Path) -> None:
    with mlflow.start_run() as parent:
        runs = TrialRuns(parent)
        runs.log_metrics("0" * 32, {"val_accuracy": 1.0}, 1)
        with pytest.raises(MlflowException):
            runs.close()


def test_a_run_that_lacks_a_metric_does_not_end_as_if_it_were_whole(tracking: Path) -> None:
    with mlflow.start_run() as parent:
        runs = TrialRuns(parent)
        run_id = runs.create("trial-000", {}, {"optuna.trial_number": 0})
        runs.log_metrics(run_id, {"a#b": 1.0}, 1)  # which the store refuses
        runs.log_metrics(run_id, {"val_accuracy": 1.0}, 2)
        runs.end(run_id, "FINISHED", {"optuna.state": "COMPLETE"})
        with pytest.raises(MlflowException):
            runs.close()
    run = MlflowClient().get_run(run_id)
    assert (run.info.status, run.data.tags["optuna.state"], run.data.metrics) == ("KILLED", "INTERRUPTED", {})


def test_what_comes_together_is_one_request(tracking: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    log_batch = MlflowClient.log_batch

    def listen(client: MlflowClient, run_id: str, **content: Any) -> None:
        sent.append({kind: len(items) for kind, items in content.items()})
        log_batch(client, run_id, **content)

    monkeypatch.setattr(MlflowClient, "log_batch", listen)
    with mlflow.start_run() as parent:
        runs = TrialRuns(parent)
        run_id = runs.create("trial-000", {"units_0": 3}, {"optuna.trial_number": 0})
        for epoch in range(1, 6):
            runs.log_metrics(run_id, {"val_accuracy": 0.9}, epoch)
        runs.log_params(run_id, {"units_0": 3})  # MLflow takes no batch with the same one twice
        runs.end(run_id, "FINISHED", {"optuna.state": "COMPLETE"})
        runs.close()
    assert sum(batch["metrics"] for batch in sent) == 5
    assert len(sent) < 5
    assert MlflowClient().get_run(run_id).data.params == {"units_0": "3"}


def test_who_waits_for_a_turn_is_not_overtaken() -> None:
    turns, order = FifoLock(), []
    begun, go_on = threading.Event(), threading.Event()

    def first() -> None:
        begun.set()
        go_on.wait()
        order.append("first")

    def one_after_another() -> None:
        turns(first)()
        turns(order.append)("third")

    busy = threading.Thread(target=one_after_another)
    busy.start()
    begun.wait()
    waiting = threading.Thread(target=turns(order.append), args=("second",))
    waiting.start()
    while not turns._first_in_line.locked():
        time.sleep(0.001)
    go_on.set()
    busy.join()
    waiting.join()
    assert order == ["first", "second", "third"]
