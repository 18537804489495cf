"""worker: join a tune run until its study is over."""

from __future__ import annotations

import click
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError

from steps.base.errors import StepError, StepInterrupted
from steps.cli.invocation import Invocation
from steps.flows.settings import WorkerSettings
from steps.search.join import join
from steps.search.store.storage import first_line
from steps.tracking.runs import step_run


def run(settings: WorkerSettings, invocation: Invocation) -> None:
    run_id = settings.tune_run_id
    with step_run("worker", invocation.having(tune_run_id=run_id).params):
        try:
            reason = join(run_id, settings.n_jobs)
        except KeyboardInterrupt:
            raise StepInterrupted("its trials wait in the study and go on elsewhere") from None
        except (StorageInternalError, DBAPIError) as error:
            raise StepError(f"the study's database failed: {first_line(error)}") from error
    click.echo(
        f"Study over ({reason})" if reason else f"Tune run {run_id} has ended; its open trials wait in the study"
    )
