"""replay: train a registered model again from its lineage, and compare the weights."""

from __future__ import annotations

import click
import keras
import mlflow

from steps.base.errors import StepError
from steps.base.files import array_digest
from steps.cli.invocation import Invocation
from steps.evaluation.refit import n_at_once, refit
from steps.flows.settings import ReplaySettings
from steps.mlp.runtime import hardware, limit_threads
from steps.mlp.weights import largest_difference
from steps.tracking.dataset_inputs import log_inputs
from steps.tracking.lineage import Lineage, differences, load_data, package_versions
from steps.tracking.models import load_network
from steps.tracking.runs import step_run
from steps.tracking.tags import DATASET_DIGEST_TAG


def run(settings: ReplaySettings, invocation: Invocation) -> None:
    limit_threads(n_at_once(len(settings.lineage.trained)), _threads(settings.lineage))
    with step_run("replay", invocation.params):
        _compare(settings, _train(settings))


def _train(settings: ReplaySettings) -> keras.Model:
    lineage = settings.lineage
    dataset = load_data(lineage)
    log_inputs(dataset)
    mlflow.set_tags({"replayed_model": settings.model_uri, DATASET_DIGEST_TAG: dataset.digest})
    members, precision = lineage.trained, lineage.training["precision"]
    n_epochs = sum(member.epochs for member in members.values())
    click.echo(f"Training {settings.model_uri} again: {n_epochs} epochs, {precision}")
    return refit(members, dataset, precision, _threads(lineage)).model


def _threads(lineage: Lineage) -> int:
    threads: int = lineage.training.get("threads", 1)  # earlier versions name none
    return threads


def _compare(settings: ReplaySettings, model: keras.Model) -> None:
    """Log whether the weights are those that were registered; if not, how far they differ and the possible causes.

    Raises:
        StepError: The registered weights are not those of the lineage.
    """
    lineage, registered = settings.lineage, load_network(settings.model_uri).get_weights()
    if array_digest(registered) != lineage.weights_digest:
        raise StepError(f"the model {settings.model_uri} is damaged: its weights are not those that its lineage names")
    digest = array_digest(model.get_weights())
    identical = digest == lineage.weights_digest
    difference = largest_difference(model.get_weights(), registered)
    causes = [] if identical else differences(lineage, package_versions(), hardware())
    mlflow.log_metric("largest_weight_difference", difference)
    mlflow.set_tags(
        {
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
