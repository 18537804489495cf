"""Addresses of pages of the MLflow UI."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

LOCAL_UI = "http://127.0.0.1:5000"  # where `mlflow ui` is, unless it is told otherwise


_TRAINING = "?workflowType=machine_learning"  # else the UI opens in the mode for language models


def experiment_url(tracking_uri: str, experiment_id: str) -> str:
    """The runs of an experiment, with the columns that the UI keeps for model training."""
    return f"{_server(tracking_uri)}/#/experiments/{experiment_id}/runs{_TRAINING}"


def run_url(tracking_uri: str, experiment_id: str, run_id: str) -> str:
    return f"{_server(tracking_uri)}/#/experiments/{experiment_id}/runs/{run_id}{_TRAINING}"


def _server(tracking_uri: str) -> str:
    """The tracking server, without the password that its address may hold; for a local store, the local UI."""
    if not tracking_uri.startswith(("http://", "https://")):
        return LOCAL_UI
    parts = urlsplit(tracking_uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")
