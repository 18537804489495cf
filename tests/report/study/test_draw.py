"""The figures that the trials of a study allow, as PNG and as Optuna's interactive page."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import optuna
import pytest
from matplotlib import image

from steps.report.study.draw import draw_study
from steps.report.study.importance import importances
from steps.report.study.result import Row, StudyResult
from tests.report.study.studies import HOSTILE, TASK, of_packaged_space, result

Drawn = Callable[[int, str], tuple[Path, set[str]]]
ALWAYS = {"optimization_history", "timeline"}
OF_SEVERAL = {"edf", "parallel_coordinate", "slice", "contour", "param_importances"}


def draw(study: StudyResult, folder: Path) -> set[str]:
    """Names of the figures, each of which shows something."""
    draw_study(study, TASK, folder, "a" * 32, str)
    paths = list((folder / "figures").glob("*.png"))
    for path in paths:
        pixels = image.imread(path)
        assert 200 < pixels.shape[1] < 2500, path
        assert 150 < pixels.shape[0] < 2500, path
        assert pixels[..., :3].std() > 0.05, path
    return {path.stem for path in paths}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Draws a study of so many trials and these objectives, once; gives its folder and the names of the figures."""

    @cache
    def make(n: int, objectives: str) -> tuple[Path, set[str]]:
        folder = tmp_path_factory.mktemp("drawn")
        return folder, draw(of_packaged_space(n, objectives.split(",")), folder)

    return make


def interactive(folder: Path) -> str:
    return (folder / "figures" / "study.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("n", "names", "expected"),
    [
        (0, "accuracy", set()),
        (1, "accuracy", ALWAYS | {"intermediate_values"}),
        (30, "accuracy", ALWAYS | OF_SEVERAL | {"intermediate_values"}),
        (30, "log_loss", ALWAYS | OF_SEVERAL | {"intermediate_values"}),
        (12, "accuracy,latency", ALWAYS | OF_SEVERAL | {"pareto_front"}),
        (1, "accuracy,latency", ALWAYS | {"pareto_front"}),
        (12, "accuracy,log_loss,latency,parameters", ALWAYS | OF_SEVERAL | {"pareto_front"}),
    ],
)
def test_figures_are_what_the_trials_allow(n: int, names: str, expected: set[str], drawn: Drawn) -> None:
    folder, figures = drawn(n, names)
    assert figures == expected
    assert (folder / "report.html").exists() == (n > 0)
    study, page = of_packaged_space(n, names.split(",")), interactive(folder)
    missing = {"pareto_front"} if len(study.objectives) > 3 else set()
    slices = -(-len({name for row in study.complete for name in row.distributions}) // 4) if "slice" in expected else 0
    assert page.count('class="plotly-graph-div"') == len(expected - missing - {"slice"}) + slices
    assert not re.search(r'"width":\s*\d{3}', page)  # as wide as the window, not as the number of panels


def test_a_study_that_only_failed_has_a_timeline(tmp_path: Path) -> None:
    assert draw(result([Row(0, "failed", start=1.8e9, end=1.8e9 + 1)]), tmp_path) == {"timeline"}
    assert not (tmp_path / "report.html").exists()


def test_the_name_of_a_study_is_text_in_the_page(tmp_path: Path) -> None:
    draw(result([]), tmp_path)
    assert HOSTILE not in interactive(tmp_path)
    assert "No trial of this study has finished" in interactive(tmp_path)


@pytest.mark.parametrize(
    ("n", "names", "reversed_"), [(30, "accuracy", False), (12, "accuracy,latency", False), (30, "log_loss", True)]
)
def test_dark_is_good_in_the_interactive_contour_too(n: int, names: str, reversed_: bool, drawn: Drawn) -> None:
    page = interactive(drawn(n, names)[0])
    (found,) = re.findall(r'"reversescale":(\w+),(?:(?!\}\]).)*"type":"contour"', page)
    assert found == str(reversed_).lower()


def test_a_second_drawing_is_the_same(drawn: Drawn, tmp_path: Path) -> None:
    first, figures = drawn(30, "accuracy")
    draw(of_packaged_space(30, ["accuracy"]), tmp_path)
    for path in ["report.html", *(f"figures/{name}.png" for name in figures)]:
        assert (first / path).read_bytes() == (tmp_path / path).read_bytes(), path


def test_importance_of_a_conditional_hyperparameter_is_found() -> None:
    study, rng = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)), random.Random(0)
    for _ in range(200):
        trial = study.ask()
        sgd = trial.suggest_categorical("optimizer", ["adam", "sgd"]) == "sgd"
        value = trial.suggest_float("momentum", 0, 1) if sgd else 0.5
        trial.suggest_float("dropout", 0, 1)
        study.tell(trial, value + rng.random() / 1000)
    found = {importance.name: importance for importance in importances(study)}
    assert sum(importance.share for importance in found.values()) == pytest.approx(1)
    assert found["momentum"].share > 3 * found["dropout"].share
    assert 50 < found["momentum"].n_trials < 150
    assert found["dropout"].n_trials == 200
