"""Sources of data: a file, a folder, an address, or a bundled table -> a table or images."""

from steps.datasets.sources.opening import open_source
from steps.datasets.sources.source import ImageSource, TableSource

__all__ = ["ImageSource", "TableSource", "open_source"]
