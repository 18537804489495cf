"""redraw: the report and the figures of an old run, from what it has written."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from tests.conftest import Step
from tests.running import succeeded


def contents(folder: Path) -> dict[str, bytes]:
    """The drawn files, but Plotly's page, in which each figure has a random ID."""
    drawn = [folder / "report.html", *(folder / "figures").glob("*.png")]
    return {path.name: path.read_bytes() for path in drawn}


@pytest.mark.slow
def test_old_runs_are_drawn_anew(step: Step, tmp_path: Path) -> None:
    succeeded(step("download", "--dataset", "digits"))
    succeeded(step("tune", "--n-trials", "4", "--max-epochs", "2", "--space", "small"))
    succeeded(step("evaluate", "--final-epochs", "2"))
    (tmp_path / "optuna.db").unlink()
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    for name in ("tune", "evaluate"):
        (run,) = client.search_runs(["0"], f"tags.`pipeline.step` = '{name}'")
        folder = Path(run.info.artifact_uri)
        before = contents(folder)
        assert len(before) > 3
        for file in before:
            next(folder.rglob(file)).write_bytes(b"of an older version")
        said = succeeded(step("redraw", "--run-id", run.info.run_id))
        assert said.strip() == f"Drawn: report.html and figures/ of the {name} run {run.info.run_id}"
        assert contents(folder) == before
        assert client.get_run(run.info.run_id).to_dictionary() == run.to_dictionary()


def test_the_page_of_a_download_run_is_drawn_anew(step: Step, tmp_path: Path) -> None:
    succeeded(step("download", "--dataset", "iris"))
    (run,) = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").search_runs(["0"])
    assert run.data.metrics["split_auc"] == pytest.approx(0.5, abs=0.2)
    page = Path(run.info.artifact_uri) / "data.html"
    before = page.read_text()
    page.write_text("of an older version")
    assert (
        succeeded(step("redraw", "--run-id", run.info.run_id))
        == f"Drawn: data.html of the download run {run.info.run_id}\n"
    )
    assert page.read_text() == before


@pytest.mark.parametrize("run_id", ["", "0" * 32])
def test_an_unknown_run_is_one_line(run_id: str, step: Step) -> None:
    done = step("redraw", "--run-id", run_id)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"Error: run_id must be the ID of a download, tune or evaluate run, got {run_id!r}: there is no such run"
    ]


def test_a_run_of_another_step_is_one_line(step: Step, tmp_path: Path) -> None:
    run = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").create_run("0", tags={"pipeline.step": "predict"})
    done = step("redraw", "--run-id", run.info.run_id)
    assert done.returncode == 2
    assert "it is a run of predict" in done.stderr
    assert done.stderr.count("\n") == 1
