"""SMAC3 (Lindauer et al., JMLR 2022) as a sampler: its facade for hyperparameters, a random forest."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from ConfigSpace import Categorical, Configuration, ConfigurationSpace, Float, GreaterThanCondition, Integer
from ConfigSpace.hyperparameters import Hyperparameter
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState
from smac import HyperparameterOptimizationFacade, Scenario
from smac.runhistory.dataclasses import TrialInfo, TrialValue

from steps.mlp.config import without_layer
from steps.search.space.space import Space


class SmacSampler(BaseSampler):
    """Asks SMAC3 for each trial, and tells it those that have ended, whatever their hyperparameters are."""

    def __init__(self, space: Space, distributions: Mapping[str, BaseDistribution], seed: int, n_trials: int) -> None:
        self._distributions = dict(distributions)
        self._space = ConfigurationSpace(seed=seed)
        default = space.complete({})
        known = {n: _hyperparameter(n, of, default) for n, of in distributions.items()}
        self._space.add(*known.values())
        for dimension in space.dimensions:
            if dimension.repeat in known:  # layer i exists if there are more than i
                layers = [name for name in known if without_layer(name) == dimension.name]
                low = self._distributions[dimension.repeat].low
                for i, name in enumerate(layers):
                    if i >= low:
                        self._space.add(GreaterThanCondition(known[name], known[dimension.repeat], i))
        folder = Path(tempfile.mkdtemp())
        scenario = Scenario(self._space, deterministic=True, n_trials=n_trials, seed=seed, output_directory=folder)
        self._smac = HyperparameterOptimizationFacade(scenario, _never, overwrite=True, logging_level=False)
        self._n_told = 0

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._distributions

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        ended = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        for other in ended[self._n_told :]:
            config = Configuration(self._space, values=other.params)
            self._smac.tell(TrialInfo(config, seed=0), TrialValue(cost=other.values[0]), save=False)
        self._n_told = len(ended)
        asked = dict(self._smac.ask().config)
        return {name: value.item() if hasattr(value, "item") else value for name, value in asked.items()}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        raise AssertionError(f"{param_name} is not in the configuration")


def _hyperparameter(name: str, known: BaseDistribution, default: Mapping[str, Any]) -> Hyperparameter:
    start = {"default": default[name]} if name in default else {}
    if isinstance(known, CategoricalDistribution):
        is_ordered = all(isinstance(choice, int | float) for choice in known.choices)
        return Categorical(name, sorted(known.choices) if is_ordered else known.choices, ordered=is_ordered, **start)
    make = Integer if isinstance(known, IntDistribution) else Float
    assert isinstance(known, FloatDistribution | IntDistribution)
    return make(name, (known.low, known.high), log=known.log, **start)


def _never(config: Configuration, seed: int = 0) -> float:
    raise AssertionError(f"SMAC3 is asked and told, got {config} and {seed}")
