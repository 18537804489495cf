"""Outputs of the best trials and of the default, kept while a study goes on: for ensembles and for the selection."""

from __future__ import annotations

import logging
from collections.abc import Set

import numpy as np
from mlflow.exceptions import MlflowException

from steps.base.redaction import redact
from steps.search.selection import default_of, ranked
from steps.search.store.outputs import N_KEPT, delete_outputs, write_outputs
from steps.search.store.records import TrialRecord, records_of
from steps.search.trials.context import WorkerContext
from steps.tracking.retry import first_line

logger = logging.getLogger(__name__)


def keep_outputs(worker: WorkerContext, run_id: str, outputs: np.ndarray, value: float) -> Set[str]:
    """Keep the outputs of a trial that is about to be complete, if it is among the best so far.

    They are written before the study knows that the trial is complete: however the process dies, the best complete
    trials have their outputs. A failure is only logged.

    Args:
        run_id: Run of the trial.
        outputs: (n, n_outputs) for the validation rows of all folds in order, after the epoch by which it is judged.
        value: Its value in the primary metric.

    Returns:
        IDs of the runs that now have outputs; empty if those of this trial are not kept.
    """
    best, primary = _best(worker), worker.context.primary
    if len(best) == N_KEPT and primary.sign * value >= primary.sign * best[-1].measures[primary.name]:
        return set()
    try:
        write_outputs(run_id, outputs)
    except (MlflowException, OSError) as error:
        logger.warning("The outputs of a trial could not be kept for ensembles: %s", redact(first_line(error)))
    return {run_id, *(record.trial_run_id for record in best)}


def drop_outputs(worker: WorkerContext, kept: Set[str]) -> None:
    """Delete the outputs of those of these runs whose trials are no longer among the best; a failure is only logged.

    If two processes end a trial at the same moment, the outputs of one trial too many may stay.
    """
    if not kept:
        return
    default = default_of(records_of(worker.study), worker.context.space)
    wanted = {record.trial_run_id for record in (*_best(worker), default) if record is not None}
    for run_id in kept - wanted:
        try:
            delete_outputs(run_id)
        except (MlflowException, OSError) as error:
            logger.warning("The outputs of a trial could not be deleted: %s", redact(first_line(error)))


def _best(worker: WorkerContext) -> list[TrialRecord]:
    """The best complete trials by the primary metric, at most `N_KEPT`, the best first."""
    return ranked(records_of(worker.study), worker.context.primary)[:N_KEPT]
