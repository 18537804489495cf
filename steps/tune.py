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
    import optuna
    from mlflow.entities import Run
    from optuna.storages import RDBStorage

    from steps.search.space import Space

_REASONS = {
    "n_trials": "the study has all its trials",
    "timeout": "the time is over",
    "plateau": "no improvement in as many complete trials as stop_when allows",
    "grid": "every cell is done",
}


@step_command
@click.option("--data-run-id", type=RunId(), default="", help="A download run; empty: the newest, or a new one.")
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

    from steps.datasets import Dataset
    from steps.mlp.objectives import objectives_of
    from steps.mlp.runtime import available_cores, has_gpu, limit_threads, resolve_precision
    from steps.mlp.trainer import Samples
    from steps.report.terminal import StudyDisplay
    from steps.search.claims import Claims
    from steps.search.grid import next_cell
    from steps.search.outcome import log_outcome
    from steps.search.pruners import make_pruner
    from steps.search.recovery import continue_study, n_to_continue
    from steps.search.samplers import make_sampler
    from steps.search.space_changes import keep_space
    from steps.search.space_file import load_space, space_path
    from steps.search.stopping import parse_stop_when
    from steps.search.storage import Checkpoints, first_line, open_storage, storage_url
    from steps.search.study import open_study
    from steps.search.task import Task
    from steps.search.workers import Workers
    from steps.tracking.lineage import log_inputs
    from steps.tracking.runs import artifact_path
    from steps.tracking.trials import TrialRuns

    dataset = Dataset.load(artifact_path(data_run_id, "dataset"), ("train", "validation"))
    n_jobs = parameters["n_jobs"] or (1 if has_gpu() else available_cores())
    limit_threads(n_jobs)
    precision = resolve_precision(parameters["precision"])
    space = load_space(space_path(parameters["space"]))
    if dataset.image_shape is None:
        space = space.without("augmentation", "none")
    objectives = objectives_of(parameters["objectives"])
    task = Task(
        dataset=dataset,
        train=Samples.from_arrays(dataset.splits["train"].features, dataset.splits["train"].labels),
        validation=Samples.from_arrays(dataset.splits["validation"].features, dataset.splits["validation"].labels),
        space=space,
        epochs=parameters["max_epochs"],
        seed=parameters["seed"],
        precision=precision,
        objectives=objectives,
    )
    name = parameters["study_name"] or f"{dataset.name}-{run.info.run_id[:8]}"
    url = storage_url(parameters["storage"], mlflow.get_tracking_uri())
    storage, checkpoints = open_storage(url), Checkpoints.of(url)
    study = open_study(
        storage,
        name,
        objectives,
        lambda n: make_sampler(parameters["sampler"], parameters["seed"], n, conditional=space.conditional),
        make_pruner(parameters["pruner"] if task.prunable else "none", parameters["max_epochs"]),
    )
    changes = keep_space(study, space)
    mlflow.log_params({"resolved_n_jobs": n_jobs, "resolved_precision": precision})
    mlflow.set_tags({"optuna.study": name, "data_run_id": data_run_id, "dataset_digest": dataset.digest})
    log_inputs(dataset)
    runs, outcome = TrialRuns(run), None
    resume = project_command(tune, parameters, study_name=name, data_run_id=data_run_id)
    try:
        with Claims(storage, name, run.info.run_id) as claims:
            continue_study(study, run, dataset.digest, runs, claims, checkpoints)
            finished = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]
            begun = n_to_continue(study)
            click.echo(
                f"Study {name}: {parameters['n_trials']} trials"
                + (f", {len(finished)} of them done before" if finished else "")
                + (f", {begun} begun before" if begun else "")
                + f", {n_jobs} at once, {precision}"
            )
            if not task.prunable:
                click.echo(f"Pruning: off, Optuna cannot prune a study of {' and '.join(parameters['objectives'])}")
            with claims.turn():
                queued = _enqueue(study, storage, space, parameters)
            for line in [*(f"Space: {change}" for change in changes), *queued]:
                click.echo(line)
            with StudyDisplay(parameters["n_trials"], parameters["max_epochs"], finished, objectives) as display:
                workers = Workers(
                    task, study, runs, claims, checkpoints, n_trials=parameters["n_trials"], n_jobs=n_jobs,
                    timeout=parameters["timeout"], on_epoch=display.epoch, on_trial=display.trial,
                    on_interruption=display.interruption, plateau=parse_stop_when(parameters["stop_when"]),
                    ask=next_cell if parameters["sampler"] == "grid" else study.__class__.ask,
                )  # fmt: skip
                workers.run()
        mlflow.set_tag("stopped_by", workers.stopped_by)
        click.echo(f"Stopped by {workers.stopped_by}: {_REASONS[workers.stopped_by]}")
    except KeyboardInterrupt:
        raise StepInterrupted(f"nothing is lost; continue with: {resume}") from None
    except (StorageInternalError, DBAPIError) as error:
        raise StepError(f"the study's database failed: {first_line(error)}; continue with: {resume}") from error
    finally:
        at_once = runs.interrupt()
        runs.close()
        if not at_once:
            n_validation = len(dataset.splits["validation"].labels)
            outcome = log_outcome(study, objectives, dataset.name, n_validation, data_run_id, parameters["max_epochs"])
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


def _enqueue(study: optuna.Study, storage: RDBStorage, space: Space, parameters: Mapping[str, Any]) -> list[str]:
    """Let points, the best of an earlier study and the cells of a grid wait in the study; says what was done."""
    from steps.mlp.objectives import objectives_of
    from steps.search.grid import enqueue_cells
    from steps.search.points import load_points
    from steps.search.records import earlier_records
    from steps.search.warm_start import enqueue_starts, starts

    lines = []
    if parameters["points"]:
        for point in load_points(Path(parameters["points"]), space):
            study.enqueue_trial(point, skip_if_exists=True)
    if parameters["warm_start"]:
        records = earlier_records(parameters["warm_start"], storage)
        found = starts(records, objectives_of(parameters["objectives"])[0], space)
        lines += [f"Warm start: {line}" for line in enqueue_starts(study, found)]
    if parameters["sampler"] == "grid":
        known = study.get_trials(deepcopy=False)
        n_cells, n_left = enqueue_cells(study, space, known, parameters["n_trials"], parameters["seed"])
        lines.append(f"Grid: {n_cells} cells" + (f", {n_left} of them beyond n_trials" if n_left else ""))
    return lines


if __name__ == "__main__":
    tune()
