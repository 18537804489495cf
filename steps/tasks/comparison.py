"""Challenger against champion on the same rows."""

from __future__ import annotations

from typing import Protocol


class Comparison(Protocol):
    """A paired comparison of two models by the primary metric of their task.

    Attributes:
        test: Name of the significance test.
        metric: Name of the metric that is compared.
        challenger, champion: Primary metric of each, on these rows.
    """

    test: str
    metric: str

    @property
    def challenger(self) -> float: ...

    @property
    def champion(self) -> float: ...

    @property
    def p_value(self) -> float: ...

    @property
    def challenger_leads(self) -> bool:
        """Return whether the challenger is better on these rows, be it by chance."""

    def challenger_is_better(self, alpha: float) -> bool:
        """Return whether the challenger is better, with a probability below `alpha` that equally good models pass."""

    def summary(self) -> str:
        """The counts or losses behind the test, in one clause."""

    def as_tags(self) -> dict[str, str]:
        """Tags of the model version."""

    def as_metrics(self) -> dict[str, float]:
        """Metrics of the evaluate run."""
