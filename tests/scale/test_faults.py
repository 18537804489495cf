"""A study on a cluster whose parts are killed, restarted and cut off: nothing is lost, nothing counts twice."""

from __future__ import annotations

import random
import time

import psutil
import pytest

from deploy.cluster import Cluster
from tests.running import read_to
from tests.scale.conftest import MakeStudy
from tests.survival import Study, assert_whole, results

pytestmark = pytest.mark.slow


def finish(study: Study, baseline_study: Study, process: object) -> None:
    """The step ends well, and the study has what the undisturbed one has."""
    _, stderr = process.communicate()  # type: ignore[attr-defined]
    print(stderr)  # noqa: T201 -- pytest shows it where something below fails
    assert process.returncode == 0, stderr  # type: ignore[attr-defined]
    assert_whole(study)
    assert results(study) == results(baseline_study)


def moment(seed: int) -> float:
    return random.Random(seed).uniform(0, 3)


def test_nothing_happens(baseline_study: Study, on_cluster: MakeStudy) -> None:
    study = on_cluster("undisturbed")
    finish(study, baseline_study, study.start())


def test_a_worker_is_killed(seed: int, baseline_study: Study, cluster: Cluster, on_cluster: MakeStudy) -> None:
    study = on_cluster("worker-killed")
    process = study.start()
    read_to(process, "trial-")
    time.sleep(moment(seed))
    children = psutil.Process(cluster.workers[0].pid).children()
    max(children, key=lambda child: child.memory_info().rss).kill()  # its nanny starts another one
    finish(study, baseline_study, process)


def test_all_workers_are_killed_and_others_come(
    seed: int, baseline_study: Study, cluster: Cluster, on_cluster: MakeStudy
) -> None:
    study = on_cluster("all-killed")
    process = study.start()
    read_to(process, "trial-")
    time.sleep(moment(seed))
    cluster.kill_workers()
    for _ in range(2):
        cluster.start_worker()
    finish(study, baseline_study, process)


def test_the_scheduler_is_killed_and_started_again(
    seed: int, baseline_study: Study, cluster: Cluster, on_cluster: MakeStudy
) -> None:
    study = on_cluster("scheduler-killed")
    process = study.start()
    read_to(process, "trial-")
    time.sleep(moment(seed))
    cluster.kill_scheduler()
    cluster.kill_workers()
    cluster.start_scheduler()
    for _ in range(2):
        cluster.start_worker()
    finish(study, baseline_study, process)


def test_tune_is_killed_and_continued(seed: int, baseline_study: Study, on_cluster: MakeStudy) -> None:
    study = on_cluster("tune-killed")
    process = study.start()
    read_to(process, "trial-")
    time.sleep(moment(seed))
    process.kill()
    process.communicate()
    finish(study, baseline_study, study.start())


def test_postgresql_is_restarted(seed: int, baseline_study: Study, cluster: Cluster, on_cluster: MakeStudy) -> None:
    study = on_cluster("postgresql-restarted")
    process = study.start()
    read_to(process, "trial-")
    time.sleep(moment(seed))
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
