"""A study on a Dask cluster: each worker process joins the tune run; Dask only places them.

All shared state is in the study's database: if a worker joins late, leaves or dies, or the scheduler restarts, trials
are merely delayed.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click
import mlflow
from distributed import Client, Future, LocalCluster
from distributed.comm.core import CommClosedError

from steps.base.environment import TRACKING_URI
from steps.base.errors import InputError, StepError
from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.tracking.retry import wait_for_locks

logger = logging.getLogger(__name__)

PATIENCE = 120.0  # seconds to wait for an unreachable scheduler
_POLL = 0.5  # seconds
_CONNECT = 10.0  # seconds
_MAX_FAILURES = 3  # failures of a worker, after which it is no longer asked
_ABSENT = (OSError, TimeoutError, CommClosedError)
_ALONE = threading.Lock()
_OWN_TRACKING_URI = os.environ.get(TRACKING_URI, "")


def join_from_dask(tune_run_id: str, n_jobs: int, cores: int, tracking_uri: str) -> str:
    """The task of a worker process of a Dask cluster: `join`, for one tune run at a time.

    The task is sent as the name of this function with plain arguments, so a worker runs the code of its own
    installation.

    Args:
        cores: Cores that Dask has given this worker.
        tracking_uri: Tracking URI without credentials; the worker's own `MLFLOW_TRACKING_URI` takes precedence.
    """
    quiet_libraries()
    with _ALONE:  # TensorFlow's threads and memory serve one run at a time
        import_tensorflow()
        from steps.search.join import join  # late, because it imports TensorFlow too

        wait_for_locks()
        mlflow.set_tracking_uri(_OWN_TRACKING_URI or tracking_uri)
        return join(tune_run_id, n_jobs, cores=cores, quiet=True)


class DaskWorkers:
    """Has every worker process of a cluster join one tune run until its study is over.

    Attributes:
        stopped_by: The first reason to end the study, as of `steps.search.trials.workers.Workers`.
    """

    def __init__(
        self,
        address: str,
        tune_run_id: str,
        *,
        n_jobs: int,
        cores: int,
        tracking_uri: str,
        on_interruption: Callable[[], None],
        withdraw: Callable[[], None],
    ) -> None:
        """
        Args:
            address: Address of the scheduler; empty to start a cluster on this machine.
            n_jobs: Parallel trials in each worker process; 0: one per Dask thread.
            cores: Cores of this machine, for a cluster that is started here.
            tracking_uri: Tracking URI without credentials.
            withdraw: Makes all joined processes return their trials to the queue and leave.
        """
        self._address, self._tune_run_id = address, tune_run_id
        self._n_jobs, self._cores, self._tracking_uri = n_jobs, cores, tracking_uri
        self._on_interruption, self._withdraw = on_interruption, withdraw
        self._joined: dict[str, Future] = {}  # address of a worker -> its call of `join`
        self._failures: dict[str, int] = {}
        self._error: BaseException | None = None
        self.stopped_by = ""

    def run(self) -> None:
        """Run to the end of the study.

        Raises:
            KeyboardInterrupt: Raised after the workers have returned their trials to the queue.
            StepError: The scheduler stays unreachable, or every worker fails.
        """
        with self._cluster() as address:
            client = self._connect(address)
            try:
                while not self._is_over():
                    try:
                        self._place(client)
                    except _ABSENT:
                        client = self._connect_again(client, address)
                    time.sleep(_POLL)
            except KeyboardInterrupt:
                self._on_interruption()
                self._withdraw()
                while any(future.status == "pending" for future in self._joined.values()):
                    time.sleep(_POLL)
                raise
            finally:
                with suppress(*_ABSENT):
                    client.close(timeout=_CONNECT)

    def _place(self, client: Client) -> None:
        """Ask each new worker to join, and forget those that are gone.

        Raises:
            OSError: The scheduler does not answer.
        """
        if client.status != "running":
            raise CommClosedError("the connection to the scheduler is closed")
        workers: dict[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
        for gone in self._joined.keys() - workers.keys():
            self._joined.pop(gone).cancel()
        for worker, about in workers.items():
            if worker not in self._joined and self._failures.get(worker, 0) < _MAX_FAILURES:
                cores = about["nthreads"]
                self._joined[worker] = client.submit(
                    join_from_dask, self._tune_run_id, self._n_jobs or cores, cores, self._tracking_uri,
                    workers=[worker], allow_other_workers=False, pure=False, key=f"tune-{uuid.uuid4().hex}",
                )  # fmt: skip

    def _is_over(self) -> bool:
        """Return whether a worker has reported the end of the study and none is still running trials."""
        for worker, future in list(self._joined.items()):
            if future.status == "finished":
                reason = future.result(timeout=_CONNECT)
                self.stopped_by = self.stopped_by or reason
                if not reason:  # the worker took this process for dead; it may join again
                    del self._joined[worker]
            elif future.status == "error":
                self._failed(worker, future.exception(timeout=_CONNECT))
        at_work = any(future.status == "pending" for future in self._joined.values())
        if self._error and not at_work and not self.stopped_by:
            raise StepError(f"no worker could run trials: {self._error}")
        return bool(self.stopped_by) and not at_work

    def _failed(self, worker: str, error: BaseException) -> None:
        del self._joined[worker]
        self._failures[worker] = self._failures.get(worker, 0) + 1
        self._error = error
        if isinstance(error, ModuleNotFoundError):
            self._error = StepError(f"{error}; a Dask worker needs this project installed (pip install .)")
        if isinstance(error, ModuleNotFoundError | InputError):  # it would be the same the next time
            self._failures[worker] = _MAX_FAILURES
        logger.warning("The worker %s failed: %s", worker, self._error)

    def _connect(self, address: str) -> Client:
        deadline, told = time.monotonic() + PATIENCE, False
        while True:
            try:
                return Client(address, timeout=_CONNECT, set_as_default=False)
            except _ABSENT as error:
                if not told:
                    logger.warning("The Dask scheduler at %s does not answer, trying again", address)
                    told = True
                if time.monotonic() > deadline:
                    raise StepError(f"the Dask scheduler at {address} does not answer: {error}") from error
            time.sleep(_POLL)

    def _connect_again(self, client: Client, address: str) -> Client:
        logger.warning("The Dask scheduler at %s is gone; the study goes on when it is back", address)
        self._joined.clear()
        with suppress(*_ABSENT):
            client.close(timeout=_CONNECT)
        return self._connect(address)

    @contextmanager
    def _cluster(self) -> Iterator[str]:
        """The address of the given cluster, or of one that lives as long as the block."""
        if self._address:
            yield self._address
            return
        threads = self._n_jobs or 1
        try:
            started = LocalCluster(
                n_workers=max(1, self._cores // threads), threads_per_worker=threads, host="127.0.0.1",
                dashboard_address="127.0.0.1:0", memory_limit=0, silence_logs=logging.ERROR,
            )  # fmt: skip
        except RuntimeError as error:
            raise StepError(f"Dask cannot start a cluster on this machine: {error}; see its settings") from error
        with started as cluster:
            click.echo(
                f"Dask: {len(cluster.workers)} worker processes on this machine, {threads} trials at once in each"
            )
            yield cluster.scheduler_address
