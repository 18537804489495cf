"""KerasTuner: a grid over the ten points, each fit logged as a nested MLflow run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import mlflow

from benchmarks.rivals.common import BATCH_SIZE, POINTS, build, load
from benchmarks.rivals.usual import LogEpoch


class Points(keras_tuner.HyperModel):  # type: ignore[misc]
    """The model of the point whose index is the one hyperparameter."""

    def build(self, hp: Any) -> keras.Model:
        return build(POINTS[hp.Choice("point", list(range(len(POINTS))))])

    def fit(self, hp: Any, model: keras.Model, *args: Any, callbacks: list[Any], **kwargs: Any) -> Any:
        with mlflow.start_run(nested=True, run_name=f"trial-{hp.get('point')}"):
            mlflow.log_params(POINTS[hp.get("point")])
            return model.fit(*args, callbacks=[*callbacks, LogEpoch()], **kwargs)


def main(data: Path, epochs: int) -> None:
    train, validation = load(data)
    tuner = keras_tuner.GridSearch(Points(), "val_accuracy", max_trials=len(POINTS), overwrite=True)
    with mlflow.start_run(run_name="study"):
        tuner.search(*train, batch_size=BATCH_SIZE, epochs=epochs, verbose=0, validation_data=validation)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
