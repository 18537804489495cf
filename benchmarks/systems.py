"""Runs one system as a process of its own and reads what it logged."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlflow.tracking import MlflowClient

HERE = Path(__file__).parent
METRIC = "val_accuracy"


def environment(name: str, packages: Sequence[str]) -> Path:
    """The Python of an environment of rivals, which the first call makes in the repository."""
    folder = HERE.parent / name
    if not folder.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", *packages], check=True)
        except (subprocess.CalledProcessError, KeyboardInterrupt):
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return folder / "bin" / "python"


@dataclass(frozen=True)
class Outcome:
    """One run of one system.

    Attributes:
        seconds: Wall time of the process, imports and logging included.
        best: Highest final validation accuracy of a trial, in [0, 1].
        curve: (seconds since the process started, validation accuracy) of each epoch of each trial, in order of time.
    """

    seconds: float
    best: float
    curve: tuple[tuple[float, float], ...]

    def seconds_until(self, accuracy: float) -> float:
        """Seconds from the start of the process until a trial had this validation accuracy; infinite if none."""
        return next((second for second, value in self.curve if value >= accuracy), float("inf"))


@dataclass(frozen=True)
class BenchmarkStore:
    """A folder with one MLflow store and one download of MNIST, where every run has an experiment of its own.

    Attributes:
        data_run_id: The download run, for this project.
        data: Its dataset/ folder, for the rivals.
    """

    folder: Path
    data_run_id: str = field(init=False)
    data: Path = field(init=False)

    def __post_init__(self) -> None:
        self._process([sys.executable, "-m", "steps.download"], "data")
        (run,) = self._client.search_runs([self._experiment("data")])
        object.__setattr__(self, "data_run_id", run.info.run_id)
        object.__setattr__(self, "data", Path(self._client.download_artifacts(run.info.run_id, "dataset")))

    def run(self, command: list[str], experiment: str) -> Outcome:
        """Run a command to its end.

        Raises:
            SystemExit: It failed; shows what it wrote.
        """
        began, start = time.time(), time.perf_counter()
        self._process(command, experiment)
        seconds = time.perf_counter() - start
        trials = self._client.search_runs([self._experiment(experiment)], f"metrics.{METRIC} > 0", max_results=1000)
        histories = [self._client.get_metric_history(trial.info.run_id, METRIC) for trial in trials]
        return Outcome(
            seconds=seconds,
            best=max(history[-1].value for history in histories),
            curve=tuple(sorted((m.timestamp / 1000 - began, m.value) for history in histories for m in history)),
        )

    @property
    def _uri(self) -> str:
        return f"sqlite:///{self.folder}/mlflow.db"

    @property
    def _client(self) -> MlflowClient:
        return MlflowClient(self._uri)

    def _experiment(self, name: str) -> str:
        return str(self._client.get_experiment_by_name(name).experiment_id)

    def _process(self, command: list[str], experiment: str) -> None:
        environment = {
            **os.environ,
            "MLFLOW_TRACKING_URI": self._uri,
            "MLFLOW_EXPERIMENT_NAME": experiment,
            "PYTHONPATH": str(HERE.parent),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        result = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        if result.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{result.stdout[-2000:]}\n{result.stderr[-4000:]}")
