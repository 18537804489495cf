"""Hints about the values of a column from its name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_ID = frozenset(("id", "ids", "uuid", "guid", "rowid", "rowname", "rownames", "rownum", "rownumber", "index", "idx",
                 "key", "unnamed", "serial"))  # fmt: skip
_GLUED_ID = re.compile(
    r"(account|case|client|customer|device|employee|event|game|guest|house|item|listing|loan|match|member|movie|order|"
    r"passenger|patient|person|player|policy|product|record|sample|school|seller|session|store|student|subject|team|"
    r"transaction|user|visit|visitor)id"
)
_CODE = frozenset(
    ("branch", "campaign", "category", "cat", "cd", "channel", "city", "class", "cluster", "code", "country",
     "county", "department", "dept", "district", "dow", "ethnicity", "fips", "gender", "genre", "group", "grp", "iata",
     "icd", "id", "kind", "label", "marital", "month", "naics", "occupation", "plz", "postal", "postcode", "quarter",
     "race", "region", "religion", "segment", "sex", "shop", "sic", "sku", "state", "status", "store", "type",
     "weekday", "zip", "zipcode")
)  # fmt: skip
_GLUED_CODE = re.compile(r"\w+(class|code|group|month|type|zip)")
_UNIX = frozenset(("epoch", "timestamp", "ts", "unix", "unixtime"))
_SURE_TARGETS = ("target", "label", "class", "y", "outcome", "response")
_TARGETS = frozenset(
    ("churn", "churned", "exited", "attrition", "default", "defaulted", "fraud", "isfraud", "survived", "survival",
     "diagnosis", "species", "price", "saleprice", "sales", "revenue", "income", "salary", "rating", "score", "quality",
     "status", "result", "grade", "rent", "value", "medv", "demand", "cnt", "clicked", "click", "converted",
     "conversion", "purchase", "purchased", "subscribed", "deposit", "approved", "dead", "died", "death", "mortality",
     "readmitted", "spam", "sentiment", "duration", "delay", "yield", "strength", "mpg", "failure")
)  # fmt: skip


def parts(name: str) -> list[str]:
    """Lower-case words of a name: `["customer", "id"]` for `customerID` and `customer_id`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.findall(r"[^\W_]+", spaced.casefold())


def is_id(name: str) -> bool:
    """Return whether the name suggests an identifier of rows, or of the groups they belong to."""
    words = parts(name)
    return bool(words) and (words[-1] in _ID or words[0] == "unnamed" or _GLUED_ID.fullmatch(words[-1]) is not None)


def is_code(name: str) -> bool:
    """Return whether integers with this name are codes, whose magnitude means nothing."""
    words = parts(name)
    return any(word in _CODE for word in (*words[:1], *words[-1:])) or any(map(_GLUED_CODE.fullmatch, words[-1:]))


def is_unix_time(name: str) -> bool:
    """Return whether numbers with this name can be seconds since 1970."""
    return not _UNIX.isdisjoint(parts(name))


def likely_target(name: str) -> int:
    """2 for a name that only targets have, 1 for one that targets often have, else 0."""
    words = parts(name)
    if "".join(words) in _SURE_TARGETS:
        return 2
    return int("".join(words) in _TARGETS or any(word in _TARGETS for word in words) or words[-1:] == ["target"])


def nearest(name: str, names: Iterable[str]) -> str:
    """Suggestion for a name that does not exist: the most similar one, or all if there are few."""
    by_fold = {other.strip().casefold(): other for other in names}
    close = difflib.get_close_matches(name.strip().casefold(), by_fold, n=1)
    if close:
        return f"; did you mean {by_fold[close[0]]!r}?"
    return f"; there are {', '.join(by_fold.values())}" if 0 < len(by_fold) <= 20 else ""
