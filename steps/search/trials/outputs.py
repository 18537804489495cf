"""Outputs of the best trials, kept while a study goes on: ensembles are mixed from them."""

from __future__ import annotations

import logging
from collections.abc import Set

import numpy as np
from mlflow.exceptions import MlflowException

from steps.base.redaction import redact
from steps.search.selection import ranked
from steps.search.store.outputs import N_KEPT, delete_outputs, write_outputs
from steps.search.store.records import records_of
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
    best, sign = _best(worker), worker.context.primary.sign
    if len(best) == N_KEPT and sign * value >= sign * best[-1][1]:
        return set()
    try:
        write_outputs(run_id, outputs)
    except (MlflowException, OSError) as error:
        logger.warning("The outputs of a trial could not be kept for ensembles: %s", redact(first_line(error)))
    return {run_id, *(kept for kept, _ in best)}


def drop_outputs(worker: WorkerContext, kept: Set[str]) -> None:
    """Delete the outputs of those of these runs whose trials are no longer among the best; a failure is only logged.

    If two processes end a trial at the same moment, the outputs of one trial too many may stay.
    """
    if not kept:
        return
    for run_id in kept - {best for best, _ in _best(worker)}:
        try:
            delete_outputs(run_id)
        except (MlflowException, OSError) as error:
            logger.warning("The outputs of a trial could not be deleted: %s", redact(first_line(error)))


def _best(worker: WorkerContext) -> list[tuple[str, float]]:
    """Run ID and value in the primary metric of the best complete trials, at most `N_KEPT`, the best first."""
    primary = worker.context.primary
    records = ranked(records_of(worker.study), primary)[:N_KEPT]
    return [(record.trial_run_id, record.measures[primary.name]) for record in records]
