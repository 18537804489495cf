"""evaluate: the best trial of a tune run -> a model trained on train + validation, tested once, and registered."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.cli.command import step_command
from steps.cli.invocation import Invocation
from steps.cli.options import evaluate_options, precision_option, seed_option, tune_run_id_option

if TYPE_CHECKING:
    import keras
    from mlflow.entities.model_registry import ModelVersion

    from steps.datasets import Dataset
    from steps.evaluation.assess import Assessment
    from steps.evaluation.settings import EvaluateSettings
    from steps.search.store.records import SelectedTrial
    from steps.tasks.comparison import Comparison
    from steps.tasks.task import Task
    from steps.tracking.lineage import Lineage


@step_command
@tune_run_id_option
@evaluate_options
@precision_option
@seed_option
def evaluate(**options: Any) -> None:
    """Retrain the best MLP on train + validation, test it once, and register it.

    A version that passes its checks, --require among them, is approved and gets the alias challenger. It becomes
    champion if there is none, or if it is better than the champion on the same test split and a significance test
    (for classes, the exact McNemar test) says that this is no chance.

    \b
    Examples:
      mlflow run . -e evaluate
      mlflow run . -e evaluate -P final_epochs=100 -P "require=accuracy>=0.99"
      mlflow run . -e evaluate -P select=7
      mlflow run . -e evaluate -P promote=never -P "require=accuracy>=0.9,recall>=0.8"
    """
    quiet_libraries()
    from steps.evaluation.settings import EvaluateSettings
    from steps.flows.fingerprint import step_fingerprint
    from steps.tracking.runs import step_run

    settings, invocation = EvaluateSettings.parse(**options), Invocation.of(evaluate, options)
    tune_run, chosen = settings.chosen()
    if not settings.tune_run_id:
        click.echo(f"Best trial: of tune run {tune_run.info.run_id}")
    with step_run("evaluate", invocation.params, step_fingerprint(invocation, tune_run)):
        _evaluate(tune_run.info.run_id, chosen, settings)


def _evaluate(tune_run_id: str, best: SelectedTrial, settings: EvaluateSettings) -> None:
    import_tensorflow()
    import mlflow

    from steps.base.files import array_digest
    from steps.datasets.dataset import SPLITS
    from steps.evaluation.refit import refit
    from steps.mlp.config import MLPConfig
    from steps.mlp.runtime import hardware, limit_threads, resolve_precision
    from steps.tasks.task import task_of
    from steps.tracking.data import load_data
    from steps.tracking.dataset_inputs import log_inputs
    from steps.tracking.lineage import Lineage
    from steps.tracking.models import load_keras
    from steps.tracking.registry import CHAMPION, version_by_alias

    dataset = load_data(best.data_run_id, SPLITS)
    task, name = task_of(dataset), settings.registered_name(dataset)
    limit_threads(n_jobs=1)
    if (champion := version_by_alias(name, CHAMPION)) is not None:
        load_keras(f"models:/{name}/{champion.version}")  # a damaged one is said before the training, not after
    precision = resolve_precision(settings.precision)
    mlflow.log_params({"resolved_precision": precision})
    mlflow.log_params({f"best_{name}": value for name, value in best.hyperparameters.items()})
    mlflow.set_tags(
        {
            "tune_run_id": tune_run_id,
            "trial_number": best.trial_number,
            "selected": best.selected,
            "dataset_digest": dataset.digest,
        }
    )
    log_inputs(dataset)
    click.echo(f"Selected trial-{best.trial_number:03d}: {best.selected}")
    click.echo(
        f"Training trial-{best.trial_number:03d} on train + validation, {settings.final_epochs} epochs, {precision}"
    )
    config = MLPConfig.from_hyperparameters(best.hyperparameters)
    model, losses = refit(config, dataset, task, settings.final_epochs, settings.seed, precision)
    lineage = Lineage.of(
        dataset,
        {"download": best.data_run_id, "tune": tune_run_id, "trial": best.trial_run_id},
        {"name": best.study, "trial_number": best.trial_number},
        best.hyperparameters,
        {"epochs": settings.final_epochs, "seed": settings.seed,
        "precision": precision}, array_digest(model.get_weights()), hardware(),
    )  # fmt: skip
    _register(model, losses, dataset, task, lineage, name, settings)


def _register(
    model: keras.Model,
    losses: list[float],
    dataset: Dataset,
    task: Task,
    lineage: Lineage,
    model_name: str,
    settings: EvaluateSettings,
) -> None:
    """Log the model, test it, register it, decide about it, and report."""
    import mlflow
    import numpy as np
    from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

    from steps.datasets.interface import Interface
    from steps.evaluation.assess import assess
    from steps.evaluation.report import EVALUATION, draw
    from steps.report.evaluation.result import ChampionComparison, EvaluationResult
    from steps.tracking.descriptions import step_description
    from steps.tracking.models import load_keras, log_keras
    from steps.tracking.promotion import promote
    from steps.tracking.registry import Candidate, register, score_text

    features = np.asarray(dataset.splits["test"].features)
    metadata = {**Interface.of(dataset).as_metadata(), **lineage.as_metadata()}
    model_uri = log_keras(model, np.asarray(dataset.splits["train"].features[:5]), metadata)
    trained = model.predict(features, verbose=0)
    found = assess(model_uri, trained, dataset, task, settings.require)
    mlflow.log_metrics(found.as_metrics())
    _log_results(found, lineage)

    def compare(champion: ModelVersion) -> Comparison:
        theirs = load_keras(f"models:/{champion.name}/{champion.version}").predict(features, verbose=0)
        return task.compare(found.targets, found.outputs, theirs)

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
    )
    version = register(model_name, candidate)
    decision = promote(version, settings.promote, settings.alpha, compare)
    status, label = version.tags["validation_status"], f"{model_name} version {version.version}"
    mlflow.log_metrics(decision.as_metrics())
    own = {"model_version": f"{model_name}/{version.version}", "weights_digest": lineage.weights_digest}
    result = f"**{label}: {status}**, because {candidate.reason}; {decision.reason}."
    note = {
        MLFLOW_RUN_NOTE: step_description(
            "evaluate", f"Test {task.primary.label} **{task.primary.text(found.primary.value)}**. {result}"
        )
    }
    mlflow.set_tags({"validation_status": status, **own, **decision.as_tags(), **note})
    comparison = None
    if decision.comparison is not None and decision.champion is not None:
        comparison = ChampionComparison.of(decision.champion, decision.comparison)
    mlflow.log_text(
        EvaluationResult(
            title=label,
            approved=candidate.approved,
            promoted=decision.promoted,
            reasons=(f"{status}, because {candidate.reason}", decision.reason),
            checks=found.checks,
            scores=found.scores,
            baselines=found.baselines,
            comparison=comparison,
            losses=tuple(losses),
            lineage=asdict(lineage),
        ).to_json(),
        EVALUATION,
    )
    draw(mlflow.active_run(), dataset)
    click.echo(f"Test {score_text(task.primary.name, found.primary)}")
    click.echo(f"Registered {label}: {status}, because {candidate.reason}; {decision.reason}")


def _log_results(found: Assessment, lineage: Lineage) -> None:
    import mlflow
    import numpy as np

    from steps.evaluation.report import PREDICTIONS

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez_compressed(folder / PREDICTIONS, outputs=found.outputs, targets=found.targets)
        (folder / "report.txt").write_text(found.task.report(found.targets, found.outputs))
        (folder / "lineage.json").write_text(json.dumps(asdict(lineage), indent=2) + "\n")
        mlflow.log_artifacts(name)


if __name__ == "__main__":
    evaluate()
