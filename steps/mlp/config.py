"""Configuration of one multi-layer perceptron and its training."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import ConfigDict, Field, PositiveInt, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from steps.base.validation import problem
from steps.datasets.interface import Interface

Activation = Literal["relu", "gelu", "silu", "tanh"]
Optimizer = Literal["adam", "adamw", "sgd", "rmsprop"]
Schedule = Literal["cosine", "constant", "coslog4"]
Augmentation = Literal["none", "shift", "affine", "elastic"]
ClassWeight = Literal["none", "balanced"]
TargetScale = Literal["linear", "log"]
Precision = Literal["float32", "bfloat16"]
Bins = Literal[0, 4, 8, 16, 32, 64]
Fraction = Annotated[float, Field(ge=0, lt=1)]

_STRICT = ConfigDict(strict=True, allow_inf_nan=False)  # strict: true is not a number, 1.0 not an integer


@dataclass(frozen=True, config=_STRICT)
class MLPConfig:
    """One MLP and its training; an invalid field raises `ValueError`.

    Attributes:
        units: Width of each hidden layer, at least one layer.
        activation: Hidden activation.
        dropout: Fraction of hidden activations dropped.
        input_dropout: Fraction of input features dropped.
        batch_norm: Batch normalization before each hidden activation.
        optimizer: Update rule; `adamw` and `sgd` take a `weight_decay` that is decoupled from the gradient.
        learning_rate: Peak of the schedule.
        weight_decay: Decoupled decay of the kernels per step, relative to the learning rate.
        momentum: Nesterov momentum of `sgd`.
        beta_2: Decay of the second moment of `adam` and `adamw`.
        batch_size: Samples per update.
        label_smoothing: Probability mass spread over all classes; unused for regression.
        class_weight: `balanced` gives all classes the same weight in the loss, regardless of their numbers of rows.
        target_scale: `log` learns log(1 + x) of a target that is never negative.
        n_bins: Quantile bins per number of a table, for a piecewise linear encoding beside the number; 0 for none.
        input_scale: Learning rate of a trained scale per input, relative to that of the other weights; 0 for no scale.
        n_members: Networks that share all weights but a scale per input and the output layer; their mean is the output.
        embedding_size: Width of the embedding of a column with many levels; unused without such columns.
        augmentation: Random distortion of the training images; `none` for data that are not images.
        schedule: Learning rate over the whole budget of epochs, after a linear warm-up.
        warmup: Fraction of all updates spent warming up.
    """

    units: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (512, 256)
    activation: Activation = "relu"
    dropout: Fraction = 0.2
    input_dropout: Fraction = 0.0
    batch_norm: bool = True
    optimizer: Optimizer = "adamw"
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.05
    momentum: Fraction = 0.9
    beta_2: Fraction = 0.999
    batch_size: PositiveInt = 128
    label_smoothing: Fraction = 0.0
    class_weight: ClassWeight = "none"
    target_scale: TargetScale = "linear"
    n_bins: Bins = 0
    input_scale: Annotated[float, Field(ge=0)] = 0.0
    n_members: PositiveInt = 1
    embedding_size: PositiveInt = 8
    augmentation: Augmentation = "none"
    schedule: Schedule = "cosine"
    warmup: Fraction = 0.05

    @classmethod
    def from_hyperparameters(cls, values: Mapping[str, Any]) -> MLPConfig:
        """Build a config from flat hyperparameters (`n_layers`, `units_0` ... and the fields above).

        Missing hyperparameters take the defaults of their fields.

        Raises:
            ValueError: A name is unknown, a layer has no width, or a value is out of range.
        """
        rest = dict(values)
        n_layers = rest.pop("n_layers", len(cls.units))
        check_hyperparameter("n_layers", n_layers)
        names = per_layer("units", n_layers)
        if unknown := sorted(name for name in rest if (name not in names and name not in _TYPES) or name == "units"):
            raise ValueError(f"unknown hyperparameter {unknown[0]!r} (n_layers is {n_layers})")
        if "n_layers" in values or any(name in rest for name in names):
            if missing := [name for name in names if name not in rest]:
                raise ValueError(f"{missing[0]} is missing (n_layers is {n_layers})")
            rest["units"] = tuple(rest.pop(name) for name in names)
        try:
            return cls(**rest)
        except ValidationError as error:
            place, text = problem(error)
            raise ValueError(f"{'_'.join(map(str, place))} {text}") from error  # ("units", 0) -> units_0

    def to_hyperparameters(self) -> dict[str, Any]:
        """The inverse of `from_hyperparameters`, with all fields."""
        values = asdict(self)
        units = values.pop("units")
        return {"n_layers": len(units), **dict(zip(per_layer("units", len(units)), units, strict=True)), **values}


# Hyperparameter, by its name in a search space -> type of its values.
_TYPES = get_type_hints(MLPConfig, include_extras=True) | {"n_layers": PositiveInt, "units": PositiveInt}
HYPERPARAMETERS = tuple(sorted(_TYPES))
FRACTIONS = frozenset(name for name, kind in _TYPES.items() if kind == Fraction)
_ADAPTERS = {name: TypeAdapter(kind, config=_STRICT) for name, kind in _TYPES.items()}


def check_hyperparameter(name: str, value: object) -> None:
    """Check one value of one of `HYPERPARAMETERS`; `units` is the width of one layer.

    Raises:
        ValueError: The value is invalid for an MLP.
    """
    try:
        _ADAPTERS[name].validate_python(value)
    except ValidationError as error:
        raise ValueError(f"{name} {problem(error)[1]}") from error


def inapplicable(interface: Interface) -> dict[str, Any]:
    """Hyperparameters without meaning for these data, with the values at which they are fixed."""
    target = interface.target
    applies = {
        "augmentation": interface.image_shape is not None,
        "n_bins": bool(interface.numbers),
        "embedding_size": bool(interface.level_counts),
        "label_smoothing": bool(target.class_names),
        "class_weight": bool(target.class_names),
        "target_scale": target.is_skewed,
    }
    return {name: getattr(MLPConfig, name) for name, does in applies.items() if not does}


# Hyperparameters that are inputs of a training graph; all others decide its structure.
SCALARS = (
    "learning_rate", "weight_decay", "dropout", "input_dropout", "input_scale", "label_smoothing", "momentum", "beta_2",
    "warmup",
)  # fmt: skip


def structure_of(config: MLPConfig) -> MLPConfig:
    """The config with a standard value for each of `SCALARS`: trainings with an equal one can share a graph.

    Whether a scalar is 0 is part of the structure.
    """
    scalars: dict[str, Any] = {name: float(getattr(config, name) > 0) / 2 for name in SCALARS}
    return replace(config, **scalars)


def per_layer(name: str, n_layers: int) -> list[str]:
    """Names of a hyperparameter that each layer has: `units_0`, `units_1`, ..."""
    return [f"{name}_{i}" for i in range(n_layers)]


def without_layer(hyperparameter: str) -> str:
    """The inverse of `per_layer` for one name: `units` for `units_3`; other names unchanged."""
    return re.sub(r"^units_\d+$", "units", hyperparameter)
