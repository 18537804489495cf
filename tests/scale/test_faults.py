"""A study on a cluster whose parts are killed, restarted and cut off: nothing is lost, nothing counts twice."""

from __future__ import annotations

import random
import subprocess
import time

import psutil
import pytest

from deploy.cluster import Cluster
from tests.running import read_to
from tests.scale.conftest import MakeStudy
from tests.survival import Study, assert_whole, results

pytestmark = pytest.mark.slow


def finish(study: Study, baseline_study: Study, process: subprocess.Popen[str]) -> None:
    """The step ends well, and the study has what the undisturbed one has."""
    _, stderr = process.communicate()
    print(stderr)  # noqa: T201 -- pytest shows it if something below fails
    assert process.returncode == 0, stderr
    assert_whole(study)
    assert results(study) == results(baseline_study)


def start_and_wait(study: Study, seed: int) -> subprocess.Popen[str]:
    """Start the study, and return at a random moment after its first trial."""
    process = study.start()
    read_to(process, "trial-")
    time.sleep(random.Random(seed).uniform(0, 3))
    return process


def start_two_workers(cluster: Cluster) -> None:
    for _ in range(2):
        cluster.start_worker()


def test_nothing_happens(baseline_study: Study, on_cluster: MakeStudy) -> None:
    study = on_cluster("undisturbed")
    finish(study, baseline_study, study.start())


def test_a_worker_is_killed(seed: int, baseline_study: Study, cluster: Cluster, on_cluster: MakeStudy) -> None:
    study = on_cluster("worker-killed")
    process = start_and_wait(study, seed)
    children = psutil.Process(cluster.workers[0].pid).children()
    max(children, key=lambda child: child.memory_info().rss).kill()  # its nanny starts another one
    finish(study, baseline_study, process)


def test_all_workers_are_killed_and_others_come(
    seed: int, baseline_study: Study, cluster: Cluster, on_cluster: MakeStudy
) -> None:
    study = on_cluster("all-killed")
    process = start_and_wait(study, seed)
    cluster.kill_workers()
    start_two_workers(cluster)
    finish(study, baseline_study, process)


def test_the_scheduler_is_killed_and_started_again(
    seed: int, baseline_study: Study, cluster: Cluster, on_cluster: MakeStudy
) -> None:
    study = on_cluster("scheduler-killed")
    process = start_and_wait(study, seed)
    cluster.kill_scheduler()
    cluster.kill_workers()
    cluster.start_scheduler()
    start_two_workers(cluster)
    finish(study, baseline_study, process)


def test_tune_is_killed_and_continued(seed: int, baseline_study: Study, on_cluster: MakeStudy) -> None:
    study = on_cluster("tune-killed")
    process = start_and_wait(study, seed)
    process.kill()
    process.communicate()
    finish(study, baseline_study, study.start())


def test_postgresql_is_restarted(seed: int, baseline_study: Study, cluster: Cluster, on_cluster: MakeStudy) -> None:
    study = on_cluster("postgresql-restarted")
    process = start_and_wait(study, seed)
    cluster.postgresql.restart()
    finish(study, baseline_study, process)


def test_the_mlflow_server_is_away_for_half_a_minute(
    baseline_study: Study, cluster: Cluster, on_cluster: MakeStudy
) -> None:
    study = on_cluster("mlflow-away")
    process = study.start()
    read_to(process, "trial-")
    cluster.stop_mlflow()
    time.sleep(30)
    cluster.start_mlflow()
    finish(study, baseline_study, process)
