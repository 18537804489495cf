"""main: download -> tune -> evaluate, each a child run; what is finished and unchanged is reused."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from steps import download, evaluate, tune
from steps.command import StepCommand, quiet_libraries, step_command
from steps.errors import StepError
from steps.options import OneOf, download_options, evaluate_options, precision_option, seed_option, tune_options

if TYPE_CHECKING:
    from mlflow.entities import Run


class _Stage(NamedTuple):
    """One step of the chain: its command, where it takes the run before it, and what it leaves."""

    module: ModuleType
    command: StepCommand
    input: str
    artifact: str


_STAGES = (
    _Stage(download, download.download, "", "dataset"),
    _Stage(tune, tune.tune, "data_run_id", "best_config.json"),
    _Stage(evaluate, evaluate.evaluate, "tune_run_id", "predictions.npz"),
)


@step_command
@download_options
@tune_options
@evaluate_options
@precision_option
@seed_option
@click.option(
    "--reuse", type=OneOf(("true", "false")), default="true", help="Reuse finished steps that would not change."
)
def main(**parameters: Any) -> None:
    """Run the whole pipeline: download, tune, evaluate.

    \b
    Examples:
      mlflow run . -e main
      mlflow run . -e main -P dataset=digits -P n_trials=4 -P max_epochs=3
      mlflow run . -e main -P n_trials=100 -P final_epochs=100 -P reuse=false
    """
    quiet_libraries()
    tune.check(parameters)
    from steps.tracking.runs import step_run

    with step_run("main", parameters):
        run: Run | None = None
        for stage in _STAGES:
            run = _reused_or_run(stage, run, parameters)
            if stage.module is download:
                _check_model_name(run, parameters)
    assert run is not None
    _summary(run)


def _reused_or_run(stage: _Stage, before: Run | None, parameters: Mapping[str, Any]) -> Run:
    """The finished run of a stage: one with an equal fingerprint where that is allowed, else a new one."""
    import mlflow
    from mlflow.exceptions import ExecutionException

    from steps.tracking.project import launch
    from steps.tracking.runs import fingerprint_of, newest_step_run

    step = str(stage.command.name)
    own = {str(option.name): parameters[option.name] for option in stage.command.params if option.name in parameters}
    if before is not None:
        own[stage.input] = before.info.run_id
    if parameters["reuse"] == "true":
        fingerprint = stage.module.step_fingerprint(own, fingerprint_of(before) if before else "")
        found = newest_step_run(step, stage.artifact, fingerprint)
        if found is not None and (stage.module is not evaluate or _version(found) is not None):
            click.echo(f"{step}: nothing changed, reusing run {found.info.run_id}")
            mlflow.set_tag(f"pipeline.reused.{step}", found.info.run_id)
            return found
    click.echo(f"{step}: running")
    try:
        run_id = launch(
            step, {name: ",".join(value) if isinstance(value, tuple) else value for name, value in own.items()}
        )
    except ExecutionException as error:
        raise StepError(f"the step {step} did not finish; its own message is above ({error})") from error
    return mlflow.get_run(run_id)


def _check_model_name(data_run: Run, parameters: Mapping[str, Any]) -> None:
    """Refuse a model of other data before hours of tuning, not after."""
    from steps.datasets import Dataset
    from steps.tracking.runs import artifact_path

    evaluate.check_model_name(parameters, Dataset.load(artifact_path(data_run.info.run_id, "dataset"), ("train",)))


def _version(run: Run) -> Any:
    from steps.tracking.registry import version_of_run

    return version_of_run(run.info.run_id)


def _summary(evaluated: Run) -> None:
    import mlflow

    version, metrics = _version(evaluated), evaluated.data.metrics
    lines = {
        "Model": f"{version.name} version {version.version} ({version.tags['validation_status']})",
        "Aliases": ", ".join(sorted(version.aliases)) or "none",
        "Decision": version.tags["promotion_reason"],
        "Test accuracy": f"{metrics['test_accuracy']:.2%} (95 % interval {metrics['test_accuracy_low']:.2%} "
        f"to {metrics['test_accuracy_high']:.2%})",
        **_where_to_look(mlflow.get_tracking_uri(), evaluated.info.experiment_id),
        "Registry": "mlflow run . -e registry --env-manager local",
    }
    click.echo()
    for name, text in lines.items():
        click.echo(f"{name:14} {text}")


def _where_to_look(tracking_uri: str, experiment_id: str) -> dict[str, str]:
    """The page of all runs, with the columns that MLflow's UI keeps for model training."""
    page = f"#/experiments/{experiment_id}/runs?workflowType=machine_learning"
    if tracking_uri.startswith("http"):
        return {"Runs": f"{tracking_uri.rstrip('/')}/{page}"}
    return {"Runs": f"mlflow ui --backend-store-uri {tracking_uri}", "": f"then open http://127.0.0.1:5000/{page}"}


if __name__ == "__main__":
    main()
