"""main: run download, tune and evaluate, each in a process of its own, or reuse their finished runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click
import mlflow
from mlflow.entities import Run

from steps.base.errors import InputError
from steps.cli.invocation import Invocation
from steps.datasets.loading import check, content_of
from steps.datasets.request import DataRequest
from steps.evaluation.settings import EvaluateSettings
from steps.flows.fingerprint import step_fingerprint
from steps.flows.summary import print_summary
from steps.search.selection import AUTO
from steps.search.settings import TuneSettings
from steps.tasks.objectives import objectives_of
from steps.tasks.task import task_of
from steps.tracking.data import load_data
from steps.tracking.project import launch
from steps.tracking.registry import version_of_run
from steps.tracking.runs import newest_step_run, step_run
from steps.tracking.tags import REUSED_TAG

_ARTIFACTS = {"download": "dataset", "tune": "best_config.json", "evaluate": "predictions.npz"}


def run(invocation: Invocation, stages: Sequence[Invocation]) -> None:
    """Run the chain.

    Args:
        stages: The steps download, tune and evaluate, without the IDs of the runs that they read.
    """
    download, tune, evaluate = stages
    request = DataRequest(**download.options)
    check(request)
    tuning = TuneSettings.parse(**tune.options)
    evaluation = EvaluateSettings.parse(**evaluate.options)
    _check_select(evaluation.select, tuning)
    reuse = invocation.options["reuse"]
    with step_run("main", invocation.params):
        data_run = _reused_or_run(download, None, reuse, content_of(request))
        dataset = load_data(data_run.info.run_id, ("train",))
        tuning = TuneSettings.parse(dataset, **tune.options)
        objectives_of(tuning.objectives, task_of(dataset))  # before hours of tuning, as the next
        evaluation.registered_name(dataset)
        tune_run = _reused_or_run(tune.having(data_run_id=data_run.info.run_id), data_run, reuse, tuning.files)
        evaluated = _reused_or_run(evaluate.having(tune_run_id=tune_run.info.run_id), tune_run, reuse)
    print_summary(dataset, data_run, tune_run, evaluated)


def _check_select(select: str, tuning: TuneSettings) -> None:
    """Refuse the number of a trial that a new study will not have; one that is continued may have more trials."""
    if select != AUTO and not tuning.study_name and int(select) >= tuning.n_trials:
        raise InputError(
            f"select must be auto or the number of a trial, below n_trials={tuning.n_trials}, got {select}"
        )


def _reused_or_run(stage: Invocation, before: Run | None, reuse: bool, files: Mapping[str, str] | None = None) -> Run:
    """A finished run of the stage: one with an equal fingerprint if reuse is allowed, else a new one.

    Args:
        before: The run that the stage reads.
        files: Content of the files that options name, by option.
    """
    if reuse:
        found = newest_step_run(stage.step, _ARTIFACTS[stage.step], step_fingerprint(stage, before, files))
        if found is not None and (stage.step != "evaluate" or version_of_run(found.info.run_id) is not None):
            click.echo(f"{stage.step}: nothing changed, reusing run {found.info.run_id}")
            mlflow.set_tag(f"{REUSED_TAG}.{stage.step}", found.info.run_id)
            return found
    click.echo(f"{stage.step}: running")
    return mlflow.get_run(launch(stage.step, stage.params))
