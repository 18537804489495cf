"""Samplers replayed among recorded configurations."""

import numpy as np
import optuna
import pytest
from optuna.samplers import RandomSampler

from benchmarks.samplers import NAMES, NEEDS, Nearest, Recorded, common, portfolio, searched, tables


@pytest.fixture(scope="module")
def churn() -> Recorded:
    return tables()["wa_churn"]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NEEDS and not name.startswith("portfolio")])
def test_a_study_tries_recorded_configurations_once(name: str, churn: Recorded) -> None:
    tried = searched(churn, name, seed=0, n_trials=15)
    assert tried[0] == 0
    assert len(set(tried)) == len(tried) == 15
    assert tried == searched(churn, name, seed=0, n_trials=15)
    assert tried != searched(churn, name, seed=1, n_trials=15)


def test_a_trial_has_the_hyperparameters_of_its_configuration(churn: Recorded) -> None:
    study = optuna.create_study(sampler=(sampler := Nearest(RandomSampler(seed=0), churn)))
    study.optimize(lambda trial: float(churn.space.suggest(trial)["learning_rate"]), 5)
    for trial, index in zip(study.trials, sampler.tried[1:], strict=True):
        assert trial.params.items() <= churn.points[index].items()


def test_the_nearest_configuration_is_not_tried_twice(churn: Recorded) -> None:
    sampler = Nearest(RandomSampler(seed=0), churn)
    assert sampler.nearest(churn.points[7]) == 7
    sampler.tried.append(7)
    other = sampler.nearest(churn.points[7])
    assert other not in (0, 7)
    assert sampler.nearest(churn.points[other]) == other


def test_a_portfolio_is_chosen_without_the_table_itself(churn: Recorded) -> None:
    chosen = portfolio("wa_churn")
    assert len(set(chosen)) == 9
    assert chosen[0] == 0
    others = [recorded for name, recorded in tables().items() if name != "wa_churn"]

    def value(indices: list[int]) -> float:
        numbers = [churn.numbers[i] for i in indices]
        of_table = [other.changes[[other.numbers.index(n) for n in numbers]].min() for other in others]
        return float(np.mean(of_table))

    shared = common([churn, *others])
    assert {churn.numbers[i] for i in chosen} <= set(shared)
    assert value(chosen) < value([churn.numbers.index(number) for number in shared[:9]])


def test_configurations_of_equal_numbers_may_differ() -> None:
    """The space has changed while it was recorded."""
    churn, hpc = (tables()[name] for name in ("wa_churn", "hpc_data"))
    shared = common([churn, hpc])
    rates = [[of.points[of.numbers.index(n)]["learning_rate"] for n in shared] for of in (churn, hpc)]
    assert rates[0] == rates[1]
    assert 200 < len(shared) < len(set(churn.numbers) & set(hpc.numbers))
