"""`make cluster` as a person uses it: what it prints is done, up to a registered model."""

from __future__ import annotations

import re
import shlex
import signal
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from mlflow.tracking import MlflowClient

from tests.running import REPOSITORY, module, read_to, run_command, start_command


@pytest.mark.slow
def test_main_runs_on_the_cluster_to_a_registered_model(tmp_path: Path) -> None:
    cluster = start_command(module("deploy.cluster"), tmp_path)
    said = read_to(cluster, "Ctrl-C stops the cluster")
    started = psutil.Process(cluster.pid).children(recursive=True)
    try:
        (script,) = re.findall(r"source (\S+)", said)
        exported = dict(line.removeprefix("export ").split("=", 1) for line in Path(script).read_text().splitlines())
        own = {name: shlex.split(value)[0] for name, value in exported.items()}
        (options,) = re.findall(r"make main ARGS='(.*)'", said)
        command = ["mlflow", "run", str(REPOSITORY), "-e", "main", "--env-manager", "local", *shlex.split(options)]
        for small in ("dataset=digits", "n_trials=4", "max_epochs=3", "final_epochs=3"):
            command += ["-P", small]
        done = run_command(command, tmp_path, **own)
        assert done.returncode == 0, done.stderr
        uri = own["MLFLOW_TRACKING_URI"]
        (version,) = MlflowClient(uri, uri).search_model_versions("name = 'digits-mlp'")
        assert version.tags["validation_status"] in ("approved", "rejected")
        password = sa.make_url(own["TUNE_STORAGE"]).password
        assert password
        assert password not in said + done.stdout + done.stderr
    finally:
        cluster.send_signal(signal.SIGINT)
        cluster.communicate()
    assert cluster.returncode == 0
    _, alive = psutil.wait_procs(started, timeout=30)
    assert alive == []
