"""tune: find the data, plan the study, run it, and say which trial is selected."""

from __future__ import annotations

import click
from mlflow.entities import Run
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError

from steps.base.errors import StepError, StepInterrupted
from steps.cli.invocation import Invocation
from steps.flows.fingerprint import step_fingerprint
from steps.search.plan import Plan
from steps.search.session import make_plan, search
from steps.search.settings import TuneSettings
from steps.search.store.storage import first_line
from steps.tracking.data import load_data, newest_data_run
from steps.tracking.lineage import trial_name
from steps.tracking.project import launch
from steps.tracking.runs import get_step_run, step_run


def run(settings: TuneSettings, invocation: Invocation) -> None:
    data_run = _data_run(settings)
    dataset = load_data(data_run.info.run_id, ("train",))
    settings = TuneSettings.parse(dataset, **invocation.options)
    fingerprint = step_fingerprint(invocation, data_run, settings.files)
    with step_run("tune", invocation.params, fingerprint) as own:
        _tune(settings, invocation, own, make_plan(settings, own, data_run.info.run_id, dataset.name))


def _data_run(settings: TuneSettings) -> Run:
    """The download run that was asked for, else the newest; a new one in a store that has none."""
    if settings.data_run_id:
        return get_step_run(settings.data_run_id, "download", "data_run_id")
    if (found := newest_data_run()) is not None:
        click.echo(f"Data: {found.data.params['dataset']}, of download run {found.info.run_id}")
        return found
    return get_step_run(launch("download", {"seed": str(settings.seed)}), "download", "data_run_id")


def _tune(settings: TuneSettings, invocation: Invocation, run: Run, plan: Plan) -> None:
    resume = invocation.project_command(study_name=plan.study, data_run_id=plan.data_run_id)
    try:
        outcome = search(settings, plan, run)
    except KeyboardInterrupt:
        raise StepInterrupted(f"nothing is lost; continue with: {resume}") from None
    except (StorageInternalError, DBAPIError) as error:
        raise StepError(f"the study's database failed: {first_line(error)}; continue with: {resume}") from error
    except StepError as error:
        raise StepError(f"{error}; continue with: {resume}") from error
    if outcome.front:
        click.echo(f"Pareto front: {len(outcome.front)} trials, in pareto.json and figures/pareto_front.png")
    selected, primary = outcome.selected, outcome.primary
    said = f"{trial_name(selected.trial_number)}, {primary.key} {primary.text(selected.measures[primary.name])}"
    said = f"Best: {said}" if outcome.is_best else f"Selected: {said}, {outcome.reason}"
    click.echo(f"{said} (run {run.info.run_id})")
