"""An Optuna study as one would write it for PyTorch or JAX: a process per core, each trial a nested MLflow run."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import optuna
import yaml
from optuna.distributions import FloatDistribution, IntDistribution

BATCH_SIZE = 128
POINTS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parents[2] / "points.yaml").read_text())
_SPACE = {
    "units_0": IntDistribution(128, 1024),
    "units_1": IntDistribution(128, 1024),
    "dropout": FloatDistribution(0.0, 0.5),
    "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
}


@functools.cache
def load(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels in [0, 1], float32, and labels, int64."""
    pixels, labels = (np.load(folder / f"{split}_{part}.npy") for part in ("features", "targets"))
    return pixels.astype(np.float32) / 255, labels.astype(np.int64)


def optimize(train: Callable[..., float], *arguments: object) -> None:
    """Run all points; `train` takes one and the other arguments, and returns the validation accuracy."""
    with mlflow.start_run(run_name="study") as parent:
        study = optuna.create_study(direction="maximize")
        for point in POINTS:
            study.enqueue_trial(point)
        with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
            trials = [study.ask(_SPACE) for _ in POINTS]
            running = {
                pool.submit(_run, train, parent.info.run_id, trial.number, trial.params, *arguments): trial
                for trial in trials
            }
            for done in as_completed(running):
                study.tell(running[done], done.result())


def _run(train: Callable[..., float], parent: str, number: int, point: dict[str, Any], *arguments: object) -> float:
    with mlflow.start_run(run_name=f"trial-{number}", parent_run_id=parent, nested=True):
        mlflow.log_params(point)
        return train(point, *arguments)
