"""Memory does not grow with the number of trials."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import run_command, script, succeeded

STUDY = """
import sys
from pathlib import Path
from steps.base.libraries import import_tensorflow

import_tensorflow()
import optuna
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from steps.mlp.config import MLPConfig
from steps.search.trials.context import TrialContext
from steps.search.trials.garbage import GcBetweenTrials
from steps.search.space.file import load_space, space_path

digits = load_dataset(DataRequest("digits"))
space = load_space(space_path("small"))
context = TrialContext.of(digits, space=space, epochs=1)
garbage = GcBetweenTrials()
study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
for number in range(1, 101):
    config = MLPConfig.from_hyperparameters(space.suggest(study.ask()))
    context.trainer(config).run_epoch()
    garbage.collect()
    if number in (20, 100):
        status = Path("/proc/self/status").read_text().split()
        print(status[status.index("VmRSS:") + 1])
"""


@pytest.mark.slow
def test_a_hundred_trials_need_the_memory_of_twenty(tmp_path: Path) -> None:
    after_20, after_100 = map(int, succeeded(run_command(script(STUDY), tmp_path)).split())
    assert after_100 < 1.1 * after_20
