"""Split conformal prediction of classes: sets that hold the true class of a stated share of new rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steps.datasets.tabular.sets import LEVELS, PredictionSets
from steps.tasks import intervals
from steps.tasks.metric import Interval


def fitted_sets(targets: np.ndarray, probabilities: np.ndarray) -> PredictionSets | None:
    """The sets from rows that the model did not see; None for too few rows.

    A class belongs to the set of a row from a probability on: the k-th largest of those that the (n,) true classes have
    got, k = ⌈(n + 1) · level⌉. Of rows that are exchangeable with these, at least that share has its true class in the
    set, in the mean (Sadinle, Lei & Wasserman, Journal of the American Statistical Association 114, 2019).
    """
    n = len(targets)
    falling = np.sort(probabilities[np.arange(n), targets].astype(np.float32))[::-1]
    ranks = (math.ceil(round((n + 1) * level, 6)) for level in LEVELS)
    least = tuple(float(falling[rank - 1]) for rank in ranks if rank <= n)
    return PredictionSets(least) if least else None


@dataclass(frozen=True)
class SetQuality:
    """Prediction sets of one level on rows with known classes.

    Attributes:
        coverage: Share of the rows whose true class is in their set, with its own 95 % interval.
        mean_size: Mean number of classes in a set, at least 1.
        single: Share of the sets that hold but one class.
    """

    level: float
    coverage: Interval
    mean_size: float
    single: float

    @classmethod
    def of(cls, level: float, targets: np.ndarray, members: np.ndarray) -> SetQuality:
        """From (n,) targets and the (n, n_classes) members of the sets; n is at least 1."""
        n_covered, sizes = int(members[np.arange(len(targets)), targets].sum()), members.sum(1)
        ends = intervals.of_proportion(n_covered, len(targets)) or (None, None)
        covered = Interval(n_covered / len(targets), *ends)
        return cls(level, covered, float(sizes.mean()), float((sizes == 1).mean()))
