"""Child runs of a study: one per trial, written in the background while the trials train."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping

import mlflow
from mlflow.entities import Metric, Param, Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from steps.base.retry import Arguments, Result
from steps.tracking.absent import if_exists
from steps.tracking.pending_writes import PendingWrites, run_tags
from steps.tracking.retry import FifoLock, first_line, retrying
from steps.tracking.tags import FIRST_PARENT_TAG, INTERRUPTED, PARENT_TAG, STATE_TAG, TRIAL_NUMBER_TAG

logger = logging.getLogger(__name__)

_INHERITED = ("mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit")
_LAST_WORDS = 10.0  # seconds
_LAST_REQUEST = 2.0  # seconds, after which a server has answered the last requests of a killed process
_GATHER = 0.5  # seconds; one request per epoch would be most of the cost of a child run
_MAX_BATCH = 900  # MLflow accepts at most 1,000 metrics in one request


def _never() -> bool:
    return False


class TrialRuns:
    """Writes child runs of one parent; every method may be called from any thread and returns at once.

    A background thread sends the writes of each half second, in order and in one batch per run.
    `close` returns when everything is written.

    Attributes:
        interrupted: Whether `interrupt` has ended a run.
    """

    def __init__(self, parent: Run) -> None:
        self._client = MlflowClient()
        in_turn = FifoLock() if mlflow.get_tracking_uri().startswith("sqlite") else _at_once
        self._create_run = in_turn(self._client.create_run)
        self._log_batch = in_turn(self._client.log_batch)
        self._set_terminated = in_turn(self._client.set_terminated)
        self.interrupted = False
        self._parent = parent
        self._queue: queue.SimpleQueue[tuple[str, PendingWrites] | None] = queue.SimpleQueue()
        self._error: Exception | None = None
        self._known: dict[str, set[tuple[str, int]]] = {}  # resumed run -> (metric, step) pairs that it already has
        self._resumed: dict[str, float] = {}  # run -> time at which its metrics are looked up
        self._open: set[str] = set()
        self._incomplete: set[str] = set()  # runs for which a request failed
        self._lost: dict[str, Callable[[], bool]] = {}
        self._written = threading.Event()
        threading.Thread(target=self._work, name="trial-runs", daemon=True).start()

    def create(
        self, name: str, parameters: Mapping[str, object], tags: Mapping[str, object], lost: Callable[[], bool] = _never
    ) -> str:
        """Create a child run and return its ID; unlike the other methods, this one waits for the store.

        Args:
            lost: Called before each request; True if another process has taken over the run: nothing is written then.
        """
        self.check()
        inherited = {key: value for key, value in self._parent.data.tags.items() if key in _INHERITED}
        run = retrying(self._create_run)(
            self._parent.info.experiment_id,
            run_name=name,
            tags={
                **inherited,
                **{key: str(value) for key, value in tags.items()},
                PARENT_TAG: self._parent.info.run_id,
            },
        )
        run_id = str(run.info.run_id)
        self.log_params(run_id, parameters)
        self._open.add(run_id)
        self._lost[run_id] = lost
        return run_id

    def find(self, trial_number: int, parents: Iterable[str]) -> str | None:
        """ID of the child run that an earlier process created for a trial, below this parent or one of these."""
        for parent in {self._parent.info.run_id, *parents}:
            query = f"tags.`{PARENT_TAG}` = '{parent}' AND tags.`{TRIAL_NUMBER_TAG}` = '{trial_number}'"
            if found := self._client.search_runs([self._parent.info.experiment_id], query, max_results=1):
                return str(found[0].info.run_id)
        return None

    def resume(
        self,
        run_id: str,
        parameters: Mapping[str, object],
        tags: Mapping[str, object],
        lost: Callable[[], bool] = _never,
    ) -> bool:
        """Reopen a child run unless it was deleted; metrics that it already has are not logged again."""
        self.check()
        run = if_exists(retrying(self._client.get_run), run_id)
        if run is None or run.info.lifecycle_stage != "active":
            return False
        self._resumed[run_id] = time.monotonic()
        self.log_params(run_id, parameters)
        retrying(self._log_batch)(run_id, tags=run_tags(tags))
        retrying(self._client.update_run)(run_id, status="RUNNING")
        self._open.add(run_id)
        self._lost[run_id] = lost
        return True

    def remember(self, run_id: str) -> None:
        """Look up the metrics of a run, so that `log_metrics` adds only missing ones."""
        keys = retrying(self._client.get_run)(run_id).data.metrics
        self._known[run_id] = {
            (key, metric.step) for key in keys for metric in self._client.get_metric_history(run_id, key)
        }

    def delete(self, run_id: str) -> None:
        """Delete a child run without a trial; MLflow keeps it, marked as deleted."""
        retrying(self._client.delete_run)(run_id)

    def move(self, run_id: str, parent: str, first_parent: str) -> None:
        """Move a child run below another tune run; a tag keeps the original one."""
        tags = {PARENT_TAG: parent, FIRST_PARENT_TAG: first_parent}
        self._queue.put((run_id, PendingWrites(tags=run_tags(tags))))

    def log_params(self, run_id: str, parameters: Mapping[str, object]) -> None:
        """Log parameters; existing ones stay unchanged."""
        self._queue.put((run_id, PendingWrites(params={key: str(value) for key, value in parameters.items()})))

    def log_metrics(self, run_id: str, metrics: Mapping[str, float], step: int) -> None:
        now = _milliseconds()
        self._queue.put(
            (run_id, PendingWrites(metrics=[Metric(key, value, now, step) for key, value in metrics.items()]))
        )

    def end(self, run_id: str, status: str, tags: Mapping[str, object]) -> None:
        """End the run as FINISHED, KILLED or FAILED, after everything logged to it has been written."""
        self._open.discard(run_id)
        self._queue.put((run_id, PendingWrites(tags=run_tags(tags), end=(status, _milliseconds()))))

    def leave(self, run_id: str) -> None:
        """Stop writing to a run that another process has taken over."""
        self._open.discard(run_id)
        self._lost[run_id] = lambda: True

    def flush(self) -> None:
        """Return when all writes requested so far are done or have failed."""
        written = threading.Event()
        self._queue.put(("", PendingWrites(written=written)))
        while not (written.wait(0.2) or self._written.is_set()):
            pass

    def interrupt(self) -> None:
        """End all open runs, marked as runs of trials to be continued."""
        for run_id in list(self._open):
            self.interrupted = True
            self.end(run_id, "KILLED", {STATE_TAG: INTERRUPTED})

    def check(self) -> None:
        """Raise the error of the background thread, if there was one."""
        if self._error:
            raise self._error

    def close(self) -> None:
        """Return when everything is written; an interruption meanwhile waits a few seconds for this."""
        self._queue.put(None)
        try:
            self._written.wait()
        except KeyboardInterrupt:
            self._written.wait(_LAST_WORDS)
            raise
        self.check()

    def _work(self) -> None:
        try:
            while self._write_next():
                pass
        finally:
            self._written.set()

    def _write_next(self) -> bool:
        """Write the pending writes; False if those were the last."""
        items = [self._queue.get()]
        until = time.monotonic() + _GATHER
        while not _is_awaited(items[-1]) and len(items) < _MAX_BATCH // 3:
            try:
                items.append(self._queue.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                break
        batches: dict[str, PendingWrites] = {}
        for run_id, item in filter(None, items):
            batch = batches.setdefault(run_id, PendingWrites())
            batch.params |= item.params
            batch.metrics += item.metrics
            batch.tags += item.tags
            batch.end = item.end or batch.end
        for run_id, batch in batches.items():
            if not self._lost.get(run_id, _never)():
                self._write(run_id, batch)
        for _, item in filter(None, items):
            if item.written:
                item.written.set()
        return None not in items

    def _write(self, run_id: str, batch: PendingWrites) -> None:
        log, end = self._log_batch, self._set_terminated
        if not self._error:  # do not wait again for a store that did not answer
            log, end = retrying(log), retrying(end)
        if run_id in self._incomplete:
            batch = batch.without_result()
        try:
            if batch.metrics:
                batch.metrics = self._new(run_id, batch.metrics)
            if batch.params or batch.metrics or batch.tags:
                params = [Param(key, value) for key, value in batch.params.items()]
                log(run_id, params=params, metrics=batch.metrics, tags=batch.tags)
            if batch.end:
                end(run_id, *batch.end)
        except (MlflowException, OSError) as error:
            logger.warning("Child run %s could not be written: %s", run_id, first_line(error))
            self._error = error
            if run_id not in self._incomplete:
                self._incomplete.add(run_id)
                self._write(run_id, batch)

    def _new(self, run_id: str, metrics: list[Metric]) -> list[Metric]:
        """The metrics that the run lacks; a resumed run is looked up once its dead process can no longer write."""
        if run_id in self._resumed:
            if str(mlflow.get_tracking_uri()).startswith("http"):  # a server may still process its last request
                time.sleep(max(0.0, self._resumed[run_id] + _LAST_REQUEST - time.monotonic()))
            self.remember(run_id)
            del self._resumed[run_id]
        known = self._known.get(run_id, ())
        return [metric for metric in metrics if (metric.key, metric.step) not in known]


def _is_awaited(item: tuple[str, PendingWrites] | None) -> bool:
    """Return whether a caller waits for everything up to this item: for the end, or for a flush."""
    return item is None or item[1].written is not None


def _at_once(call: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    return call


def _milliseconds() -> int:
    return int(time.time() * 1000)
