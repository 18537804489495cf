"""Child runs of a study: one per trial, written in the background while the trials train."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

logger = logging.getLogger(__name__)

_INHERITED = ("mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit")
_MAX_BATCH = 900  # MLflow takes at most 1,000 metrics in one request


@dataclass
class _Batch:
    """What is still to be written to one run."""

    metrics: list[Metric] = field(default_factory=list)
    tags: list[RunTag] = field(default_factory=list)
    end: tuple[str, int] | None = None


class TrialRuns:
    """Writes child runs of one parent; every method may be called from any thread and returns at once.

    One background thread sends what has come together since its last request, in order and in one
    batch per run. `close` returns when all is written.
    """

    def __init__(self, parent: Run) -> None:
        self._client = MlflowClient()
        self._parent = parent
        self._queue: queue.SimpleQueue[tuple[str, _Batch] | None] = queue.SimpleQueue()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="trial-runs", daemon=True)
        self._thread.start()

    def create(self, name: str, parameters: Mapping[str, object], tags: Mapping[str, object]) -> str:
        """Create a child run with its parameters (this one waits for the store); returns its ID."""
        self.check()
        inherited = {key: value for key, value in self._parent.data.tags.items() if key in _INHERITED}
        run = self._client.create_run(
            self._parent.info.experiment_id,
            run_name=name,
            tags={
                **inherited,
                **{key: str(value) for key, value in tags.items()},
                MLFLOW_PARENT_RUN_ID: self._parent.info.run_id,
            },
        )
        run_id = str(run.info.run_id)
        self._client.log_batch(run_id, params=[Param(key, str(value)) for key, value in parameters.items()])
        return run_id

    def log_metrics(self, run_id: str, metrics: Mapping[str, float], step: int) -> None:
        now = _milliseconds()
        self._queue.put((run_id, _Batch(metrics=[Metric(key, value, now, step) for key, value in metrics.items()])))

    def end(self, run_id: str, status: str, tags: Mapping[str, object]) -> None:
        """End the run, after all that was logged to it, as FINISHED, KILLED or FAILED."""
        entries = [RunTag(key, str(value)) for key, value in tags.items()]
        self._queue.put((run_id, _Batch(tags=entries, end=(status, _milliseconds()))))

    def check(self) -> None:
        """Raise what the background thread met, if anything."""
        if self._error:
            raise self._error

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()
        self.check()

    def _work(self) -> None:
        open_ = True
        while open_:
            items = [self._queue.get()]
            while not self._queue.empty() and len(items) < _MAX_BATCH // 3:
                items.append(self._queue.get())
            open_ = None not in items
            batches: dict[str, _Batch] = {}
            for run_id, item in (item for item in items if item):
                batch = batches.setdefault(run_id, _Batch())
                batch.metrics += item.metrics
                batch.tags += item.tags
                batch.end = item.end or batch.end
            for run_id, batch in batches.items():
                self._write(run_id, batch)

    def _write(self, run_id: str, batch: _Batch) -> None:
        try:
            self._client.log_batch(run_id, metrics=batch.metrics, tags=batch.tags)
            if batch.end:
                self._client.set_terminated(run_id, *batch.end)
        except (MlflowException, OSError) as error:
            logger.error("Child run %s could not be written: %s", run_id, error)
            self._error = error


def _milliseconds() -> int:
    return int(time.time() * 1000)
