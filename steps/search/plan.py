"""Plan of a tune run, for all processes that run its trials."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

import mlflow

from steps.mlp.config import Precision
from steps.search.space.file import parse_space
from steps.search.space.space import Space
from steps.search.store.url import storage_url
from steps.search.strategy.pruners import PrunerSpec
from steps.search.strategy.stopping import NO_RULE, StopRule, parse_stop_rule
from steps.tracking.artifacts import read_artifact

_ARTIFACT = "study/plan.json"


@dataclass(frozen=True)
class Plan:
    """Settings shared by the processes of a tune run; an artifact of that run, without secrets.

    Attributes:
        study: Name of the Optuna study.
        storage: URL of its database, without a password; empty if only the environment names it.
        deadline: Time after which no more trials are started, in seconds since 1970; 0 for none.
        threads: Threads per trial; with the same number and code, equal trials have bit-identical results anywhere.
        code: Digest of the code.
    """

    study: str
    storage: str
    data_run_id: str
    space: Space
    objectives: tuple[str, ...]
    n_trials: int
    deadline: float
    stop_when: StopRule | None
    max_epochs: int
    sampler: str
    pruner: PrunerSpec
    seed: int
    precision: Precision
    threads: int
    code: str

    @classmethod
    def of_run(cls, tune_run_id: str) -> Self:
        """The plan of a tune run.

        Raises:
            InputError: The run has not begun its study, or is not a tune run.
        """
        return read_artifact(tune_run_id, _ARTIFACT, cls._parse)

    @classmethod
    def _parse(cls, text: bytes) -> Self:
        known: dict[str, Any] = json.loads(text)
        parsed = {
            "space": parse_space(known["space"], "space"),
            "objectives": tuple(known["objectives"]),
            "stop_when": parse_stop_rule(known["stop_when"]),
            "pruner": PrunerSpec.parse(known["pruner"], known["max_epochs"]),
        }
        return cls(**{**known, **parsed})

    def log(self) -> None:
        """Log the plan to the active run, as command-line values."""
        words = {"space": self.space.text, "stop_when": str(self.stop_when or NO_RULE), "pruner": self.pruner.text}
        mlflow.log_text(json.dumps({**vars(self), **words}, indent=2) + "\n", _ARTIFACT)

    def storage_url(self) -> str:
        """URL of the study's database in this process.

        Raises:
            InputError: The URL must come from the environment, and is not set.
        """
        return storage_url(self.storage, mlflow.get_tracking_uri())
