"""The description of one multi-layer perceptron and of how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

Activation = Literal["relu", "gelu", "silu", "tanh"]
Optimizer = Literal["adam", "adamw", "sgd", "rmsprop"]
Schedule = Literal["cosine", "constant"]
Augmentation = Literal["none", "shift", "affine", "elastic"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class MLPConfig:
    """One MLP and its training; every field is checked, a wrong one raises `ValueError`.

    Attributes:
        units: Width of each hidden layer, at least one layer, each at least 1.
        activation: Hidden activation; the output is a softmax.
        dropout: Fraction of hidden activations dropped, [0, 1).
        input_dropout: Fraction of input features dropped, [0, 1).
        batch_norm: Batch normalization before each hidden activation.
        optimizer: Update rule; `adamw` and `sgd` take a `weight_decay` that is decoupled from the gradient.
        learning_rate: Peak of the schedule, > 0.
        weight_decay: Decoupled decay of the kernels per step, relative to the learning rate, >= 0.
        momentum: Nesterov momentum of `sgd`, [0, 1).
        batch_size: Samples per update, >= 1.
        label_smoothing: Probability mass spread over all classes, [0, 1).
        augmentation: Random distortion of the training images; `none` for data that are not images.
        schedule: Learning rate over the whole budget of epochs, after a linear warm-up.
        warmup: Fraction of all updates spent warming up, [0, 1).
    """

    units: tuple[int, ...] = (512, 256)
    activation: Activation = "relu"
    dropout: float = 0.2
    input_dropout: float = 0.0
    batch_norm: bool = True
    optimizer: Optimizer = "adamw"
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    momentum: float = 0.9
    batch_size: int = 128
    label_smoothing: float = 0.0
    augmentation: Augmentation = "none"
    schedule: Schedule = "cosine"
    warmup: float = 0.05

    def __post_init__(self) -> None:
        _check(
            bool(self.units) and all(_is_int(u) and u >= 1 for u in self.units),
            "units",
            self.units,
            "whole numbers >= 1",
        )
        _check(_is_int(self.batch_size) and self.batch_size >= 1, "batch_size", self.batch_size, "a whole number >= 1")
        _check(isinstance(self.batch_norm, bool), "batch_norm", self.batch_norm, "true or false")
        _check(_is_number(self.learning_rate) and self.learning_rate > 0, "learning_rate", self.learning_rate, "> 0")
        _check(_is_number(self.weight_decay) and self.weight_decay >= 0, "weight_decay", self.weight_decay, ">= 0")
        for name in ("dropout", "input_dropout", "momentum", "label_smoothing", "warmup"):
            value = getattr(self, name)
            _check(_is_number(value) and 0 <= value < 1, name, value, "in [0, 1)")
        for name, known in _CHOICES.items():
            value = getattr(self, name)
            _check(value in known, name, value, f"one of {', '.join(known)}")

    @classmethod
    def from_hyperparameters(cls, values: Mapping[str, Any]) -> MLPConfig:
        """Build a config from flat hyperparameters (`n_layers`, `units_0` ... and the fields above).

        A hyperparameter that is not given takes the default of its field.

        Raises:
            ValueError: An unknown name, a layer without its width, or a value out of range.
        """
        rest = dict(values)
        n_layers = rest.pop("n_layers", len(cls.units))
        if not (_is_int(n_layers) and n_layers >= 1):
            raise ValueError(f"n_layers must be a whole number >= 1, got {n_layers!r}")
        given = {name: rest.pop(name) for name in list(rest) if name.startswith("units_")}
        names = [f"units_{i}" for i in range(n_layers)]
        if unknown := sorted(
            (set(given) - set(names)) | (set(rest) - {f.name for f in fields(cls)} | {"units"} & set(rest))
        ):
            raise ValueError(f"unknown hyperparameter {unknown[0]!r} (n_layers is {n_layers})")
        if given or "n_layers" in values:
            if missing := [name for name in names if name not in given]:
                raise ValueError(f"{missing[0]} is missing (n_layers is {n_layers})")
            rest["units"] = tuple(given[name] for name in names)
        return cls(**rest)

    def to_hyperparameters(self) -> dict[str, Any]:
        """The inverse of `from_hyperparameters`, with every field."""
        values = asdict(self)
        units = values.pop("units")
        return {"n_layers": len(units), **{f"units_{i}": u for i, u in enumerate(units)}, **values}


_CHOICES: dict[str, tuple[str, ...]] = {
    "activation": get_args(Activation),
    "optimizer": get_args(Optimizer),
    "augmentation": get_args(Augmentation),
    "schedule": get_args(Schedule),
}


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check(ok: bool, name: str, value: object, expected: str) -> None:
    if not ok:
        raise ValueError(f"{name} must be {expected}, got {value!r}")
