"""The templates for MLflow's Kubernetes backend, read by MLflow and checked against the API's own types."""

from __future__ import annotations

import json
import shlex

import pytest
from kubernetes.client import ApiClient
from mlflow.projects import _parse_kubernetes_config, kubernetes
from mlflow.projects._project_spec import load_project

from steps.worker import worker
from tests.running import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "kubernetes"


def test_the_job_that_mlflow_makes_of_the_template_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    config = _parse_kubernetes_config(json.loads((FOLDER / "backend.json").read_text()))
    command = load_project(str(FOLDER)).get_entry_point("worker").compute_command({"tune_run_id": "abc"}, None)
    job = kubernetes._get_kubernetes_job_definition(
        "mlp-tuning-worker", config["repository-uri"], "sha256:0", shlex.split(command),
        {"MLFLOW_RUN_ID": "def"}, config["kube-job-template"],
    )  # fmt: skip
    client = ApiClient()
    read = client.deserialize(json.dumps(job), "V1Job", "application/json")  # raises for what is missing
    assert client.sanitize_for_serialization(read) == job  # and drops what it does not know
    (container,) = read.spec.template.spec.containers
    assert container.command[:3] == ["python", "-m", "steps.worker"]
    assert {entry.name for entry in container.env} >= {"TUNE_STORAGE", "MLFLOW_RUN_ID"}


def test_the_entry_point_has_the_parameters_of_the_step() -> None:
    parameters = load_project(str(FOLDER)).get_entry_point("worker").parameters
    assert sorted(parameters) == sorted(str(option.name) for option in worker.params)
