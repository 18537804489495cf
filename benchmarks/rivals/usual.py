"""The usual design: sequential Optuna trials, `model.fit`, nested MLflow runs."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import mlflow
import optuna

from benchmarks.rivals.common import BATCH_SIZE, POINTS, build, load, named


class LogEpoch(keras.callbacks.Callback):
    """Logs each epoch to the active run."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        mlflow.log_metrics(named(logs or {}), step=epoch + 1)


def main(data: Path, epochs: int) -> None:
    train, validation = load(data)

    def objective(trial: optuna.Trial) -> float:
        with mlflow.start_run(nested=True, run_name=f"trial-{trial.number}"):
            point = {
                "units_0": trial.suggest_int("units_0", 128, 1024),
                "units_1": trial.suggest_int("units_1", 128, 1024),
                "dropout": trial.suggest_float("dropout", 0.0, 0.5),
                "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True),
            }
            mlflow.log_params(point)
            history = build(point).fit(
                *train, batch_size=BATCH_SIZE, epochs=epochs, verbose=0, validation_data=validation,
                callbacks=[LogEpoch()],
            )  # fmt: skip
            return float(history.history["val_accuracy"][-1])

    with mlflow.start_run(run_name="study"):
        study = optuna.create_study(direction="maximize")
        for point in POINTS:
            study.enqueue_trial(point)
        study.optimize(objective, n_trials=len(POINTS))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
