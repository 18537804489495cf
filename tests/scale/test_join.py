"""Processes that join a tune run: by hand, in a Dask cluster that tune starts, and where they must not."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Step, copy_store
from tests.running import REPOSITORY, copy_project
from tests.survival import Study, assert_whole, results

N_TRIALS = 6


@pytest.fixture(scope="module")
def baseline_study(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Study:
    folder = tmp_path_factory.mktemp("joining")
    copy_store(empty_store, folder)
    study = Study(folder, "baseline", N_TRIALS)
    study.finish()
    return study


def start_worker(study: Study, *options: str, code: Path = REPOSITORY) -> subprocess.Popen[str]:
    """The step `worker` in a process of its own, with the package in the folder `code`."""
    return study.start_step("worker", *options, PYTHONPATH=str(code))


@pytest.fixture
def installed(tmp_path: Path) -> Callable[..., Path]:
    """Makes a copy of this project in which some files of `steps/` have one line more."""

    def install(name: str, *changed: str) -> Path:
        copy = copy_project(tmp_path / name)
        for file in changed:
            with (copy / "steps" / file).open("a") as opened:
                opened.write("# one more line\n")
        return copy

    return install


def test_tune_starts_a_cluster_of_its_own(baseline_study: Study) -> None:
    study = Study(baseline_study.folder, "dask", N_TRIALS, options=("--engine", "dask", "--n-jobs", "1"))
    done = study.run()
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\ntrial-") == N_TRIALS  # the workers' trials are shown where tune runs
    assert_whole(study)
    assert results(study) == results(baseline_study)


def test_a_worker_joins_the_newest_tune_run_and_ends_with_it(baseline_study: Study) -> None:
    study = Study(baseline_study.folder, "joined", N_TRIALS)
    tune = study.start()
    worker = start_worker(study)
    _, stderr = tune.communicate()
    said, problems = worker.communicate()
    assert tune.returncode == 0, stderr
    assert worker.returncode == 0, problems
    assert "Study over (n_trials)" in said or "has ended" in said
    assert_whole(study)
    assert results(study) == results(baseline_study)


@pytest.mark.slow
def test_a_worker_may_show_things_differently_but_must_train_alike(
    baseline_study: Study, installed: Callable[..., Path]
) -> None:
    study = Study(baseline_study.folder, "other-code", N_TRIALS)
    shown = installed("shown", "report/terminal.py", "cli/options.py", "worker.py")
    trained = installed("trained", "mlp/trainer.py")
    tune = study.start()
    welcome, refused = start_worker(study, code=shown), start_worker(study, code=trained)
    _, problems = refused.communicate()
    assert refused.returncode == 2, problems
    assert problems.startswith("Error: worker must have the code and the pinned dependencies of its tune run")
    _, problems = welcome.communicate()
    assert welcome.returncode == 0, problems
    _, stderr = tune.communicate()
    assert tune.returncode == 0, stderr
    assert results(study) == results(baseline_study)


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
