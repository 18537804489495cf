"""evaluate: the best trial of a tune run -> a model trained on train + validation, tested once, and registered."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steps.command import import_tensorflow, quiet_libraries, step_command
from steps.errors import InputError
from steps.options import RunId, evaluate_options, precision_option, seed_option

if TYPE_CHECKING:
    import keras
    import numpy as np

    from steps.datasets import Dataset

MODEL = "model"


@step_command
@click.option("--tune-run-id", type=RunId(), default="", help="A tune run; empty: the newest finished one.")
@evaluate_options
@precision_option
@seed_option
def evaluate(**parameters: Any) -> None:
    """Retrain the best MLP on train + validation, test it once, and register it.

    A version whose test accuracy reaches --min-accuracy is approved and gets the alias challenger;
    the best approved one is champion.

    \b
    Examples:
      mlflow run . -e evaluate
      mlflow run . -e evaluate -P final_epochs=100 -P min_accuracy=0.99
      mlflow run . -e evaluate -P select=7
    """
    quiet_libraries()
    from steps.tracking.runs import fingerprint_of, get_step_run, newest_step_run, step_run

    if parameters["tune_run_id"]:
        tune_run = get_step_run(parameters["tune_run_id"], "tune", "tune_run_id")
    elif (found := newest_step_run("tune", "best_config.json")) is not None:
        tune_run = found
        click.echo(f"Best trial: of tune run {tune_run.info.run_id}")
    else:
        raise InputError(
            "tune_run_id must be given where this experiment has no finished tune run; run: mlflow run . -e tune"
        )
    chosen = _chosen(tune_run.info.run_id, parameters["select"])
    with step_run("evaluate", parameters, step_fingerprint(parameters, fingerprint_of(tune_run))):
        _evaluate(tune_run.info.run_id, chosen, parameters)


def step_fingerprint(parameters: Mapping[str, Any], tune_fingerprint: str) -> str:
    """Fingerprint of an evaluate run."""
    from steps.tracking.fingerprint import fingerprint

    own = {name: value for name, value in parameters.items() if name != "tune_run_id"}
    return fingerprint("evaluate", own, [tune_fingerprint])


def _chosen(tune_run_id: str, selected: str) -> dict[str, Any]:
    """`best_config.json`, or the same for the trial that was asked for.

    Raises:
        InputError: It has no complete trial of that number.
    """
    from steps.search.results import ARTIFACT, AUTO, from_json, select
    from steps.tracking.runs import artifact_path

    best: dict[str, Any] = json.loads(artifact_path(tune_run_id, "best_config.json").read_text())
    if selected != AUTO:
        records = from_json(artifact_path(tune_run_id, ARTIFACT).read_text())
        record, reason = select(records, [], selected)
        best |= {**asdict(record), "selected": reason}
    return best


def _evaluate(tune_run_id: str, best: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    import_tensorflow()
    import mlflow
    import numpy as np

    from steps.datasets import Dataset
    from steps.mlp.config import MLPConfig
    from steps.mlp.metrics import class_report, metrics
    from steps.mlp.runtime import limit_threads, resolve_precision
    from steps.report.evaluation_figures import save_evaluation_figures
    from steps.tracking.lineage import log_inputs
    from steps.tracking.registry import Candidate, register
    from steps.tracking.runs import artifact_path

    dataset = Dataset.load(artifact_path(best["data_run_id"], "dataset"))
    limit_threads(n_jobs=1)
    precision = resolve_precision(parameters["precision"])
    mlflow.log_params({"resolved_precision": precision})
    mlflow.log_params({f"best_{name}": value for name, value in best["hyperparameters"].items()})
    mlflow.set_tags(
        {
            "tune_run_id": tune_run_id,
            "trial_number": best["trial_number"],
            "selected": best["selected"],
            "dataset_digest": dataset.digest,
        }
    )
    log_inputs(dataset)
    click.echo(f"Selected trial-{best['trial_number']:03d}: {best['selected']}")
    click.echo(
        f"Training trial-{best['trial_number']:03d} on train + validation, "
        f"{parameters['final_epochs']} epochs, {precision}"
    )
    config = MLPConfig.from_hyperparameters(best["hyperparameters"])
    model, losses = _train(config, dataset, parameters["final_epochs"], parameters["seed"], precision)
    model_uri = _log_model(model, dataset)
    # The registered artifact itself is what is tested, and this is the only look at the test split.
    test = dataset.splits["test"]
    probabilities = np.asarray(mlflow.pyfunc.load_model(model_uri).predict(np.asarray(test.features)))
    labels = np.asarray(test.labels)
    scores = metrics(probabilities, labels)
    mlflow.log_metrics(asdict(scores))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez_compressed(folder / "predictions.npz", probabilities=probabilities, labels=labels)
        (folder / "class_report.txt").write_text(class_report(probabilities, labels, dataset.class_names))
        (folder / "figures").mkdir()
        save_evaluation_figures(dataset, probabilities, losses, folder / "figures")
        mlflow.log_artifacts(name)
    model_name = parameters["model_name"] or f"{dataset.name}-mlp"
    candidate = Candidate(
        model_uri=model_uri,
        min_accuracy=parameters["min_accuracy"],
        test_accuracy=scores.test_accuracy,
        test_accuracy_low=scores.test_accuracy_low,
        test_accuracy_high=scores.test_accuracy_high,
        dataset_digest=dataset.digest,
        tune_run_id=tune_run_id,
        trial_number=best["trial_number"],
        git_commit=mlflow.get_run(mlflow.active_run().info.run_id).data.tags.get("mlflow.source.git.commit", ""),
    )
    version = register(model_name, candidate)
    mlflow.set_tags(
        {"validation_status": version.tags["validation_status"], "model_version": f"{model_name}/{version.version}"}
    )
    click.echo(
        f"Test accuracy {scores.test_accuracy:.4f} (95 % interval {scores.test_accuracy_low:.4f} to "
        f"{scores.test_accuracy_high:.4f}), log loss {scores.test_log_loss:.4f}"
    )
    click.echo(
        f"Registered {model_name} version {version.version}: {version.tags['validation_status']}, {candidate.reason}; "
        f"aliases: {', '.join(sorted(version.aliases)) or 'none'}"
    )


def _train(config: Any, dataset: Dataset, epochs: int, seed: int, precision: Any) -> tuple[keras.Model, list[float]]:
    """The model after `epochs` on train + validation, and the training loss of each epoch, logged as it goes."""
    import mlflow
    import numpy as np

    from steps.errors import StepError
    from steps.mlp.trainer import Samples, Trainer
    from steps.report.terminal import TrainingDisplay

    parts = [dataset.splits["train"], dataset.splits["validation"]]
    samples = Samples.from_arrays(
        np.concatenate([part.features for part in parts]), np.concatenate([part.labels for part in parts])
    )
    trainer = Trainer(
        config,
        samples,
        n_classes=len(dataset.class_names),
        feature_max=dataset.feature_max,
        image_shape=dataset.image_shape,
        epochs=epochs,
        seed=seed,
        precision=precision,
    )
    losses = []
    with TrainingDisplay(epochs) as display:
        for epoch in range(1, epochs + 1):
            loss = trainer.run_epoch().train_loss
            if not np.isfinite(loss):
                raise StepError(
                    f"the loss is not finite after epoch {epoch}; choose another trial or precision=float32"
                )
            mlflow.log_metric("train_loss", loss, step=epoch)
            display.epoch(epoch, loss)
            losses.append(loss)
    return trainer.model, losses


def _log_model(model: keras.Model, dataset: Dataset) -> str:
    """Log the model with signature, input example and pinned requirements; returns its URI."""
    import keras
    import mlflow
    import numpy as np
    import tensorflow as tf
    from mlflow.models import infer_signature

    example: np.ndarray = np.asarray(dataset.splits["train"].features[:5])
    info = mlflow.tensorflow.log_model(
        model,
        name=MODEL,
        signature=infer_signature(example, model.predict(example, verbose=0)),
        input_example=example,
        pip_requirements=[f"{module.__name__}=={module.__version__}" for module in (mlflow, tf, keras, np)],
    )
    return str(info.model_uri)


if __name__ == "__main__":
    evaluate()
