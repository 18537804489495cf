"""Made-up test splits of tables, models of them, and their evaluations."""

from __future__ import annotations

from typing import Any

import numpy as np

from steps.datasets import Dataset, Split
from steps.datasets.request import DataRequest
from steps.datasets.tabular.decision import Costs, Decision
from steps.datasets.tabular.target import Target
from steps.report.evaluation.result import ChampionComparison, EvaluationResult
from steps.tasks.baselines import BOOSTING
from steps.tasks.checks import check_baseline, rival_note
from steps.tasks.classification.conformal import fitted_sets
from steps.tasks.importance import ColumnImportance
from steps.tasks.requirements import check_requirements, parse_requirements
from steps.tasks.task import task_of

HOSTILE = "<script>alert('x')</script>"
_N = 3000


def prices() -> tuple[Dataset, list[np.ndarray]]:
    """Skewed prices, and the outputs of a model, a worse and a better one."""
    rng = np.random.default_rng(0)
    targets = rng.lognormal(12, 0.6, _N).astype(np.float32)
    name = f"price {HOSTILE}"
    target = Target("regression", name, low=float(targets.min()), high=float(targets.max()))
    outputs = [(targets * rng.lognormal(0, noise, _N))[:, None].astype(np.float32) for noise in (0.15, 0.3, 0.13)]
    return _table(target, targets), outputs


def churn() -> tuple[Dataset, list[np.ndarray]]:
    """Two classes, one of them rare, and the outputs of a model, a worse and a better one."""
    rng = np.random.default_rng(0)
    targets = (rng.random(_N) < 0.15).astype(np.int32)
    target = Target("classification", "churn", class_names=("no", f"yes {HOSTILE}"), positive_class=f"yes {HOSTILE}")
    outputs = []
    for noise in (1.0, 2.0, 0.9):
        odds = 2.5 * targets - 2.5 + noise * rng.normal(size=_N)
        positive = (1 / (1 + np.exp(-odds))).astype(np.float32)
        outputs.append(np.stack([1 - positive, positive], axis=1))
    return _table(target, targets), outputs


def churn_with_costs() -> tuple[Dataset, list[np.ndarray]]:
    """The same, with the decision of a model for which a false negative costs five times a false positive."""
    dataset, outputs = churn()
    return dataset.with_decision(Decision(0.21, Costs(1, 5))), outputs


def letters() -> tuple[Dataset, list[np.ndarray]]:
    """Fifty classes, some of which are often taken for their neighbour, and the outputs of three models."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 50, _N).astype(np.int32)
    names = (*(f"letter {i}" for i in range(49)), HOSTILE)
    outputs = []
    for noise in (1.0, 1.3, 0.9):
        scores = noise * rng.normal(size=(_N, 50))
        scores[np.arange(_N), targets] += 4
        scores[np.arange(_N), (targets + 1) % 50] += np.where(targets < 8, 2.5, 0)
        exact = np.exp(scores)
        outputs.append((exact / exact.sum(1, keepdims=True)).astype(np.float32))
    dataset = _table(Target("classification", "letter", class_names=names), targets)
    return dataset.with_sets(fitted_sets(targets[:500], outputs[0][:500])), outputs


def _table(target: Target, targets: np.ndarray) -> Dataset:
    split = Split(np.zeros((_N, 3), np.float32), targets)
    return Dataset("made up", {"test": split}, target, DataRequest("made up"), source="made up")


def evaluated(dataset: Dataset, outputs: list[np.ndarray], require: str) -> EvaluationResult:
    """The evaluation of the first of the models; the second is the champion and a baseline, the third the trees."""
    targets, task = np.asarray(dataset.splits["test"].targets), task_of(dataset)
    scores = task.test_scores(targets, outputs[0])
    worse, better = (task.primary.measure(targets, theirs) for theirs in outputs[1:])
    comparison = task.compare(targets, outputs[0], outputs[1])
    details: dict[str, Any] = {"data": {"name": dataset.name}, "weights_digest": "ab" * 32}
    return EvaluationResult(
        title="made-up-mlp version 2",
        data_run_id="d" * 32,
        approved=True,
        promoted=True,
        reasons=("approved, because all 2 checks are passed", "promoted, because it is better"),
        checks=(
            *check_requirements(parse_requirements(require), task, scores),
            check_baseline(task.primary, "linear", scores[task.primary.name].value, worse.value),
        ),
        scores=scores,
        baselines={"linear": worse, BOOSTING: better},
        notes=(rival_note(task.primary, task.compare(targets, outputs[0], outputs[2]), 0.05),),
        importances=(ColumnImportance(HOSTILE, 0.12, 0.01), ColumnImportance("age", -0.001, 0.002)),
        comparison=ChampionComparison.of(1, worse, comparison),
        mixture=None,
        members=(),
        decision=dataset.target.decision,
        sets=dataset.target.sets,
        losses={"trial-003": (1.0, 0.4, 0.3)},
        lineage=details,
    )
