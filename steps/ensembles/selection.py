"""Selection of a mixture of trials by their outputs for the validation rows; without training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from steps.ensembles.mixture import Mixture, shared_out
from steps.tasks.metric import Interval, mean_of
from steps.tasks.task import Task

_N_MEAN = 5  # trials of the plain mean
_STEPS = 24  # of the greedy selection: weights are multiples of at least 1/24
_PATIENCE = 6  # steps without an improvement
_PARTS = 5  # of the rows on which greedy weights are tested


@dataclass(frozen=True)
class Trials:
    """The outputs of some trials for the same validation rows.

    Attributes:
        task: Task that scores them.
        targets: (n_f,) of each fold, in order; one array for a holdout.
        outputs: Trial number -> (n, n_outputs) for the rows of all folds in order; the best trial first.
    """

    task: Task
    targets: Sequence[np.ndarray]
    outputs: Mapping[int, np.ndarray]

    @property
    def all_targets(self) -> np.ndarray:
        """(n,)."""
        return np.concatenate(self.targets)

    def measure(self, outputs: np.ndarray) -> Interval:
        """The primary metric as a study measures it: the mean over folds."""
        ends = np.cumsum([len(part) for part in self.targets])[:-1]
        folds = zip(self.targets, np.split(outputs, ends), strict=True)
        return mean_of([self.task.primary.measure(*fold) for fold in folds])


def select_mixture(trials: Trials, n_networks: int, alpha: float) -> Mixture:
    """The best mixture of some trials, of the plain mean of the best five and weights selected greedily.

    The mean is taken unless greedy weights are better beyond chance by the task's paired test, in which each fifth of
    the rows is mixed by the weights selected on the other four. The best trial alone is taken if it is better than
    the mixture beyond chance.

    Args:
        n_networks: Networks of the model, at least 1, and most trials to mix. If there are fewer trials, some
            have several networks.
        alpha: Significance level of the tests, in (0, 1).
    """
    task, targets = trials.task, trials.all_targets
    numbers, stacked = list(trials.outputs), np.stack(list(trials.outputs.values()))
    n_mean = min(_N_MEAN, n_networks, len(numbers))
    weights = np.zeros(len(numbers))
    weights[:n_mean] = 1 / n_mean
    reason = f"the mean of the best {n_mean}" if n_mean > 1 else "the only trial with outputs"
    if min(n_networks, len(numbers)) > 1:
        crossed = _cross_fitted(task, targets, stacked, n_networks)
        found = task.compare(targets, crossed, mixed(stacked, weights))
        if found.challenger_is_better(alpha):
            weights = greedy_weights(task, targets, stacked, n_networks)
            reason = f"weights selected greedily, better than {reason} (p = {found.p_value:.3g})"
        elif found.challenger_leads:
            reason += f"; weights selected greedily are better, which may be chance (p = {found.p_value:.3g})"
        else:
            reason += "; weights selected greedily are no better"
    compared = task.compare(targets, stacked[0], mixed(stacked, weights))
    if compared.challenger_is_better(alpha):
        weights, reason = np.eye(len(numbers))[0], f"alone better than {reason} (p = {compared.p_value:.3g})"
    outputs = mixed(stacked, weights)
    shares = {number: float(weight) for number, weight in zip(numbers, weights, strict=True) if weight}
    return Mixture(
        shares,
        reason,
        trials.measure(outputs),
        trials.measure(stacked[0]),
        task.compare(targets, outputs, stacked[0]).p_value,
        compared.test,
        alpha,
        task.calibration(targets, outputs),
        shared_out(shares, n_networks),
    )


def greedy_weights(task: Task, targets: np.ndarray, outputs: np.ndarray, n_members: int) -> np.ndarray:
    """Weights (k,) of k models by forward selection with replacement (Caruana et al., ICML 2004).

    Each step adds the model that improves the mean of those added so far most, by the metrics that a study computes
    after each epoch: the first decides, the others break ties. The shortest of the best means is taken.

    Args:
        targets: (n,).
        outputs: (k, n, n_outputs).
        n_members: Most models with a weight above 0.
    """
    counts, total = np.zeros(len(outputs)), np.zeros(outputs.shape[1:])
    best, least, best_step = counts, None, 0
    for step in range(1, _STEPS + 1):
        allowed = np.arange(len(outputs)) if np.count_nonzero(counts) < n_members else np.flatnonzero(counts)
        losses = [_losses(task, targets, (total + outputs[i]) / step) for i in allowed]
        place = min(range(len(allowed)), key=losses.__getitem__)
        counts, total = counts.copy(), total + outputs[allowed[place]]
        counts[allowed[place]] += 1
        if least is None or losses[place] < least:
            best, least, best_step = counts, losses[place], step
        elif step - best_step >= _PATIENCE:
            break
    return np.asarray(best / best.sum())


def mixed(outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(k, n, n_outputs) of k models, and their weights (k,) -> (n, n_outputs) float32."""
    return np.asarray(np.tensordot(weights, outputs, 1), np.float32)


def _cross_fitted(task: Task, targets: np.ndarray, outputs: np.ndarray, n_members: int) -> np.ndarray:
    """(n, n_outputs): each part of the rows mixed by weights that were selected greedily on the other parts.

    The parts are stratified by the target.
    """
    shuffled = np.random.default_rng(0).permutation(len(targets))
    parts = np.empty(len(targets), np.int64)
    parts[shuffled[np.argsort(targets[shuffled], kind="stable")]] = np.arange(len(targets)) % _PARTS
    found = np.empty(outputs.shape[1:], np.float32)
    for part in np.unique(parts):
        own = parts == part
        weights = greedy_weights(task, targets[~own], outputs[:, ~own], n_members)
        found[own] = mixed(outputs[:, own], weights)
    return found


def _losses(task: Task, targets: np.ndarray, outputs: np.ndarray) -> tuple[float, ...]:
    signs = {"maximize": -1, "minimize": 1}
    return tuple(signs[metric.direction] * metric.value(targets, outputs) for metric in task.epoch_metrics)
