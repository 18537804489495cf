"""Requirements: bounds of metrics that a version must keep to be approved, such as `accuracy>=0.9,recall>=0.5`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from steps.base.errors import InputError
from steps.tasks.checks import Check
from steps.tasks.metric import Interval, Metric
from steps.tasks.task import Task

_FORM = re.compile(r"\s*([a-z0-9_]+)\s*(>=|<=)\s*([-+0-9.eE]+)\s*")


@dataclass(frozen=True)
class Requirement:
    """A bound of a metric of the test split, inclusive."""

    metric: str
    sign: Literal[">=", "<="]
    bound: float

    def __str__(self) -> str:
        return f"{self.metric}{self.sign}{self.bound:.10g}"

    def check(self, metric: Metric, score: Interval) -> Check:
        passed = score.value >= self.bound if self.sign == ">=" else score.value <= self.bound
        relation = {">=": ("at least", "below"), "<=": ("at most", "above")}[self.sign][0 if passed else 1]
        value, bound = metric.number(score.value), f"{self.bound:,.10g}"
        return Check(f"require_{self.metric}", passed, f"test {metric.label} {value} is {relation} {bound}")


def parse_requirements(text: str) -> tuple[Requirement, ...]:
    """`<metric>>=<number>` or `<metric><=<number>`, separated by commas; none for an empty text.

    Raises:
        InputError: Another form.
    """
    found = []
    for part in filter(None, text.split(",")):
        given = _FORM.fullmatch(part)
        try:
            name, sign, bound = given.groups() if given else ("", "", "")
            found.append(Requirement(name, ">=" if sign == ">=" else "<=", float(bound)))
        except ValueError:
            raise InputError(
                f"require must be of the form accuracy>=0.9,recall>=0.5 or rmse<=500, got {part.strip()!r}"
            ) from None
    return tuple(found)


def check_names(requirements: tuple[Requirement, ...], task: Task) -> None:
    """Refuse a requirement that the task cannot measure.

    Raises:
        InputError: An unknown metric, or a bound that it can never reach; lists the known metrics.
    """
    for requirement in requirements:
        metric = task.metrics.get(requirement.metric)
        if metric is None:
            known = ", ".join(task.metrics)
            raise InputError(f"require must name metrics of {task.name} ({known}), got {str(requirement)!r}")
        low, high = metric.bounds
        if not low <= requirement.bound <= high:
            by = f"{metric.name} by a number {metric.bounds_text}"
            raise InputError(f"require must bound {by}, got {str(requirement)!r}")


def check_requirements(
    requirements: tuple[Requirement, ...], task: Task, scores: Mapping[str, Interval]
) -> tuple[Check, ...]:
    """One check for each requirement, of the scores of the test split."""
    return tuple(r.check(task.metrics[r.metric], scores[r.metric]) for r in requirements)
