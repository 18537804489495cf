"""The plan of a tune run: what every process that runs its trials must know."""

from __future__ import annotations

import json
import math
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import mlflow
import optuna

from steps.mlp.config import Precision
from steps.search.space.file import parse_space
from steps.search.store.storage import RetryingStorage
from steps.search.store.study import open_study
from steps.search.store.url import storage_url
from steps.search.strategy.grid import next_cell
from steps.search.strategy.pruners import make_pruner
from steps.search.strategy.samplers import make_sampler
from steps.search.strategy.stopping import parse_stop_when
from steps.search.trials.context import TrialContext
from steps.search.trials.workers import Limits
from steps.tracking.data import load_data
from steps.tracking.runs import artifact_path

_FOLDER, _FILE = "study", "plan.json"


@dataclass(frozen=True)
class Plan:
    """What the processes of a tune run share; an artifact of that run, and without secrets.

    Attributes:
        study: Name of the Optuna study.
        storage: URL of its database, without a password; empty where only the environment names it.
        space: Text of the space file.
        deadline: When no trial is started any more, in seconds since 1970; 0 for never.
        threads: That each trial computes with; with it and the code, equal trials end with equal bits anywhere.
        code: Digest of the code.
    """

    study: str
    storage: str
    data_run_id: str
    space: str
    objectives: tuple[str, ...]
    n_trials: int
    deadline: float
    stop_when: str
    max_epochs: int
    sampler: str
    pruner: str
    seed: int
    precision: Precision
    threads: int
    code: str

    @classmethod
    def of_run(cls, tune_run_id: str) -> Self:
        """The plan of a tune run that has begun its study.

        Raises:
            InputError: It has not, or is none.
        """
        known: dict[str, Any] = json.loads(artifact_path(tune_run_id, f"{_FOLDER}/{_FILE}").read_text())
        return cls(**{**known, "objectives": tuple(known["objectives"])})

    def log(self) -> None:
        """Log it to the active run."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / _FILE
            path.write_text(json.dumps(asdict(self), indent=2) + "\n")
            mlflow.log_artifact(str(path), _FOLDER)

    def storage_url(self) -> str:
        """URL of the study's database as this process knows it.

        Raises:
            InputError: Only the environment can name it here, and it does not.
        """
        return storage_url(self.storage, mlflow.get_tracking_uri())

    def context(self) -> TrialContext:
        """What the trials share, with the data in memory; fetches them where they are not on this machine."""
        return TrialContext.of(
            load_data(self.data_run_id, ("train", "validation")),
            space=parse_space(self.space, "space"),
            epochs=self.max_epochs,
            seed=self.seed,
            precision=self.precision,
            objectives=self.objectives,
        )

    def open_study(self, context: TrialContext, storage: RetryingStorage) -> optuna.Study:
        """Create or open the study, with the sampler and the pruner of the plan.

        Raises:
            InputError: It has other objectives.
        """
        return open_study(
            storage,
            self.study,
            context.objectives,
            make_sampler(self.sampler, self.seed, conditional=context.space.conditional),
            make_pruner(self.pruner if context.prunable else "none", self.max_epochs),
        )

    def limits(self) -> Limits:
        """When the study is over."""
        return Limits(
            self.n_trials,
            timeout=self.deadline - time.time() if self.deadline else math.inf,
            plateau=parse_stop_when(self.stop_when),
            ask=next_cell if self.sampler == "grid" else optuna.Study.ask,
        )
