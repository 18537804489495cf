"""Stub trials with Ray Tune, random search, logged by Ray's MLflow callback."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import mlflow
import ray
from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback

from benchmarks.rivals.stub_trial import SPACE, run


def trial(_: dict[str, float]) -> None:
    run(lambda _, value: tune.report({"val_accuracy": value}))


def main(n_workers: int, n_trials: int) -> None:
    ray.init(num_cpus=n_workers, include_dashboard=False, log_to_driver=False)
    logger = MLflowLoggerCallback(
        tracking_uri=mlflow.get_tracking_uri(), experiment_name=os.environ["MLFLOW_EXPERIMENT_NAME"]
    )
    tune.Tuner(
        tune.with_resources(trial, {"cpu": 1}),
        param_space={name: tune.uniform(*limits) for name, limits in SPACE.items()},
        tune_config=tune.TuneConfig(num_samples=n_trials, max_concurrent_trials=n_workers, reuse_actors=True),
        run_config=tune.RunConfig(callbacks=[logger], verbose=0, storage_path=str(Path("ray").absolute())),
    ).fit()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
