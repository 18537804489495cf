"""Descriptions and addresses in the MLflow UI."""

from __future__ import annotations

import ast
import shlex

import pytest

from steps.tracking.descriptions import model_description, run_link, step_description, trial_description
from steps.tracking.ui_urls import experiment_url, run_url


def test_a_trial_says_what_it_is() -> None:
    note = trial_description(
        7, "mine", {"n_layers": 2, "units_0": 64, "units_1": 32, "learning_rate": 0.00123456, "batch_norm": True}
    )
    assert note.startswith(
        "Trial 7 of the study `mine`: hidden layers 64 - 32, learning_rate 0.00123, batch_norm true."
    )


@pytest.mark.parametrize("step", ["main", "download", "tune", "evaluate"])
def test_each_step_explains_itself_below_its_result(step: str) -> None:
    assert len(step_description(step)) > 60
    assert step_description(step, "Result.") == f"Result.\n\n{step_description(step)}"


def test_a_step_without_a_note_has_none() -> None:
    assert step_description("replay") == ""


def test_a_model_shows_how_it_is_used() -> None:
    assert 'load_model("models:/digits-mlp@champion")' in model_description("digits-mlp")


@pytest.mark.parametrize("name", ["two words", "$(touch hacked)", "a;b", "back\\slash", "`id`", "größe"])
def test_its_commands_can_be_pasted_whatever_it_is_called(name: str) -> None:
    text = model_description(name)
    python = text.partition("load_model(")[2].partition(").predict")[0]
    assert ast.literal_eval(python) == f"models:/{name}@champion"
    shell = text.partition("or `")[2].rpartition("`")[0]
    assert f"model_uri=models:/{name}@champion" in shlex.split(shell)


def test_links_lead_to_the_server_and_hold_no_password() -> None:
    assert run_link("best", "1", "ab") == "[best](#/experiments/1/runs/ab?workflowType=machine_learning)"
    local, remote = "sqlite:///mlflow.db", "https://me:secret@example.org/mlflow/"
    assert run_url(local, "1", "ab") == "http://127.0.0.1:5000/#/experiments/1/runs/ab?workflowType=machine_learning"
    assert (
        experiment_url(remote, "2")
        == "https://example.org/mlflow/#/experiments/2/runs?workflowType=machine_learning&viewStateShareKey=pipeline"
    )
