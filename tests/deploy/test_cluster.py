"""`make cluster` as a person uses it: what it prints is done, up to a registered model."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from mlflow.tracking import MlflowClient

from tests.conftest import REPOSITORY, environment


@pytest.mark.slow
def test_main_runs_on_the_cluster_to_a_registered_model(tmp_path: Path) -> None:
    cluster = subprocess.Popen(
        [sys.executable, "-m", "deploy.cluster"], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert cluster.stdout is not None
    said = ""
    while "Ctrl-C stops the cluster" not in said:
        said += (line := cluster.stdout.readline())
        assert line, said
    started = psutil.Process(cluster.pid).children(recursive=True)
    try:
        (script,) = re.findall(r"source (\S+)", said)
        exported = dict(line.removeprefix("export ").split("=", 1) for line in Path(script).read_text().splitlines())
        own = environment(tmp_path) | {name: shlex.split(value)[0] for name, value in exported.items()}
        (options,) = re.findall(r"make main ARGS='(.*)'", said)
        command = ["mlflow", "run", str(REPOSITORY), "-e", "main", "--env-manager", "local", *shlex.split(options)]
        for small in ("dataset=digits", "n_trials=4", "max_epochs=3", "final_epochs=3", "min_accuracy=0.1"):
            command += ["-P", small]
        done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True)
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
