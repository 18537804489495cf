"""evaluate: retrain the chosen trial, test the model once, register it, decide on its promotion, and report."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click
import mlflow
import numpy as np
from mlflow.entities.model_registry import ModelVersion

from steps.base.files import array_digest
from steps.cli.invocation import Invocation
from steps.datasets import Dataset
from steps.datasets.dataset import SPLITS
from steps.datasets.tabular.interval import PredictionInterval
from steps.datasets.tabular.target import Target
from steps.evaluation.assess import Assessment, assess
from steps.evaluation.choice import Choice
from steps.evaluation.drawing import EVALUATION, PREDICTIONS, draw
from steps.evaluation.refit import Refit, n_at_once, refit
from steps.evaluation.settings import EvaluateSettings
from steps.flows.fingerprint import step_fingerprint
from steps.mlp.model import with_temperature
from steps.mlp.runtime import hardware, limit_threads, resolve_precision, threads_of_each
from steps.report.evaluation.draw import CARD
from steps.report.evaluation.result import RESULT, ChampionComparison, EvaluationResult
from steps.tasks.classification.calibration import TEMPERATURE
from steps.tasks.comparison import Comparison
from steps.tasks.metric import Interval, as_metrics
from steps.tasks.task import task_of
from steps.tracking.artifacts import read_artifact
from steps.tracking.data import load_data
from steps.tracking.dataset_inputs import log_inputs
from steps.tracking.descriptions import step_description
from steps.tracking.lineage import Lineage, MemberLineage, network_name, trial_name
from steps.tracking.models import apply, load_model
from steps.tracking.packaging import log_model
from steps.tracking.promotion import Decision, promote
from steps.tracking.registry import CHAMPION, Candidate, publish_card, register, score_text, version_by_alias
from steps.tracking.runs import step_run
from steps.tracking.tags import DATASET_DIGEST_TAG, MEMBERS_TAG, NOTE_TAG, STATUS_TAG

_THRESHOLD = "threshold"  # of the probability of the positive class, a metric of the run


@dataclass(frozen=True)
class _Trained:
    """The model of the final training, its lineage, and the temperature in it, if it has one."""

    networks: Refit
    lineage: Lineage
    temperature: float | None


def run(settings: EvaluateSettings, choice: Choice, invocation: Invocation) -> None:
    """Run the step.

    Args:
        choice: The trial or the trials of a tune run to evaluate.
    """
    tune_run = choice.tune_run
    if not settings.tune_run_id:
        click.echo(f"Best trial: of tune run {tune_run.info.run_id}")
    with step_run("evaluate", invocation.params, step_fingerprint(invocation, tune_run)):
        dataset = load_data(choice.trial.data_run_id, SPLITS)
        name = settings.registered_name(dataset)
        temperature = _temperature(settings, choice, dataset)
        dataset = dataset.with_interval(PredictionInterval.of_measures(choice.measures, dataset.target))
        rows = choice.validation(temperature) if dataset.target.class_names else None
        dataset = dataset.with_decision(settings.decision(dataset.target, rows))
        dataset = dataset.with_sets(task_of(dataset).prediction_sets(*rows) if rows else None)
        limit_threads(n_at_once(sum(map(choice.n_networks, choice.members))))
        if (champion := version_by_alias(name, CHAMPION)) is not None:
            load_model(f"models:/{name}/{champion.version}")  # a damaged one ends the step before the training
        _log_choice(choice, dataset)
        trained = _train(settings, choice, dataset, temperature)
        candidate, found = _test(settings, choice, trained, dataset)
        version = register(name, candidate)
        champions = _Champions(found, dataset)
        decision = promote(version, settings.promote, settings.alpha, champions.compare)
        _log_decision(candidate, found, version, decision)
        _report(choice, trained, dataset.target, candidate, found, version, decision, champions.scores)
        draw(mlflow.active_run())
        publish_card(version, candidate.model_uri, read_artifact(version.run_id, CARD, bytes.decode))
        _say(candidate, version, decision, (*found.notes, *found.explanation_notes))


def _log_choice(choice: Choice, dataset: Dataset) -> None:
    trial, mixture = choice.trial, choice.mixture
    mlflow.log_params({f"best_{name}": value for name, value in trial.hyperparameters.items()})
    mlflow.set_tags(
        {
            "tune_run_id": choice.tune_run.info.run_id,
            "trial_number": trial.trial_number,
            "selected": trial.selected,
            DATASET_DIGEST_TAG: dataset.digest,
        }
    )
    log_inputs(dataset)
    if mixture is None:
        click.echo(f"Selected {trial_name(trial.trial_number)}: {trial.selected}")
        return
    metric = task_of(dataset).primary
    mlflow.set_tag(MEMBERS_TAG, json.dumps(mixture.weights))
    mlflow.log_metrics(as_metrics({metric.name: mixture.score}, "ensemble_val_"))
    mlflow.log_metrics(as_metrics({metric.name: mixture.alone}, "best_trial_alone_val_"))
    click.echo(f"Selected {mixture.members_text()}: {mixture.reason}")
    if len(mixture.weights) > 1:
        click.echo(f"On the validation rows, {mixture.gain_text(metric)}")


def _temperature(settings: EvaluateSettings, choice: Choice, dataset: Dataset) -> float | None:
    """The temperature of the trial or the mixture; None if it has none, or would not suit the final training."""
    are_alike = all(settings.trains_alike(dataset, trial) for trial in choice.members)
    return choice.measures.get(TEMPERATURE) if are_alike else None


def _train(settings: EvaluateSettings, choice: Choice, dataset: Dataset, temperature: float | None) -> _Trained:
    precision, members = resolve_precision(settings.precision), {}
    budgets = [settings.budget(dataset, trial) for trial in choice.members]
    for trial, budget in zip(choice.members, budgets, strict=True):
        n = choice.n_networks(trial)
        for i in range(n):
            members[network_name(trial.trial_number, i)] = MemberLineage(
                trial.trial_number, trial.trial_run_id, choice.weight(trial) / n, trial.hyperparameters,
                budget.epochs, budget.schedule, settings.seed + i,
            )  # fmt: skip
    epochs = ", ".join(str(budget.epochs) for budget in budgets)  # of the networks of each trial
    mlflow.log_params({"resolved_precision": precision, "resolved_final_epochs": epochs})
    named = f"{len(members)} networks" if len(members) > 1 else next(iter(members))
    n_epochs = sum(member.epochs for member in members.values())
    click.echo(f"Training {named} on train + validation, {n_epochs} epochs, {precision}")
    threads = threads_of_each(n_at_once(len(members)))
    networks = refit(members, dataset, precision, threads)
    if dataset.target.decision is not None:
        mlflow.log_metric(_THRESHOLD, dataset.target.decision.threshold)
    if temperature is not None:
        mlflow.log_metric(TEMPERATURE, temperature)
        networks = replace(networks, model=with_temperature(networks.model, temperature))
    lineage = Lineage.of(
        dataset,
        {"download": choice.trial.data_run_id, "tune": choice.tune_run.info.run_id},
        choice.trial.study,
        members,
        {"precision": precision, "threads": threads},
        array_digest(networks.model.get_weights()),
        hardware(),
    )
    return _Trained(networks, lineage, temperature)


def _test(
    settings: EvaluateSettings, choice: Choice, trained: _Trained, dataset: Dataset
) -> tuple[Candidate, Assessment]:
    """Log the model and test it: the only look at the test split."""
    task, lineage = task_of(dataset), trained.lineage
    model_uri = log_model(trained.networks.model, dataset, lineage.as_metadata())
    found = assess(model_uri, trained.networks, dataset, settings, trained.temperature)
    mlflow.log_metrics(found.as_metrics())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez_compressed(folder / PREDICTIONS, outputs=found.outputs, targets=found.targets)
        (folder / "report.txt").write_text(task.report(found.targets, found.outputs), encoding="utf-8")
        (folder / "lineage.json").write_text(json.dumps(asdict(lineage), indent=2) + "\n", encoding="utf-8")
        mlflow.log_artifacts(name)
    candidate = Candidate(
        model_uri,
        found.checks,
        task.primary.name,
        found.primary,
        dataset_digest=dataset.digest,
        tune_run_id=lineage.runs["tune"],
        trial_number=lineage.study["trial_number"],
        git_commit=lineage.code["commit"],
        weights_digest=lineage.weights_digest,
        members=choice.mixture.weights if choice.mixture else {},
    )
    return candidate, found


class _Champions:
    """Compares champions with the new model on the test split, and keeps their scores by version."""

    def __init__(self, found: Assessment, dataset: Dataset) -> None:
        self._found, self._dataset = found, dataset
        self.scores: dict[int, Interval] = {}

    def compare(self, champion: ModelVersion) -> Comparison:
        model = load_model(f"models:/{champion.name}/{champion.version}")
        theirs = apply(model, self._dataset.test_input, self._dataset.target)
        task, targets = self._found.task, self._found.targets
        self.scores[int(champion.version)] = task.primary.measure(targets, theirs)
        return task.compare(targets, self._found.outputs, theirs)


def _log_decision(candidate: Candidate, found: Assessment, version: ModelVersion, decision: Decision) -> None:
    primary, status = found.task.primary, version.tags[STATUS_TAG]
    result = f"**{_label(version)}: {status}**, because {candidate.reason}; {decision.reason}."
    note = f"Test {primary.label} **{primary.text(found.primary.value)}**. {result}"
    mlflow.log_metrics(decision.as_metrics())
    mlflow.set_tags(
        {
            STATUS_TAG: status,
            "model_version": f"{version.name}/{version.version}",
            "weights_digest": candidate.weights_digest,
            **decision.as_tags(),
            NOTE_TAG: step_description("evaluate", note),
        }
    )


def _report(
    choice: Choice,
    trained: _Trained,
    target: Target,
    candidate: Candidate,
    found: Assessment,
    version: ModelVersion,
    decision: Decision,
    champions: Mapping[int, Interval],
) -> None:
    """Log all that the report shows; `draw` makes the page of it.

    Args:
        champions: Scores in the primary metric, by version.
    """
    comparison = None
    if decision.comparison is not None and decision.champion is not None:
        comparison = ChampionComparison.of(decision.champion, champions[decision.champion], decision.comparison)
    result = EvaluationResult(
        title=_label(version),
        data_run_id=trained.lineage.runs["download"],
        approved=candidate.approved,
        promoted=decision.promoted,
        reasons=(f"{version.tags[STATUS_TAG]}, because {candidate.reason}", decision.reason),
        checks=found.checks,
        scores=found.scores,
        baselines=found.baselines,
        notes=found.notes,
        importances=found.explanation.importances,
        dependences=found.explanation.dependences,
        weak_groups=found.explanation.weak_groups,
        model_uri=f"models:/{version.name}/{version.version}",
        decision=target.decision,
        sets=target.sets,
        comparison=comparison,
        mixture=choice.mixture,
        members=tuple((trial.trial_number, trial.measures[found.task.primary.name]) for trial in choice.members),
        losses=trained.networks.losses,
        lineage=asdict(trained.lineage),
    )
    mlflow.log_text(RESULT.dump_json(result, indent=2).decode(), EVALUATION)


def _say(candidate: Candidate, version: ModelVersion, decision: Decision, notes: tuple[str, ...]) -> None:
    status = version.tags[STATUS_TAG]
    click.echo(f"Test {score_text(candidate.metric, candidate.score)}")
    for note in notes:
        click.echo(note)
    click.echo(f"Registered {_label(version)}: {status}, because {candidate.reason}; {decision.reason}")


def _label(version: ModelVersion) -> str:
    return f"{version.name} version {version.version}"
