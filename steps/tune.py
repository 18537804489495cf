"""tune: dataset/ -> a study whose trials are child runs; best_config.json, study/trials.csv, figures/."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steps.command import import_tensorflow, quiet_libraries, step_command
from steps.errors import StepError, StepInterrupted
from steps.options import RunId, existing_file, precision_option, seed_option, tune_options

if TYPE_CHECKING:
    import optuna
    from mlflow.entities import Run
    from optuna.trial import FrozenTrial

_NOT_IN_TABLE = ["user_attrs_metrics", "user_attrs_settings"]  # for the machinery


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

    from steps.search.points import load_points
    from steps.search.pruners import make_pruner
    from steps.search.samplers import check_sampler
    from steps.search.space import load_space, space_path
    from steps.search.storage import Checkpoints, storage_url

    check_sampler(parameters["sampler"])
    make_pruner(parameters["pruner"], parameters["max_epochs"])
    space = load_space(space_path(parameters["space"]))
    if parameters["points"]:
        load_points(existing_file(parameters["points"], "points"), space)
    Checkpoints.of(storage_url(parameters["storage"], mlflow.get_tracking_uri()))


def step_fingerprint(parameters: Mapping[str, Any], data_fingerprint: str) -> str:
    """Fingerprint of a tune run; files count by their content."""
    from steps.search.space import space_path
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
    from steps.mlp.runtime import available_cores, has_gpu, limit_threads, resolve_precision
    from steps.mlp.trainer import Samples
    from steps.report.terminal import StudyDisplay
    from steps.search.claims import Claims
    from steps.search.points import load_points
    from steps.search.recovery import continue_study, n_to_continue
    from steps.search.space import load_space, space_path
    from steps.search.storage import Checkpoints, first_line, open_storage, storage_url
    from steps.search.study import open_study
    from steps.search.training import Task
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
    name = parameters["study_name"] or f"{dataset.name}-{run.info.run_id[:8]}"
    url = storage_url(parameters["storage"], mlflow.get_tracking_uri())
    mlflow.log_params({"resolved_n_jobs": n_jobs, "resolved_precision": precision})
    mlflow.set_tags({"optuna.study": name, "data_run_id": data_run_id, "dataset_digest": dataset.digest})
    log_inputs(dataset)
    task = Task(
        dataset=dataset,
        train=Samples.from_arrays(dataset.splits["train"].features, dataset.splits["train"].labels),
        validation=Samples.from_arrays(dataset.splits["validation"].features, dataset.splits["validation"].labels),
        space=space,
        epochs=parameters["max_epochs"],
        seed=parameters["seed"],
        precision=precision,
    )
    storage, checkpoints = open_storage(url), Checkpoints.of(url)
    study = open_study(
        storage, name, parameters["sampler"], parameters["pruner"], parameters["seed"], parameters["max_epochs"]
    )
    runs = TrialRuns(run)
    resume = _command_to_continue(parameters, name, data_run_id)
    best, at_once = None, False
    try:
        with Claims(storage, name, run.info.run_id) as claims:
            continue_study(study, run, dataset.digest, runs, claims, checkpoints)
            if parameters["points"]:
                with claims.turn():
                    for point in load_points(Path(parameters["points"]), space):
                        study.enqueue_trial(point, skip_if_exists=True)
            finished = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]
            begun = n_to_continue(study)
            click.echo(
                f"Study {name}: {parameters['n_trials']} trials"
                + (f", {len(finished)} of them done before" if finished else "")
                + (f", {begun} begun before" if begun else "")
                + f", {n_jobs} at once, {precision}"
            )
            with StudyDisplay(parameters["n_trials"], parameters["max_epochs"], finished) as display:
                Workers(
                    task, study, runs, claims, checkpoints, n_trials=parameters["n_trials"], n_jobs=n_jobs,
                    timeout=parameters["timeout"], on_epoch=display.epoch, on_trial=display.trial,
                    on_interruption=display.interruption,
                ).run()  # fmt: skip
    except KeyboardInterrupt:
        raise StepInterrupted(f"nothing is lost; continue with: {resume}") from None
    except (StorageInternalError, DBAPIError) as error:
        raise StepError(f"the study's database failed: {first_line(error)}; continue with: {resume}") from error
    finally:
        at_once = runs.interrupt()
        runs.close()
        if not at_once:
            best = _log_study(study, dataset.name, data_run_id, parameters["max_epochs"])
    if best is None:
        raise StepError("no trial was completed; the reasons are in the tag 'error' of the trials' runs")
    click.echo(f"Best: trial-{best.number:03d}, val_accuracy {best.value:.4f} (run {run.info.run_id})")


def _command_to_continue(parameters: Mapping[str, Any], study_name: str, data_run_id: str) -> str:
    """The command that goes on with this study: what is not a default stands in it."""
    context = click.Context(tune)
    words = {"study_name": study_name, "data_run_id": data_run_id, "n_trials": str(parameters["n_trials"])}
    for option in tune.params:
        name = str(option.name)
        value = parameters[name]
        if name not in words and value != option.type_cast_value(context, option.get_default(context)):
            words[name] = ",".join(value) if isinstance(value, tuple) else str(value)
    options = " ".join(f"-P {name}={shlex.quote(text)}" for name, text in words.items())
    return f"mlflow run . -e tune {options}"


def _log_study(study: optuna.Study, dataset_name: str, data_run_id: str, max_epochs: int) -> FrozenTrial | None:
    """Write what the study has found so far onto the active run; returns the best trial."""
    import mlflow

    from steps.report.study_figures import save_study_figures
    from steps.search.workers import count_states

    trials = study.get_trials(deepcopy=False)
    mlflow.log_metrics(count_states(trials))
    best = best_trial(trials)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "study").mkdir()
        table = study.trials_dataframe().drop(columns=_NOT_IN_TABLE, errors="ignore")
        table.to_csv(Path(folder) / "study" / "trials.csv", index=False)
        (Path(folder) / "figures").mkdir()
        save_study_figures(study, Path(folder) / "figures")
        if best is not None:
            config = _best_config(best, study.study_name, dataset_name, data_run_id, max_epochs)
            mlflow.log_params({f"best_{name}": value for name, value in config["hyperparameters"].items()})
            mlflow.log_metric("best_val_accuracy", config["val_accuracy"])
            (Path(folder) / "best_config.json").write_text(json.dumps(config, indent=2) + "\n")
        mlflow.log_artifacts(folder)
    return best


def best_trial(trials: list[FrozenTrial]) -> FrozenTrial | None:
    """The complete trial with the highest value; of equal ones the first."""
    complete = [trial for trial in trials if trial.value is not None and trial.state.name == "COMPLETE"]
    return max(complete, key=lambda trial: (trial.value, -trial.number), default=None)


def _best_config(
    best: FrozenTrial, study_name: str, dataset_name: str, data_run_id: str, max_epochs: int
) -> dict[str, Any]:
    from steps.search.training import HYPERPARAMETERS
    from steps.search.trial import RUN_ID

    return {
        "study": study_name,
        "trial_number": best.number,
        "trial_run_id": best.user_attrs[RUN_ID],
        "val_accuracy": best.value,
        "max_epochs": max_epochs,
        "dataset": dataset_name,
        "data_run_id": data_run_id,
        "hyperparameters": json.loads(best.user_attrs[HYPERPARAMETERS]),
    }


if __name__ == "__main__":
    tune()
