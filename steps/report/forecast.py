"""Which of the running trials their pruner is about to stop."""

from __future__ import annotations

from statistics import median

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, NopPruner, PatientPruner, SuccessiveHalvingPruner
from optuna.trial import FrozenTrial, TrialState, create_trial

from steps.tasks.objectives import Objective

_HALVING = (SuccessiveHalvingPruner, HyperbandPruner)


class Forecast:
    """Asks a pruner about trials as they would stand after their next epoch, if that one is no better.

    It knows the trials that this process has seen, and asks the pruner in a study of its own: the real one is left
    alone. The halving pruners note in a study what they decide, and can only be asked by a real trial: they keep at
    most the better half at a rung, so that behind the median of all trials at its epoch one is about to be stopped.
    """

    def __init__(self, pruner: BasePruner, objective: Objective, max_epochs: int) -> None:
        self._pruner, self._max_epochs, self._sign = pruner, max_epochs, objective.sign
        self._running: dict[int, dict[int, float]] = {}  # trial number -> epoch -> value
        self._seen: dict[int, dict[int, float]] = {}  # epoch -> trial number -> value
        self._study = optuna.create_study(direction=objective.direction)
        decides = pruner._wrapped_pruner if isinstance(pruner, PatientPruner) else pruner
        self._halves = isinstance(decides, _HALVING)

    def ended(self, trial: FrozenTrial) -> None:
        """Take an ended trial into account."""
        self._running.pop(trial.number, None)
        for epoch, value in trial.intermediate_values.items():
            self._seen.setdefault(epoch, {})[trial.number] = value
        if trial.state == TrialState.COMPLETE:
            self._study.add_trial(
                create_trial(value=trial.values[0], intermediate_values=dict(trial.intermediate_values))
            )

    def stops_next(self, number: int, epoch: int, value: float) -> bool:
        """Whether a running trial is stopped after its next epoch, unless that one is better.

        Args:
            number: Of the trial.
            epoch: The last one it has done, from 1.
            value: Of the first objective after it.
        """
        curve = self._running.setdefault(number, {})
        curve[epoch] = value
        self._seen.setdefault(epoch, {})[number] = value
        if epoch + 1 >= self._max_epochs or isinstance(self._pruner, NopPruner):  # after its last epoch it is complete
            return False
        if self._halves:
            return self._sign * value > self._sign * median(self._seen[epoch].values())
        then = create_trial(state=TrialState.RUNNING, intermediate_values={**curve, epoch + 1: value})
        return self._pruner.prune(self._study, then)
