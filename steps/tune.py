"""tune: dataset/ -> a study whose trials are child runs; best_config.json, study/, figures/, report.html."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steps.command import import_tensorflow, project_command, quiet_libraries, step_command
from steps.errors import StepError, StepInterrupted
from steps.options import RunId, existing_file, precision_option, seed_option, tune_options

if TYPE_CHECKING:
    from mlflow.entities import Run

    from steps.search.outcome import Outcome
    from steps.search.task import Task

_REASONS = {
    "n_trials": "the study has all its trials",
    "timeout": "the time is over",
    "plateau": "no improvement in as many complete trials as stop_when allows",
    "grid": "every cell is done",
}


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

    from steps.search.grid import cells
    from steps.search.points import load_points
    from steps.search.pruners import make_pruner
    from steps.search.samplers import check_sampler
    from steps.search.space_file import load_space, space_path
    from steps.search.stopping import parse_stop_when
    from steps.search.storage import Checkpoints, storage_url

    check_sampler(parameters["sampler"], len(parameters["objectives"]))
    make_pruner(parameters["pruner"], parameters["max_epochs"])
    parse_stop_when(parameters["stop_when"])
    space = load_space(space_path(parameters["space"]))
    if parameters["sampler"] == "grid":
        cells(space)
    if parameters["points"]:
        load_points(existing_file(parameters["points"], "points"), space)
    Checkpoints.of(storage_url(parameters["storage"], mlflow.get_tracking_uri()))


def step_fingerprint(parameters: Mapping[str, Any], data_fingerprint: str) -> str:
    """Fingerprint of a tune run; files count by their content."""
    from steps.search.space_file import space_path
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

    from steps.mlp.runtime import available_cores, has_gpu, limit_threads
    from steps.search.database import first_line
    from steps.tracking.lineage import log_inputs

    n_jobs = parameters["n_jobs"] or (1 if has_gpu() else available_cores())
    limit_threads(n_jobs)
    task = _task(data_run_id, parameters)
    name = parameters["study_name"] or f"{task.dataset.name}-{run.info.run_id[:8]}"
    mlflow.log_params({"resolved_n_jobs": n_jobs, "resolved_precision": task.precision})
    mlflow.set_tags({"optuna.study": name, "data_run_id": data_run_id, "dataset_digest": task.dataset.digest})
    log_inputs(task.dataset)
    resume = project_command(tune, parameters, study_name=name, data_run_id=data_run_id)
    try:
        outcome = _search(run, task, name, n_jobs, {**parameters, "data_run_id": data_run_id})
    except KeyboardInterrupt:
        raise StepInterrupted(f"nothing is lost; continue with: {resume}") from None
    except (StorageInternalError, DBAPIError) as error:
        raise StepError(f"the study's database failed: {first_line(error)}; continue with: {resume}") from error
    if outcome is None:
        raise StepError("no trial was completed; the reasons are in the tag 'error' of the trials' runs")
    if outcome.front:
        click.echo(f"Pareto front: {len(outcome.front)} trials, in pareto.json and figures/pareto_front.png")
    best = outcome.best
    reason = f", {outcome.reason}" if outcome.front else ""
    click.echo(
        f"Best: trial-{best.trial_number:03d}, val_accuracy {best.measures['accuracy']:.4f}{reason} "
        f"(run {run.info.run_id})"
    )


def _task(data_run_id: str, parameters: Mapping[str, Any]) -> Task:
    from steps.datasets import Dataset
    from steps.mlp.objectives import objectives_of
    from steps.mlp.runtime import resolve_precision
    from steps.mlp.trainer import Samples
    from steps.search.space_file import load_space, space_path
    from steps.search.task import Task
    from steps.tracking.runs import artifact_path

    dataset = Dataset.load(artifact_path(data_run_id, "dataset"), ("train", "validation"))
    space = load_space(space_path(parameters["space"]))
    return Task(
        dataset=dataset,
        train=Samples.from_arrays(dataset.splits["train"].features, dataset.splits["train"].labels),
        validation=Samples.from_arrays(dataset.splits["validation"].features, dataset.splits["validation"].labels),
        space=space if dataset.image_shape else space.without("augmentation", "none"),
        epochs=parameters["max_epochs"],
        seed=parameters["seed"],
        precision=resolve_precision(parameters["precision"]),
        objectives=objectives_of(parameters["objectives"]),
    )


def _search(run: Run, task: Task, name: str, n_jobs: int, parameters: Mapping[str, Any]) -> Outcome | None:
    """Open or continue the study, run its trials, and log what came out, also of a search that was stopped."""
    import mlflow

    from steps.report.terminal import StudyDisplay
    from steps.search.claims import Claims
    from steps.search.grid import next_cell
    from steps.search.outcome import log_outcome
    from steps.search.pruners import make_pruner
    from steps.search.queue import enqueue
    from steps.search.records import earlier_records
    from steps.search.recovery import continue_study, gather_trials, n_to_continue
    from steps.search.samplers import make_sampler
    from steps.search.space_changes import keep_space
    from steps.search.stopping import parse_stop_when
    from steps.search.storage import Checkpoints, open_storage, storage_url
    from steps.search.study import open_study
    from steps.search.workers import Workers
    from steps.tracking.trials import TrialRuns

    url = storage_url(parameters["storage"], mlflow.get_tracking_uri())
    storage, checkpoints = open_storage(url), Checkpoints.of(url)
    earlier = earlier_records(parameters["warm_start"], storage) if parameters["warm_start"] else []
    study = open_study(
        storage,
        name,
        task.objectives,
        lambda n: make_sampler(parameters["sampler"], parameters["seed"], n, conditional=task.space.conditional),
        make_pruner(parameters["pruner"] if task.prunable else "none", parameters["max_epochs"]),
    )
    changes = keep_space(study, task.space)
    runs, outcome = TrialRuns(run), None
    try:
        with Claims(storage, name, run.info.run_id) as claims:
            continue_study(study, run, task.dataset.digest, runs, claims, checkpoints)
            finished = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]
            begun = n_to_continue(study)
            click.echo(
                f"Study {name}: {parameters['n_trials']} trials"
                + (f", {len(finished)} of them done before" if finished else "")
                + (f", {begun} begun before" if begun else "")
                + f", {n_jobs} at once, {task.precision}"
            )
            if not task.prunable:
                click.echo(f"Pruning: off, Optuna cannot prune a study of {' and '.join(parameters['objectives'])}")
            with claims.turn():
                queued = enqueue(study, task, earlier, parameters)
            for line in [*(f"Space: {change}" for change in changes), *queued]:
                click.echo(line)
            with StudyDisplay(
                parameters["n_trials"], parameters["max_epochs"], finished, task.objectives, study.pruner
            ) as display:
                workers = Workers(
                    task, study, runs, claims, checkpoints, n_trials=parameters["n_trials"], n_jobs=n_jobs,
                    timeout=parameters["timeout"], on_epoch=display.epoch, on_trial=display.trial,
                    on_interruption=display.interruption, plateau=parse_stop_when(parameters["stop_when"]),
                    ask=next_cell if parameters["sampler"] == "grid" else study.__class__.ask,
                )  # fmt: skip
                workers.run()
            gather_trials(study, run, runs)
        mlflow.set_tag("stopped_by", workers.stopped_by)
        click.echo(f"Stopped by {workers.stopped_by}: {_REASONS[workers.stopped_by]}")
    finally:
        stopped_at_once = runs.interrupt()
        runs.close()
        if not stopped_at_once:
            outcome = log_outcome(study, task, parameters["data_run_id"])
    return outcome


if __name__ == "__main__":
    tune()
