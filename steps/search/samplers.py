"""Samplers by name: what suggests the hyperparameters of the next trial."""

from __future__ import annotations

from importlib.util import find_spec

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

from steps.errors import InputError
from steps.search.tpe import SwiftTPESampler

SAMPLERS = ("tpe", "random", "grid", "qmc", "cmaes", "nsgaii", "nsgaiii", "gp")


def check_sampler(name: str, n_objectives: int = 1) -> None:
    """Whether a sampler can be used here.

    Raises:
        InputError: An unknown name, a package that is missing, or more objectives than it can take.
    """
    if name not in SAMPLERS:
        raise InputError(f"sampler must be one of {', '.join(SAMPLERS)}, got {name!r}")
    if name == "gp" and find_spec("torch") is None:
        raise InputError("sampler must be installed, got 'gp' without the package torch; run: pip install torch")
    if name == "cmaes" and n_objectives > 1:
        raise InputError("sampler must be one for several objectives, got 'cmaes'; choose tpe, nsgaii or nsgaiii")


def make_sampler(name: str, seed: int, n_done: int = 0, *, conditional: bool = True) -> BaseSampler:
    """The sampler `name`, one that `check_sampler` takes.

    `cmaes` covers the numbers and `gp` the hyperparameters that every trial has; TPE covers the rest.
    `grid` suggests nothing: its cells wait in the study (`steps.search.grid`).

    Args:
        seed: Seed of the study.
        n_done: Trials that the study has; they move the seed on, so that a continued study suggests new ones.
        conditional: Whether the space has hyperparameters that not every trial has.
    """
    moved = seed + n_done
    match name:
        case "tpe":
            return SwiftTPESampler(seed=moved, multivariate=True, group=conditional, constant_liar=True)
        case "qmc":  # its sequence is kept in the study under its seed and goes on by itself
            return QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False)
        case "cmaes":
            return CmaEsSampler(seed=moved, independent_sampler=TPESampler(seed=moved), warn_independent_sampling=False)
        case "gp":
            return GPSampler(seed=moved, independent_sampler=TPESampler(seed=moved), warn_independent_sampling=False)
        case "nsgaii":
            return NSGAIISampler(seed=moved)
        case "nsgaiii":
            return NSGAIIISampler(seed=moved)
    return RandomSampler(seed=moved)
