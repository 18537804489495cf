"""Studies through the command line: a grid that is interrupted, several objectives, a warm start."""

from __future__ import annotations

import csv
import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from tests.conftest import Step
from tests.running import child_runs, read_to, start_step, step_runs

GRID = """
n_layers: {type: int, low: 1, high: 2}
units: {type: categorical, choices: [8, 16], repeat: n_layers}
batch_norm: false
batch_size: 64
"""
CELLS = {("8", None), ("16", None), ("8", "8"), ("8", "16"), ("16", "8"), ("16", "16")}


def artifact(run: Run, path: str) -> Path:
    return Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=path))


@pytest.fixture
def client(step: Step, tmp_path: Path) -> MlflowClient:
    """A folder with digits and a finite space; a client for its runs."""
    assert step("download", "--dataset", "digits").returncode == 0
    (tmp_path / "grid.yaml").write_text(GRID)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    return MlflowClient()


def tune(step: Step, *arguments: str) -> str:
    result = step("tune", "--space", "grid.yaml", "--n-jobs", "2", *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_grid_that_is_interrupted_and_continued_has_each_cell_once(
    client: MlflowClient, step: Step, tmp_path: Path
) -> None:
    options = ["--space", "grid.yaml", "--sampler", "grid", "--study-name", "g", "--pruner", "none", "--n-jobs", "2"]
    process = start_step(tmp_path, "tune", *options, "--max-epochs", "60")
    read_to(process, "[1/20")
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode == 130, stderr

    output = tune(step, *options[2:], "--max-epochs", "60")
    assert "Grid: 6 cells" in output
    assert "Stopped by grid: every cell is done" in output
    assert step_runs(client, "tune")[-1].data.tags["stopped_by"] == "grid"
    rows = csv.DictReader((artifact(step_runs(client, "tune")[-1], "study/trials.csv")).open())
    complete: Counter[Any] = Counter(
        (row["params_units_0"], row["params_units_1"] or None) for row in rows if row["state"] == "COMPLETE"
    )
    normal = {(a, b and str(int(float(b)))): n for (a, b), n in complete.items()}
    assert normal == dict.fromkeys(CELLS, 1)


def test_several_objectives_give_a_front_and_evaluate_takes_the_cheap_trial(client: MlflowClient, step: Step) -> None:
    small = ("--max-epochs", "2", "--objectives", "accuracy,parameters,latency")
    output = tune(step, *small, "--n-trials", "5", "--study-name", "first")
    assert "Pruning: off, Optuna cannot prune a study of accuracy and parameters and latency" in output
    (run,) = step_runs(client, "tune")
    trials = {int(t.data.tags["optuna.trial_number"]): t for t in child_runs(client, run)}
    for trial in trials.values():
        assert {"val_accuracy", "val_log_loss", "latency_ms", "parameters"} <= set(trial.data.metrics)
        n, units = 64, [int(v) for k, v in sorted(trial.data.params.items()) if k.startswith("units_")]
        assert trial.data.metrics["parameters"] == sum(
            (a + 1) * b for a, b in zip([n, *units], [*units, 10], strict=True)
        )
    front = json.loads(artifact(run, "pareto.json").read_text())
    assert front["objectives"] == ["accuracy", "parameters", "latency"]
    losses = {
        k: (-t.data.metrics["val_accuracy"], t.data.metrics["parameters"], t.data.metrics["latency_ms"])
        for k, t in trials.items()
    }
    expected = {
        k for k, own in losses.items()
        if not any(o != own and all(a <= b for a, b in zip(o, own, strict=True)) for o in losses.values())
    }  # fmt: skip
    assert {record["trial_number"] for record in front["front"]} == expected
    assert artifact(run, "figures/pareto_front.png").stat().st_size > 5000
    best = json.loads(artifact(run, "best_config.json").read_text())
    top = max(t.data.metrics["val_accuracy"] for t in trials.values())
    near = [k for k, t in trials.items() if t.data.metrics["val_accuracy"] >= top - 0.002]
    assert best["trial_number"] == min(near, key=lambda k: trials[k].data.metrics["latency_ms"])
    assert run.data.metrics["best_val_accuracy"] == trials[best["trial_number"]].data.metrics["val_accuracy"]

    result = step("evaluate", "--final-epochs", "1")
    assert f"Selected trial-{best['trial_number']:03d}: the cheapest (latency " in result.stdout, result.stderr
    refused = step("evaluate", "--select", "17")
    assert (refused.returncode, "number of a complete trial" in refused.stderr) == (2, True), refused.stderr


@pytest.mark.slow
def test_warm_start_log_loss_plateau_and_a_changed_space(client: MlflowClient, step: Step, tmp_path: Path) -> None:
    tune(step, "--max-epochs", "3", "--n-trials", "4", "--study-name", "first", "--objectives", "log_loss",
         "--pruner", "none")  # fmt: skip
    (first,) = step_runs(client, "tune")
    best = json.loads(artifact(first, "best_config.json").read_text())
    losses = {t.info.run_id: t.data.metrics["val_log_loss"] for t in child_runs(client, first)}
    assert losses[best["trial_run_id"]] == min(losses.values()) == first.data.metrics["best_val_log_loss"]

    for source in (first.info.run_id, "first"):
        output = tune(
            step, "--max-epochs", "3", "--n-trials", "9", "--study-name", f"warm-{source}", "--warm-start", source,
            "--stop-when", "plateau:1", "--n-jobs", "1", "--pruner", "threshold:lower=0.0",
        )  # fmt: skip
        assert "Stopped by plateau" in output
        newest = step_runs(client, "tune")[-1]
        assert newest.data.tags["stopped_by"] == "plateau"
        assert newest.data.metrics["n_complete"] < 9
        (trial,) = [t for t in child_runs(client, newest) if t.info.run_name == "trial-000"]
        assert {k: v for k, v in trial.data.params.items() if k.startswith("units")} == {
            k: str(v) for k, v in best["hyperparameters"].items() if k.startswith("units")
        }

    (tmp_path / "grid.yaml").write_text(GRID.replace("[8, 16]", "[8, 16, 32]"))
    for arguments, message in (
        (["--study-name", "first", "--objectives", "log_loss"], "space must keep the kind, scale and choices of units"),
        (["--study-name", "first"], "objectives must stay those of the study first (log_loss), got accuracy"),
        (["--warm-start", "nowhere"], "the studies here are first, "),
    ):
        result = step("tune", "--space", "grid.yaml", *arguments)
        assert (result.returncode, message in result.stderr) == (2, True), result.stderr
        assert "RUNNING" not in {run.info.status for run in step_runs(client, "tune")}
    (tmp_path / "grid.yaml").write_text(GRID + "dropout: {type: float, low: 0.0, high: 0.5}\n")
    output = tune(step, "--max-epochs", "1", "--n-trials", "5", "--study-name", "first", "--objectives", "log_loss")
    assert "Space: dropout added (float 0.0 to 0.5)" in output
