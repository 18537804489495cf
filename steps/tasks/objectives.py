"""What a study can optimize: names, directions and the metrics of a trial that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Objective:
    """One measure of a trained MLP.

    Attributes:
        name: As in the parameter `objectives`.
        direction: Which end is better.
        metric: Name on the trial's run.
        label: For people, with the unit.
        every_epoch: Whether it is known after each epoch, so that a pruner can judge it.
    """

    name: str
    direction: Literal["maximize", "minimize"]
    metric: str
    label: str
    every_epoch: bool = False

    @property
    def sign(self) -> int:
        """What makes smaller better."""
        return -1 if self.direction == "maximize" else 1

    def text(self, value: float) -> str:
        """The value as people read it."""
        return f"{value:,.0f}" if self.name == "parameters" else f"{value:.4f}"


OBJECTIVES = {
    objective.name: objective
    for objective in (
        Objective("accuracy", "maximize", "val_accuracy", "validation accuracy", every_epoch=True),
        Objective("log_loss", "minimize", "val_loss", "validation log loss", every_epoch=True),
        Objective("latency", "minimize", "latency_ms", "latency of one image (ms)"),
        Objective("parameters", "minimize", "parameters", "parameters"),
    )
}


def objectives_of(names: Sequence[str]) -> tuple[Objective, ...]:
    return tuple(OBJECTIVES[name] for name in names)
