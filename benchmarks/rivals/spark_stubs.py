"""Stub trials with MlflowSparkStudy, random sampler, in as many Spark tasks at once as there are workers."""

from __future__ import annotations

import os
import sys

import mlflow
import optuna
from mlflow.optuna.storage import MlflowStorage
from mlflow.pyspark.optuna.study import MlflowSparkStudy
from pyspark.sql import SparkSession

from benchmarks.rivals.stub_trial import SPACE, run


def objective(trial: optuna.Trial) -> float:
    for name, limits in SPACE.items():
        trial.suggest_float(name, *limits)
    return run(lambda epoch, value: trial.report(value, epoch))


def main(n_workers: int, n_trials: int) -> None:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(f"local[{n_workers}]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    session = spark.getOrCreate()
    experiment = mlflow.set_experiment(os.environ["MLFLOW_EXPERIMENT_NAME"])
    storage = MlflowStorage(experiment_id=experiment.experiment_id)
    study = MlflowSparkStudy("study", storage, optuna.samplers.RandomSampler(), optuna.pruners.NopPruner())
    study.optimize(objective, n_trials=n_trials, n_jobs=n_workers)
    session.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
