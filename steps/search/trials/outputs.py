"""Outputs of the best trials and of the default, kept while a study goes on: for ensembles and for the selection."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Set
from typing import Any

import numpy as np
from mlflow.exceptions import MlflowException

from steps.base.redaction import redact
from steps.search.selection import default_of, ranked
from steps.search.store.outputs import N_KEPT, delete_outputs, write_outputs
from steps.search.store.records import records_of
from steps.search.trials.context import WorkerContext
from steps.tracking.retry import first_line

logger = logging.getLogger(__name__)


def keep_outputs(
    worker: WorkerContext, run_id: str, outputs: np.ndarray, value: float, hyperparameters: Mapping[str, Any]
) -> Set[str]:
    """Keep the outputs of a trial that is about to be complete, if it is among the best so far or the default.

    They are written before the study knows that the trial is complete: however the process dies, the best complete
    trials have their outputs. A failure is only logged.

    Args:
        run_id: Run of the trial.
        outputs: (n, n_outputs) for the validation rows of all folds in order, after the epoch by which it is judged.
        value: Its value in the primary metric.
        hyperparameters: All of them, fixed ones too.

    Returns:
        IDs of the runs that now have outputs; empty if those of this trial are not kept.
    """
    best, primary = ranked(records_of(worker.study), worker.context.primary)[:N_KEPT], worker.context.primary
    is_behind = len(best) == N_KEPT and primary.sign * value >= primary.sign * best[-1].measures[primary.name]
    if is_behind and hyperparameters != worker.context.space.start:
        return set()
    try:
        write_outputs(run_id, outputs)
    except (MlflowException, OSError) as error:
        logger.warning("The outputs of a trial could not be kept: %s", redact(first_line(error)))
    return {run_id, *(record.trial_run_id for record in best)}


def drop_outputs(worker: WorkerContext, kept: Set[str]) -> None:
    """Delete the outputs of those of these runs whose trials are no longer needed; a failure is only logged.

    If two processes end a trial at the same moment, the outputs of one trial too many may stay.
    """
    if not kept:
        return
    records = records_of(worker.study)
    best, default = ranked(records, worker.context.primary)[:N_KEPT], default_of(records, worker.context.space)
    wanted = {record.trial_run_id for record in (*best, default) if record is not None}
    for run_id in kept - wanted:
        try:
            delete_outputs(run_id)
        except (MlflowException, OSError) as error:
            logger.warning("The outputs of a trial could not be deleted: %s", redact(first_line(error)))
