"""Reader of the IDX format, gzip-compressed, as MNIST is published."""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from pathlib import Path

import numpy as np

from steps.datasets.dataset import DataError


def read_idx(path: Path, sha256: str) -> np.ndarray:
    """Array of uint8 in the shape stated in the file's header.

    Args:
        path: A gzip file.
        sha256: Checksum of the decompressed content.

    Raises:
        DataError: The content is missing, truncated or changed; the message names the file and both checksums.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: checksum expected {sha256}, found none: the file is damaged ({error})") from error
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise DataError(f"{path}: checksum expected {sha256}, found {found}")
    rank = content[3]
    shape = np.frombuffer(content, ">u4", rank, offset=4).astype(int)
    return np.frombuffer(content, np.uint8, math.prod(shape), offset=4 + 4 * rank).reshape(shape)
