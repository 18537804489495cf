"""Processes that join a tune run: by hand, in a Dask cluster that tune starts, and where they must not."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from tests.conftest import Step
from tests.survival import Study, assert_whole, results

N_TRIALS = 6


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = Study(tmp_path_factory.mktemp("joining"), "calm", N_TRIALS)
    done = study.run()
    assert done.returncode == 0, done.stderr
    return study


def start_worker(study: Study, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        study.command("worker", *options), cwd=study.folder, env=study.environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def test_tune_starts_a_cluster_of_its_own(calm: Study) -> None:
    study = Study(calm.folder, "dask", N_TRIALS, options=("--engine", "dask", "--n-jobs", "1"))
    done = study.run()
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\ntrial-") == N_TRIALS  # the workers' trials are shown where tune runs
    assert_whole(study)
    assert results(study) == results(calm)


def test_a_worker_joins_the_newest_tune_run_and_ends_with_it(calm: Study) -> None:
    study = Study(calm.folder, "joined", N_TRIALS)
    tune = study.start()
    worker = start_worker(study)
    _, stderr = tune.communicate()
    said, problems = worker.communicate()
    assert tune.returncode == 0, stderr
    assert worker.returncode == 0, problems
    assert "Study over (n_trials)" in said or "has ended" in said
    assert_whole(study)
    assert results(study) == results(calm)


def test_a_worker_of_other_code_is_refused(calm: Study) -> None:
    study = Study(calm.folder, "other-code", N_TRIALS)
    tune = study.start()
    client = MlflowClient(study.tracking_uri)
    (run,) = client.search_runs(["0"], "tags.`optuna.study` = 'other-code' AND attributes.status = 'RUNNING'")
    plan = Path(run.info.artifact_uri.removeprefix("file://")) / "study" / "plan.json"
    plan.write_text(json.dumps(json.loads(plan.read_text()) | {"code": "0" * 64}))
    worker = start_worker(study, "--tune-run-id", run.info.run_id)
    _, problems = worker.communicate()
    assert worker.returncode == 2, problems
    assert problems.startswith("Error: worker must have the code and the pinned dependencies of its tune run")
    _, stderr = tune.communicate()
    assert tune.returncode == 0, stderr


@pytest.mark.parametrize("given", ["", "1" * 32])
def test_a_worker_without_a_tune_run_says_so(step: Step, given: str) -> None:
    done = step("worker", "--tune-run-id", given)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: tune_run_id must be")
    assert done.stderr.count("\n") == 1


def test_an_address_needs_its_engine(step: Step) -> None:
    done = step("tune", "--address", "tcp://127.0.0.1:1")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: address must be empty for engine local")
