"""The budget of a study is exact, however many processes share it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.running import run_command, script, succeeded

MANY = """
import sys
from pathlib import Path
import optuna
from benchmarks.stubs import run_stubs
from deploy.cluster import Cluster
from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.search.store.url import open_storage
quiet_libraries()
import_tensorflow()
with Cluster(Path(sys.argv[1]), n_workers=0) as cluster:
    run_stubs(cluster, "budget", 64, 1000)  # it fails where a trial is not complete
    storage = open_storage(cluster.environment()["TUNE_STORAGE"])
    trials = optuna.load_study(study_name="budget", storage=storage).trials
    runs = {trial.user_attrs["mlflow.run_id"] for trial in trials}
    print([trial.number for trial in trials] == list(range(1000)), len(runs))
    storage.engine.dispose()
"""


@pytest.mark.slow
def test_64_workers_run_exactly_1000_trials() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        said = succeeded(run_command(script(MANY, folder), Path(folder)))
    assert said.split() == ["True", "1000"]
