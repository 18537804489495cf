"""The same with TLS, passwords, and workers that have only what their own installation gives them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from distributed.protocol import pickle

from deploy.cluster import Cluster
from steps.search.dask import join_from_dask
from tests.running import run_step
from tests.scale.conftest import N_TRIALS
from tests.survival import Study, assert_whole, results


def test_a_worker_is_sent_a_name_and_no_code() -> None:
    sent = pickle.dumps(join_from_dask)
    assert pickle.loads(sent) is join_from_dask
    assert len(sent) < 100


@pytest.mark.slow
def test_tls_and_passwords(baseline_study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Cluster(Path(folder), secure=True) as cluster,
    ):
        assert cluster.address.startswith("tls://")
        environment = cluster.environment()
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        study = Study(
            baseline_study.folder, "secure", N_TRIALS, environment["TUNE_STORAGE"], extra=environment,
            options=("--engine", "dask", "--address", cluster.address),
        )  # fmt: skip
        outsider = {**study.variables, "MLFLOW_TRACKING_PASSWORD": "a guess"}
        refused = run_step(study.folder, "tune", **outsider)
        assert refused.returncode == 1
        assert refused.stderr.startswith("Error: "), refused.stderr
        done = study.run()
        assert done.returncode == 0, done.stderr
        assert_whole(study)
        assert results(study) == results(baseline_study)
        secrets = [value for name, value in environment.items() if name.endswith("PASSWORD")]
        secrets.append(environment["TUNE_STORAGE"].partition(":")[2].partition(":")[2].partition("@")[0])
        written = done.stdout + done.stderr + refused.stderr
        written += "".join(log.read_text() for log in Path(folder).glob("*.log"))
        written += "".join(
            file.read_text(errors="replace") for file in (Path(folder) / "artifacts").rglob("*") if file.is_file()
        )
        assert not any(secret in written for secret in secrets)
