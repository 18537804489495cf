"""worker: joins a running tune run from another process or machine, and ends with its study."""

from __future__ import annotations

from typing import Any

import click

from steps.base.errors import InputError, StepError, StepInterrupted
from steps.base.libraries import quiet_libraries
from steps.cli.command import step_command
from steps.cli.options import n_jobs_option
from steps.cli.types import RunId


@step_command
@click.option(
    "--tune-run-id",
    type=RunId(),
    default="",
    help="A tune run that is running; empty: the newest of the experiment. Example: 988e50e4e2384849b81eb091c5a8a5e9",
)
@n_jobs_option
def worker(**parameters: Any) -> None:
    """Run trials of a study that tune has begun, here or on another machine, until it is over.

    It needs the tracking server (MLFLOW_TRACKING_URI) and the study's database (TUNE_STORAGE, where tune has it)
    in its environment, and the same version of this project.

    \b
    Examples:
      mlflow run . -e worker
      mlflow run . -e worker -P tune_run_id=988e50e4e2384849b81eb091c5a8a5e9 -P n_jobs=4
    """
    quiet_libraries()
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import DBAPIError

    from steps.search.join import join
    from steps.search.store.storage import first_line
    from steps.tracking.runs import newest_running, step_run

    run_id = parameters["tune_run_id"] or newest_running("tune")
    if not run_id:
        raise InputError("tune_run_id must be given where no tune run is running in the experiment, got ''")
    with step_run("worker", {**parameters, "tune_run_id": run_id}):
        try:
            reason = join(run_id, parameters["n_jobs"])
        except KeyboardInterrupt:
            raise StepInterrupted("its trials wait in the study and go on elsewhere") from None
        except (StorageInternalError, DBAPIError) as error:
            raise StepError(f"the study's database failed: {first_line(error)}") from error
    click.echo(
        f"Study over ({reason})" if reason else f"Tune run {run_id} has ended; its open trials wait in the study"
    )


if __name__ == "__main__":
    worker()
