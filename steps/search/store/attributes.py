"""The user attributes of trials and studies that this project keeps in Optuna."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self

from steps.mlp.config import Precision

# User attributes of the study; the IDs of its tune runs stand in their order.
OBJECTIVES, TUNE_RUNS, DATASET_DIGEST = "objectives", "mlflow.tune_run_ids", "dataset_digest"
SPACE_DIGEST, SPACE_TEXT, SPACE_DIMENSIONS = "space.digest", "space.text", "space.dimensions"
# User attributes of a trial.
_POINT, _HYPERPARAMETERS, _SETTINGS = "point", "hyperparameters", "settings"
_RUN_ID, _MEASURES, _EPOCHS, _METRICS, _ERROR = "mlflow.run_id", "measures", "epochs", "metrics", "error"
NOT_FOR_READERS = (_POINT, _SETTINGS, _METRICS)  # needed to continue a study, not in a table of its trials


class HasAttributes(Protocol):
    """A trial of Optuna, running or ended."""

    @property
    def user_attrs(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class TrialSettings:
    """Settings that a trial depends on beside its hyperparameters and the data, as of its beginning."""

    epochs: int
    seed: int
    precision: Precision
    threads: int = 1


@dataclass(frozen=True)
class TrialAttributes:
    """The user attributes of one trial. A trial that another program made has none of them.

    Attributes:
        point: Hyperparameters that the trial was enqueued with; None if a sampler suggests them.
        hyperparameters: All of them, fixed ones too; None until they are suggested.
        settings: None until the hyperparameters are suggested.
        run_id: Of the child run; "" until there is one.
        measures: Value of each objective by its name; None unless the trial was trained to the end.
        epochs: Number of epochs after which a complete trial is judged; 0 unless it is complete.
        metrics: Of each epoch that was trained, by name; empty until the trial has ended.
        error: Why it failed; "" if it did not.
    """

    point: Mapping[str, Any] | None = None
    hyperparameters: Mapping[str, Any] | None = None
    settings: TrialSettings | None = None
    run_id: str = ""
    measures: Mapping[str, float] | None = None
    epochs: int = 0
    metrics: tuple[Mapping[str, float], ...] = ()
    error: str = ""

    @classmethod
    def read(cls, trial: HasAttributes) -> Self:
        known = trial.user_attrs
        hyperparameters, settings = known.get(_HYPERPARAMETERS), known.get(_SETTINGS)
        return cls(
            point=known.get(_POINT),
            hyperparameters=None if hyperparameters is None else json.loads(hyperparameters),
            settings=None if settings is None else TrialSettings(**settings),
            run_id=known.get(_RUN_ID, ""),
            measures=known.get(_MEASURES),
            epochs=known.get(_EPOCHS, 0),
            metrics=tuple(known.get(_METRICS, ())),
            error=known.get(_ERROR, ""),
        )

    def write(self, set_attribute: Callable[[str, Any], None]) -> None:
        """Write those that are set.

        Args:
            set_attribute: Writes one attribute: `trial.set_user_attr`.
        """
        if self.point is not None:
            set_attribute(_POINT, dict(self.point))
        if self.hyperparameters is not None:
            set_attribute(_HYPERPARAMETERS, json.dumps(self.hyperparameters))  # as text: it is a cell of trials.csv
        if self.settings is not None:  # after the hyperparameters: a trial with settings has begun
            set_attribute(_SETTINGS, asdict(self.settings))
        plain = {_RUN_ID: self.run_id, _MEASURES: self.measures, _EPOCHS: self.epochs, _ERROR: self.error}
        for name, value in plain.items():
            if value:
                set_attribute(name, value)
        if self.metrics:
            set_attribute(_METRICS, [dict(metrics) for metrics in self.metrics])
