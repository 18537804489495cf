"""Ray Tune: a grid over the ten points on one worker per core, logged by Ray's MLflow callback."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import mlflow
import ray
from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback


def train_point(config: dict[str, Any], data: Path, epochs: int) -> None:
    """One trial, on one thread."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    import keras

    from benchmarks.rivals.common import BATCH_SIZE, POINTS, build, load, named

    class Report(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            tune.report(named(logs or {}))

    train, validation = load(data)
    build(POINTS[config["point"]]).fit(
        *train, batch_size=BATCH_SIZE, epochs=epochs, verbose=0, validation_data=validation, callbacks=[Report()]
    )


def main(data: Path, epochs: int, n_points: int) -> None:
    ray.init(num_cpus=os.cpu_count(), include_dashboard=False, log_to_driver=False)
    logger = MLflowLoggerCallback(
        tracking_uri=mlflow.get_tracking_uri(), experiment_name=os.environ["MLFLOW_EXPERIMENT_NAME"]
    )
    trainable = tune.with_parameters(train_point, data=data.absolute(), epochs=epochs)
    tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space={"point": tune.grid_search(list(range(n_points)))},
        run_config=tune.RunConfig(callbacks=[logger], verbose=0, storage_path=str(Path("ray").absolute())),
    ).fit()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
