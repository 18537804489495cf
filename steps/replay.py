"""replay: a registered model -> the same training again, from its lineage alone; are the weights the same?"""

from __future__ import annotations

from typing import Any

import click

from steps.base.errors import StepError
from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.cli.command import step_command
from steps.cli.options import model_uri_option


@step_command
@model_uri_option
def replay(model_uri: str) -> None:
    """Train a registered model again from its lineage alone, and compare the weights.

    On the same machine type, in float32, they are equal to the bit; where they are not, the largest difference is
    given, and what has changed since: packages, processor, precision.

    \b
    Example:
      mlflow run . -e replay -P model_uri=models:/mnist-mlp/3
    """
    quiet_libraries()
    from steps.tracking.lineage import lineage_of
    from steps.tracking.models import find_model
    from steps.tracking.runs import step_run

    version_uri = find_model(model_uri)
    lineage = lineage_of(version_uri)
    with step_run("replay", {"model_uri": model_uri}):
        _replay(version_uri, lineage)


def _replay(model_uri: str, lineage: Any) -> None:
    import_tensorflow()
    import mlflow

    from steps.evaluation.refit import refit
    from steps.mlp.config import MLPConfig
    from steps.mlp.runtime import hardware, limit_threads
    from steps.mlp.weights import largest_difference, weights_digest
    from steps.tasks.task import task_of
    from steps.tracking.dataset_inputs import log_inputs
    from steps.tracking.lineage import differences, load_data, package_versions
    from steps.tracking.models import load_keras

    limit_threads(n_jobs=1)
    dataset = load_data(lineage)
    log_inputs(dataset)
    training = lineage.training
    click.echo(f"Training {model_uri} again: {training['epochs']} epochs, {training['precision']}")
    config = MLPConfig.from_hyperparameters(lineage.hyperparameters)
    model, _ = refit(config, dataset, task_of(dataset), training["epochs"], training["seed"], training["precision"])
    registered = load_keras(model_uri)
    if weights_digest(registered.get_weights()) != lineage.weights_digest:
        raise StepError(f"the model {model_uri} is damaged: its weights are not those that its lineage names")
    digest = weights_digest(model.get_weights())
    identical = digest == lineage.weights_digest
    difference = largest_difference(model.get_weights(), registered.get_weights())
    causes = [] if identical else differences(lineage, package_versions(), hardware())
    mlflow.log_metric("largest_weight_difference", difference)
    mlflow.set_tags(
        {
            "replayed_model": model_uri,
            "dataset_digest": dataset.digest,
            "weights_digest": digest,
            "replay.identical": str(identical).lower(),
            "replay.causes": "; ".join(causes),
        }
    )
    if identical:
        click.echo(f"Identical: all {model.count_params():,} weights are equal to the bit (SHA-256 {digest[:12]})")
    else:
        click.echo(f"Not identical: the weights differ by at most {difference:.3g}")
        for cause in causes or ["nothing that is on record has changed"]:
            click.echo(f"Possible cause: {cause}")


if __name__ == "__main__":
    replay()
