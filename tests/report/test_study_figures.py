from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import optuna
import pytest
from matplotlib import image
from optuna.trial import TrialState

from steps.report.importance import importances
from steps.report.parameter_plots import smooth
from steps.report.study_figures import save_study_figures
from steps.report.style import limits
from steps.search.space.file import load_space, space_path
from steps.tasks.classification.task import Classification
from steps.tasks.objectives import Objective, objectives_of

TASK = Classification(tuple("0123456789"))

ALWAYS = {"optimization_history", "timeline"}
OF_SEVERAL = {"edf", "parallel_coordinate", "slice", "contour", "param_importances"}


def study_of(n: int, objectives: tuple[Objective, ...]) -> optuna.Study:
    """`n` trials of the packaged space; with one objective every fourth is pruned, and one in seven fails."""
    space = load_space(space_path("default"))
    study = optuna.create_study(
        directions=[objective.direction for objective in objectives], sampler=optuna.samplers.RandomSampler(seed=0)
    )
    for i in range(n):
        trial = study.ask()
        values = space.suggest(trial)
        quality = values["learning_rate"] * 50 + values["dropout"]
        if len(objectives) == 1:
            for epoch in range(1, 4):
                trial.report(quality * epoch, epoch)
        if i % 7 == 6:
            study.tell(trial, state=TrialState.FAIL)
        elif len(objectives) == 1 and i % 4 == 3:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, [quality * (k + 1) + i / 100 for k in range(len(objectives))])
    return study


def drawn(folder: Path) -> set[str]:
    """Names of the figures, each of which shows something."""
    for path in folder.glob("*.png"):
        pixels = image.imread(path)
        assert 200 < pixels.shape[1] < 2500, path
        assert 150 < pixels.shape[0] < 2500, path
        assert pixels[..., :3].std() > 0.05, path
    return {path.stem for path in folder.glob("*.png")}


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
def test_figures_are_what_the_trials_allow(n: int, names: str, expected: set[str], tmp_path: Path) -> None:
    objectives = objectives_of(names.split(","), TASK)
    study = study_of(n, objectives)
    save_study_figures(study, tmp_path, objectives, 0 if n else None)
    assert drawn(tmp_path) == expected
    page = (tmp_path / "study.html").read_text(encoding="utf-8")
    missing = {"pareto_front"} if len(objectives) > 3 else set()
    complete = study.get_trials(states=(TrialState.COMPLETE,))
    slices = -(-len({name for trial in complete for name in trial.params}) // 4) if "slice" in expected else 0
    assert page.count('class="plotly-graph-div"') == len(expected - missing - {"slice"}) + slices
    assert not re.search(r'"width":\s*\d{3}', page)  # as wide as the window, not as the number of panels


def test_a_study_that_only_failed_has_a_timeline(tmp_path: Path) -> None:
    study = optuna.create_study(direction="maximize")
    study.tell(study.ask(), state=TrialState.FAIL)
    save_study_figures(study, tmp_path, objectives_of(["accuracy"], TASK), None)
    assert drawn(tmp_path) == {"timeline"}


def test_the_name_of_a_study_is_text_in_the_page(tmp_path: Path) -> None:
    study = optuna.create_study(study_name="<script>alert(1)</script>")
    save_study_figures(study, tmp_path, objectives_of(["log_loss"], TASK), None)
    assert "<script>alert" not in (tmp_path / "study.html").read_text()


def test_the_estimate_says_nothing_where_no_trial_is_near() -> None:
    surface = smooth(np.array([[0.0, 0.0], [0.1, 0.0]]), np.array([1.0, 3.0]))
    assert not surface.mask[0, 0]
    assert surface.mask[-1, -1]
    assert 1.0 <= surface.min() < surface.max() <= 3.0


@pytest.mark.parametrize(("names", "reversed_"), [("accuracy", False), ("accuracy,latency", False), ("log_loss", True)])
def test_dark_is_good_in_the_interactive_contour_too(names: str, reversed_: bool, tmp_path: Path) -> None:
    objectives = objectives_of(names.split(","), TASK)
    save_study_figures(study_of(30, objectives), tmp_path, objectives, 0)
    page = (tmp_path / "study.html").read_text(encoding="utf-8")
    (found,) = re.findall(r'"reversescale":(\w+),(?:(?!\}\]).)*"type":"contour"', page)
    assert found == str(reversed_).lower()


@pytest.mark.parametrize("sign", [-1, 1])
def test_bad_trials_do_not_squash_the_axis(sign: int) -> None:
    good = [0.970 + i / 1000 for i in range(10)]
    low, high = limits([sign * -v for v in [*good, 0.1]], sign)
    assert high - low < 0.03
    assert all(low <= sign * -v <= high for v in good)
    low, high = limits([0.5, 0.6, 0.7], sign)
    assert low < 0.5 < 0.7 < high


def test_importance_of_a_conditional_hyperparameter_is_found() -> None:
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(200):
        trial = study.ask()
        sgd = trial.suggest_categorical("optimizer", ["adam", "sgd"]) == "sgd"
        value = trial.suggest_float("momentum", 0, 1) if sgd else 0.5
        trial.suggest_float("dropout", 0, 1)
        study.tell(trial, value)
    found = {importance.name: importance for importance in importances(study, -1)}
    assert sum(importance.share for importance in found.values()) == pytest.approx(1)
    assert found["momentum"].share > 3 * found["dropout"].share
    assert 50 < found["momentum"].n_trials < 150
    assert found["dropout"].n_trials == 200
