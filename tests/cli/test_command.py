"""Bad input: one line, exit code 2, no run left behind, and no TensorFlow."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from tests.conftest import Step, copy_store
from tests.running import run_command, run_step, script, step_runs, succeeded

BAD_INPUT = {
    "unknown data set": (["main", "--dataset", "cifar"], "iris, mnist, wine; got 'cifar', which does not exist"),
    "no trials": (["tune", "--n-trials", "0"], "n_trials must be a whole number of at least 1, got '0'"),
    "fraction above 1": (["download", "--validation-fraction", "1.5"], "validation_fraction must be a number strictly"),
    "fraction of one class": (["download", "--dataset", "digits", "--validation-fraction", "0.999"], "got 0.999"),
    "missing space": (["tune", "--space", "nowhere.yaml"], "or a file that exists, got 'nowhere.yaml'"),
    "missing points": (["main", "--points", "nowhere.yaml"], "points must be a file that exists, got 'nowhere.yaml'"),
    "unknown run": (["tune", "--data-run-id", "0" * 32], "there is no such run"),
    "no run ID": (["evaluate", "--tune-run-id", "../secret"], "tune_run_id must be the ID of a run, got '../secret'"),
    "nothing to evaluate": (["evaluate"], "no finished tune run"),
    "epochs in words": (["tune", "--max-epochs", "abc"], "max_epochs must be a whole number of at least 0, got 'abc'"),
    "negative seed": (["tune", "--seed", "-1"], "seed must be a whole number from 0 to 2147483647, got '-1'"),
    "unknown sampler": (["main", "--sampler", "magic"], "sampler must be one of tpe, bayes, random, grid, qmc"),
    "unknown pruner": (["main", "--pruner", "magic"], "pruner must be one of none, median, percentile"),
    "unknown setting of a pruner": (
        ["tune", "--pruner", "hyperband:eta=3"],
        "(min_resource, reduction_factor), got 'eta'",
    ),
    "no such end": (["tune", "--stop-when", "flat"], "stop_when must be auto, none, plateau or plateau:<n>"),
    "the dashboard of a scheduler": (
        ["main", "--engine", "dask", "--address", "http://127.0.0.1:8787/status"],
        "got 'http://127.0.0.1:8787/status', which seems to be that of its dashboard",
    ),
    "a grid without end": (["main", "--sampler", "grid"], "sampler grid must have a finite space, got dropout"),
    "no trial number": (["evaluate", "--select", "best"], "select must be auto or the number of a trial, got 'best'"),
    "a trial that there will not be": (["main", "--n-trials", "4", "--select", "4"], "below n_trials=4, got 4"),
    "password in storage": (["tune", "--storage", "postgresql://me:hunter2@db/optuna"], "set TUNE_STORAGE instead"),
    "no such storage": (["tune", "--storage", "hunter2"], "storage must be a database URL"),
    "no such model": (["registry", "--model-name", "nothing"], "there is none yet"),
    "version without its model": (["registry", "--version", "2"], "model_name must be given with version, got ''"),
    "rollback to a version": (["registry", "--model-name", "m", "--version", "2", "--rollback", "true"], "must be 0"),
    "rollback of nothing": (["registry", "--model-name", "nothing", "--rollback", "true"], "there is none yet"),
    "unknown promotion": (["main", "--promote", "maybe"], "promote must be one of always, significant, never"),
    "level in per cent": (["evaluate", "--alpha", "95"], "alpha must be a number strictly between 0 and 1, got '95'"),
    "costs of one error": (
        ["evaluate", "--costs", "fn:5"],
        "costs must be the costs of a false positive and of a false",
    ),
    "a cost of nothing": (["main", "--costs", "fp:0,fn:5"], "both above 0, such as fp:1,fn:5, got 'fp:0,fn:5'"),
    "no output": (["predict"], "output must be a .csv or .parquet file, got ''"),
    "unknown model": (["predict", "--output", "out.csv"], "model_uri must name a registered model (there is none yet)"),
    "no model URI": (["replay", "--model-uri", "mnist-mlp"], "model_uri must be models:/<name>/<version> or models:/"),
    "no model name": (["main", "--model-name", "team/digits"], "model_name must be a name without '/'"),
    "unknown option": (["tune", "--trials", "3"], "No such option"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_one_line_and_exit_code_2(case: str, step: Step, tmp_path: Path) -> None:
    arguments, expected = BAD_INPUT[case]
    result = step(*arguments)
    assert result.returncode == 2, result.stderr
    assert result.stderr.startswith("Error: "), result.stderr
    assert expected in result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert "hunter2" not in result.stderr
    assert _unfinished_runs(tmp_path) == 0


@pytest.fixture(scope="module")
def of_digits(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A folder whose store has the digits."""
    folder = tmp_path_factory.mktemp("digits")
    copy_store(empty_store, folder)
    succeeded(run_step(folder, "download", "--dataset", "digits"))
    return folder


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--objectives", "rmse"], "Error: objectives must be among"),
        (
            ["--costs", "fp:1,fn:5"],
            "Error: costs must be empty unless the target has two classes, got fp:1,fn:5 for 10 classes",
        ),
    ],
)
def test_what_does_not_suit_the_data_is_refused(options: list[str], expected: str, of_digits: Path) -> None:
    result = run_step(of_digits, "main", "--dataset", "digits", *options)
    assert result.returncode == 2, result.stderr
    assert result.stderr.startswith(expected), result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert _unfinished_runs(of_digits) == 0


def test_a_run_of_another_step_is_refused(of_digits: Path) -> None:
    (download,) = step_runs(MlflowClient(f"sqlite:///{of_digits}/mlflow.db"), "download")
    result = run_step(of_digits, "evaluate", "--tune-run-id", download.info.run_id)
    assert (result.returncode, "it is a run of download" in result.stderr) == (2, True), result.stderr


def test_a_shell_metacharacter_is_data(step: Step, tmp_path: Path) -> None:
    for text in ("$(touch hacked)", "`touch hacked`", "; touch hacked;", "'; touch hacked; '"):
        assert step("main", "--dataset", text).returncode == 2
    assert not (tmp_path / "hacked").exists()


def test_an_unreachable_server_is_one_line_and_exit_code_1(step: Step) -> None:
    address = "http://127.0.0.1:9"  # the discard port: nothing listens
    result = step("registry", MLFLOW_TRACKING_URI=address, MLFLOW_HTTP_REQUEST_MAX_RETRIES="0")
    assert result.returncode == 1, result.stderr
    assert [line for line in result.stderr.splitlines() if line.startswith("Error: ")] == result.stderr.splitlines()[
        -1:
    ]


WITHOUT_TENSORFLOW = {  # exit codes
    "registry": 0,
    "download --dataset digits": 0,
    "tune --help": 0,
    "predict --output out.csv": 2,
    "replay": 2,
    "main --help": 0,
    "main --seed x": 2,
    f"tune --data-run-id {'0' * 32}": 2,
    "evaluate --require accuracy": 2,
    "evaluate": 2,
    "worker": 2,
}
REFUSING_TENSORFLOW = """
import json, runpy, sys

class Refuse:
    def find_spec(self, name, *_):
        assert name != "tensorflow", name

sys.meta_path.insert(0, Refuse())
ended = {}
for command in sys.argv[1:]:
    sys.argv = command.split()
    try:
        runpy.run_module(f"steps.{sys.argv[0]}", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        ended[command] = end.code
print(json.dumps(ended))
"""


def test_no_tensorflow_where_nothing_is_trained(step: Step, tmp_path: Path) -> None:
    result = run_command(script(REFUSING_TENSORFLOW, *WITHOUT_TENSORFLOW), tmp_path)
    assert "AssertionError" not in result.stderr
    assert json.loads(succeeded(result).splitlines()[-1]) == WITHOUT_TENSORFLOW


RAISE = """
import io, json, sys
from contextlib import redirect_stderr
import click
from steps.cli.command import step_command

@step_command
@click.argument("error")
def unlucky(error):
    password = "hun" + "ter2"
    raise eval(error)

ended = {}
for error in sys.argv[1:]:
    with redirect_stderr(io.StringIO()) as said:
        try:
            unlucky([error])
        except SystemExit as end:
            ended[error] = (end.code, said.getvalue())
print(json.dumps(ended))
"""
UNFORESEEN = {
    "KeyError('dataset')": "KeyError: 'dataset'; nobody foresaw this, please report it with the file ",
    "ZeroDivisionError('two\\nlines')": "ZeroDivisionError: two lines; nobody foresaw this",
    "AssertionError(f'postgresql://me:{password}@db/x')": "AssertionError: postgresql://me:***@db/x; nobody",
    "RecursionError('x' * 10_000)": "x; nobody foresaw this",
}
OUTSIDE = {
    "MemoryError()": "this machine has not enough free memory",
    "PermissionError(13, 'Permission denied', '/x')": "Permission denied: '/x'",
    "ModuleNotFoundError(\"No module named 'scipy'\")": "install the packages that conda.yaml pins",
    "BrokenPipeError()": "BrokenPipeError",
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Exit code and standard error of a step that raises, for each error."""
    folder = tmp_path_factory.mktemp("unlucky")
    said = succeeded(run_command(script(RAISE, *UNFORESEEN, *OUTSIDE), folder, TMPDIR=str(folder)))
    assert len(list(folder.glob("mlp-tuning-*.txt"))) == len(UNFORESEEN)
    return dict(json.loads(said))


@pytest.mark.parametrize("error", [*UNFORESEEN, *OUTSIDE])
def test_what_nobody_foresaw_is_one_line_and_a_file_to_report(error: str, ended: dict[str, tuple[int, str]]) -> None:
    code, said = ended[error]
    assert (code, said.count("\n")) == (70 if error in UNFORESEEN else 1, 1), said
    assert said.startswith("Error: ")
    assert (UNFORESEEN | OUTSIDE)[error] in said
    reports = re.findall(r"(\S+/mlp-tuning-unlucky-\w+\.txt)", said)
    assert len(reports) == (error in UNFORESEEN)
    for report in reports:
        text = Path(report).read_text()
        assert "Traceback" in text
        assert "in unlucky" in text
        assert "hunter2" not in text


def _unfinished_runs(folder: Path) -> int:
    if not (folder / "mlflow.db").exists():
        return 0
    with sqlite3.connect(folder / "mlflow.db") as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone():
            return 0
        return int(database.execute("SELECT count(*) FROM runs WHERE status = 'RUNNING'").fetchone()[0])
