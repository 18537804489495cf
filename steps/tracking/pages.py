"""Addresses of pages of the MLflow UI."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

LOCAL_UI = "http://127.0.0.1:5000"  # where `mlflow ui` is, unless it is told otherwise


def experiment_url(tracking_uri: str, experiment_id: str) -> str:
    """The runs of an experiment, with the columns that the UI keeps for model training."""
    return f"{_server(tracking_uri)}/#/experiments/{experiment_id}/runs?workflowType=machine_learning"


def runs_url(tracking_uri: str, experiment_id: str) -> str:
    """What stands before the ID of a run in the address of its page."""
    return f"{_server(tracking_uri)}/#/experiments/{experiment_id}/runs/"


def _server(tracking_uri: str) -> str:
    """The tracking server, without the password that its address may hold; for a local store, the local UI."""
    if not tracking_uri.startswith(("http://", "https://")):
        return LOCAL_UI
    parts = urlsplit(tracking_uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")
