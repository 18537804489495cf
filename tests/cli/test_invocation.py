from __future__ import annotations

from steps.cli.invocation import Invocation
from steps.evaluate import evaluate
from steps.main import main
from steps.tune import tune


def test_its_params_give_the_same_options_on_a_command_line() -> None:
    words = ["--objectives", "accuracy,latency", "--validation-fraction", "1/3", "--reuse", "false"]
    given = main.make_context("main", words).params
    invocation = Invocation.of(main, given)
    again = main.make_context("main", [f"--{k.replace('_', '-')}={v}" for k, v in invocation.params.items()]).params
    assert again == given == invocation.options
    assert invocation.params["reuse"] == "false"


def test_a_stage_takes_its_own_options_of_main_and_defaults_for_the_rest() -> None:
    options = main.make_context("main", ["--n-trials", "7", "--final-epochs", "3"]).params
    stage = Invocation.of(evaluate, options)
    assert (stage.step, stage.params["final_epochs"], stage.params["tune_run_id"]) == ("evaluate", "3", "")
    assert "n_trials" not in stage.params
    assert stage.having(tune_run_id="1" * 32).params["tune_run_id"] == "1" * 32


def test_the_command_names_what_is_needed_and_what_is_no_default() -> None:
    options = tune.make_context("tune", ["--study-name", "old", "--space", "my space.yaml", "--n-trials", "20"]).params
    command = Invocation.of(tune, options).project_command(study_name="wide", data_run_id="1")
    assert command == "mlflow run . -e tune -P study_name=wide -P data_run_id=1 -P space='my space.yaml'"
