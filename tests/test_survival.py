"""Studies whose processes are killed, interrupted, doubled and cut off; real ones, at random moments."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

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


ANY_SEED = pytest.mark.parametrize("seed", [random.SystemRandom().randrange(2**32)])  # it stands in the test's name


def moments(seed: int, n: int, longest: float) -> list[float]:
    chance = random.Random(seed)
    return [chance.uniform(0, longest) for _ in range(n)]


@ANY_SEED
def test_three_kills_change_nothing(seed: int, calm: Study) -> None:
    study = Study(calm.folder, "killed", N_TRIALS)
    kill_at_random(study, moments(seed, 3, 2.0))
    done = study.run()
    assert done.returncode == 0, done.stderr
    assert_whole(study)
    assert results(study) == results(calm)


@pytest.mark.slow
@ANY_SEED
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
    assert [trial.number for trial in study.trials()] == list(range(N_TRIALS))


@pytest.mark.slow
def test_a_second_ctrl_c_stops_at_once_and_loses_nothing(calm: Study) -> None:
    study = Study(calm.folder, "twice", N_TRIALS)
    process = study.start("--n-jobs", "1")
    process.send_signal(signal.SIGSTOP)  # so that the first interruption is still being answered
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    time.sleep(2.2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode == 130, stderr
    assert "continue with: mlflow run . -e tune -P study_name=twice" in stderr
    client = MlflowClient(f"sqlite:///{study.folder}/mlflow.db")
    assert not client.search_runs(["0"], "attributes.status = 'RUNNING'")
    done = study.run()
    assert done.returncode == 0, done.stderr
    assert_whole(study)
    assert results(study) == results(calm)
