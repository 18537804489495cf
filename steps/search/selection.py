"""Selection of the trial that represents a study, and the Pareto front."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import optuna
from optuna.trial import TrialState

from steps.base.errors import InputError
from steps.search.space.space import Space
from steps.search.store.attributes import TrialAttributes
from steps.search.store.records import TrialRecord
from steps.tasks.comparison import Comparison
from steps.tasks.objectives import LATENCY, PARAMETERS, Objective
from steps.tracking.lineage import trial_name

AUTO = "auto"
_ONE_STANDARD_ERROR = 0.32  # two-sided p-value of a difference of one standard error
# The paired comparison of the first with the second on the validation rows; None if their outputs are not kept.
Compare = Callable[[TrialRecord, TrialRecord], Comparison | None]


def select(
    records: Sequence[TrialRecord],
    objectives: Sequence[Objective],
    primary: Objective,
    default: TrialRecord | None,
    compare: Compare,
) -> tuple[TrialRecord, str]:
    """The trial that represents a study, and the reason.

    With a single objective, it is the best trial; of equal ones, the default of the space or the first. If the
    objective is the primary metric, the best has to be ahead of the default by about one standard error of their
    difference, or the default is taken: the best of many trials is also a lucky one, and the default is known to be
    good on other data (the one-standard-error rule of Breiman et al. 1984, with the default in place of the simplest).
    With several objectives, it is the cheapest within the tolerance of the best value of the primary metric: the
    fastest if latency is an objective, else the smallest.

    Args:
        records: At least one.
        primary: The primary metric of the task, on the validation split.
        default: The record of the default of the space, see `default_of`.
    """
    if len(objectives) == 1:
        (objective,) = objectives
        best = ranked(records, objective)[0]
        text = objective.text(best.measures[objective.name])
        if default is not None and objective == primary:
            if _loss(default, objective) == _loss(best, objective):
                return default, f"the best {objective.label}, {text}"
            found = compare(best, default)
            if found is not None and not found.challenger_is_better(_ONE_STANDARD_ERROR):
                return default, (
                    f"the default of the space, as the lead of the best {objective.label}, {text} of "
                    f"{trial_name(best.trial_number)}, may be chance ({found.test}: p = {found.p_value:.2g})"
                )
        return best, f"the best {objective.label}, {text}"
    cost = LATENCY if LATENCY in objectives else PARAMETERS
    top = min(_loss(record, primary) for record in records)
    limit = primary.sign * primary.worst_near(primary.sign * top)
    near = [record for record in records if _loss(record, primary) <= limit + 1e-9 * abs(limit)]
    chosen = min(near, key=lambda r: (r.measures[cost.name], _loss(r, primary), r.trial_number))
    price, unit = cost.text(chosen.measures[cost.name]), " ms" * (cost is LATENCY)
    name, own = primary.label.removeprefix("validation "), chosen.measures[primary.name]
    return chosen, (
        f"the cheapest ({cost.name} {price}{unit}) {f'of {len(near)}' if len(near) > 1 else 'and the only one'} "
        f"within {primary.tolerance_text} of the best {name}, {primary.text(primary.sign * top)}"
        + f" (its own is {primary.text(own)})"
        * (_loss(chosen, primary) > top)
    )


def default_of(records: Sequence[TrialRecord], space: Space) -> TrialRecord | None:
    """The newest record whose hyperparameters are the default of the space; None if there is none."""
    start = space.start
    return next((record for record in reversed(records) if record.hyperparameters == start), None)


def ranked(records: Sequence[TrialRecord], objective: Objective) -> list[TrialRecord]:
    """The records by an objective that all have measured, the best first; of equal ones, the older first."""
    return sorted(records, key=lambda record: (_loss(record, objective), record.trial_number))


def by_number(records: Sequence[TrialRecord], wanted: str) -> TrialRecord:
    """The complete trial of this number.

    Raises:
        InputError: There is none; the message lists the existing ones.
    """
    for record in records:
        if wanted == str(record.trial_number):
            return record
    known = ", ".join(str(record.trial_number) for record in records)
    raise InputError(f"select must be {AUTO} or the number of a complete trial ({known}), got {wanted!r}")


def nothing_complete(study: optuna.Study, pruner: str) -> str:
    """The reason why no trial of a study is complete, with a remedy."""
    pruned, failed = (study.get_trials(deepcopy=False, states=(s,)) for s in (TrialState.PRUNED, TrialState.FAIL))
    said = f"no trial was completed: {len(pruned)} pruned by {pruner}, {len(failed)} failed"
    if failed:
        said += f", the last one by {TrialAttributes.read(failed[-1]).error or 'another program'}"
    if not failed and not pruned:
        return "no trial was completed, and none was begun and ended; a longer timeout may help"
    if pruned:
        said += "; take pruner=none, or settings of the pruner that let more trials live"
    return said


def pareto_front(records: Sequence[TrialRecord], objectives: Sequence[Objective]) -> list[TrialRecord]:
    """The records that no other record dominates (at least as good in every objective, better in one), best first."""

    def losses(record: TrialRecord) -> tuple[float, ...]:
        return tuple(_loss(record, objective) for objective in objectives)

    def dominated(record: TrialRecord) -> bool:
        own = losses(record)
        return any(
            other != own and all(a <= b for a, b in zip(other, own, strict=True)) for other in map(losses, records)
        )

    return sorted((record for record in records if not dominated(record)), key=losses)


def _loss(record: TrialRecord, objective: Objective) -> float:
    return objective.sign * record.measures[objective.name]
