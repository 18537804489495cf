"""`python -m benchmarks.serving`: what one row costs with the registered model of a table, beside its network.

Milliseconds of the fastest tenth of the calls, which other processes disturb least: processor time of one thread in
this process, and wall time of a request to `mlflow models serve` on this machine. Half of the columns are numbers,
half are categories of 20 levels. `mlflow` is what MLflow itself does before and after: it checks column by column.
"""

from __future__ import annotations

import json
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import click
import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa

from deploy.postgresql import free_port
from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.datasets.interface import Interface
from steps.datasets.request import DataRequest
from steps.datasets.sources.source import TableSource
from steps.datasets.tables import table_as_dataset
from steps.mlp.config import MLPConfig
from tests.running import module, serving

WIDTHS = (6, 12, 24, 48)  # columns
REPEATS = 300


def _table(n_columns: int) -> pa.Table:
    rng = np.random.default_rng(0)
    columns = {
        f"column_{i}": rng.normal(size=2000) if i % 2 else np.char.add("level ", rng.integers(0, 20, 2000).astype(str))
        for i in range(n_columns)
    }
    return pa.table({**columns, "target": rng.choice(["no", "yes"], 2000)})


def _fast(call: Callable[[], object], clock: Callable[[], float]) -> float:
    """Milliseconds of a call that has been warmed up."""
    for _ in range(20):
        call()
    times = []
    for _ in range(REPEATS):
        begun = clock()
        call()
        times.append(clock() - begun)
    return 1000 * float(np.quantile(times, 0.1))


def _request(address: str, row: pd.DataFrame) -> Callable[[], object]:
    body = json.dumps({"dataframe_split": json.loads(row.to_json(orient="split"))}).encode()
    headers = {"Content-Type": "application/json"}

    def post() -> object:
        with urllib.request.urlopen(urllib.request.Request(address, body, headers)) as answer:
            return answer.read()

    return post


def measure(n_columns: int, folder: Path) -> tuple[float, ...]:
    """Network, model without MLflow, model, and a request."""
    from steps.mlp.model import build_model
    from steps.tracking.packaging import log_model

    table = _table(n_columns)
    dataset = table_as_dataset(TableSource(table, "rows", "made here", "0"), None, DataRequest("", target="target"))
    with mlflow.start_run():
        uri = log_model(build_model(MLPConfig(units=(256, 256)), Interface.of(dataset), seed=0), dataset, {})
    model = mlflow.pyfunc.load_model(uri)
    inside, row = model.unwrap_python_model(), table.slice(7, 1).to_pandas().drop(columns="target")
    features = inside.encode(row)
    port = free_port()
    command = module("mlflow", "models", "serve", "-m", uri, "--env-manager", "local", "-p", str(port))
    with serving(command, folder, f"http://127.0.0.1:{port}/ping"):
        request = _fast(_request(f"http://127.0.0.1:{port}/invocations", row), time.perf_counter)
    return (
        _fast(lambda: inside.apply(features), time.thread_time),
        _fast(lambda: inside.predict(None, row), time.thread_time),
        _fast(lambda: model.predict(row), time.thread_time),
        request,
    )


@click.command()
def main() -> None:
    """Print a Markdown table with a line per width."""
    quiet_libraries()
    import_tensorflow()
    click.echo("| columns | network | encoding and names | mlflow | beyond the network | request |")
    click.echo("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        mlflow.set_tracking_uri(f"sqlite:///{name}/mlflow.db")
        mlflow.set_experiment(experiment_id=mlflow.create_experiment("serving", f"file:{name}/artifacts"))
        for n_columns in WIDTHS:
            network, own, whole, request = measure(n_columns, Path(name))
            cells = (network, own - network, whole - own, whole - network, request)
            click.echo(f"| {n_columns} | {' | '.join(f'{cell:.2f}' for cell in cells)} |")


if __name__ == "__main__":
    main()
