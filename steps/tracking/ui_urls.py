"""URLs of pages of the MLflow UI, and the columns of its table of runs."""

from __future__ import annotations

import json
from urllib.parse import urlsplit, urlunsplit

from mlflow.tracking import MlflowClient

from steps.tasks.task import PRIMARY_METRICS
from steps.tracking.tags import STATE_TAG

LOCAL_UI = "http://127.0.0.1:5000"  # default address of `mlflow ui`

_TRAINING = "?workflowType=machine_learning"  # otherwise the UI opens in its mode for language models
_VIEW = "pipeline"
_VIEW_TAG = f"mlflow.sharedViewState.{_VIEW}"  # the tag behind the UI's Share button
_COLUMNS = (
    "attributes.`Models`",
    *(f"metrics.`{prefix}_{metric.name}`" for prefix in ("best_val", "test", "val") for metric in PRIMARY_METRICS),
    f"tags.`{STATE_TAG}`",
)


def share_view(experiment_id: str) -> None:
    """Store in an experiment the columns with which `experiment_url` opens it."""
    client, view = MlflowClient(), json.dumps({"selectedColumns": _COLUMNS})
    if client.get_experiment(experiment_id).tags.get(_VIEW_TAG) != view:
        client.set_experiment_tag(experiment_id, _VIEW_TAG, view)


def experiment_url(tracking_uri: str, experiment_id: str) -> str:
    """URL of the runs of an experiment, with the columns of `share_view`."""
    return f"{_server(tracking_uri)}/#/experiments/{experiment_id}/runs{_TRAINING}&viewStateShareKey={_VIEW}"


def run_url(tracking_uri: str, experiment_id: str, run_id: str) -> str:
    return f"{_server(tracking_uri)}/#/experiments/{experiment_id}/runs/{run_id}{_TRAINING}"


def _server(tracking_uri: str) -> str:
    """URL of the tracking server without its password; for a local store, that of the local UI."""
    if not tracking_uri.startswith(("http://", "https://")):
        return LOCAL_UI
    parts = urlsplit(tracking_uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")
