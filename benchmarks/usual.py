"""The usual design, as people write it: sequential Optuna trials, `model.fit`, nested MLflow runs."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import mlflow
import optuna
import yaml

from steps.datasets import Dataset


def main(data: Path, epochs: int) -> None:
    dataset = Dataset.load(data, ("train", "validation"))
    train, validation = dataset.splits["train"], dataset.splits["validation"]
    x_train, x_validation = train.features / 255.0, validation.features / 255.0
    points = yaml.safe_load((Path(__file__).parent / "points.yaml").read_text())

    def objective(trial: optuna.Trial) -> float:
        with mlflow.start_run(nested=True, run_name=f"trial-{trial.number}"):
            units = [trial.suggest_int(f"units_{i}", 128, 1024) for i in range(2)]
            dropout = trial.suggest_float("dropout", 0.0, 0.5)
            rate = trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)
            mlflow.log_params(trial.params)
            model = keras.Sequential([keras.Input((784,))])
            for n in units:
                model.add(keras.layers.Dense(n, activation="relu"))
                model.add(keras.layers.Dropout(dropout))
            model.add(keras.layers.Dense(10, activation="softmax"))
            model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])

            class Log(keras.callbacks.Callback):
                def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
                    logs = logs or {}
                    metrics = {
                        "train_loss": logs["loss"],
                        "val_loss": logs["val_loss"],
                        "val_accuracy": logs["val_accuracy"],
                    }
                    mlflow.log_metrics(metrics, step=epoch + 1)

            history = model.fit(
                x_train, train.labels, batch_size=128, epochs=epochs, verbose=0,
                validation_data=(x_validation, validation.labels), callbacks=[Log()],
            )  # fmt: skip
            return float(history.history["val_accuracy"][-1])

    with mlflow.start_run(run_name="study"):
        study = optuna.create_study(direction="maximize")
        for point in points:
            study.enqueue_trial(point)
        study.optimize(objective, n_trials=len(points))
        mlflow.log_metric("best_val_accuracy", study.best_value)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
