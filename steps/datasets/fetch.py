"""Files from the public mirrors, into the user's cache directory."""

from __future__ import annotations

import http.client
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

from steps.datasets.dataset import DataError

logger = logging.getLogger(__name__)


def fetch(
    name: str, mirrors: Sequence[str], sha256: str, folder: Path, *, retries: int = 2, delay: float = 1.0
) -> Path:
    """Path of the file `name` in `folder`, downloaded from the first mirror that serves it intact.

    Args:
        name: File name, appended to each mirror's address.
        mirrors: Addresses ending in a slash, tried in turn.
        sha256: Checksum of the file as served.
        folder: Cache; a file with this checksum is not downloaded again.
        retries: Further attempts at each mirror.
        delay: Seconds between two attempts.

    Raises:
        DataError: No mirror served the file; the message has every mirror's reason.
    """
    from sklearn.datasets import fetch_file  # late: scikit-learn is a third of the start-up of most steps

    reasons = []
    for mirror in mirrors:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # scikit-learn warns at each retry; the reason is logged once, below
                path = fetch_file(mirror + name, folder, name, sha256=sha256, n_retries=retries, delay=delay)
        except (OSError, http.client.HTTPException) as error:
            logger.warning("Mirror %s did not serve %s (%s); trying the next.", mirror, name, error)
            reasons.append(f"{mirror}: {error}")
        else:
            return Path(path)
    raise DataError(f"{name}: no mirror served it ({'; '.join(reasons)}); check the network, or copy it to {folder}")
