"""Appearance of a real run in a browser: the reports, and the pages of the MLflow UI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mlflow.tracking import MlflowClient

from deploy.postgresql import free_port
from steps.tracking.ui_urls import experiment_url
from tests.conftest import Step
from tests.running import module, run_step, serving, succeeded

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# What MLflow 3.17 writes to the console by itself: it asks for users that a server without accounts does not have.
_OF_MLFLOW = ("404 (Not Found)", "ResizeObserver loop")


def listen(page: Page, own: str) -> list[str]:
    """Collects complaints, and requests to anywhere else than `own`."""
    trouble: list[str] = []
    page.on("console", lambda m: trouble.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda r: trouble.append(r.url) if not r.url.startswith((own, "data:", "blob:")) else None)
    return trouble


def run_of(folder: Path, step: str) -> str:
    (run,) = MlflowClient(f"sqlite:///{folder}/mlflow.db").search_runs(["0"], f"tags.`pipeline.step` = '{step}'")
    return str(run.info.run_id)


@pytest.mark.parametrize("objectives", ["accuracy", pytest.param("accuracy,parameters", marks=pytest.mark.slow)])
def test_the_report_of_a_real_study(objectives: str, step: Step, browser: Browser, tmp_path: Path) -> None:
    assert step("download", "--dataset", "digits").returncode == 0
    arguments = ("--n-trials", "5", "--max-epochs", "3", "--space", "small", "--pruner", "successive_halving")
    result = step("tune", *arguments, "--objectives", objectives)
    assert result.returncode == 0, result.stderr
    client, run_id = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db"), run_of(tmp_path, "tune")
    path = Path(client.download_artifacts(run_id, "report.html"))
    page = browser.new_page(viewport={"width": 800, "height": 900})
    trouble = listen(page, "file:")
    page.goto(path.as_uri())
    tune = client.get_run(run_id)
    assert f"{100 * tune.data.metrics['best_val_accuracy']:.2f} %" in page.inner_text(".numbers")
    assert f"tune_run_id={run_id}" in page.inner_text("ol.next")
    links = [link.get_attribute("href") or "" for link in page.locator(".sortable a").all()]
    trials = {r.info.run_id for r in client.search_runs(["0"], f"tags.`mlflow.parentRunId` = '{run_id}'")}
    assert {link.rpartition("/")[2].partition("?")[0] for link in links} == trials
    assert len(trials) == 5
    assert page.locator("h2", has_text="Pareto front").count() == objectives.count(",")
    page.get_by_role("button", name="learning_rate").click()
    assert trouble == []
    assert "report.html" in tune.data.tags["mlflow.note.content"]
    assert "Selected: [trial-" in tune.data.tags["mlflow.note.content"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder in which `main` has run, and the address of its MLflow UI."""
    folder = tmp_path_factory.mktemp("served")
    arguments = ("--dataset", "digits", "--n-trials", "3", "--max-epochs", "3", "--final-epochs", "3")
    succeeded(run_step(folder, "main", *arguments))
    port = free_port()
    url, store = f"http://127.0.0.1:{port}", f"sqlite:///{folder}/mlflow.db"
    command = module("mlflow", "ui", "--port", str(port), "--workers", "1", "--backend-store-uri", store)
    with serving(command, folder, f"{url}/health"):
        yield folder, url


@pytest.mark.slow
def test_the_pages_of_the_ui(served: tuple[Path, str], browser: Browser) -> None:
    folder, url = served
    page = browser.new_page(viewport={"width": 1800, "height": 900})  # the table draws only columns that are seen
    page.set_default_timeout(0)  # the first load takes as long as it takes
    trouble = listen(page, url)

    def show(where: str) -> None:
        page.goto(f"{url}/#{where}?workflowType=machine_learning")

    page.goto(experiment_url(url, "0"))
    expand(page, "main")
    expand(page, "tune")
    for name in ("main", "download", "tune", "evaluate", "trial-000", "trial-002"):
        page.get_by_role("link", name=name, exact=True).wait_for()
    for column in ("val_accuracy", "test_accuracy", "optuna.state"):
        page.get_by_role("columnheader", name=column, exact=True).first.wait_for()
    page.get_by_text("COMPLETE", exact=True).first.wait_for()

    show(f"/experiments/0/runs/{run_of(folder, 'tune')}")
    page.get_by_text("each child run is one trial").wait_for()
    show(f"/experiments/0/runs/{run_of(folder, 'tune')}/artifacts/report.html")
    frame = page.frame_locator("iframe")
    frame.get_by_text("Next steps").wait_for()
    frame.get_by_role("button", name="val_accuracy").click()
    assert frame.locator("th[aria-sort]").inner_text().startswith("val_accuracy")
    show("/models/digits-mlp")
    page.get_by_text("is the version to use").wait_for()
    show("/models/digits-mlp/versions/1")
    page.get_by_text("Decision and figures").wait_for()
    assert [line for line in trouble if not any(known in line for known in _OF_MLFLOW)] == []


def expand(page: Page, name: str) -> None:
    """Show the children of a run in the table of runs."""
    row = page.locator(".ag-row").filter(has=page.get_by_role("link", name=name, exact=True))
    row.locator("[col-id*='Run Name'] button").click()
