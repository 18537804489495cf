"""Studies whose processes are killed, interrupted, doubled and cut off; real ones, at random moments."""

from __future__ import annotations

import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml
from mlflow.tracking import MlflowClient

from tests.conftest import environment
from tests.survival import Study, assert_whole, kill_at_random, results

N_TRIALS = 6


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """An undisturbed study; the disturbed ones of this module are kept in the same folder."""
    folder = tmp_path_factory.mktemp("survival")
    study = Study(folder, "calm", N_TRIALS)
    done = study.run()
    assert done.returncode == 0, done.stderr
    return study


def moments(seed: int, n: int, longest: float) -> list[float]:
    chance = random.Random(seed)
    return [chance.uniform(0, longest) for _ in range(n)]


def test_three_kills_change_nothing(seed: int, calm: Study) -> None:
    study = Study(calm.folder, "killed", N_TRIALS)
    kill_at_random(study, moments(seed, 3, 2.0))
    done = study.run()
    assert done.returncode == 0, done.stderr
    assert_whole(study)
    assert results(study) == results(calm)


@pytest.mark.slow
def test_twenty_kills_change_nothing(seed: int, tmp_path: Path) -> None:
    expected, study = Study(tmp_path, "calm", 16), Study(tmp_path, "killed", 16)
    assert expected.run().returncode == 0
    kill_at_random(study, moments(seed, 20, 1.5))
    done = study.run()
    assert done.returncode == 0, done.stderr
    assert_whole(study)
    assert results(study) == results(expected)


@pytest.mark.slow
def test_two_processes_share_a_study_and_one_takes_over_what_the_other_leaves(calm: Study) -> None:
    study = Study(calm.folder, "shared", N_TRIALS)
    first, second = study.start(), study.start()
    study.read_to(first, "trial-")
    first.kill()
    first.communicate()
    _, stderr = second.communicate()
    assert second.returncode == 0, stderr
    assert results(study) == results(calm)
    trials = study.trials()
    assert [trial.number for trial in trials] == list(range(N_TRIALS))
    client = MlflowClient(f"sqlite:///{calm.folder}/mlflow.db")
    children = client.search_runs(["0"], "tags.`optuna.study` = 'shared' AND tags.`optuna.trial_number` != ''")
    assert {run.info.status for run in children} == {"FINISHED"}
    assert sorted(run.info.run_id for run in children) == sorted(t.user_attrs["mlflow.run_id"] for t in trials)


@pytest.mark.slow
def test_a_second_ctrl_c_does_not_wait_for_the_epoch(tmp_path: Path) -> None:
    # An epoch of this point on MNIST takes long enough for two interruptions.
    study = Study(tmp_path, "twice", 1, dataset="mnist")
    process = study.start(
        "--points", slow_point(tmp_path), "--max-epochs", "1", "--n-jobs", "1"
    )  # fmt: skip
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    study.read_to(process, "Ctrl-C once more stops at once")
    time.sleep(2.2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode == 130, stderr
    assert "continue with: mlflow run . -e tune -P study_name=twice" in stderr
    (trial,) = study.trials()
    child = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").get_run(trial.user_attrs["mlflow.run_id"])
    assert (child.info.status, child.data.tags["optuna.state"]) == ("KILLED", "INTERRUPTED")
    assert (child.data.metrics, trial.intermediate_values) == ({}, {})  # not even the epoch that ran


def slow_point(folder: Path) -> str:
    """All trials of one point whose epoch takes a core half a minute."""
    point = {
        "n_layers": 3,
        "units_0": 1024,
        "units_1": 1024,
        "units_2": 1024,
        "augmentation": "affine",
        "batch_size": 64,
    }
    (folder / "slow.yaml").write_text(yaml.safe_dump([point]))
    return str(folder / "slow.yaml")


@pytest.mark.slow
def test_a_full_disk_stops_the_study_with_one_line_and_loses_nothing(calm: Study) -> None:
    study = Study(calm.folder, "full", N_TRIALS)
    process = study.start()
    before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (20_000, before[1]))  # no file may grow beyond that
    _, stderr = process.communicate()
    assert process.returncode == 1, stderr
    errors = [line for line in stderr.splitlines() if not line.startswith("WARNING: ")]
    assert [line[:7] for line in errors] == ["Error: "], stderr
    done = study.run()
    assert done.returncode == 0, done.stderr
    assert_whole(study)
    assert results(study) == results(calm)


@pytest.mark.slow
def test_a_tracking_server_may_be_away_for_a_while(calm: Study, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = start_server(calm.folder, port)
    try:
        study = Study(
            calm.folder, "away", N_TRIALS, f"sqlite:///{tmp_path}/a.db", extra={"MLFLOW_TRACKING_URI": address}
        )
        process = study.start()
        stop_server(server)
        time.sleep(3)
        server = start_server(calm.folder, port)
        _, stderr = process.communicate()
        assert process.returncode == 0, stderr
        assert_whole(study)
        assert results(study) == results(calm)
    finally:
        stop_server(server)


def start_server(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """An `mlflow server` of the folder's database, that answers when this returns."""
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    with (folder / "server.log").open("ab") as log:
        server = subprocess.Popen(
            command, cwd=folder, env=environment(folder), stdout=log, stderr=log, start_new_session=True
        )
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health"):
                return server
        except OSError:
            assert server.poll() is None, (folder / "server.log").read_text()
            time.sleep(0.2)


def stop_server(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()
