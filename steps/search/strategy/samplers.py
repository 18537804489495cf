"""Samplers by name: what suggests the hyperparameters of the next trial."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
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
from optuna.samplers._lazy_random_state import LazyRandomState

from steps.base.errors import InputError
from steps.search.strategy.tpe import FastTPESampler

SAMPLERS = ("tpe", "random", "grid", "qmc", "cmaes", "nsgaii", "nsgaiii", "gp")


def check_sampler(name: str, n_objectives: int = 1) -> None:
    """Whether a sampler can be used here.

    Raises:
        InputError: An unknown name, a package that is missing, or more objectives than it can take.
    """
    if name not in SAMPLERS:
        raise InputError(f"sampler must be one of {', '.join(SAMPLERS)}, got {name!r}")
    if name == "gp" and find_spec("torch") is None:
        raise InputError(
            "sampler must be installed, got 'gp' without the package torch; run: pip install torch greenlet"
        )
    if name == "cmaes" and n_objectives > 1:
        raise InputError("sampler must be one for several objectives, got 'cmaes'; choose tpe, nsgaii or nsgaiii")


def make_sampler(name: str, seed: int, *, conditional: bool = True) -> BaseSampler:
    """The sampler `name`, one that `check_sampler` takes.

    `cmaes` covers the numbers and `gp` the hyperparameters that every trial has; TPE covers the rest.
    `grid` suggests nothing: its cells wait in the study (`steps.search.strategy.grid`).

    Args:
        seed: Seed of the study.
        conditional: Whether the space has hyperparameters that not every trial has.
    """
    match name:
        case "tpe":
            return FastTPESampler(seed=seed, multivariate=True, group=conditional, constant_liar=True)
        case "qmc":  # its sequence is kept in the study under its seed and goes on by itself
            return QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False)
        case "cmaes":
            return CmaEsSampler(seed=seed, independent_sampler=TPESampler(seed=seed), warn_independent_sampling=False)
        case "gp":
            return GPSampler(seed=seed, independent_sampler=TPESampler(seed=seed), warn_independent_sampling=False)
        case "nsgaii":
            return NSGAIISampler(seed=seed)
        case "nsgaiii":
            return NSGAIIISampler(seed=seed)
    return RandomSampler(seed=seed)


def reseed(sampler: BaseSampler, seed: int, trial_number: int) -> None:
    """Make what the sampler draws next a function of (seed, trial number).

    Otherwise processes that share a study, or one that continues it, would draw the same numbers again.
    """
    _reseed(sampler, int(np.random.SeedSequence((seed, trial_number)).generate_state(1)[0]))


def _reseed(part: object, entropy: int) -> None:
    for value in getattr(part, "__dict__", {}).values():
        if isinstance(value, LazyRandomState):
            value.rng.seed(entropy)
        elif type(value).__module__.startswith("optuna.samplers."):
            _reseed(value, entropy)
