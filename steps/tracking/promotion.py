"""Champion and challenger: promotion of a version, its history, and rollback.

The champion changes in one step, by the alias `champion`; everything else (tags, the alias `previous`) describes it. A
process killed in between leaves one champion, with its predecessor on record. Two processes that promote at the same
time take turns under `registry_lock`: the second compares with the champion that the first has set. The lock does not
cover several machines that share a server: each process checks the champion again right before it moves the alias, and
repeats the comparison if the champion has changed, which leaves a window of one request.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from steps.base.errors import InputError
from steps.tasks.comparison import Comparison
from steps.tasks.task import primary_named
from steps.tracking.lock import registry_lock
from steps.tracking.model_uris import versions_of
from steps.tracking.registry import CHALLENGER, CHAMPION, PREVIOUS, is_approved, version_by_alias
from steps.tracking.tags import FORMER_TAG, PROMOTION_REASON_TAG, PROMOTION_TAG, SINCE_TAG, SUCCESSOR_TAG, UNTIL_TAG

Policy = Literal["always", "significant", "never"]
_MOST_FORMER = 100  # MLflow's tags hold at most 5,000 characters


@dataclass(frozen=True)
class Decision:
    """Decision on a version: whether it became champion, and the reason.

    Attributes:
        champion: Version of the champion before the decision; None if there was none.
        comparison: Comparison of both on the same test split; None if there was no champion.
    """

    promoted: bool
    reason: str
    champion: int | None = None
    comparison: Comparison | None = None

    def as_tags(self) -> dict[str, str]:
        tags = {PROMOTION_TAG: "promoted" if self.promoted else "not promoted", PROMOTION_REASON_TAG: self.reason}
        if self.champion is not None and self.comparison is not None:
            tags["compared_with_version"] = str(self.champion)
            tags[f"champion_test_{self.comparison.metric}"] = str(self.comparison.champion)
            tags |= self.comparison.as_tags()
        return tags

    def as_metrics(self) -> dict[str, float]:
        if self.comparison is None:
            return {}
        own = {f"champion_test_{self.comparison.metric}": self.comparison.champion}
        return own | self.comparison.as_metrics()


def promote(
    version: ModelVersion, policy: Policy, alpha: float, compare: Callable[[ModelVersion], Comparison]
) -> Decision:
    """Decide on a version just registered, move the aliases, and write the decision onto it.

    An approved version becomes `challenger`. It becomes `champion` if there is none, or if it is significantly better
    than the champion by its task's test at level `alpha`. `always` and `never` overrule the comparison, which is still
    made and recorded.

    Args:
        compare: Compares the version with the champion passed to it.
    """
    client, name = MlflowClient(), version.name
    with registry_lock(name):
        if is_approved(version):
            client.set_registered_model_alias(name, CHALLENGER, version.version)
        while True:
            champion = version_by_alias(name, CHAMPION)
            decision = decide(version, champion, policy, alpha, compare)
            _record(client, version, decision, champion)
            if _number(version_by_alias(name, CHAMPION)) == _number(champion):
                break
        if decision.promoted:
            client.set_registered_model_alias(name, CHAMPION, version.version)
            client.set_model_version_tag(name, version.version, SINCE_TAG, _now())
            if champion is not None:
                _end(client, champion, version)
                client.set_registered_model_alias(name, PREVIOUS, champion.version)
    return decision


def _record(client: MlflowClient, version: ModelVersion, decision: Decision, champion: ModelVersion | None) -> None:
    """Write decision and predecessor onto the version before the alias moves, so that a kill cannot lose them."""
    tags = decision.as_tags()
    if decision.promoted and champion is not None:
        tags[FORMER_TAG] = json.dumps([int(champion.version), *_former(champion)][:_MOST_FORMER])
    for key, value in tags.items():
        client.set_model_version_tag(version.name, version.version, key, value)
    sentence = f"{decision.reason[0].upper()}{decision.reason[1:]}."
    client.update_model_version(version.name, version.version, f"{sentence} {version.description or ''}".strip())


def decide(
    version: ModelVersion,
    champion: ModelVersion | None,
    policy: Policy,
    alpha: float,
    compare: Callable[[ModelVersion], Comparison],
) -> Decision:
    """The decision alone, without changing anything."""
    comparison = compare(champion) if champion else None
    promoted, why = _verdict(is_approved(version), policy, alpha, comparison)
    reason = f"{'promoted' if promoted else 'not promoted'}, because {why}"
    if comparison is None or champion is None:
        return Decision(promoted, reason)
    metric = primary_named(comparison.metric)
    number = metric.number if metric else "{:.4g}".format
    theirs, ours = number(comparison.champion), number(comparison.challenger)
    reason += (
        f" (champion, version {champion.version}: {theirs}, this version: {ours}; "
        f"{comparison.summary()}; {comparison.test}: p = {comparison.p_value:.3g})"
    )
    return Decision(promoted, reason, int(champion.version), comparison)


def _verdict(approved: bool, policy: Policy, alpha: float, comparison: Comparison | None) -> tuple[bool, str]:
    if not approved:
        return False, "it was rejected"
    if policy == "never":
        return False, "promote is never"
    if comparison is None:
        return True, "there was no champion"
    if policy == "always":
        return True, "promote is always"
    if comparison.challenger_is_better(alpha):
        return True, f"it is better than the champion at alpha = {alpha:g}"
    if comparison.challenger_leads:
        return False, f"it is not significantly better than the champion at alpha = {alpha:g}"
    return False, "it is not better than the champion"


def rollback(name: str) -> tuple[int, int]:
    """Return `champion` to the version that had it before; returns both versions, the old champion first.

    `previous` then becomes the version before that one, so that a second rollback goes further back. Deleted versions
    are skipped.

    Raises:
        InputError: There is no champion, or it is the first one.
    """
    client = MlflowClient()
    with registry_lock(name):
        champion = version_by_alias(name, CHAMPION)
        if champion is None:
            raise InputError(f"model_name must be a model with a champion for a rollback, got {name!r}, which has none")
        former = _predecessor(champion)
        if former is None:
            raise InputError(
                f"model_name must be a model with a former champion for a rollback, got {name!r}: "
                f"version {champion.version} is its first"
            )
        client.set_registered_model_alias(name, CHAMPION, former.version)
        _end(client, champion, former)
        client.set_model_version_tag(name, former.version, SINCE_TAG, _now())
        for key in (UNTIL_TAG, SUCCESSOR_TAG):
            client.delete_model_version_tag(name, former.version, key)
        if (before := _predecessor(former)) is not None:
            client.set_registered_model_alias(name, PREVIOUS, before.version)
        elif version_by_alias(name, PREVIOUS) is not None:
            client.delete_registered_model_alias(name, PREVIOUS)
    return int(champion.version), int(former.version)


def _end(client: MlflowClient, champion: ModelVersion, successor: ModelVersion) -> None:
    client.set_model_version_tag(champion.name, champion.version, UNTIL_TAG, _now())
    client.set_model_version_tag(champion.name, champion.version, SUCCESSOR_TAG, successor.version)


def _former(version: ModelVersion) -> list[int]:
    return list(json.loads(version.tags.get(FORMER_TAG, "[]")))


def _predecessor(version: ModelVersion) -> ModelVersion | None:
    """The latest champion before this one that still exists."""
    existing = {int(v.version): v for v in versions_of(version.name)}
    return next((existing[number] for number in _former(version) if number in existing), None)


def _number(version: ModelVersion | None) -> int | None:
    return int(version.version) if version else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
