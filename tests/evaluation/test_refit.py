"""The final training of several trials, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import mlflow
import numpy as np
import pytest

from steps.base.errors import StepError
from steps.datasets import Dataset
from steps.evaluation.refit import Refit, refit
from steps.tracking.lineage import MemberLineage

ADAM = {"n_layers": 1, "units_0": 16, "optimizer": "adam", "learning_rate": 0.01}


def trained(members: Mapping[str, MemberLineage], dataset: Dataset, threads: int = 1) -> Refit:
    return refit(members, dataset, "float32", threads)


def member(number: int, weight: float, epochs: int, seed: int = 0, **changes: object) -> MemberLineage:
    return MemberLineage(number, "e" * 32, weight, {**ADAM, **changes}, epochs, epochs, seed)


def test_members_that_train_side_by_side_are_those_that_train_alone(digits: Dataset, tracking: Path) -> None:
    members = {"trial-012": member(12, 0.75, 3), "trial-003": member(3, 0.25, 2, units_0=8)}
    with mlflow.start_run() as run:
        together = trained(members, digits)
    with mlflow.start_run():
        alone = {name: trained({name: only}, digits) for name, only in members.items()}
        again = trained(dict(reversed(members.items())), digits)  # a lineage keeps no order
    for name, network in together.members.items():
        assert together.losses[name] == alone[name].losses[name]
        for ours, theirs in zip(network.get_weights(), alone[name].model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        history = mlflow.MlflowClient().get_metric_history(run.info.run_id, f"train_loss/{name}")
        assert tuple(metric.value for metric in history) == together.losses[name]
    assert together.best is together.members["trial-012"]
    for ours, theirs in zip(together.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_networks_of_one_trial_differ_by_their_seed(digits: Dataset, tracking: Path) -> None:
    members = {"trial-004": member(4, 0.5, 2), "trial-004-2": member(4, 0.5, 2, seed=1)}
    with mlflow.start_run():
        together = trained(members, digits)
    first, second = (network.get_weights()[0] for network in together.members.values())
    assert not np.array_equal(first, second)
    with mlflow.start_run():
        again = trained(dict(reversed(members.items())), digits)
    for ours, theirs in zip(together.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_member_whose_loss_is_not_finite_ends_the_others(digits: Dataset, tracking: Path) -> None:
    members = {"trial-000": member(0, 0.5, 10_000), "trial-001": member(1, 0.5, 3, optimizer="sgd", learning_rate=1e38)}
    with mlflow.start_run(), pytest.raises(StepError, match="the loss of trial-001 is not finite after epoch 1"):
        trained(members, digits)
