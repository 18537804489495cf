"""Opening the study of a plan in this process."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import optuna
from mlflow.entities import Run
from optuna.pruners import NopPruner
from optuna.trial import FrozenTrial

from steps.datasets.dataset import SEARCH
from steps.search.plan import Plan
from steps.search.space.space import Space
from steps.search.store.leases import Leases
from steps.search.store.storage import RetryingStorage
from steps.search.store.study import open_study
from steps.search.strategy.grid import Grid
from steps.search.strategy.samplers import make_sampler
from steps.search.trials.checkpoints import Checkpoints, checkpoints_of
from steps.search.trials.context import TrialContext, WorkerContext
from steps.search.trials.workers import Limits
from steps.tracking.data import load_data
from steps.tracking.trials import TrialRuns


@dataclass(frozen=True)
class OpenStudy:
    """A study with its data in memory, before this process takes part in it."""

    study: optuna.Study
    context: TrialContext
    storage: RetryingStorage
    checkpoints: Checkpoints

    @classmethod
    def of(cls, plan: Plan, storage: RetryingStorage, url: str) -> Self:
        """Create or open the study of a plan, with its sampler and pruner; data on another machine are fetched.

        Args:
            url: URL of the storage.

        Raises:
            InputError: The task does not have an objective, or the study has other ones.
        """
        context = TrialContext.of(
            load_data(plan.data_run_id, SEARCH),
            space=plan.space,
            epochs=plan.max_epochs,
            seed=plan.seed,
            precision=plan.precision,
            threads=plan.threads,
            objectives=plan.objectives,
        )
        sampler = make_sampler(plan.sampler, plan.seed, context.space)
        pruner = plan.pruner.build() if context.prunable else NopPruner()
        study = open_study(storage, plan.study, context.objectives, sampler, pruner)
        return cls(study, context, storage, checkpoints_of(url))

    def finished(self) -> list[FrozenTrial]:
        return [trial for trial in self.study.get_trials(deepcopy=False) if trial.state.is_finished()]

    @contextmanager
    def worker(self, run: Run, *, owner: bool) -> Iterator[WorkerContext]:
        """Take part in the study: hold leases and write child runs until the end of the block.

        Args:
            run: The tune run.
            owner: Whether this process is that of the tune run itself, not one that has joined it.
        """
        runs = TrialRuns(run)
        with Leases(self.storage, self.study.study_name, run.info.run_id, owner=owner) as leases:
            try:
                yield WorkerContext(self.context, self.study, runs, leases, self.checkpoints)
            finally:  # before the leases are released: afterwards, others may write these runs
                runs.interrupt()
                runs.close()


def limits_of(plan: Plan, space: Space) -> Limits:
    """The end of the study, as seen by this process from now on.

    Args:
        space: Space of the study's context.
    """
    return Limits(
        plan.n_trials,
        timeout=plan.deadline - time.time() if plan.deadline else math.inf,
        stop_when=plan.stop_when,
        grid=Grid(space, plan.seed) if plan.sampler == "grid" else None,
    )
