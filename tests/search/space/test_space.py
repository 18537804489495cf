from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import FixedTrial

from steps.base.errors import InputError
from steps.mlp.config import MLPConfig
from steps.search.space.file import load_space, space_path
from steps.search.space.space import Space, on_step
from steps.search.strategy.points import enqueue_point, load_points, new_points


@pytest.fixture
def default() -> Space:
    return load_space(space_path("image"))


def test_suggestions_are_configs_with_only_what_applies(default: Space) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(100):
        values = default.suggest(study.ask())
        MLPConfig.from_hyperparameters(values)
        assert ("momentum" in values) == (values["optimizer"] == "sgd")
        assert ("weight_decay" in values) == (values["optimizer"] in ("sgd", "adamw"))
        assert [name for name in values if name.startswith("units_")] == [
            f"units_{i}" for i in range(values["n_layers"])
        ]


def test_a_point_takes_defaults_for_what_it_leaves_out(default: Space) -> None:
    point = default.complete({"n_layers": 1, "units_0": 300, "optimizer": "sgd", "augmentation": "shift"})
    assert point["units_0"] == 300
    assert point["momentum"] == MLPConfig.momentum
    assert default.suggest(FixedTrial(point)) == point


@pytest.mark.parametrize(
    ("value", "written"), [(0.1 + 2 * 0.1, 0.3), (6.938893903907228e-18, 0.0), (0.19999999999999998, 0.2), (0.4, 0.4)]
)
def test_a_stepped_value_is_as_one_would_write_it(value: float, written: float) -> None:
    assert on_step(FloatDistribution(0.0, 0.4, step=0.1), value) == written


def test_values_without_steps_stay() -> None:
    assert on_step(FloatDistribution(0.0, 0.4), 0.1 + 2 * 0.1) == 0.1 + 2 * 0.1


def test_a_fixed_value_is_not_searched(default: Space) -> None:
    study = optuna.create_study()
    trial = study.ask()
    assert default.fixing({"augmentation": "none", "momentum_": 1}).suggest(trial)["augmentation"] == "none"
    assert "augmentation" not in trial.params


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("n_layers: 2\ndropout: {type: float, low: 0.5, high: 0.1}", 2, "dropout"),
        ("dropout: {type: float, low: 0, high: 1.0}", 1, "dropout must be less than 1, got 1.0"),
        ("dropout: {type: real, low: 0, high: 0.5}", 1, "type must be one of int, float, categorical, got 'real'"),
        ("dropout: {type: float, low: 0, hihg: 0.5}", 1, "hihg is an unknown field"),
        ("dropout: {type: float, low: 0}", 1, "high is missing"),
        ("\n\ndepth: 3", 3, "unknown hyperparameter"),
        ("optimizer: {type: categorical, choices: [adam, lion]}", 1, "got 'lion'"),
        ("optimizer: {type: categorical, choices: []}", 1, "choices must have at least 1 item, got []"),
        ("momentum: {type: float, low: 0, high: 0.9, when: {optimizer: sgd}}", 1, "must stand further up"),
        ("momentum: {type: float, low: 0, high: 0.9, when: sgd}", 1, "when must be a valid dictionary, got 'sgd'"),
        ("dropout: 0.1\ndropout: 0.2", 2, "stands here twice"),
        ("dropout: {type: float, low: 0, high: .nan}", 1, "high must be a finite number, got nan"),
        ("dropout:\n  type: float\n  low: 0\n  high: -1", 4, "dropout: high must be at least low (0.0), got -1.0"),
        ("dropout:\n  type: float\n  low: 0.1\n  step: 0.1\n  high: 1\n  log: true", 4, "step must be left out if log"),
        ("optimizer:\n  type: categorical\n  choices: [adam, adam]", 3, "choices must be different values"),
        ("batch_size: {type: int, low: true, high: 8}", 1, "low must be a valid integer, got True"),
        ("optimizer: adam\nmomentum:\n  type: float\n  low: 0\n  high: 0.9\n  when:\n    optimizer: sgd", 7, "never"),
        ("dropout: [0.1", 1, "not YAML"),
        ("- dropout", 1, "must be a mapping"),
    ],
)
def test_a_wrong_file_gives_path_line_and_field(text: str, line: int, message: str, tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        load_space(path)
    assert str(error.value).startswith(f"space {path}, line {line}")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{n_layers: 1}", "must be a list"),
        ("- {n_layers: 1, units_0: 5000}", "point 0: units_0 must be inside the space"),
        ("- {n_layers: 1}\n- {momentum: 0.9, optimizer: adam}", "point 1: momentum must be"),
        ("- [", "line 1: not YAML"),
        ("- {n_layers: 1}\n- {? [1] : 2}", "line 2, point 1: "),
        ("- {1: 2}", "the names of hyperparameters must be words, got 1"),
        ("- {n_layers: 1, n_layers: 2}", "n_layers stands here twice"),
        ("- {units_0: !!int wide}", "not a value of the type"),
        ("- {batch_norm: !!bool maybe}", "not a value of the type"),
        ("- !!timestamp today", "must be a list of mappings"),
        ("- {n_layers: 1" + "0" * 400 + "}", "n_layers must be inside the space"),
        ("- {n_layers: " + "[" * 3000 + "]" * 3000 + "}", "nested too deeply"),
    ],
)
def test_wrong_points_are_named(text: str, message: str, tmp_path: Path, default: Space) -> None:
    path = tmp_path / "points.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_points(path, default)


def test_points_may_be_json(tmp_path: Path, default: Space) -> None:
    path = tmp_path / "points.json"
    path.write_text('[{"n_layers": 1, "units_0": 256, "optimizer": "adam", "learning_rate": 1e-3}]')
    (point,) = load_points(path, default)
    assert point["learning_rate"] == 1e-3


def test_points_that_are_known_or_stand_twice_are_not_new(default: Space) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    known = default.suggest(study.ask())
    one, other = default.complete({"dropout": 0.1}), default.complete({"dropout": 0.2})
    enqueue_point(study, other)
    points = [one, known, dict(one), other]
    assert new_points(default, points, study.get_trials()) == [one]


def test_the_defaults_of_a_space_are_tried_first(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(
        "dropout: {type: float, low: 0, high: 0.5, default: 0.3}\ninput_dropout: {type: float, low: 0, high: 0.1}"
    )
    assert load_space(path).start == {"dropout": 0.3, "input_dropout": MLPConfig.input_dropout}
    path.write_text("dropout: {type: float, low: 0, high: 0.5}")
    assert load_space(path).start is None
    path.write_text("activation: relu\ndropout: {type: float,\n  low: 0, high: 0.5, default: 0.6}")
    with pytest.raises(InputError, match=r"line 3: dropout: default must be a value of the hyperparameter, got 0\.6"):
        load_space(path)
