"""The trials in Optuna's tables, read and written with few statements.

Optuna reads each row as an object of its session and writes each value in a transaction of its own; that is most
of what a trial costs.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from optuna.distributions import BaseDistribution, distribution_to_json, json_to_distribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages._rdb.models import (
    TrialIntermediateValueModel,
    TrialModel,
    TrialParamModel,
    TrialSystemAttributeModel,
    TrialUserAttributeModel,
    TrialValueModel,
)
from optuna.trial import FrozenTrial, TrialState

_TRIALS: sa.Table = TrialModel.__table__
_PARAMS: sa.Table = TrialParamModel.__table__
_VALUES: sa.Table = TrialValueModel.__table__
_REPORTS: sa.Table = TrialIntermediateValueModel.__table__
USER_ATTRIBUTES: sa.Table = TrialUserAttributeModel.__table__
SYSTEM_ATTRIBUTES: sa.Table = TrialSystemAttributeModel.__table__
_ROWS = {  # table -> what tells the rows of one trial apart
    _PARAMS: "param_name",
    _VALUES: "objective",
    _REPORTS: "step",
    USER_ATTRIBUTES: "key",
    SYSTEM_ATTRIBUTES: "key",
}


@lru_cache(maxsize=4096)
def _distribution(text: str) -> BaseDistribution:
    """One object for all trials, which nobody changes."""
    return json_to_distribution(text)


class Reading:
    """The statements that read the trials for which a condition holds, prepared once."""

    def __init__(self, condition: sa.ColumnElement[bool]) -> None:
        self._trials = sa.select(_TRIALS).where(condition).order_by(_TRIALS.c.trial_id)
        found = sa.select(_TRIALS.c.trial_id).where(condition)
        self._rows = {
            table: sa.select(table).where(table.c.trial_id.in_(found)).order_by(*table.primary_key) for table in _ROWS
        }

    def trials(self, connection: sa.Connection, **parameters: Any) -> list[FrozenTrial]:
        """In the order of their IDs."""
        trials = connection.execute(self._trials, parameters).all()
        rows: dict[sa.Table, dict[int, list[Any]]] = {}
        for table, statement in self._rows.items() if trials else ():
            rows[table] = defaultdict(list)
            for row in connection.execute(statement, parameters):
                rows[table][row.trial_id].append(row)
        return [_trial(row, {table: of_trial[row.trial_id] for table, of_trial in rows.items()}) for row in trials]


OF_STUDY = Reading(
    (_TRIALS.c.study_id == sa.bindparam("study_id"))
    & ((_TRIALS.c.trial_id > sa.bindparam("after")) | _TRIALS.c.trial_id.in_(sa.bindparam("also", expanding=True)))
)
ONE = Reading(_TRIALS.c.trial_id == sa.bindparam("trial_id"))


@dataclass
class Changes:
    """What is still to be written to one trial."""

    trial_id: int
    rows: dict[sa.Table, dict[Any, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    ended: TrialState | None = None

    def param(self, name: str, value: float, distribution: BaseDistribution) -> None:
        self._add(_PARAMS, param_name=name, param_value=value, distribution_json=distribution_to_json(distribution))

    def attribute(self, table: sa.Table, key: str, value: Any) -> None:
        self._add(table, key=key, value_json=json.dumps(value))

    def report(self, step: int, value: float) -> None:
        stored, kind = TrialIntermediateValueModel.intermediate_value_to_stored_repr(value)
        self._add(_REPORTS, step=step, intermediate_value=stored, intermediate_value_type=kind)

    def end(self, state: TrialState, values: Sequence[float] | None) -> None:
        self.ended = state
        for objective, value in enumerate(values or ()):
            stored, kind = TrialValueModel.value_to_stored_repr(value)
            self._add(_VALUES, objective=objective, value=stored, value_type=kind)

    def write(self, connection: sa.Connection, *, replace: bool) -> None:
        """Write all in the transaction of the connection.

        Args:
            replace: Whether rows of the same keys may be there.

        Raises:
            UpdateFinishedTrialError: The trial has ended.
            sqlalchemy.exc.IntegrityError: Such rows are there, unexpectedly.
        """
        mine = _TRIALS.c.trial_id == self.trial_id
        state = connection.execute(sa.select(_TRIALS.c.state).where(mine).with_for_update()).scalar_one()
        if state.is_finished():
            raise UpdateFinishedTrialError(f"trial {self.trial_id} has ended and cannot be changed")
        for table, rows in self.rows.items():
            if replace:
                old = (table.c.trial_id == self.trial_id) & table.c[_ROWS[table]].in_(list(rows))
                connection.execute(sa.delete(table).where(old))
            connection.execute(sa.insert(table), list(rows.values()))
        if self.ended:
            end = {"state": self.ended, "datetime_complete": datetime.now(UTC).replace(tzinfo=None)}
            connection.execute(sa.update(_TRIALS).where(mine).values(end))

    def _add(self, table: sa.Table, **row: Any) -> None:
        self.rows[table][row[_ROWS[table]]] = {"trial_id": self.trial_id, **row}


def earlier_distribution(connection: sa.Connection, trial_id: int, name: str) -> BaseDistribution | None:
    """That of a hyperparameter in any trial of the same study."""
    study = sa.select(_TRIALS.c.study_id).where(_TRIALS.c.trial_id == trial_id).scalar_subquery()
    known = (
        sa.select(_PARAMS.c.distribution_json)
        .join(_TRIALS, _TRIALS.c.trial_id == _PARAMS.c.trial_id)
        .where(_TRIALS.c.study_id == study, _PARAMS.c.param_name == name)
        .limit(1)
    )
    text = connection.execute(known).scalar()
    return None if text is None else _distribution(text)


def _trial(row: Any, rows: Mapping[sa.Table, Sequence[Any]]) -> FrozenTrial:
    values, reports = TrialValueModel, TrialIntermediateValueModel
    distributions = {param.param_name: _distribution(param.distribution_json) for param in rows[_PARAMS]}
    objectives = sorted(rows[_VALUES], key=lambda value: value.objective)
    return FrozenTrial(
        number=row.number,
        state=row.state,
        value=None,
        values=[values.stored_repr_to_value(v.value, v.value_type) for v in objectives] or None,
        datetime_start=_local(row.datetime_start),
        datetime_complete=_local(row.datetime_complete),
        params={p.param_name: distributions[p.param_name].to_external_repr(p.param_value) for p in rows[_PARAMS]},
        distributions=distributions,
        user_attrs={attribute.key: json.loads(attribute.value_json) for attribute in rows[USER_ATTRIBUTES]},
        system_attrs={attribute.key: json.loads(attribute.value_json) for attribute in rows[SYSTEM_ATTRIBUTES]},
        intermediate_values={
            r.step: reports.stored_repr_to_intermediate_value(r.intermediate_value, r.intermediate_value_type)
            for r in rows[_REPORTS]
        },
        trial_id=row.trial_id,
    )


def _local(time: datetime | None) -> datetime | None:
    """Optuna keeps UTC and shows local time, both without a zone."""
    return time and time.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
