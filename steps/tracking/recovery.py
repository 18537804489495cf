"""Recovery of the tracking store after a crash: runs that are RUNNING without a process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import mlflow
from mlflow.entities import LifecycleStage, Run
from mlflow.tracking import MlflowClient

from steps.tracking.absent import if_exists
from steps.tracking.paging import pages
from steps.tracking.process import Process
from steps.tracking.tags import (
    CONTINUED_BY_TAG,
    CONTINUES_TAG,
    ERROR_TAG,
    FIRST_PARENT_TAG,
    INTERRUPTED,
    NOTE_TAG,
    PARENT_TAG,
    PROCESS_TAG,
    STATE_TAG,
    TRIAL_NUMBER_TAG,
)

_DIED = "its process died"


@dataclass(frozen=True)
class ChildRun:
    """A trial's run in the tracking store; `first_parent` is the tune run that created it."""

    run_id: str
    trial_number: int
    status: str
    state: str
    parent: str
    first_parent: str


def child_runs(experiment: str, parents: Sequence[str], *, unfinished: bool = False) -> list[ChildRun]:
    """Runs of trials below any of these tune runs; optionally only those that are not FINISHED."""
    found = []
    only = " AND attributes.status != 'FINISHED'" if unfinished else ""
    for parent in parents:
        for run in _search(experiment, f"tags.`{PARENT_TAG}` = '{parent}'{only}"):
            tags = run.data.tags
            if number := tags.get(TRIAL_NUMBER_TAG, ""):
                first = tags.get(FIRST_PARENT_TAG, parent)
                state = tags.get(STATE_TAG, "")
                found.append(ChildRun(run.info.run_id, int(number), run.info.status, state, parent, first))
    return found


def end_dead_runs(experiment: str) -> None:
    """End the runs of steps whose process on this host is gone, and mark their trials as to be continued."""
    for run in _search(experiment, "attributes.status = 'RUNNING'"):
        process = Process.parse(run.data.tags.get(PROCESS_TAG, ""))
        if process and process.is_gone():
            end_dead_run(run)


def end_dead_run(run: Run) -> None:
    """End one run as FAILED, its running trials first, so that the run is found again after a crash in between."""
    client = MlflowClient()
    query = f"tags.`{PARENT_TAG}` = '{run.info.run_id}' AND attributes.status = 'RUNNING'"
    for child in _search(run.info.experiment_id, query):
        if TRIAL_NUMBER_TAG in child.data.tags:
            client.set_tag(child.info.run_id, STATE_TAG, INTERRUPTED)
            client.set_terminated(child.info.run_id, "KILLED")
    client.set_tag(run.info.run_id, ERROR_TAG, _DIED)
    client.set_terminated(run.info.run_id, "FAILED")


def link(run_id: str, earlier: str, study: str) -> None:
    """Record on two tune runs of one study that the first continues the second."""
    client = MlflowClient()
    client.set_tag(run_id, CONTINUES_TAG, earlier)
    client.set_tag(run_id, NOTE_TAG, f"Continues study `{study}` of run `{earlier}`; its trials are here.")
    client.set_tag(earlier, CONTINUED_BY_TAG, run_id)
    client.set_tag(earlier, NOTE_TAG, f"Study `{study}` is continued by run `{run_id}`; its trials are there.")


def get_runs(run_ids: Sequence[str]) -> list[Run]:
    """The existing runs among these; deleted ones are left out."""
    found = (if_exists(mlflow.get_run, run_id) for run_id in run_ids)
    return [run for run in found if run is not None and run.info.lifecycle_stage == LifecycleStage.ACTIVE]


def _search(experiment: str, query: str) -> Iterator[Run]:
    return pages(MlflowClient().search_runs, [experiment], query)
