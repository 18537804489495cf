from __future__ import annotations

import optuna
import pytest
from optuna.pruners import BasePruner

from steps.base.errors import InputError
from steps.search.strategy.pruners import PRUNERS, SETTINGS, PrunerSpec

_NEEDED = {"threshold": "threshold:lower=0.5"}


def make_pruner(spec: str, max_epochs: int) -> BasePruner:
    return PrunerSpec.parse(spec, max_epochs).build()


@pytest.mark.parametrize("name", PRUNERS)
def test_each_prunes_as_it_says(name: str) -> None:
    """Trials that are good for ever, and one that is bad from its first epoch and gets worse."""
    study = optuna.create_study(
        direction="maximize", pruner=make_pruner(_NEEDED.get(name, name), 10), sampler=optuna.samplers.RandomSampler(0)
    )

    def epochs(curve: float, gain: float) -> int:
        trial = study.ask()
        for epoch in range(1, 11):
            trial.report(curve + gain * epoch, epoch)
            if epoch < 10 and trial.should_prune():
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                return epoch
        study.tell(trial, curve + gain * 10)
        return 10

    assert {epochs(0.8, 0.01) for _ in range(9)} == {10}
    bad = [epochs(0.1, -0.001) for _ in range(9)]
    assert min(bad) == 10 if name == "none" else min(bad) < 10


@pytest.mark.parametrize("name", PRUNERS)
def test_each_setting_reaches_the_pruner(name: str) -> None:
    for setting, field in SETTINGS[name].model_fields.items():
        value = 2 if field.annotation is int else 0.75
        pruner = make_pruner(f"{_NEEDED.get(name, name + ':')},{setting}={value}", 10)
        found = next(v for k, v in vars(pruner).items() if k.strip("_") == setting)
        assert found == value, (name, setting)


def test_patient_wraps_with_the_settings_of_both() -> None:
    pruner = make_pruner("patient:patience=4,wrapped=percentile,percentile=40", 10)
    wrapped = vars(pruner)["_wrapped_pruner"]
    assert isinstance(wrapped, BasePruner)
    assert (vars(pruner)["_patience"], vars(wrapped)["_percentile"]) == (4, 40)
    assert vars(make_pruner("patient:wrapped=none", 10))["_wrapped_pruner"] is None


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("magic", "must be one of none, median, percentile, successive_halving, hyperband, patient, threshold"),
        ("median:warmup=3", "(n_startup_trials, n_warmup_steps, interval_steps, n_min_trials), got 'warmup'"),
        ("none:x=1", "(none at all), got 'x'"),
        ("hyperband:reduction_factor=1", "reduction_factor must be greater than or equal to 2, got '1'"),
        ("hyperband:min_resource=11", "min_resource must be at most max_epochs (10), got 11"),
        ("percentile:percentile=101", "percentile must be less than or equal to 100, got '101'"),
        ("percentile:percentile=nan", "percentile must be a finite number, got 'nan'"),
        ("median:3", "settings of the form name=value, got '3'"),
        ("threshold", "a setting lower or upper"),
        ("threshold:lower=0.9,upper=0.1", "a lower of at most upper, got 0.9"),
        ("threshold:lower=high", "lower must be a valid number, unable to parse string as a number, got 'high'"),
        ("patient:wrapped=patient", "wrapped must be one of none, median"),
        ("patient:wrapped=hyperband,percentile=3", "(wrapped, patience, min_delta, min_resource, reduction_factor)"),
    ],
)
def test_a_wrong_one_is_named_with_the_known_ones(spec: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        make_pruner(spec, 10)
    assert message in str(error.value)
