"""Downloads, from a real HTTP server."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from steps.datasets import DataError
from steps.datasets.fetch import fetch

CONTENT = bytes(range(256)) * 400
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Mirror(BaseHTTPRequestHandler):
    """/good/ serves the file, /wrong/ another one, /cut/ hangs up in the middle, the rest is not found."""

    requests: list[str]

    def do_GET(self) -> None:
        self.requests.append(self.path)
        kind = self.path.split("/")[1]
        if kind not in ("good", "wrong", "cut"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write({"good": CONTENT, "wrong": CONTENT[::-1], "cut": CONTENT[:1000]}[kind])

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[str]:
    Mirror.requests = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_a_good_file_is_downloaded_once(server: str, tmp_path: Path) -> None:
    for _ in range(2):
        assert fetch("file", [f"{server}/good/"], SHA256, tmp_path, retries=0).read_bytes() == CONTENT
    assert Mirror.requests == ["/good/file"]


@pytest.mark.parametrize("bad", ["wrong", "cut", "missing"])
def test_the_next_mirror_is_tried(bad: str, server: str, tmp_path: Path) -> None:
    mirrors = [f"{server}/{bad}/", f"{server}/good/"]
    assert fetch("file", mirrors, SHA256, tmp_path, retries=0).read_bytes() == CONTENT


def test_a_mirror_that_is_down_is_passed_over(server: str, tmp_path: Path) -> None:
    mirrors = ["http://127.0.0.1:9/", f"{server}/good/"]
    assert fetch("file", mirrors, SHA256, tmp_path, retries=0).read_bytes() == CONTENT


@pytest.mark.parametrize("bad", ["wrong", "cut", "missing"])
def test_no_mirror_leaves_no_file(bad: str, server: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no mirror served it"):
        fetch("file", [f"{server}/{bad}/"], SHA256, tmp_path, retries=1, delay=0.0)
    assert not (tmp_path / "file").exists()
    assert len(Mirror.requests) == (1 if bad == "wrong" else 2)  # a whole but wrong file is not asked for again
