"""Advice after a study, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from steps.report.study.findings import RangeEdge, trials_since_best
from steps.report.study.result import Row, StudyResult
from steps.tasks.metric import Metric, is_noise
from steps.tasks.outlook import Outlook

_FAILED = 0.1  # share of failed trials that is worth mentioning
_FEW, _ENOUGH = 10, 20  # complete trials
_INSTEAD = "More epochs, a wider space or other data are more likely to help"
_STILL = 0.2  # share of the complete trials within which an improvement counts as recent


def certainty(top: Sequence[Row], primary: Metric, n: int) -> str:
    """Sentence on whether the first of the top trials is better than the others or just luckier, on n samples.

    It compares the primary metric. With further objectives, other trials can be better in it.
    """
    first, others = top[0], [(row, row.score) for row in top[1:] if row.score is not None]
    equal = [row for row, score in others if first.score is not None and is_noise(first.score, score)]
    if not others:
        return "It is the only complete trial: there is nothing to compare it with"
    samples = f"on {n:,} validation samples"
    better = [
        row
        for row, score in others
        if row not in equal and first.score is not None and primary.is_better(score.value, first.score.value)
    ]
    if better:
        numbers = " and ".join(f"trial {row.number}" for row in better)
        return f"By {primary.label} alone, {numbers} would be better by more than noise {samples}"
    if not equal:
        return f"It is better than the others of the top {len(top)} by more than noise {samples}"
    if len(equal) == len(others):
        return f"The top {len(top)} are within noise of each other {samples}: any of them may be the best"
    numbers = " and ".join(f"trial {row.number}" for row in equal)
    return f"Of the top {len(top)}, {numbers} cannot be told apart from it {samples}: each may be the best"


def advice(result: StudyResult, edges: Sequence[RangeEdge], n_equal: int) -> list[str]:
    """Sentences, the most useful first.

    Args:
        result: With at least one complete trial.
        edges: The best values that lie at an edge.
        n_equal: Number of top trials within noise of the selected one.
    """
    rows, complete = result.rows, result.complete
    sentences = [
        f"Widen {edge.name}: the best value, {edge.value:.4g}, lies at the {edge.end} end of its range "
        f"({edge.limit:g}), as in {edge.n_top} of the {edge.n_with} top trials that have it. "
        f"Set its {edge.end} to about {edge.suggestion:g} in the space file"
        for edge in edges
    ]
    again = f"run tune again with study_name={result.name}, "
    as_before = " and all else as before"
    primary, since = result.objectives[0], trials_since_best(complete, result.objectives[0].sign)
    outlook = _outlook(result)
    if len(result.objectives) > 1:
        sentences.append(
            f"Choose a compromise on the Pareto front; for a denser front, {again}more n_trials{as_before}"
        )
    elif len(complete) < _FEW and (outlook is None or not outlook.is_within_noise):
        sentences.append(
            f"Continue the search: {len(complete)} complete trial{'s are' if len(complete) > 1 else ' is'} "
            f"little to choose from. To do so, {again}n_trials={_ENOUGH}{as_before}"
        )
    elif outlook is not None and not outlook.is_within_noise:
        sentences.append(
            f"Continue the search: {outlook.text(primary)}. To do so, {again}n_trials={2 * len(rows)}{as_before}"
        )
    elif outlook is not None:
        sentences.append(f"Do not expect much from more trials in this space: {outlook.text(primary)}. {_INSTEAD}")
    elif since <= _STILL * len(complete):
        past = f"{since} complete trial{'s' if since != 1 else ''} ago" if since else "with the last complete trial"
        sentences.append(
            f"Continue the search: the best value came {past}. To do so, {again}n_trials={2 * len(rows)}{as_before}"
        )
    else:
        sentences.append(
            f"Do not expect much from more trials in this space: the last {since} of {len(complete)} complete trials "
            f"brought no improvement. {_INSTEAD}"
        )
    if n_equal:
        others, of_them = ("trials are", "one of them") if n_equal > 1 else ("trial is", "it")
        sentences.append(
            f"Choose by cost: {n_equal} other top {others} within noise of the selected one; if {of_them} is "
            "smaller or simpler, give evaluate its number as select"
        )
    failed = Counter(row.error for row in rows if row.state == "failed")
    if failed.total() > _FAILED * len(rows):
        sentences.append(
            f"Look at the failures: {failed.total()} of {len(rows)} trials, most with: {failed.most_common(1)[0][0]}"
        )
    return sentences


def _outlook(result: StudyResult) -> Outlook | None:
    """The outlook for as many trials again; None if a score is not the only objective."""
    complete, (objective, *others) = result.complete, result.objectives
    scores = [row.score for row in complete if row.score is not None and row.score.value == row.values[0]]
    if others or len(scores) < len(complete):
        return None
    n_ended = len(complete) + sum(row.state == "pruned" for row in result.rows)
    return Outlook.of(scores, objective.sign, n_ended, n_ended)
