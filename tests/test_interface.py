"""The public interface stands in several files; they agree."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from importlib import import_module
from typing import Any

import pytest
import yaml

from steps.cli import data_options, options
from steps.datasets.catalogue import IMAGES
from steps.datasets.sources.bundled import BUNDLED
from steps.search.strategy import samplers
from steps.search.strategy.pruners import SETTINGS
from tests.running import REPOSITORY, script

PROJECT: dict[str, Any] = yaml.safe_load((REPOSITORY / "MLproject").read_text())
ENTRY_POINTS = sorted(PROJECT["entry_points"])


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_mlproject_has_the_options_and_defaults_of_the_command(name: str) -> None:
    command = getattr(import_module(f"steps.{name}"), name)
    context = command.make_context(name, [])
    entry = PROJECT["entry_points"][name]
    options = {option.name: option for option in command.params}
    assert set(entry["parameters"]) == set(options)
    for parameter, declared in entry["parameters"].items():
        assert options[parameter].type_cast_value(context, str(declared["default"])) == context.params[parameter]
    words = shlex.split(entry["command"])
    assert words[:3] == ["python", "-m", f"steps.{name}"]
    assert sorted(words[3:]) == sorted(f"--{p.replace('_', '-')}={{{p}}}" for p in entry["parameters"])


def test_pyproject_has_the_pins_of_conda_yaml() -> None:
    conda = yaml.safe_load((REPOSITORY / "conda.yaml").read_text())["dependencies"]
    (pins,) = (entry["pip"] for entry in conda if isinstance(entry, dict))
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == pins
    assert f"python{project['requires-python']}" in conda
    assert all("==" in pin for pin in pins)


def test_help_of_every_option_teaches() -> None:
    for name in ENTRY_POINTS:
        command = getattr(import_module(f"steps.{name}"), name)
        assert "mlflow run . -e" in command.help
        for option in command.params:
            assert len(option.help) > 15, (name, option.name)


def test_help_of_tune_has_an_example_of_every_option() -> None:
    for option in import_module("steps.tune").tune.params:
        assert re.search(r"Example: \S+", option.help), option.name


def test_help_of_tune_has_every_setting_of_the_pruners() -> None:
    text = " ".join(import_module("steps.tune").tune.help.split())
    of_median = SETTINGS["median"].model_fields
    for name, settings in SETTINGS.items():
        known = {k: v for k, v in settings.model_fields.items() if name != "percentile" or k not in of_median}
        words = [k if v.default is None else f"{k}={v.default:g}" for k, v in known.items()]
        assert not words or f"{name}: {', '.join(words)}" in text, name


def test_the_choices_of_the_option_sampler_are_the_samplers() -> None:
    assert options.SAMPLERS == samplers.SAMPLERS


def test_the_names_in_the_help_of_dataset_are_the_data_sets_without_a_file() -> None:
    assert tuple(sorted((*IMAGES, *BUNDLED))) == data_options.DATASETS


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_help_imports_no_library_that_takes_long(name: str) -> None:
    heavy = ["numpy", "pandas", "pyarrow", "sklearn", "mlflow", "optuna", "keras", "tensorflow"]
    code = f"import sys, steps.{name}; print(*(set({heavy}) & set(sys.modules)))"
    assert subprocess.run(script(code), cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout == "\n"


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_a_command_is_short_and_its_file_holds_nothing_else(name: str) -> None:
    text = (REPOSITORY / "steps" / f"{name}.py").read_text()
    assert len(text.splitlines()) <= 60
    assert len(re.findall(r"^    from ", text, re.MULTILINE)) <= 2
    assert re.findall(r"^(?:def|class) (\w+)", text, re.MULTILINE) == [name]
