"""A worker that is cut off from the network, and comes back when its trial is another one's."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest

from deploy.cluster import Cluster
from tests.running import read_to
from tests.scale.conftest import N_TRIALS
from tests.scale.network import far_away
from tests.survival import Study, assert_whole, results

EPOCHS = 240  # some seconds a trial
pytestmark = pytest.mark.slow


def test_what_a_cut_off_worker_brings_late_is_left_out(tmp_path: Path) -> None:
    alone = ("--n-jobs", "1")  # a trial is also a function of its number of threads, so that all have as many
    baseline = Study(tmp_path, "baseline", N_TRIALS, epochs=EPOCHS, options=alone)
    baseline.finish()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        far_away() as (host, far),
        Cluster(Path(folder), host, n_workers=0) as cluster,
    ):
        environment = cluster.environment()
        study = Study(
            baseline.folder, "cut", N_TRIALS, environment["TUNE_STORAGE"], epochs=EPOCHS, options=alone,
            extra={"MLFLOW_TRACKING_URI": environment["MLFLOW_TRACKING_URI"]},
        )  # fmt: skip
        tune = study.start()
        worker = study.start_step("worker", *alone, prefix=far.prefix)
        read_to(worker, "trial-")
        time.sleep(1)  # it has run one, and is in the middle of its next
        far.cut(worker)
        time.sleep(60)
        far.restore(worker)
        _, said = worker.communicate()
        _, stderr = tune.communicate()
        assert tune.returncode == 0, stderr
        assert worker.returncode == 0, said
        assert "was taken over while this process was away; its late results are dropped" in said
        assert_whole(study, late=True)
        assert results(study) == results(baseline)
