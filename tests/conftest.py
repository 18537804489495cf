"""Shared by all tests: each works in an empty folder with its own MLflow store."""

from __future__ import annotations

import random
import resource
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steps.datasets import Dataset
from steps.datasets.loading import load_dataset
from steps.datasets.request import DataRequest
from tests.running import run_step

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TESTS = Path(__file__).parent
Step = Callable[..., subprocess.CompletedProcess[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files whose tests run whole steps come first, so that no core waits for the last of them."""
    long = {TESTS, TESTS / "evaluation", TESTS / "registered", TESTS / "scale"}
    items.sort(key=lambda item: item.path.parent not in long)


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """The digits as `download` splits them: 1197 train, 240 validation and 360 test images of 8 x 8 pixels."""
    return load_dataset(DataRequest("digits"))


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new MLflow database; making one takes seconds, copying it does not."""
    from mlflow.tracking import MlflowClient

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}", f"sqlite:///{path}").search_registered_models()
    return path


def copy_store(store: Path, folder: Path) -> None:
    """Copy the empty store to `folder`, with its artifacts there."""
    copy = shutil.copy(store, folder / "mlflow.db")
    with closing(sqlite3.connect(copy)) as database, database:
        database.execute("UPDATE experiments SET artifact_location = ?", (f"{folder}/mlruns/0",))


@pytest.fixture
def step(tmp_path: Path, empty_store: Path) -> Step:
    """Runs `python -m steps.<name> <arguments>` in an empty folder."""
    copy_store(empty_store, tmp_path)

    return partial(run_step, tmp_path)


@pytest.fixture
def tracking(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MLflow in this process tracks to an empty folder, which is returned."""
    import mlflow

    copy_store(empty_store, tmp_path)
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return tmp_path


@pytest.fixture
def seed() -> int:
    """Of what a test leaves to chance, another one each time; pytest shows it when the test fails."""
    drawn = random.SystemRandom().randrange(2**32)
    print(f"seed {drawn}")  # noqa: T201
    return drawn


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], None]]:
    """Limits the size in bytes of every file that this process writes, as a full disk does, until the test ends."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


_CHROMIUM = "/usr/bin/chromium"
_CHROMIUM_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium, the one of Debian."""
    if not Path(_CHROMIUM).exists():
        pytest.skip(f"{_CHROMIUM} is not installed (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=_CHROMIUM, args=_CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()
