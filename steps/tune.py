"""tune: dataset/ -> a study whose trials are child runs; best_config.json, study/, figures/, report.html."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steps.base.errors import InputError, StepError, StepInterrupted
from steps.base.libraries import import_tensorflow, quiet_libraries
from steps.base.paths import existing_file
from steps.cli.command import project_command, step_command
from steps.cli.options import precision_option, seed_option, tune_options
from steps.cli.types import RunId

if TYPE_CHECKING:
    from mlflow.entities import Run

    from steps.search.plan import Plan

# Parameters that the plan of a tune run repeats as they are.
_PLANNED = ("objectives", "n_trials", "stop_when", "max_epochs", "sampler", "pruner", "seed")


@step_command
@click.option(
    "--data-run-id",
    type=RunId(),
    default="",
    help="A download run; empty: the newest, or a new one. Example: 988e50e4e2384849b81eb091c5a8a5e9",
)
@tune_options
@precision_option
@seed_option
def tune(**parameters: Any) -> None:
    """Search hyperparameters: each trial is a child run of this step's run.

    The study is kept in a database and continues when its --study-name is given again: --n-trials
    counts the whole study.

    \b
    Examples:
      mlflow run . -e tune -P n_trials=50
      mlflow run . -e tune -P points=points.yaml -P pruner=none
      mlflow run . -e tune -P study_name=wide -P space=wide.yaml -P n_trials=100
      mlflow run . -e tune -P objectives=accuracy,latency -P stop_when=plateau:15

    \b
    Pruners, with what can be set after a colon, and its default:
      median: n_startup_trials=5, n_warmup_steps=2,
        interval_steps=1, n_min_trials=1
      percentile: percentile=25, and those of median
      successive_halving: min_resource=1, reduction_factor=3,
        min_early_stopping_rate=0
      hyperband: min_resource=1, reduction_factor=3
      patient: patience=3, min_delta=0, wrapped=median, and
        those of the wrapped one
      threshold: lower, upper, n_warmup_steps=2, interval_steps=1

    docs/search.md explains the space file, the strategies and the objectives.
    """
    quiet_libraries()
    check(parameters)
    from steps.tracking.project import launch
    from steps.tracking.runs import fingerprint_of, get_step_run, newest_step_run, step_run

    if parameters["data_run_id"]:
        data_run = get_step_run(parameters["data_run_id"], "download", "data_run_id")
    elif (found := newest_step_run("download", "dataset")) is not None:
        data_run = found
        click.echo(f"Data: of download run {data_run.info.run_id}")
    else:
        data_run = get_step_run(launch("download", {"seed": parameters["seed"]}), "download", "data_run_id")
    with step_run("tune", parameters, step_fingerprint(parameters, fingerprint_of(data_run))) as run:
        _tune(run, data_run.info.run_id, parameters)


def check(parameters: Mapping[str, Any]) -> None:
    """Everything about the parameters that can be known before anything runs.

    Raises:
        InputError: The first thing wrong.
    """
    import mlflow

    from steps.search.space.file import load_space, space_path
    from steps.search.store.url import storage_url
    from steps.search.strategy.grid import cells
    from steps.search.strategy.points import load_points
    from steps.search.strategy.pruners import make_pruner
    from steps.search.strategy.samplers import check_sampler
    from steps.search.strategy.stopping import parse_stop_when
    from steps.search.trials.checkpoints import checkpoints_of

    if parameters["address"] and parameters["engine"] != "dask":
        raise InputError(f"address must be empty for engine local, got {parameters['address']!r}; give engine=dask too")
    check_sampler(parameters["sampler"], len(parameters["objectives"]))
    make_pruner(parameters["pruner"], parameters["max_epochs"])
    parse_stop_when(parameters["stop_when"])
    space = load_space(space_path(parameters["space"]))
    if parameters["sampler"] == "grid":
        cells(space)
    if parameters["points"]:
        load_points(existing_file(parameters["points"], "points"), space)
    checkpoints_of(storage_url(parameters["storage"], mlflow.get_tracking_uri()))


def step_fingerprint(parameters: Mapping[str, Any], data_fingerprint: str) -> str:
    """Fingerprint of a tune run; files count by their content."""
    from steps.search.space.file import space_path
    from steps.tracking.fingerprint import fingerprint

    own = {name: value for name, value in parameters.items() if name != "data_run_id"}
    own["space"] = space_path(parameters["space"]).read_text()
    own["points"] = Path(parameters["points"]).read_text() if parameters["points"] else ""
    return fingerprint("tune", own, [data_fingerprint])


def _tune(run: Run, data_run_id: str, parameters: Mapping[str, Any]) -> None:
    import_tensorflow()
    import mlflow
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import DBAPIError

    from steps.mlp.runtime import available_cores, has_gpu, limit_threads, threads_of_each
    from steps.search.join import join_from_dask
    from steps.search.session import search
    from steps.search.store.storage import first_line
    from steps.tracking.dataset_inputs import log_inputs

    on_dask = parameters["engine"] == "dask"
    n_jobs = parameters["n_jobs"] or (0 if on_dask else 1 if has_gpu() else available_cores())
    threads = 1 if on_dask else threads_of_each(n_jobs)
    limit_threads(n_jobs, threads)
    plan = _plan(run, data_run_id, threads, parameters)
    plan.log()
    context = plan.context()
    mlflow.log_params({"resolved_n_jobs": n_jobs or "as many as Dask's threads", "resolved_precision": plan.precision})
    mlflow.set_tags({"optuna.study": plan.study, "data_run_id": data_run_id, "dataset_digest": context.dataset.digest})
    log_inputs(context.dataset)
    resume = project_command(tune, parameters, study_name=plan.study, data_run_id=data_run_id)
    try:
        outcome = search(run, plan, context, n_jobs, parameters, join_from_dask)
    except KeyboardInterrupt:
        raise StepInterrupted(f"nothing is lost; continue with: {resume}") from None
    except (StorageInternalError, DBAPIError) as error:
        raise StepError(f"the study's database failed: {first_line(error)}; continue with: {resume}") from error
    except StepError as error:
        raise StepError(f"{error}; continue with: {resume}") from error
    if outcome is None:
        raise StepError("no trial was completed; the reasons are in the tag 'error' of the trials' runs")
    if outcome.front:
        click.echo(f"Pareto front: {len(outcome.front)} trials, in pareto.json and figures/pareto_front.png")
    best, primary = outcome.best, context.primary
    reason = f", {outcome.reason}" if outcome.front else ""
    value = primary.text(best.measures[primary.name])
    click.echo(f"Best: trial-{best.trial_number:03d}, {primary.key} {value}{reason} (run {run.info.run_id})")


def _plan(run: Run, data_run_id: str, threads: int, parameters: Mapping[str, Any]) -> Plan:
    import mlflow

    from steps.mlp.runtime import resolve_precision
    from steps.search.plan import Plan
    from steps.search.space.file import space_path
    from steps.search.store.url import recordable, storage_url
    from steps.tracking.fingerprint import code_digest

    dataset = mlflow.get_run(data_run_id).data.params["dataset"]
    return Plan(
        study=parameters["study_name"] or f"{dataset}-{run.info.run_id[:8]}",
        storage=recordable(storage_url(parameters["storage"], mlflow.get_tracking_uri())),
        data_run_id=data_run_id,
        space=space_path(parameters["space"]).read_text(encoding="utf-8"),
        deadline=time.time() + parameters["timeout"] if parameters["timeout"] else 0.0,
        precision=resolve_precision(parameters["precision"]),
        threads=threads,
        code=code_digest("tune"),
        **{name: parameters[name] for name in _PLANNED},
    )


if __name__ == "__main__":
    tune()
