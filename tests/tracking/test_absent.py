from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from steps.tracking.absent import if_exists


def test_only_the_answer_that_it_does_not_exist_is_none(tracking: Path) -> None:
    client = MlflowClient()
    assert if_exists(client.get_run, "0" * 32) is None
    assert if_exists(client.get_run, "not an ID") is None
    assert if_exists(client.get_registered_model, "none") is None
    assert if_exists(client.get_model_version_by_alias, "none", alias="champion") is None
    run = client.create_run("0")
    assert if_exists(client.get_run, run.info.run_id).info.run_id == run.info.run_id
    with pytest.raises(MlflowException, match="already exists"):
        if_exists(client.create_experiment, "Default")
