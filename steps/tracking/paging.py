"""Paging through search results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def pages(search: Callable[..., Any], *args: Any, **kwargs: Any) -> Iterator[Any]:
    """All results of a search of MLflow, whatever its page size.

    Args:
        search: A method of `MlflowClient` that takes `page_token`.
    """
    token = None
    while True:
        page = search(*args, **kwargs, page_token=token)
        yield from page
        token = page.token
        if not token:
            return
