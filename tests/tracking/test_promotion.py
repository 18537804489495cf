"""Champion and challenger, on a real registry; the comparison is given, because the test itself is tested elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
from mlflow.entities.model_registry import ModelVersion

from steps.base.errors import InputError
from steps.tasks.classification.comparison import McNemar
from steps.tracking.promotion import Decision, Policy, promote, rollback
from tests.running import script, start_command

BETTER, SLIGHTLY_BETTER, EQUAL, WORSE = (
    McNemar(900, 30, 5, 65), McNemar(900, 6, 3, 91), McNemar(900, 5, 5, 90), McNemar(900, 1, 20, 79),
)  # fmt: skip
New = Callable[..., ModelVersion]


@pytest.fixture
def new(tracking: Path) -> New:
    """Makes a further version of the model m, approved or not, as `register` leaves it."""
    client = mlflow.MlflowClient()
    client.create_registered_model("m")

    def version(approved: bool = True) -> ModelVersion:
        status = "approved" if approved else "rejected"
        made = client.create_model_version("m", "somewhere", tags={"validation_status": status})
        return client.get_model_version("m", made.version)

    return version


def decide(version: ModelVersion, comparison: McNemar = BETTER, policy: Policy = "significant") -> Decision:
    return promote(version, policy, 0.05, lambda _: comparison)


def aliases() -> dict[str, int]:
    return {alias: int(n) for alias, n in mlflow.MlflowClient().get_registered_model("m").aliases.items()}


def tags(version: int) -> dict[str, str]:
    return dict(mlflow.MlflowClient().get_model_version("m", str(version)).tags)


def test_the_first_approved_version_is_champion(new: New) -> None:
    assert decide(new(approved=False)) == Decision(False, "not promoted, because it was rejected")
    assert aliases() == {}
    assert decide(new()) == Decision(True, "promoted, because there was no champion")
    assert aliases() == {"challenger": 2, "champion": 2}


@pytest.mark.parametrize(
    ("comparison", "policy", "promoted", "reason"),
    [
        (BETTER, "significant", True, "it is better than the champion at alpha = 0.05"),
        (SLIGHTLY_BETTER, "significant", False, "it is not significantly better than the champion at alpha = 0.05"),
        (EQUAL, "significant", False, "it is not better than the champion"),
        (WORSE, "significant", False, "it is not better than the champion"),
        (BETTER, "never", False, "promote is never"),
        (WORSE, "always", True, "promote is always"),
    ],
)
def test_the_rule(comparison: McNemar, policy: Policy, promoted: bool, reason: str, new: New) -> None:
    decide(new())
    decision = decide(new(), comparison, policy)
    assert (decision.promoted, decision.champion, decision.comparison) == (promoted, 1, comparison)
    assert f"promoted, because {reason} (champion, version 1: {comparison.champion:.4f}" in decision.reason
    assert (
        aliases() == {"challenger": 2, "champion": 2, "previous": 1} if promoted else {"challenger": 2, "champion": 1}
    )


def test_a_rejected_version_changes_no_alias_however_good(new: New) -> None:
    decide(new())
    assert not decide(new(approved=False), BETTER, "always").promoted
    assert aliases() == {"challenger": 1, "champion": 1}


def test_without_a_champion_never_is_never(new: New) -> None:
    assert not decide(new(), policy="never").promoted
    assert aliases() == {"challenger": 1}


def test_decision_accuracies_table_and_p_are_on_the_version(new: New) -> None:
    decide(new())
    version = new()
    decision = decide(version, BETTER)
    found = tags(2)
    assert found["promotion"] == "promoted"
    assert found["promotion_reason"] == decision.reason
    assert found["compared_with_version"] == "1"
    assert float(found["champion_test_accuracy"]) == 0.905
    assert json.loads(found["mcnemar_table"]) == [[900, 30], [5, 65]]
    assert float(found["mcnemar_p_value"]) == pytest.approx(2.2e-5, rel=0.05)
    description = mlflow.MlflowClient().get_model_version("m", version.version).description
    assert "0.9050, this version: 0.9300; samples right in both: 900" in description
    assert description.startswith("Promoted, because")
    assert "exact McNemar test" in description
    assert decision.as_metrics()["mcnemar_only_challenger_right"] == 30


def test_a_former_champion_keeps_its_history(new: New) -> None:
    decide(new())
    decide(new())
    assert tags(1)["successor"] == "2"
    assert tags(1)["champion_since"] <= tags(1)["champion_until"]
    assert json.loads(tags(2)["former_champions"]) == [1]


def test_rollback_goes_back_and_not_forth_again(new: New) -> None:
    for _ in range(3):
        decide(new())
    assert rollback("m") == (3, 2)
    assert aliases() == {"challenger": 3, "champion": 2, "previous": 1}
    assert tags(3)["successor"] == "2"
    assert "champion_until" not in tags(2)
    assert rollback("m") == (2, 1)
    assert aliases() == {"challenger": 3, "champion": 1}
    with pytest.raises(InputError, match="version 1 is its first"):
        rollback("m")
    decide(new())
    assert aliases() == {"challenger": 4, "champion": 4, "previous": 1}


def test_rollback_passes_over_a_deleted_version(new: New) -> None:
    for _ in range(3):
        decide(new())
    mlflow.MlflowClient().delete_model_version("m", "2")
    assert rollback("m") == (3, 1)
    assert aliases()["champion"] == 1


def test_rollback_without_a_champion(new: New) -> None:
    new()
    with pytest.raises(InputError, match="got 'm', which has none"):
        rollback("m")


def test_a_champion_that_changes_meanwhile_is_compared_with(new: New) -> None:
    """A case that the lock does not cover: another machine moves the alias during the comparison."""
    decide(new())
    other, ours = new(), new()
    seen: list[int] = []

    def compare(champion: ModelVersion) -> McNemar:
        seen.append(int(champion.version))
        if len(seen) == 1:
            mlflow.MlflowClient().set_registered_model_alias("m", "champion", other.version)
        return BETTER if int(champion.version) == 1 else WORSE

    decision = promote(ours, "significant", 0.05, compare)
    assert seen == [1, 2]
    assert (decision.promoted, decision.champion) == (False, 2)
    assert aliases()["champion"] == 2


_PROMOTER = """
import sys, time
import mlflow
from steps.tasks.classification.comparison import McNemar
from steps.tracking.promotion import promote

version, gate = sys.argv[1:]
client = mlflow.MlflowClient()
mine = client.get_model_version("m", version)
client.set_model_version_tag("m", version, "ready", "yes")
while client.get_model_version("m", gate).tags.get("ready") != "yes":
    time.sleep(0.01)

def compare(champion):
    time.sleep(0.5)  # both are inside, if nothing keeps one of them out
    # Both are better than the first champion; of the two, only version 3 is better.
    better = int(champion.version) == 1 or version == "3"
    return McNemar(900, 30, 5, 65) if better else McNemar(900, 5, 30, 65)

print(promote(mine, "significant", 0.05, compare).reason)
"""


def test_two_processes_at_once_leave_one_consistent_champion(new: New, tracking: Path) -> None:
    decide(new())
    new(), new()
    promoters = [
        start_command(script(_PROMOTER, version, gate), tracking) for version, gate in (("2", "3"), ("3", "2"))
    ]
    reasons = [promoter.communicate()[0] for promoter in promoters]
    assert [promoter.returncode for promoter in promoters] == [0, 0]
    assert aliases()["champion"] == 3, reasons  # whoever was first, the better one is champion
    second_saw_first = tags(3)["compared_with_version"] == "2" or tags(2)["compared_with_version"] == "3"
    assert second_saw_first, reasons
    former = json.loads(tags(3)["former_champions"])
    assert former == ([2, 1] if tags(2)["promotion"] == "promoted" else [1])
    assert aliases()["previous"] == former[0]
    assert tags(former[0])["successor"] == "3"
