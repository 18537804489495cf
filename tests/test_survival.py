"""Studies whose processes are killed, interrupted, doubled and cut off; real ones, at random moments."""

from __future__ import annotations

import random
import resource
import signal
import time
from pathlib import Path

import optuna
import pytest
import yaml
from mlflow.tracking import MlflowClient

from deploy.postgresql import free_port
from tests.conftest import copy_store
from tests.running import module, read_to, serving
from tests.survival import Study, assert_whole, kill_at_random, results

N_TRIALS = 6


@pytest.fixture(scope="module")
def baseline_study(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Study:
    """An undisturbed study; the disturbed ones of this module are kept in the same folder."""
    folder = tmp_path_factory.mktemp("survival")
    copy_store(empty_store, folder)
    study = Study(folder, "baseline", N_TRIALS)
    study.finish()
    return study


def moments(seed: int, n: int, longest: float) -> list[float]:
    chance = random.Random(seed)
    return [chance.uniform(0, longest) for _ in range(n)]


def test_two_kills_change_nothing(seed: int, baseline_study: Study) -> None:
    study = Study(baseline_study.folder, "killed", N_TRIALS)
    kill_at_random(study, moments(seed, 2, 2.0))
    study.finish()
    assert_whole(study)
    assert results(study) == results(baseline_study)


@pytest.mark.slow
def test_twenty_kills_change_nothing(seed: int, tmp_path: Path) -> None:
    expected, study = Study(tmp_path, "baseline", 16), Study(tmp_path, "killed", 16)
    expected.finish()
    kill_at_random(study, moments(seed, 20, 1.5))
    study.finish()
    assert_whole(study)
    assert results(study) == results(expected)


@pytest.mark.slow
def test_two_processes_share_a_study_and_one_takes_over_what_the_other_leaves(baseline_study: Study) -> None:
    study = Study(baseline_study.folder, "shared", N_TRIALS)
    first, second = study.start(), study.start()
    read_to(first, "trial-")
    first.kill()
    first.communicate()
    _, stderr = second.communicate()
    assert second.returncode == 0, stderr
    assert results(study) == results(baseline_study)
    trials = study.trials()
    assert [trial.number for trial in trials] == list(range(N_TRIALS))
    client = MlflowClient(f"sqlite:///{baseline_study.folder}/mlflow.db")
    children = client.search_runs(["0"], "tags.`optuna.study` = 'shared' AND tags.`optuna.trial_number` != ''")
    assert {run.info.status for run in children} == {"FINISHED"}
    assert sorted(run.info.run_id for run in children) == sorted(t.user_attrs["mlflow.run_id"] for t in trials)


@pytest.mark.slow
def test_a_second_ctrl_c_does_not_wait_for_the_epoch(tmp_path: Path) -> None:
    # An epoch of this point on MNIST takes long enough for two interruptions.
    study = Study(tmp_path, "twice", 1, dataset="mnist")
    process = study.start("--points", slow_point(tmp_path), "--max-epochs", "1", "--n-jobs", "1")
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    read_to(process, "Ctrl-C once more stops at once")
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
def test_a_full_disk_stops_the_study_with_one_line_and_loses_nothing(baseline_study: Study) -> None:
    study = Study(baseline_study.folder, "full", N_TRIALS)
    process = study.start()
    before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (20_000, before[1]))  # no file may grow beyond that
    _, stderr = process.communicate()
    assert process.returncode == 1, stderr
    errors = [line for line in stderr.splitlines() if not line.startswith("WARNING: ")]
    assert [line[:7] for line in errors] == ["Error: "], stderr
    study.finish()
    assert_whole(study)
    assert results(study) == results(baseline_study)


@pytest.mark.slow
def test_a_tracking_server_may_be_away_for_a_while(baseline_study: Study, tmp_path: Path) -> None:
    port = free_port("127.0.0.1")
    address = f"http://127.0.0.1:{port}"
    uri = f"sqlite:///{baseline_study.folder}/mlflow.db"
    command = module("mlflow", "server", "--port", str(port), "--workers", "1", "--backend-store-uri", uri)
    study = Study(
        baseline_study.folder, "away", N_TRIALS, f"sqlite:///{tmp_path}/a.db", extra={"MLFLOW_TRACKING_URI": address}
    )
    with serving(command, baseline_study.folder, f"{address}/health"):
        process = study.start()
    time.sleep(3)
    with serving(command, baseline_study.folder, f"{address}/health"):
        _, stderr = process.communicate()
        assert process.returncode == 0, stderr
        assert_whole(study)
        assert results(study) == results(baseline_study)


@pytest.mark.slow
def test_a_study_that_is_deleted_while_it_runs_ends_in_one_line(tmp_path: Path) -> None:
    study = Study(tmp_path, "deleted", 40)
    process = study.start()
    read_to(process, "trial-")
    optuna.delete_study(study_name="deleted", storage=f"sqlite:///{tmp_path}/optuna.db")
    _, stderr = process.communicate()
    assert process.returncode == 1, stderr
    assert stderr.startswith("Error: the study deleted was deleted from its database while it ran; continue with: ")
    assert stderr.count("\n") == 1
    client = MlflowClient(study.tracking_uri)
    assert not client.search_runs(["0"], "attributes.status = 'RUNNING'")
