"""The trials of a tune run that are trained again for one model: one of them, or a mixture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from mlflow.entities import Run

from steps.base.errors import InputError
from steps.datasets.dataset import SEARCH
from steps.ensembles.mixture import Mixture
from steps.ensembles.selection import Trials, mixed, select_mixture
from steps.search.selection import ranked
from steps.search.store.outputs import N_KEPT, read_outputs
from steps.search.store.records import ARTIFACT, SelectedTrial, TrialRecord, from_json
from steps.tasks.classification.calibration import with_temperature
from steps.tasks.objectives import Objective
from steps.tasks.task import task_of
from steps.tracking.artifacts import read_artifact
from steps.tracking.data import load_data


@dataclass(frozen=True)
class Choice:
    """The trials whose configs are trained again.

    Attributes:
        trial: The selected trial; the best one of a mixture.
        members: The trials of the model, the best one first.
        mixture: Their weights and the reason for them; None if a single trial was asked for.
    """

    tune_run: Run
    trial: SelectedTrial
    members: tuple[TrialRecord, ...]
    mixture: Mixture | None = None

    @classmethod
    def single(cls, tune_run: Run, trial: SelectedTrial) -> Choice:
        return cls(tune_run, trial, (trial,))

    @classmethod
    def mixed(cls, tune_run: Run, best: SelectedTrial, n_networks: int, alpha: float) -> Choice:
        """The best mixture of trials of a tune run, by their outputs for the validation rows, for so many networks.

        Args:
            best: The selected trial of the tune run.
            alpha: Significance level of the tests, in (0, 1).

        Raises:
            InputError: No trial has outputs, or the data are gone.
        """
        dataset = load_data(best.data_run_id, SEARCH)
        task = task_of(dataset)
        records = read_artifact(tune_run.info.run_id, ARTIFACT, from_json)
        kept: dict[int, tuple[TrialRecord, np.ndarray]] = {}
        for record in ranked(records, Objective.of(task.primary))[:N_KEPT]:
            if (outputs := read_outputs(record.trial_run_id)) is not None:
                kept[record.trial_number] = (record, outputs)
        if not kept:
            raise InputError(
                f"ensemble must be 1 for a tune run whose trials have kept no validation outputs, got {n_networks}; "
                "run the step tune again"
            )
        targets = tuple(np.asarray(validation.targets) for _, validation in dataset.folds)
        trials = Trials(task, targets, {number: outputs for number, (_, outputs) in kept.items()})
        mixture = select_mixture(trials, n_networks, alpha)
        members = tuple(kept[number][0] for number in mixture.weights)
        return cls(tune_run, best.of_record(members[0], mixture.reason), members, mixture)

    def weight(self, member: TrialRecord) -> float:
        """Share of a member in the mean of the outputs."""
        return self.mixture.weights[member.trial_number] if self.mixture else 1.0

    def n_networks(self, member: TrialRecord) -> int:
        """Number of networks of a member, which differ in their seed."""
        return self.mixture.networks[member.trial_number] if self.mixture else 1

    def validation(self, temperature: float | None) -> tuple[np.ndarray, np.ndarray] | None:
        """(n,) targets and (n, n_outputs) outputs for the validation rows of all folds; None if they are not kept.

        Args:
            temperature: By which the logits of the model are divided; None for a model without.

        Raises:
            InputError: They cannot be read, or the data are gone.
        """
        kept = [read_outputs(member.trial_run_id) for member in self.members]
        outputs = [found for found in kept if found is not None]
        if len(outputs) < len(kept):
            return None
        folds = load_data(self.trial.data_run_id, SEARCH).folds
        targets = np.concatenate([np.asarray(validation.targets) for _, validation in folds])
        mean = mixed(np.stack(outputs), np.array([self.weight(member) for member in self.members]))
        return targets, mean if temperature is None else with_temperature(mean, temperature)

    @property
    def measures(self) -> Mapping[str, float]:
        """Those of the selected trial, or what a mixture has of them (`Task.calibration`)."""
        return self.mixture.measures if self.mixture else self.trial.measures
