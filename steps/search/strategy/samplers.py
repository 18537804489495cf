"""Samplers by name: they suggest the hyperparameters of the next trial."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIIISampler,
    NSGAIISampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)
from optuna.trial import FrozenTrial, TrialState

from steps.base.errors import InputError
from steps.search.space.space import Space
from steps.search.strategy.tpe import SharedSpace, SmoothTPESampler

SAMPLERS = ("tpe", "bayes", "random", "grid", "qmc", "cmaes", "nsgaii", "nsgaiii", "gp")


def check_sampler(name: str, n_objectives: int = 1) -> None:
    """Check that a sampler can be used.

    Raises:
        InputError: The name is unknown, a package is missing, or there are more objectives than it supports.
    """
    if name not in SAMPLERS:
        raise InputError(f"sampler must be one of {', '.join(SAMPLERS)}, got {name!r}")
    if name == "gp" and find_spec("torch") is None:
        raise InputError(
            "sampler must be installed, got 'gp' without the package torch; run: pip install torch greenlet"
        )
    if name in ("bayes", "cmaes") and n_objectives > 1:
        raise InputError(f"sampler must be one for several objectives, got {name!r}; choose tpe, nsgaii or nsgaiii")


def make_sampler(name: str, seed: int, space: Space) -> BaseSampler:
    """The sampler `name`, checked by `check_sampler`; its draws are a function of seed, trial number and study.

    `cmaes` covers the numeric and `gp` all hyperparameters that every trial has; TPE covers the rest.
    `grid` suggests nothing: its cells are enqueued in the study (`steps.search.strategy.grid`).

    Args:
        seed: Seed of the study.
        space: Space of the study.
    """
    match name:
        case "tpe":
            shared = SharedSpace()
            return PerTrialSampler(lambda own: SmoothTPESampler(shared, own), seed)
        case "bayes":
            from steps.search.strategy.bayes import BayesSampler  # SciPy is heavy, and `--help` has only the names
            from steps.search.strategy.coordinates import Coordinates

            coordinates = Coordinates(space)
            return PerTrialSampler(lambda own: BayesSampler(coordinates, own), seed)
        case "qmc":  # its sequence is stored in the study under its seed and continues by itself
            rest = PerTrialSampler(_random, seed)
            return QMCSampler(seed=seed, scramble=True, independent_sampler=rest, warn_independent_sampling=False)
        case "cmaes":
            return PerTrialSampler(lambda own: _with_tpe(CmaEsSampler, own), seed)
        case "gp":
            return PerTrialSampler(lambda own: _with_tpe(GPSampler, own), seed)
        case "nsgaii":
            return PerTrialSampler(lambda own: NSGAIISampler(seed=own), seed)
        case "nsgaiii":
            return PerTrialSampler(lambda own: NSGAIIISampler(seed=own), seed)
    return PerTrialSampler(_random, seed)


def suggests_in_turn(sampler: BaseSampler) -> bool:
    """Return whether processes must ask a sampler one at a time, because it counts its draws in the study."""
    return not isinstance(sampler, PerTrialSampler)


def _random(seed: int) -> BaseSampler:
    return RandomSampler(seed=seed)


def _with_tpe(kind: type[CmaEsSampler] | type[GPSampler], seed: int) -> BaseSampler:
    return kind(seed=seed, independent_sampler=TPESampler(seed=seed), warn_independent_sampling=False)


class PerTrialSampler(BaseSampler):
    """A new sampler for each trial, seeded with the seed of the study and the number of the trial.

    With a single sampler, processes that share or continue a study would draw the same numbers again. The samplers need
    no state of their own: they read everything from the trials of the study.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int) -> None:
        """
        Args:
            make: Returns the sampler for a trial's own seed.
        """
        self._make, self._seed = make, seed
        self._samplers: dict[int, BaseSampler] = {}  # number of a trial asked for by this process -> its sampler

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._samplers[trial.number] = self._new(trial.number)
        self._samplers[trial.number].before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._samplers[trial.number].infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._samplers[trial.number].sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._samplers[trial.number].sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        sampler = self._samplers.pop(trial.number, None) or self._new(trial.number)
        sampler.after_trial(study, trial, state, values)

    def _new(self, number: int) -> BaseSampler:
        return self._make(int(np.random.SeedSequence((self._seed, number)).generate_state(1)[0]))
