from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from steps.datasets import Dataset
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from steps.mlp.checkpoint import load_checkpoint, save_checkpoint
from steps.mlp.config import MLPConfig
from steps.search.space.file import load_space, space_path
from steps.search.trials.context import TrialContext

CONFIG = MLPConfig(units=(16,), batch_size=64)


@pytest.fixture(scope="module")
def folded() -> Dataset:
    return load_dataset(DataRequest("digits", folds=3))


def context(dataset: Dataset, threads: int = 1) -> TrialContext:
    return TrialContext.of(dataset, space=load_space(space_path("image")), epochs=2, threads=threads)


def test_metrics_are_the_means_over_folds(folded: Dataset) -> None:
    whole = context(folded)
    trained = whole.trainer(CONFIG)
    found = whole.score(trained.run_epoch())
    alone = []
    for train, validation in folded.folds:
        one = context(replace(folded, splits={"train": train, "validation": validation}))
        alone.append(one.score(one.trainer(CONFIG).run_epoch()))
    for name, value in found.items():
        assert value == pytest.approx(np.mean([metrics[name] for metrics in alone]), rel=1e-6), name
    assert whole.n_validation == len(folded.splits["train"])


def test_folds_side_by_side_give_the_same_bits(folded: Dataset) -> None:
    in_turn, beside = (context(folded, threads).trainer(CONFIG) for threads in (1, 3))
    for _ in range(2):
        np.testing.assert_array_equal(in_turn.run_epoch().outputs, beside.run_epoch().outputs)


def test_a_training_on_folds_continues_to_the_same_bits(folded: Dataset, tmp_path: Path) -> None:
    straight, broken, again = (context(folded).trainer(CONFIG) for _ in range(3))
    straight.run_epoch()
    broken.run_epoch()
    save_checkpoint(tmp_path / "checkpoint", broken, [{}], {})
    load_checkpoint(tmp_path / "checkpoint", again, {})
    np.testing.assert_array_equal(straight.run_epoch().outputs, again.run_epoch().outputs)
