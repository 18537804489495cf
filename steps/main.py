"""main: download -> tune -> evaluate, each a child run; what is finished and unchanged is reused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from steps import download, evaluate, tune
from steps.base.errors import StepError
from steps.base.libraries import quiet_libraries
from steps.cli.command import StepCommand, step_command
from steps.cli.options import download_options, evaluate_options, precision_option, seed_option, tune_options
from steps.cli.types import OneOf

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
        runs: list[Run] = []
        for stage in _STAGES:
            runs.append(_reused_or_run(stage, runs[-1] if runs else None, parameters))
            if stage.module is download:
                _check_model_name(runs[-1], parameters)
    _summary(runs)


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
    from steps.tracking.data import load_data

    evaluate.check_model_name(parameters, load_data(data_run.info.run_id, ("train",)))


def _version(run: Run) -> Any:
    from steps.tracking.registry import version_of_run

    return version_of_run(run.info.run_id)


def _summary(runs: Sequence[Run]) -> None:
    """What each step left, and where to look."""
    import mlflow

    from steps.report.terminal import print_summary
    from steps.tasks.metric import Interval
    from steps.tracking.registry import score_text

    download_run, tune_run, evaluated = (run.data for run in runs)
    version, metrics = _version(runs[-1]), evaluated.metrics
    counts = ", ".join(
        f"{tune_run.metrics.get(f'n_{state}', 0):.0f} {state}" for state in ("complete", "pruned", "failed")
    )
    metric = version.tags["metric"]
    test = Interval(*(metrics.get(f"test_{metric}{end}") for end in ("", "_low", "_high")))
    results = (
        f"{download_run.params['dataset']}, digest {download_run.tags['dataset_digest'][:12]}",
        f"validation {score_text(metric, Interval(tune_run.metrics[f'best_val_{metric}']))}; trials: {counts}",
        f"test {score_text(metric, test)}",
    )
    rows = [
        (str(stage.command.name), run.info.run_id[:8], result)
        for stage, run, result in zip(_STAGES, runs, results, strict=True)
    ]
    aliases = ", ".join(sorted(version.aliases)) or "no alias"
    tags = version.tags
    decision = f"{tags['validation_status']}, because {tags['validation_reason']}; {tags['promotion_reason']}"
    click.echo()
    print_summary([*rows, ("model", "", f"{version.name} version {version.version} ({aliases}): {decision}")])
    click.echo()
    uri, experiment_id = mlflow.get_tracking_uri(), runs[-1].info.experiment_id
    for name, text in {
        **_where_to_look(uri, experiment_id),
        "Reports": "the artifact report.html of the runs tune and evaluate",
        "Registry": "mlflow run . -e registry --env-manager local",
    }.items():
        click.echo(f"{name:9} {text}")


def _where_to_look(tracking_uri: str, experiment_id: str) -> dict[str, str]:
    """The page of all runs."""
    from steps.tracking.ui_urls import experiment_url

    page = experiment_url(tracking_uri, experiment_id)
    if tracking_uri.startswith("http"):
        return {"Runs": page}
    return {"Runs": f"mlflow ui --backend-store-uri {tracking_uri}", "": f"then open {page}"}


if __name__ == "__main__":
    main()
