"""Pruners by name and settings, such as `hyperband:reduction_factor=3`: what stops a trial early."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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

from steps.base.errors import InputError

_WARMUP_EPOCHS = 2  # before that, curves say little about where they end


@dataclass(frozen=True)
class Setting:
    """A number in [low, high]; `default` None where it is not set."""

    default: float | None
    low: float = -math.inf
    high: float = math.inf
    whole: bool = True

    def parse(self, text: str) -> float:
        """The number.

        Raises:
            ValueError: Says what it must be.
        """
        kind = "a whole number" if self.whole else "a number"
        limits = (
            f" of at least {self.low:g}"
            if math.isinf(self.high) and not math.isinf(self.low)
            else f" from {self.low:g} to {self.high:g}" * (not math.isinf(self.high))
        )
        try:
            number = int(text) if self.whole else float(text)
        except ValueError:
            number = math.nan
        if not self.low <= number <= self.high:
            raise ValueError(f"must be {kind}{limits}, got {text!r}")
        return number


_QUANTILE = {
    "n_startup_trials": Setting(5, 0),
    "n_warmup_steps": Setting(_WARMUP_EPOCHS, 0),
    "interval_steps": Setting(1, 1),
    "n_min_trials": Setting(1, 1),
}
SETTINGS: Mapping[str, Mapping[str, Setting]] = {
    "none": {},
    "median": _QUANTILE,
    "percentile": {"percentile": Setting(25.0, 0, 100, whole=False), **_QUANTILE},
    "successive_halving": {
        "min_resource": Setting(1, 1),
        "reduction_factor": Setting(3, 2),
        "min_early_stopping_rate": Setting(0, 0),
    },
    "hyperband": {"min_resource": Setting(1, 1), "reduction_factor": Setting(3, 2)},
    "patient": {"patience": Setting(3, 0), "min_delta": Setting(0.0, 0, whole=False)},
    "threshold": {
        "lower": Setting(None, whole=False),
        "upper": Setting(None, whole=False),
        "n_warmup_steps": Setting(_WARMUP_EPOCHS, 0),
        "interval_steps": Setting(1, 1),
    },
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
        text: `<name>` or `<name>:<setting>=<value>,...`, as it was given.
        settings: Arguments of the Optuna class.
        wrapped: Only of `patient`: the pruner that it wraps, None for none.
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
            InputError: An unknown name or setting, or a value out of range; lists the known ones.
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
        if name == "patient":
            return _patient(text, given, max_epochs)
        return _spec(text, name, given, max_epochs)

    def build(self) -> BasePruner:
        if self.name == "patient":
            return PatientPruner(self.wrapped.build() if self.wrapped else None, **self.settings)
        return _CLASSES[self.name](**self.settings)


def _patient(text: str, given: dict[str, str], max_epochs: int) -> PrunerSpec:
    wrapped = given.pop("wrapped", "median")
    choices = [name for name in PRUNERS if name != "patient"]
    if wrapped not in choices:
        raise InputError(f"pruner patient: wrapped must be one of {', '.join(choices)}, got {wrapped!r}")
    known = {"wrapped": None, **SETTINGS["patient"], **SETTINGS[wrapped]}
    _check_names(f"patient, wrapping {wrapped},", given, known)
    own = {key: value for key, value in given.items() if key in SETTINGS["patient"]}
    inner = {key: value for key, value in given.items() if key in SETTINGS[wrapped]}
    inside = None if wrapped == "none" else _spec(wrapped, wrapped, inner, max_epochs)
    return PrunerSpec(text, "patient", _parsed("patient", own), inside)


def _spec(text: str, name: str, given: Mapping[str, str], max_epochs: int) -> PrunerSpec:
    _check_names(name, given, SETTINGS[name])
    settings = _parsed(name, given)
    if "n_warmup_steps" in settings and "n_warmup_steps" not in given:
        settings["n_warmup_steps"] = min(_WARMUP_EPOCHS, max_epochs - 1)
    if name == "hyperband":
        if settings["min_resource"] > max_epochs:
            raise InputError(
                f"pruner hyperband: min_resource must be at most max_epochs ({max_epochs}), "
                f"got {settings['min_resource']}"
            )
        settings["max_resource"] = max_epochs
    if name == "threshold":
        if not {"lower", "upper"} & set(settings):
            raise InputError(
                "pruner threshold must have a setting lower or upper, got neither; try threshold:lower=0.5"
            )
        if settings.get("lower", -math.inf) > settings.get("upper", math.inf):
            raise InputError(f"pruner threshold: lower must be at most upper, got {settings['lower']:g}")
    return PrunerSpec(text, name, settings)


def _check_names(what: str, given: Mapping[str, str], known: Mapping[str, object]) -> None:
    if unknown := sorted(set(given) - set(known)):
        names = ", ".join(known) or "none at all"
        raise InputError(f"pruner {what} must have settings among its own ({names}), got {unknown[0]!r}")


def _parsed(name: str, given: Mapping[str, str]) -> dict[str, Any]:
    known = SETTINGS[name]
    values: dict[str, Any] = {key: setting.default for key, setting in known.items() if setting.default is not None}
    for key, text in given.items():
        try:
            values[key] = known[key].parse(text)
        except ValueError as error:
            raise InputError(f"pruner {name}: {key} {error}") from error
    return values
