"""Pruners by name and settings, such as `hyperband:reduction_factor=3`: they stop a trial early."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    PatientPruner,
    PercentilePruner,
    SuccessiveHalvingPruner,
    ThresholdPruner,
)
from pydantic import BaseModel, Field, NonNegativeFloat, NonNegativeInt, PositiveInt, ValidationError, model_validator

from steps.base.errors import InputError
from steps.base.validation import problem

_WARMUP_EPOCHS = 2  # before that, curves do not predict their ends well


class _Settings(BaseModel, allow_inf_nan=False):
    """Arguments of an Optuna class."""


class _Quantile(_Settings):
    n_startup_trials: NonNegativeInt = 5
    n_warmup_steps: NonNegativeInt = _WARMUP_EPOCHS
    interval_steps: PositiveInt = 1
    n_min_trials: PositiveInt = 1


class _Percentile(_Quantile):
    percentile: Annotated[float, Field(ge=0, le=100)] = 25.0


class _Hyperband(_Settings):
    min_resource: PositiveInt = 1
    reduction_factor: Annotated[int, Field(ge=2)] = 3


class _SuccessiveHalving(_Hyperband):
    min_early_stopping_rate: NonNegativeInt = 0


class _Patient(_Settings):
    patience: NonNegativeInt = 3
    min_delta: NonNegativeFloat = 0.0


class _Threshold(_Settings):
    lower: float | None = None
    upper: float | None = None
    n_warmup_steps: NonNegativeInt = _WARMUP_EPOCHS
    interval_steps: PositiveInt = 1

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.lower is None and self.upper is None:
            raise ValueError("must have a setting lower or upper, got neither; try threshold:lower=0.5")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"must have a lower of at most upper, got {self.lower:g}")
        return self


SETTINGS: Mapping[str, type[_Settings]] = {
    "none": _Settings,
    "median": _Quantile,
    "percentile": _Percentile,
    "successive_halving": _SuccessiveHalving,
    "hyperband": _Hyperband,
    "patient": _Patient,
    "threshold": _Threshold,
}
PRUNERS = tuple(SETTINGS)
_CLASSES: Mapping[str, type[BasePruner]] = {
    "none": NopPruner,
    "median": MedianPruner,
    "percentile": PercentilePruner,
    "successive_halving": SuccessiveHalvingPruner,
    "hyperband": HyperbandPruner,
    "threshold": ThresholdPruner,
}


@dataclass(frozen=True)
class PrunerSpec:
    """A pruner with all its settings; its resource is the epoch.

    Attributes:
        text: `<name>` or `<name>:<setting>=<value>,...`, as given.
        settings: Arguments of the Optuna class.
        wrapped: `patient` only: the wrapped pruner, or None.
    """

    text: str
    name: str
    settings: Mapping[str, Any]
    wrapped: PrunerSpec | None = None

    @classmethod
    def parse(cls, text: str, max_epochs: int) -> PrunerSpec:
        """Read a specification; `patient` also takes `wrapped=<name>` (default median) and that pruner's settings.

        Args:
            max_epochs: Epochs of a trial that is not pruned.

        Raises:
            InputError: A name or setting is unknown, or a value is out of range; the message lists the valid ones.
        """
        name, _, rest = text.partition(":")
        if name not in SETTINGS:
            raise InputError(f"pruner must be one of {', '.join(PRUNERS)}, got {name!r}")
        given: dict[str, str] = {}
        for part in filter(None, rest.split(",")):
            key, equals, value = part.partition("=")
            if not equals:
                raise InputError(f"pruner {name} must have settings of the form name=value, got {part!r}")
            given[key.strip()] = value.strip()
        if name != "patient":
            return _spec(text, name, given, max_epochs)
        wrapped = given.pop("wrapped", "median")
        choices = [name for name in PRUNERS if name != "patient"]
        if wrapped not in choices:
            raise InputError(f"pruner patient: wrapped must be one of {', '.join(choices)}, got {wrapped!r}")
        known = {"wrapped": None, **_Patient.model_fields, **SETTINGS[wrapped].model_fields}
        _check_names(f"patient, wrapping {wrapped},", given, known)
        own = {key: given.pop(key) for key in _Patient.model_fields if key in given}
        inside = None if wrapped == "none" else _spec(wrapped, wrapped, given, max_epochs)
        return cls(text, name, _parsed(name, own).model_dump(), inside)

    def build(self) -> BasePruner:
        if self.name == "patient":
            return PatientPruner(self.wrapped.build() if self.wrapped else None, **self.settings)
        return _CLASSES[self.name](**self.settings)


def _spec(text: str, name: str, given: Mapping[str, str], max_epochs: int) -> PrunerSpec:
    _check_names(name, given, SETTINGS[name].model_fields)
    settings = _parsed(name, given).model_dump(exclude_none=True)
    if "n_warmup_steps" in settings and "n_warmup_steps" not in given:
        settings["n_warmup_steps"] = min(_WARMUP_EPOCHS, max_epochs - 1)
    if name == "hyperband":
        if (least := settings["min_resource"]) > max_epochs:
            raise InputError(f"pruner hyperband: min_resource must be at most max_epochs ({max_epochs}), got {least}")
        settings["max_resource"] = max_epochs
    return PrunerSpec(text, name, settings)


def _check_names(what: str, given: Mapping[str, str], known: Mapping[str, object]) -> None:
    if unknown := sorted(set(given) - set(known)):
        names = ", ".join(known) or "none at all"
        raise InputError(f"pruner {what} must have settings among its own ({names}), got {unknown[0]!r}")


def _parsed(name: str, given: Mapping[str, str]) -> _Settings:
    try:
        return SETTINGS[name].model_validate(given)
    except ValidationError as error:
        place, text = problem(error)
        raise InputError(f"pruner {name}{''.join(f': {part}' for part in place)} {text}") from error
