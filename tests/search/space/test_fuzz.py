"""Any content of a file of a space or of points is read, or refused in one line."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from steps.base.errors import InputError
from steps.search.space.file import SPACES, load_space, space_path
from steps.search.strategy.points import load_points

pytestmark = pytest.mark.slow
many = settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

SPACE = load_space(space_path("image"))
SPACE_TEXTS = [path.read_text(encoding="utf-8") for path in sorted(SPACES.glob("*.yaml"))]
POINT_TEXTS = [
    "- {n_layers: 1, units_0: 256}\n- {optimizer: adam, learning_rate: 1e-3}\n",
    '[{"n_layers": 1, "units_0": 256}]',
    "- &a {n_layers: 1}\n- *a\n- <<: *a\n  units_0: 64\n",
]
TOKENS = st.one_of(
    st.sampled_from([
        "!!bool maybe", "!!int x", "!!float x", "!!timestamp today", "2001-99-99", "!!set {a}", "!!omap [a: 1]",
        "!!binary x", "!!python/object:os.system x", "%YAML 9.9", "---", "...", "&a ", "*a", "<<: *a", "<<: 3", "? [1]",
        "? {a: 1}", "[1]", "{}", "[]", "null", "~", "yes", ".inf", "-.inf", ".nan", "1e999", "1e-400", "-0", "0x1F",
        "0o17", "1_000", "1:30", "=", "\t", "\x00", "\x85", "\ufeff", "\u2028", "|", ">", "'", '"', "- ", ": ", "#",
        "[" * 400, "{a: " * 400, "9" * 400, "low", "high", "step", "log", "choices", "when", "repeat", "default",
        "type", "units", "units_0", "units_999999999", "n_layers: 1e9", "- 3", "- {1: 2}", "- {~: 2}", "3.5: x",
    ]),
    st.text(max_size=5),
)  # fmt: skip
_PATIENCE = 5.0  # seconds for one file


@st.composite
def damaged(draw: st.DrawFn, texts: list[str]) -> str:
    """A good text in which tokens are inserted, spans removed or repeated, and lines moved."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        match draw(st.sampled_from(["insert", "insert", "replace", "remove", "repeat", "shuffle"])):
            case "insert":
                text = text[:start] + draw(TOKENS) + text[start:]
            case "replace":
                text = text[:start] + draw(TOKENS) + text[end:]
            case "remove":
                text = text[:start] + text[end:]
            case "repeat":
                text = text[:end] + text[start:]
            case _:
                text = "\n".join(draw(st.permutations(text.split("\n"))))
    return text


def is_read_or_refused(read: Callable[[Path], object], path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    begun, line = time.monotonic(), ""
    try:
        read(path)
    except InputError as error:
        line = str(error)
    assert "\n" not in line
    assert len(line) < 2000
    assert time.monotonic() - begun < _PATIENCE


def bomb(entry: str, levels: int = 30) -> str:
    """A short text with aliases that stands for 2 ** levels values."""
    lines = ["- &a0 [1, 1]", *(f"- &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, levels))]
    return "\n".join(lines) + f"\n- {entry}"


@many
@given(damaged(SPACE_TEXTS))
@example("dropout: " + "[" * 300 + "]" * 300)
@example("dropout: " + "[" * 900 + "]" * 900)
@example("dropout: &a [*a]")
@example("dropout: &a {type: *a}")
def test_a_damaged_space_is_one_line(tmp_path: Path, text: str) -> None:
    is_read_or_refused(load_space, tmp_path / "space.yaml", text)


@many
@given(damaged(POINT_TEXTS))
@example(bomb("{optimizer: *a29}"))
@example("- {optimizer: &a [*a]}")
@example("- &a {optimizer: *a}")
@example("- {? &a [*a] : 1}")
@example("- {optimizer: " + "[" * 300 + "]" * 300 + "}")
def test_a_damaged_list_of_points_is_one_line(tmp_path: Path, text: str) -> None:
    is_read_or_refused(lambda path: load_points(path, SPACE), tmp_path / "points.yaml", text)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", "größe".encode("latin-1"), "- {}".encode("utf-16"), b"\x00"])
def test_a_file_that_is_no_text_is_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(content)
    for read in (load_space, lambda path: load_points(path, SPACE)):
        with pytest.raises(InputError) as error:
            read(path)
        assert "\n" not in str(error.value)
