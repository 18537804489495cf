"""Generated space files: a valid one suggests only what it says, an invalid one names its line."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.samplers import RandomSampler

from steps.base.errors import InputError
from steps.mlp.config import MLPConfig
from steps.search.space.file import load_space
from steps.search.space.space import Space
from steps.search.strategy.grid import cells

FRACTIONS = ("dropout", "input_dropout", "label_smoothing")
CHOICES: dict[str, list[Any]] = {
    "activation": ["relu", "gelu", "silu", "tanh"],
    "optimizer": ["adam", "adamw", "sgd", "rmsprop"],
    "batch_norm": [True, False],
    "augmentation": ["none", "shift", "affine", "elastic"],
}
Entries = dict[str, Any]


def load(text: str) -> Space:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "space.yaml"
        path.write_text(text, encoding="utf-8")
        return load_space(path)


@st.composite
def real(draw: st.DrawFn, low: float, high: float) -> Entries:
    ends = sorted(draw(st.lists(st.floats(low, high), min_size=2, max_size=2)))
    entry: Entries = {"type": "float", "low": ends[0], "high": ends[1]}
    kind = draw(st.sampled_from(["plain", "log", "step"]))
    if kind == "log" and ends[0] > 0:
        entry["log"] = True
    elif kind == "step":
        entry |= {"low": ends[0], "high": ends[0] + 0.01 * draw(st.integers(0, 5)), "step": 0.01}
    return entry


@st.composite
def whole(draw: st.DrawFn, low: int, high: int) -> Entries:
    ends = sorted(draw(st.lists(st.integers(low, high), min_size=2, max_size=2)))
    extra = draw(st.sampled_from([{}, {"log": True}, {"step": 2}]))
    return {"type": "int", "low": ends[0], "high": ends[1], **extra}


def categorical(values: list[Any]) -> st.SearchStrategy[Entries]:
    some = st.lists(st.sampled_from(values), min_size=1, unique=True)
    return some.map(lambda choices: {"type": "categorical", "choices": choices})


@st.composite
def spaces(draw: st.DrawFn) -> Entries:
    """A valid space, as it would stand in a file."""
    entries: Entries = {}
    for name, values in CHOICES.items():
        if draw(st.booleans()):
            entries[name] = draw(st.one_of(categorical(values), st.sampled_from(values)))
    for name in FRACTIONS:
        if draw(st.booleans()):
            entries[name] = draw(st.one_of(real(0.0, 0.9), st.floats(0.0, 0.9), categorical([0.0, 0.1, 0.5])))
    if draw(st.booleans()):
        entries["learning_rate"] = draw(real(1e-5, 1.0))
    if draw(st.booleans()):
        entries["n_layers"] = draw(st.one_of(whole(1, 4), st.integers(1, 4), categorical([1, 2, 3])))
        entries["units"] = draw(st.one_of(whole(1, 2048), categorical([8, 16]))) | {"repeat": "n_layers"}
    possible = entries.get("optimizer")
    if possible is not None and draw(st.booleans()):
        choices = possible["choices"] if isinstance(possible, dict) else [possible]
        entries["momentum"] = draw(real(0.0, 0.9)) | {"when": {"optimizer": draw(st.sampled_from(choices))}}
    return entries or {"batch_size": draw(st.integers(1, 512))}


@contextmanager
def suppressed(kind: type[Exception], message: str) -> Iterator[None]:
    """The block may raise this, and then says so in one line."""
    try:
        yield
    except kind as error:
        text = str(error)
        if message not in text or "\n" in text:
            raise AssertionError(text) from error


def is_inside(value: Any, entry: Any) -> bool:
    if not isinstance(entry, dict):
        return bool(value == entry)
    if entry["type"] == "categorical":
        return value in entry["choices"]
    return bool(entry["low"] - 1e-9 <= value <= entry["high"] + 1e-9)


@settings(max_examples=60, deadline=None)
@given(spaces(), st.integers(0, 2**31 - 1))
def test_every_suggestion_is_inside_the_space(entries: Entries, seed: int) -> None:
    space = load(yaml.safe_dump(entries, sort_keys=False))
    study = optuna.create_study(sampler=RandomSampler(seed))
    for _ in range(3):
        values = space.suggest(study.ask())
        MLPConfig.from_hyperparameters(values)
        for name, value in values.items():
            assert is_inside(value, entries["units" if name.startswith("units_") else name]), (name, value)
        for name, entry in entries.items():
            when = entry.get("when", {}) if isinstance(entry, dict) else {}
            if name != "units":
                assert (name in values) == all(values[other] == wanted for other, wanted in when.items())
        assert space.complete(values) == values


@settings(max_examples=60, deadline=None)
@given(spaces())
def test_the_defaults_of_a_space_are_inside_it(entries: Entries) -> None:
    space = load(yaml.safe_dump(entries, sort_keys=False))
    point = space.complete({})
    assert space.complete(point) == point
    MLPConfig.from_hyperparameters(point)


@settings(max_examples=10, deadline=None)
@given(spaces())
def test_a_grid_is_finite_or_says_why(entries: Entries) -> None:
    space = load(yaml.safe_dump(entries, sort_keys=False))
    found: list[dict[str, Any]] = []
    with suppressed(InputError, "sampler grid must have"):
        found = cells(space)
    assert len({str(cell) for cell in found}) == len(found)
    assert all(space.complete(cell) == cell for cell in found[:50])


MISTAKES: dict[str, Any] = {
    "an unknown name": ("depth", 3),
    "an unknown field": ("dropout", {"type": "float", "low": 0.0, "high": 0.5, "hihg": 1}),
    "an unknown type": ("dropout", {"type": "real", "low": 0.0, "high": 0.5}),
    "no type": ("dropout", {"low": 0.0, "high": 0.5}),
    "a type that is a list": ("dropout", {"type": ["float"], "low": 0.0, "high": 0.5}),
    "ends in the wrong order": ("dropout", {"type": "float", "low": 0.5, "high": 0.1}),
    "an end in words": ("dropout", {"type": "float", "low": "none", "high": 0.1}),
    "an end that is true": ("batch_size", {"type": "int", "low": True, "high": 8}),
    "an end beyond the MLP": ("dropout", {"type": "float", "low": 0.5, "high": 1.0}),
    "a whole number with a fraction": ("batch_size", {"type": "int", "low": 1.5, "high": 8}),
    "an infinite end": ("learning_rate", {"type": "float", "low": 0.1, "high": float("inf")}),
    "an infinite value": ("learning_rate", float("inf")),
    "an end beyond all floats": ("batch_size", {"type": "int", "low": 1, "high": 10**400}),
    "log from zero": ("dropout", {"type": "float", "low": 0.0, "high": 0.5, "log": True}),
    "log and step": ("dropout", {"type": "float", "low": 0.1, "high": 0.5, "log": True, "step": 0.1}),
    "log in words": ("dropout", {"type": "float", "low": 0.1, "high": 0.5, "log": "yes"}),
    "a step of zero": ("dropout", {"type": "float", "low": 0.1, "high": 0.5, "step": 0}),
    "a choice that is unknown": ("optimizer", {"type": "categorical", "choices": ["adam", "lion"]}),
    "a choice that is a list": ("optimizer", {"type": "categorical", "choices": [["adam"]]}),
    "equal choices": ("optimizer", {"type": "categorical", "choices": ["adam", "adam"]}),
    "no choices": ("optimizer", {"type": "categorical"}),
    "a fixed value in words": ("batch_size", "many"),
    "a fixed list": ("batch_size", [1, 2]),
    "nothing": ("batch_size", None),
    "a condition on what comes later": (
        "momentum",
        {"type": "float", "low": 0.1, "high": 0.5, "when": {"schedule": "cosine"}},
    ),
    "a condition that never holds": ("momentum", {"type": "float", "low": 0.1, "high": 0.5, "when": {"warmup": 0.7}}),
    "a condition that is no mapping": ("momentum", {"type": "float", "low": 0.1, "high": 0.5, "when": ["warmup"]}),
    "repeat of a single one": ("dropout", {"type": "float", "low": 0.1, "high": 0.5, "repeat": "n_layers"}),
    "repeat that is a list": ("dropout", {"type": "float", "low": 0.1, "high": 0.5, "repeat": ["n_layers"]}),
    "layers without units": ("n_layers", 2),
    "units without layers": ("units", 64),
    "units without repeat": ("units", {"type": "int", "low": 1, "high": 8}),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@settings(max_examples=8, deadline=None)
@given(spaces(), st.booleans())
def test_every_mistake_gets_its_line(mistake: str, entries: Entries, flow: bool) -> None:
    name, entry = MISTAKES[mistake]
    before = {"warmup": 0.1} | {k: v for k, v in entries.items() if k not in (name, "n_layers", "units", "momentum")}
    text = yaml.safe_dump(before, sort_keys=False)
    wrong = yaml.safe_dump({name: entry}, sort_keys=False)
    if flow:
        wrong = f"{name}: {yaml.safe_dump(entry, default_flow_style=True, width=math.inf).splitlines()[0]}\n"
    first = text.count("\n") + 1
    with pytest.raises(InputError) as error:
        load(text + wrong)
    found = int(str(error.value).split(", line ")[1].split(":")[0])
    assert first <= found < first + max(1, wrong.count("\n")), str(error.value)
    assert f": {name}: " in str(error.value)


TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
YAML_LIKE = st.text(st.sampled_from("abz:{}[],-&*!|>'\"#%@ \n\t01.\0"), max_size=60)


@settings(max_examples=300, deadline=None)
@given(st.one_of(TEXT, YAML_LIKE, YAML_LIKE.map(lambda text: f"dropout: {text}")))
def test_any_text_is_a_space_or_one_line_with_its_number(text: str) -> None:
    with suppressed(InputError, "space.yaml, line "):
        load(text)


@pytest.mark.parametrize(
    "text", ["[" * 5000, "dropout: !!bool maybe", "dropout: !!int ''", "dropout: !!timestamp today", "? [a]\n: 1",
             "dropout: &a [*a]", "dropout: 2020-13-45", "dropout: {[a]: 1}", "a: 1\n--- \nb: 1", "\x00"],
)  # fmt: skip
def test_what_yaml_libraries_stumble_over_gets_its_line_too(text: str) -> None:
    with pytest.raises(InputError, match=r"space\.yaml, line \d+"):
        load(text)
