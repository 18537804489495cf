"""`python -m benchmarks.tables`: this project against the usual systems on tables, in the same seconds on one machine.

For each table and seed, 20 % of the rows are the test rows of all systems; each gets the rest, both cores and the same
wall seconds, from the start of its process to its answer. None is killed, and the seconds that it took are in its row:
a comparison counts only where they are alike. One system runs at a time. Rows are appended to
`benchmarks/tables.jsonl`, and those that are there are not run again, so that the benchmark can be run in parts:
`--only`, `--systems`, `--seeds` choose them, and `--show` prints the tables of docs/tables.md from the file alone.
The rivals have environments of their own, `.venv-rivals` and `.venv-autogluon`, which the first run makes (9 GB).
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split

from benchmarks.critical_difference import diagram
from benchmarks.own_data import TABLES, Table
from benchmarks.systems import environment
from steps.datasets.tabular.inference import Statements, infer
from steps.mlp.runtime import hardware

HERE = Path(__file__).parent
ROWS = HERE / "tables.jsonl"
# Options, and the share of the time beyond `_FIXED` for the search; the final training takes the rest.
OURS = {
    "MLP, one trial": (("--n-trials=1",), 0.7),
    "MLP, 8 of one trial": (("--n-trials=1", "--ensemble=8"), 0.4),
    "MLP, tuned": ((), 0.7),
    "MLP, ensemble of 8": (("--ensemble=8", "--stop-when=none"), 0.4),  # as docs/search.md advises
}
THEIRS = (
    "linear", "HistGradientBoosting", "HistGradientBoosting, tuned", "LightGBM, tuned", "XGBoost, tuned",
    "CatBoost, tuned", "RealMLP", "TabM", "MLP, KerasTuner", "AutoGluon, medium", "AutoGluon, best",
)  # fmt: skip
REFERENCE = "LightGBM, tuned"
_RIVALS = (
    "catboost==1.2.10", "keras-tuner==1.4.8", "lightgbm==4.7.0", "optuna==5.0.0", "pandas==3.1.1", "pyarrow==26.0.1",
    "pytabkit==1.7.3", "scikit-learn==1.9.1", "tensorboard==2.21.0", "tensorflow==2.21.0", "torch==2.13.0",
    "xgboost-cpu==3.2.0",
)  # fmt: skip
_AUTOGLUON = ("autogluon.tabular[catboost,fastai,lightgbm,xgboost]==1.6.3", "optuna==5.0.0")
_LEAST_ROWS = 300
_FIXED = 40  # seconds of our processes, reports and packaging


@click.command()
@click.option("--seconds", default=60, show_default=True, help="Wall seconds of each system on each table.")
@click.option("--seeds", default=3, show_default=True, help="Number of outer splits.")
@click.option("--only", default="", help="Names of tables, separated by commas; empty: all of at least 300 rows.")
@click.option("--systems", default="", help="Names of systems, separated by semicolons; empty: all.")
@click.option("--show", is_flag=True, help="Print the tables from the rows of earlier runs.")
@click.option("--picture", type=click.Path(path_type=Path), help="PNG of the critical-difference diagram.")
def main(seconds: int, seeds: int, only: str, systems: str, show: bool, picture: Path | None) -> None:
    """Run what is missing, then print Markdown tables."""
    chosen = systems.split(";") if systems else [*OURS, *THEIRS]
    if not show:
        done = {(row["table"], row["seed"], row["system"], row["budget"]) for row in read()}
        for table in TABLES:
            frame = table.frame() if not only or table.name in only.split(",") else pd.DataFrame()
            for seed in range(seeds if len(frame) >= _LEAST_ROWS else 0):
                left = [name for name in chosen if (table.name, seed, name, seconds) not in done]
                for row in run(table, frame, seed, left, seconds):
                    with ROWS.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(row) + "\n")
                    click.echo(row, err=True)
    rows = pd.DataFrame([row for row in read() if not only or row["table"] in only.split(",")])
    losses = cells(rows, seconds)
    click.echo(report(rows, losses, seconds))
    if picture is not None:
        diagram(relative(losses)).save(picture)


def read() -> list[dict[str, object]]:
    """All rows so far."""
    return [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()] if ROWS.exists() else []


def run(
    table: Table, frame: pd.DataFrame, seed: int, systems: Sequence[str], seconds: int
) -> Iterable[dict[str, object]]:
    """A row per system on one outer split of a table."""
    if not systems:
        return
    import pyarrow as pa

    found = infer(pa.Table.from_pandas(frame, preserve_index=False), table.target, Statements())
    frame = frame[[*found.schema.names, table.target]].dropna(subset=[table.target])
    target = found.labels.target
    if target.class_names:
        frame = frame.assign(**{table.target: frame[table.target].astype(str)})
    train, test = train_test_split(
        frame, test_size=0.2, random_state=seed, stratify=frame[table.target] if target.class_names else None
    )
    for system in systems:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            train.to_parquet(folder / "train.parquet", index=False)
            known = test if system in OURS else test.drop(columns=table.target)  # our evaluate scores them, once
            known.to_parquet(folder / "test.parquet", index=False)
            classes = sorted(frame[table.target].unique()) if target.class_names else []
            about = {"target": table.target, "classes": classes}
            (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
            begun = time.monotonic()
            if system in OURS:
                outputs = _ours(*OURS[system], folder, table.target, seconds, seed)
            else:
                outputs = _theirs(system, folder, seconds, seed)
            used = time.monotonic() - begun
            yield {
                "table": table.name, "seed": seed, "system": system, "budget": seconds, "seconds": round(used, 1),
                **_scores(test[table.target], outputs, classes), "rows": len(frame),
                "machine": "{processor}, {cores} cores, {cpu_features}".format_map(hardware()),
                "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            }  # fmt: skip


def _scores(targets: pd.Series, outputs: np.ndarray, classes: Sequence[str]) -> dict[str, float]:
    """Log loss and error rate, or RMSE and the share of the variance that is not explained."""
    if not classes:
        return {"loss": root_mean_squared_error(targets, outputs), "error": 1 - r2_score(targets, outputs)}
    numbers = targets.map({label: i for i, label in enumerate(classes)})
    outputs = np.clip(outputs, 1e-7, 1)
    loss = log_loss(numbers, outputs / outputs.sum(axis=1, keepdims=True), labels=range(len(classes)))
    return {"loss": loss, "error": 1 - accuracy_score(numbers, outputs.argmax(1))}


def _theirs(system: str, folder: Path, seconds: int, seed: int) -> np.ndarray:
    name, packages = (".venv-autogluon", _AUTOGLUON) if system.startswith("AutoGluon") else (".venv-rivals", _RIVALS)
    script = HERE / "rivals" / "tables" / "systems.py"
    _run([str(environment(name, packages)), str(script), system, str(folder), str(seconds), str(seed)], folder)
    found: np.ndarray = np.load(folder / "outputs.npy")
    return found


def _ours(options: Sequence[str], search: float, folder: Path, target: str, seconds: int, seed: int) -> np.ndarray:
    store = f"sqlite:///{folder}/mlflow.db"
    _run(
        [sys.executable, "-m", "steps.main", f"--dataset={folder}/train.parquet", f"--target={target}",
         f"--test-dataset={folder}/test.parquet", "--n-trials=1000", f"--timeout={search * (seconds - _FIXED)}",
         "--model-name=model", f"--seed={seed}", *options],
        folder, MLFLOW_TRACKING_URI=store, PYTHONPATH=str(HERE.parent),
    )  # fmt: skip
    from mlflow.pyfunc import load_model
    from mlflow.tracking import set_tracking_uri

    set_tracking_uri(store)
    found = load_model("models:/model/1").predict(pd.read_parquet(folder / "test.parquet").drop(columns=target))
    classes = sorted(name for name in found.columns if name.startswith("probability_"))
    return found[classes].to_numpy() if classes else found["predicted"].to_numpy()


def _run(command: list[str], folder: Path, **environment: str) -> None:
    done = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {(done.stdout + done.stderr)[-3000:]}")


def cells(rows: pd.DataFrame, seconds: int) -> pd.DataFrame:
    """Losses, a row per table and seed that all systems have, a column per system."""
    losses = rows[rows["budget"] == seconds].pivot_table(index=["table", "seed"], columns="system", values="loss")
    return losses[[system for system in [*OURS, *THEIRS] if system in losses]].dropna()


def relative(losses: pd.DataFrame) -> pd.DataFrame:
    """Loss of each table against the reference, geometric mean over the seeds."""
    logarithms = np.log(losses.div(losses[REFERENCE], axis=0))
    return np.exp(logarithms.groupby("table").mean())


def report(rows: pd.DataFrame, losses: pd.DataFrame, seconds: int) -> str:
    """Two Markdown tables: the systems, and the loss of each table relative to the reference."""
    by_table, ranks = relative(losses), losses.rank(axis=1)
    used = rows[rows["budget"] == seconds].groupby("system")["seconds"].median()
    lines = [
        f"{len(losses)} cells of {len(by_table)} tables, {seconds} s each\n",
        f"| system | loss against {REFERENCE} | mean rank | wins | seconds (median) |",
        "|---|---|---|---|---|",
    ]
    for system in ranks.mean().sort_values().index:
        lines.append(
            f"| {system} | {np.exp(np.log(by_table[system]).mean()):.3f} | {ranks[system].mean():.1f} "
            f"| {int((ranks[system] == 1).sum())} | {used[system]:.0f} |"
        )
    lines += ["", f"| table | {' | '.join(losses)} |", f"|---|{'---|' * len(losses.columns)}"]
    for name, row in by_table.iterrows():
        lines.append(f"| {name} | {' | '.join(f'{value:.3f}' for value in row)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
