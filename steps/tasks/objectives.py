"""The objectives of a study: metrics of the task on the validation split, and costs of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steps.base.errors import InputError
from steps.tasks.metric import Direction, Metric, significant
from steps.tasks.task import Task

AUTO = "auto"


@dataclass(frozen=True)
class Objective:
    """One measure of a trained MLP.

    Attributes:
        name: As in the parameter `objectives`.
        direction: Which end is better.
        key: Name of the metric on the trial's run.
        label: For people, with the unit.
        every_epoch: Whether it is known after each epoch, which a pruner needs.
        decimals: In texts; None for four significant digits.
        tolerance: Difference that is too small to pay for.
        is_relative: Whether the tolerance is a share of the best value.
        is_share: Whether the value is a proportion, shown in percent.
    """

    name: str
    direction: Direction
    key: str
    label: str
    every_epoch: bool = False
    decimals: int | None = 4
    tolerance: float = 0.0
    is_relative: bool = False
    is_share: bool = False

    @classmethod
    def of(cls, metric: Metric) -> Objective:
        """A metric on the validation split."""
        return cls(
            metric.name,
            metric.direction,
            f"val_{metric.name}",
            f"validation {metric.label}",
            every_epoch=True,
            decimals=None if metric.has_unit else 4,
            tolerance=metric.tolerance,
            is_relative=metric.has_unit,
            is_share=metric.is_share,
        )

    @property
    def sign(self) -> int:
        """Factor that turns the value into a loss."""
        return -1 if self.direction == "maximize" else 1

    def text(self, value: float) -> str:
        return significant(value) if self.decimals is None else f"{value:,.{self.decimals}f}"

    @property
    def tolerance_text(self) -> str:
        if self.is_share:
            return f"{100 * self.tolerance:g} points"
        return f"{100 * self.tolerance:g} %" if self.is_relative else f"{self.tolerance:g}"

    def worst_near(self, best: float) -> float:
        """The value that is worse than the best one by just the tolerance."""
        return best + self.sign * self.tolerance * (abs(best) if self.is_relative else 1)


LATENCY = Objective("latency", "minimize", "latency_ms", "latency of one row (ms)", decimals=3)
PARAMETERS = Objective("parameters", "minimize", "parameters", "parameters", decimals=0)
COSTS = {cost.name: cost for cost in (LATENCY, PARAMETERS)}


def objectives_of(names: Sequence[str], task: Task) -> tuple[Objective, ...]:
    """The objectives of these names; `auto` is the primary metric of the task.

    Raises:
        InputError: A name that is neither a metric of the task nor a cost; lists the known ones.
    """
    known = {metric.name: Objective.of(metric) for metric in task.metrics.values()} | COSTS
    known[AUTO] = Objective.of(task.primary)
    for name in names:
        if name not in known:
            raise InputError(f"objectives must be among {', '.join(known)} for {task.name}, got {name!r}")
    return tuple(known[name] for name in names)


def followed(objectives: Sequence[Objective], task: Task) -> Objective:
    """The objective that is shown while a trial trains: the primary metric if the first one is a cost."""
    return objectives[0] if objectives[0].every_epoch else Objective.of(task.primary)


def judged_by(objectives: Sequence[Objective], task: Task) -> Objective:
    """The metric whose best epoch a trial is judged at: log loss for classes, else the followed objective.

    Accuracy and the area under the ROC curve of a few validation rows change by chance from epoch to epoch, and do not
    show that an MLP becomes too sure of itself.
    """
    loss = task.metrics.get("log_loss")
    return followed(objectives, task) if loss is None else Objective.of(loss)
