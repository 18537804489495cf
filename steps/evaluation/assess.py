"""The single use of the test split: scores, baselines and checks of a logged model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from steps.datasets import Dataset
from steps.datasets.interface import Interface
from steps.datasets.split import training_rows
from steps.datasets.tabular.interval import LEVEL
from steps.datasets.tabular.predictions import set_members
from steps.ensembles.mixture import gain_text
from steps.evaluation.explanation import Explanation, explain
from steps.evaluation.refit import Refit
from steps.evaluation.settings import EvaluateSettings
from steps.tasks.baselines import BOOSTING
from steps.tasks.checks import Check, check_baseline, check_predictions, rival_note
from steps.tasks.classification.calibration import with_temperature
from steps.tasks.classification.conformal import SetQuality
from steps.tasks.classification.costs import Saving
from steps.tasks.metric import Interval, as_metrics
from steps.tasks.regression.conformal import COVERAGE, coverage, coverage_note
from steps.tasks.requirements import check_requirements
from steps.tasks.task import Task, task_of
from steps.tracking.models import apply, check_interface, load_model

BEST_ALONE = "best_trial_alone"  # among the rivals of an ensemble


@dataclass(frozen=True)
class Assessment:
    """A logged model on the test split.

    Attributes:
        targets: (n,).
        outputs: (n, n_outputs) float32, from the artifact itself, not from the model in memory.
        scores: Scores by metric, the primary one first.
        baselines: Primary metric of each baseline.
        notes: Sentences for people that have no effect on the decision.
        coverage: Share of the targets in the prediction intervals, or in the prediction sets of the same level; None if
            the model has neither.
        explanation: Empty for images.
        uncalibrated: Log loss and calibration error without the temperature of the model; empty if it has none.
        saving: Costs with the threshold of the model and without; None if errors have no costs.
    """

    task: Task
    targets: np.ndarray
    outputs: np.ndarray
    scores: Mapping[str, Interval]
    baselines: Mapping[str, Interval]
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    coverage: Interval | None = None
    explanation: Explanation = field(default_factory=Explanation)
    uncalibrated: Mapping[str, float] = field(default_factory=dict)
    saving: Saving | None = None

    @property
    def primary(self) -> Interval:
        """The score in the primary metric."""
        return self.scores[self.task.primary.name]

    @property
    def explanation_notes(self) -> tuple[str, ...]:
        """The explanation in sentences."""
        return self.explanation.notes(self.task)

    def as_metrics(self) -> dict[str, float]:
        """Metrics by this project's names, and those of MLflow's own evaluation by its names."""
        streamed = self.task.streamed()
        streamed.add(self.targets, self.outputs)
        baselines = {f"{name}_{self.task.primary.name}": score.value for name, score in self.baselines.items()}
        scores = {**self.scores, **({COVERAGE: self.coverage} if self.coverage else {})}
        uncalibrated = {f"uncalibrated_{name}": value for name, value in self.uncalibrated.items()}
        saving = self.saving.as_metrics() if self.saving else {}
        return streamed.result() | as_metrics(scores, "test_") | baselines | uncalibrated | saving


def assess(
    model_uri: str, trained: Refit, dataset: Dataset, settings: EvaluateSettings, temperature: float | None
) -> Assessment:
    """Load the logged model, test it on raw input as users have it, and check it.

    Args:
        trained: The networks in memory: the logged model must give the outputs of theirs, and an ensemble is compared
            with the best of its trials alone.
        dataset: Data set with all splits; the baselines are fitted on train + validation, like the model.
        temperature: By which the logits of the model are divided; None for a model without.
    """
    task, alpha = task_of(dataset), settings.alpha
    test = dataset.splits["test"]
    features, targets = np.asarray(test.features), np.asarray(test.targets)
    model = load_model(model_uri)
    outputs = apply(model, dataset.test_input, dataset.target)
    scores = task.test_scores(targets, outputs)
    train = training_rows(dataset)
    fitted = task.baselines(train, test)
    baselines = {name: task.primary.measure(targets, theirs) for name, theirs in fitted.items()}
    own = scores[task.primary.name].value
    blind = next(iter(fitted))

    def may_be_chance(name: str) -> bool:
        return name != blind and not task.compare(targets, fitted[name], outputs).challenger_is_better(alpha)

    checks = (
        *check_requirements(settings.require, task, scores),
        check_predictions(np.asarray(trained.model.predict(features, verbose=0)), outputs),
        check_interface(model, model_uri),
        *(
            check_baseline(task.primary, name, own, score.value, may_be_chance=may_be_chance(name))
            for name, score in baselines.items()
        ),
    )
    notes: tuple[str, ...] = ()
    if len(trained.members) > 1:
        alone = np.asarray(trained.best.predict(features, verbose=0))
        compared = task.compare(targets, outputs, alone)
        gain = gain_text(task.primary, compared.challenger, compared.champion, compared.p_value < alpha)
        notes = (f"On the test rows, {gain} ({compared.test}: p = {compared.p_value:.3g})",)
        baselines[BEST_ALONE] = task.primary.measure(targets, alone)
    if (trees := task.boosting(train, test)) is not None:
        sample = trees.n_rows if trees.n_rows < len(train) else None
        notes = (*notes, rival_note(task.primary, task.compare(targets, outputs, trees.outputs), alpha, sample))
        baselines[BOOSTING] = task.primary.measure(targets, trees.outputs)
    covered = None
    if (interval := Interface.of(dataset).interval) is not None:
        covered = coverage(interval, targets, outputs)
        notes = (*notes, coverage_note(interval, covered, outputs))
    if (sets := dataset.target.sets) is not None and LEVEL in sets.levels:
        covered = SetQuality.of(LEVEL, targets, set_members(outputs, dataset.target, LEVEL)).coverage
    uncalibrated = {} if temperature is None else _uncalibrated(task, targets, outputs, temperature)
    if uncalibrated:
        metrics = (task.metrics[name] for name in uncalibrated)
        gains = (
            f"{m.label} {m.text(scores[m.name].value)} (without it {m.text(uncalibrated[m.name])})" for m in metrics
        )
        notes = (
            *notes,
            f"Calibrated by a temperature of {temperature:.2f} from the validation rows: {', '.join(gains)}",
        )
    if (saving := Saving.of(dataset.target, targets, outputs)) is not None:
        notes = (*notes, saving.note(dataset.target))
    explanation = explain(model, dataset, outputs, settings.seed) if dataset.columns else Explanation()
    return Assessment(
        task, targets, outputs, scores, baselines, checks, notes,
        coverage=covered, explanation=explanation, uncalibrated=uncalibrated, saving=saving,
    )  # fmt: skip


def _uncalibrated(task: Task, targets: np.ndarray, outputs: np.ndarray, temperature: float) -> dict[str, float]:
    """Log loss and calibration error of probabilities without their temperature."""
    raw = with_temperature(outputs, 1 / temperature)
    return {name: task.metrics[name].value(targets, raw) for name in ("log_loss", "calibration_error")}
