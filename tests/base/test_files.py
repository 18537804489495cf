from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from steps.base.errors import InputError
from steps.base.files import array_digest, cache_folder, made_cache_folder, made_folder, remove_with_drafts, replacing

KILLED_HALFWAY = """
import os, sys; from pathlib import Path; from steps.base.files import replacing
with replacing(Path(sys.argv[1])) as draft:
    draft.write_text("half")
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_appears_whole(durable: bool, tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    for content in ("first", "second"):
        with replacing(path, durable=durable) as draft:
            draft.write_text(content)
            assert not path.exists() or path.read_text() != content
        assert path.read_text() == content
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_keeps_the_old_file(small_disk: Callable[[int], None], tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    small_disk(1000)
    with pytest.raises(OSError, match="File too large"), replacing(path) as draft:
        draft.write_bytes(bytes(2000))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_kill_leaves_is_removed_with_the_file(tmp_path: Path) -> None:
    path, other = tmp_path / "file[1]", tmp_path / "file"
    for each in (path, other):
        each.write_text("old")
    subprocess.run([sys.executable, "-c", KILLED_HALFWAY, str(path)])
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 3
    remove_with_drafts(path)
    remove_with_drafts(path)
    assert list(tmp_path.iterdir()) == [other]


def test_a_digest_is_of_type_shape_and_content() -> None:
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    assert array_digest([array]) == array_digest([np.asfortranarray(array)])
    others = [array.astype(np.int64), array.reshape(3, 2), array + 1]
    assert len({array_digest([other]) for other in [array, *others]}) == 4


def test_the_cache_folder_is_made_when_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new" / "cache"))
    assert not cache_folder().exists()
    for _ in range(2):
        assert made_cache_folder() == tmp_path / "new" / "cache" / "mlp-tuning"
        assert made_cache_folder().is_dir()


@pytest.mark.parametrize("home", ["/proc/nobody", "/dev/null/home", "{}/a file"])
def test_a_home_that_cannot_be_written_names_the_variable_that_helps(home: str, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    folder = Path(home.format(tmp_path)) / ".local" / "mlp-tuning"
    with pytest.raises(InputError, match=r"^XDG_DATA_HOME must be a folder that can be written, got '.*\.local' \("):
        made_folder(folder, "XDG_DATA_HOME")
