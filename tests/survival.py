"""Studies that are disturbed, and what must be left of them; shared by the tests of survival."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
import optuna
import sqlalchemy as sa
import yaml
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from optuna.trial import FrozenTrial, TrialState

from steps.search.store.url import open_storage
from tests.running import module, read_to, run_step, start_command, succeeded

EPOCHS = 80
_DOWNLOADED: set[tuple[str, str]] = set()  # tracking URI, data set
METRICS = ("train_loss", "val_log_loss", "val_accuracy")


@dataclass
class Study:
    """A study of fixed points on the digits, in a folder of its own; its trials train for about a second each."""

    folder: Path
    name: str
    n_trials: int
    storage: str = ""
    epochs: int = EPOCHS
    extra: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ("--n-jobs", "2")
    dataset: str = "digits"

    def start(self, *options: str) -> subprocess.Popen[str]:
        """The step in a process of its own, which has said `Study ...` when this returns."""
        self._download()
        process = self.start_step("tune", *self._tune(*options))
        read_to(process, "Study ")
        return process

    def start_step(self, step: str, *options: str, prefix: Sequence[str] = (), **extra: str) -> subprocess.Popen[str]:
        """Start a step beside the study, in its folder and with its variables; `prefix` is a command that runs it."""
        return start_command([*prefix, *module(f"steps.{step}", *options)], self.folder, **self.variables | extra)

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        self._download()
        return run_step(self.folder, "tune", *self._tune(*options), **self.variables)

    def finish(self) -> None:
        """Run the step to its end, which must be a good one."""
        succeeded(self.run())

    @property
    def tracking_uri(self) -> str:
        return self.extra.get("MLFLOW_TRACKING_URI", f"sqlite:///{self.folder}/mlflow.db")

    def trials(self) -> list[FrozenTrial]:
        storage = open_storage(self.storage or f"sqlite:///{self.folder}/optuna.db")
        found = optuna.load_study(study_name=self.name, storage=storage).trials
        storage.engine.dispose()
        return found

    def _download(self) -> None:
        """Let the tracking store have the data, once."""
        if (self.tracking_uri, self.dataset) not in _DOWNLOADED:
            succeeded(run_step(self.folder, "download", "--dataset", self.dataset, **self.variables))
            _DOWNLOADED.add((self.tracking_uri, self.dataset))

    def _tune(self, *options: str) -> list[str]:
        return [
            "--study-name", self.name, "--n-trials", str(self.n_trials),
            "--max-epochs", str(self.epochs), "--points", write_points(self.folder, self.n_trials), "--pruner", "none",
            "--precision", "float32", *self.options, *options,
        ]  # fmt: skip

    @property
    def variables(self) -> dict[str, str]:
        """Of the environment of its processes."""
        stored = {"TUNE_STORAGE": self.storage} if self.storage else {}
        return {"TUNE_CHECKPOINT_SECONDS": "0.2", **stored, **self.extra}


def write_points(folder: Path, n: int) -> str:
    """As many points as trials: then nothing is left to a sampler, and every study suggests the same."""
    optimizers = ("adam", "adamw", "sgd", "rmsprop")
    points: list[dict[str, Any]] = [
        {
            "n_layers": 1, "units_0": 128 + i, "optimizer": optimizers[i % 4], "learning_rate": 3e-3, "batch_size": 64,
            "batch_norm": i % 2 == 0, "augmentation": "none",
        }
        for i in range(n)
    ]  # fmt: skip
    path = folder / f"points-{n}.yaml"
    if not path.exists():  # another process of the study may be reading it
        path.write_text(yaml.safe_dump(points))
    return str(path)


def results(study: Study) -> dict[str, Any]:
    """Results of a study: for each point, the trial's state, value and reports, and its child run's metrics."""
    client = MlflowClient(study.tracking_uri)
    found: dict[str, Any] = {}
    for trial in study.trials():
        history = {
            key: sorted(
                {
                    (point.step, point.value)
                    for point in client.get_metric_history(trial.user_attrs["mlflow.run_id"], key)
                }
            )
            for key in METRICS
        }
        found[str(sorted(trial.params.items()))] = (trial.state, trial.value, trial.intermediate_values, history)
    return found


def assert_whole(study: Study, *, late: bool = False) -> None:
    """Exactly the trials that were asked for, each complete, once, in one child run of the newest parent.

    Args:
        late: Whether the network may have delivered a request of a process that was cut off, long after: then a
            point of a curve stands twice, the same.
    """
    trials = study.trials()
    assert [trial.number for trial in trials] == list(range(study.n_trials))
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    mlflow.set_tracking_uri(study.tracking_uri)
    client = MlflowClient()
    parents = _runs(client, f"tags.`pipeline.step` = 'tune' AND tags.`optuna.study` = '{study.name}'")
    assert [run.info.status for run in parents] == ["FINISHED", *["FAILED"] * (len(parents) - 1)]
    children = _runs(client, f"tags.`optuna.study` = '{study.name}' AND tags.`optuna.trial_number` != ''")
    assert sorted(run.info.run_id for run in children) == sorted(t.user_attrs["mlflow.run_id"] for t in trials)
    for run in children:
        assert (run.info.status, run.data.tags["optuna.state"]) == ("FINISHED", "COMPLETE")
        assert run.data.tags["mlflow.parentRunId"] == parents[0].info.run_id
        value = trials[int(run.data.tags["optuna.trial_number"])].value
        assert run.data.metrics["val_accuracy"] == value
        for key in METRICS:
            points = [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, key)]
            assert [step for step, _ in (sorted(set(points)) if late else points)] == list(range(1, study.epochs + 1))
    assert parents[0].data.metrics["n_complete"] == study.n_trials
    assert _runs(client, "attributes.status = 'RUNNING'") == []
    assert list(study.folder.rglob("*.ckpt")) + list(study.folder.rglob("*.part")) == []
    storage = open_storage(study.storage or f"sqlite:///{study.folder}/optuna.db")
    with storage.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM tune_leases")).scalar() == 0
    storage.engine.dispose()


def kill_at_random(study: Study, moments: list[float]) -> None:
    """Start the study and kill its process, as often as there are moments (seconds after it began its trials)."""
    for moment in moments:
        process = study.start()
        time.sleep(moment)
        process.kill()
        process.communicate()


def _runs(client: MlflowClient, query: str) -> list[Run]:
    return list(client.search_runs(["0"], query, order_by=["attributes.start_time DESC"]))
