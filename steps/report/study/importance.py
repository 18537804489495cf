"""Importance of each hyperparameter for reaching the best trials, including conditional ones."""

from __future__ import annotations

from dataclasses import dataclass

from optuna.importance import PedAnovaImportanceEvaluator
from optuna.study import Study
from optuna.trial import TrialState

_MIN_TRIALS = 4
_TOP_TRIALS = 5  # Optuna's recommendation for the number of top trials


@dataclass(frozen=True)
class Importance:
    """Share in the sum of all importances, in [0, 1], and number of complete trials with the hyperparameter."""

    name: str
    share: float
    n_trials: int


def importances(study: Study) -> list[Importance]:
    """Importances by conditional PED-ANOVA (Watanabe et al., 2023), the largest first; empty if undetermined.

    Args:
        study: A study of one objective.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < _MIN_TRIALS or len({trial.value for trial in complete}) == 1:
        return []
    if not any(trial.params for trial in complete):
        return []
    raw = evaluator(len(complete)).evaluate(study)
    total = sum(raw.values())
    if total <= 0:
        return []
    found = [
        Importance(name, value / total, sum(name in trial.params for trial in complete)) for name, value in raw.items()
    ]
    return sorted(found, key=lambda importance: -importance.share)


def evaluator(n_complete: int) -> PedAnovaImportanceEvaluator:
    """Compares the best trials of this many with all of them."""
    return PedAnovaImportanceEvaluator(target_quantile=min(0.5, max(0.1, _TOP_TRIALS / n_complete)))
