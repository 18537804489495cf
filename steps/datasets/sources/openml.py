"""Data sets of OpenML by number, fetched by scikit-learn into this project's cache."""

from __future__ import annotations

import http.client
import warnings
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from steps.base.files import made_cache_folder
from steps.datasets.dataset import DataError
from steps.datasets.sources.source import SourceError, Table
from steps.datasets.sources.tables import tidy

PREFIX = "openml:"


def openml_number(given: str) -> int:
    """The number of a data set after `openml:`.

    Raises:
        SourceError: It is not a number.
    """
    number = given.removeprefix(PREFIX).strip()
    if not (number.isascii() and number.isdecimal()):
        raise SourceError(f"must be openml: and the number of a data set, such as openml:31, got {given!r}")
    return int(number)


def read_openml(given: str) -> tuple[Table, str]:
    """A data set of OpenML, without its ignored columns and with its target, if it declares one.

    Args:
        given: `openml:` and the number of the data set.

    Returns:
        The table, and the name of the data set.

    Raises:
        SourceError: The number is invalid, or there is no dense data set with this number.
        DataError: The server does not answer.
    """
    from sklearn.datasets import fetch_openml  # late: most data do not need it

    number, cache = openml_number(given), made_cache_folder()
    try:
        # The parser in plain Python takes 2 s for 100,000 x 20 cells; the other one fails on classes that are numbers.
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            bunch = fetch_openml(data_id=number, data_home=cache, target_column=None, as_frame=True, parser="liac-arff")
    except (OSError, http.client.HTTPException) as error:  # a ValueError is about the data
        raise DataError(f"{given}: OpenML does not answer ({error}); check the network and try again") from error
    except ValueError as error:
        raise SourceError(f"must be a dense data set of OpenML, got {given!r} ({error})") from error
    table = tidy(pa.Table.from_pandas(bunch.frame, preserve_index=False), Path(given))
    target = bunch.details.get("default_target_attribute") or ""
    said = [str(warning.message) for warning in caught]
    notes = tuple(text.partition(", meaning")[0] + "." for text in said if "is inactive" in text)
    stated = target if target in table.table.column_names else ""
    return replace(table, target=stated, notes=table.notes + notes), bunch.details["name"]
