"""Memory does not grow with the number of trials."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

STUDY = """
import sys
from pathlib import Path
from steps.base.libraries import import_tensorflow

import_tensorflow()
import optuna
from steps.datasets.catalogue import load_dataset
from steps.mlp.config import MLPConfig
from steps.mlp.trainer import Samples, Trainer
from steps.search.trials.garbage import GcBetweenTrials
from steps.search.space.file import load_space, space_path

digits = load_dataset("digits", 1 / 6, seed=0)
samples = [Samples.from_arrays(digits.splits[n].features, digits.splits[n].labels) for n in ("train", "validation")]
space = load_space(space_path("small"))
garbage = GcBetweenTrials()
study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
for number in range(1, 101):
    config = MLPConfig.from_hyperparameters(space.suggest(study.ask()))
    Trainer(config, *samples, n_classes=10, feature_max=16.0, image_shape=(8, 8), epochs=1, seed=0).run_epoch()
    garbage.collect()
    if number in (20, 100):
        status = Path("/proc/self/status").read_text().split()
        print(status[status.index("VmRSS:") + 1])
"""


@pytest.mark.slow
def test_a_hundred_trials_need_the_memory_of_twenty() -> None:
    result = subprocess.run([sys.executable, "-c", STUDY], cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    after_20, after_100 = map(int, result.stdout.split())
    assert after_100 < 1.1 * after_20
