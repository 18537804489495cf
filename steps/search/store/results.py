"""Complete trials as plain records, and which of them stands for the study."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from steps.base.errors import InputError
from steps.tasks.objectives import Objective

ARTIFACT = "study/trials.json"  # of a tune run: its complete trials
TOLERANCE = 0.002  # accuracy that a cheaper trial may lack: 0.2 points
AUTO = "auto"


@dataclass(frozen=True)
class TrialRecord:
    """A complete trial.

    Attributes:
        measures: Value by name: `accuracy`, `log_loss`, `parameters` and, where it was an objective, `latency`.
    """

    trial_number: int
    trial_run_id: str
    hyperparameters: Mapping[str, Any]
    measures: Mapping[str, float]


def to_json(records: Sequence[TrialRecord]) -> str:
    return json.dumps([asdict(record) for record in records], indent=2) + "\n"


def from_json(text: str) -> list[TrialRecord]:
    return [TrialRecord(**entry) for entry in json.loads(text)]


def select(
    records: Sequence[TrialRecord], objectives: Sequence[Objective], wanted: str = AUTO
) -> tuple[TrialRecord, str]:
    """The trial that stands for a study, and why.

    `auto` is the best one of a single objective, of equal ones the first. With several it is the cheapest
    within 0.2 points of the best accuracy: the fastest where latency is an objective, else the smallest.

    Args:
        records: At least one.
        wanted: `auto` or a trial number.

    Raises:
        InputError: No complete trial of that number.
    """
    if wanted != AUTO:
        for record in records:
            if wanted == str(record.trial_number):
                return record, "asked for by its number"
        known = ", ".join(str(record.trial_number) for record in records)
        raise InputError(f"select must be {AUTO} or the number of a complete trial ({known}), got {wanted!r}")
    if len(objectives) == 1:
        (objective,) = objectives
        best = min(records, key=lambda r: (objective.sign * r.measures[objective.name], r.trial_number))
        return best, f"the best {objective.label}, {objective.text(best.measures[objective.name])}"
    cost = "latency" if any(objective.name == "latency" for objective in objectives) else "parameters"
    top = max(record.measures["accuracy"] for record in records)
    near = [record for record in records if record.measures["accuracy"] >= top - TOLERANCE - 1e-9]
    chosen = min(near, key=lambda r: (r.measures[cost], -r.measures["accuracy"], r.trial_number))
    price = f"{chosen.measures['latency']:.3f} ms" if cost == "latency" else f"{chosen.measures['parameters']:,.0f}"
    own = chosen.measures["accuracy"]
    return chosen, (
        f"the cheapest ({cost} {price}) {f'of {len(near)}' if len(near) > 1 else 'and the only one'} "
        f"within {100 * TOLERANCE:g} points of the best accuracy, {top:.4f}" + f" (its own is {own:.4f})" * (own < top)
    )


def pareto_front(records: Sequence[TrialRecord], objectives: Sequence[Objective]) -> list[TrialRecord]:
    """The records that no other one is at least as good as in every objective and better in one, best first."""

    def losses(record: TrialRecord) -> tuple[float, ...]:
        return tuple(objective.sign * record.measures[objective.name] for objective in objectives)

    def dominated(record: TrialRecord) -> bool:
        own = losses(record)
        return any(
            other != own and all(a <= b for a, b in zip(other, own, strict=True)) for other in map(losses, records)
        )

    return sorted((record for record in records if not dominated(record)), key=losses)
