"""Files from a real HTTP server."""

from __future__ import annotations

import base64
import hashlib
import io
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from steps.base.errors import InputError
from steps.datasets import DataError
from steps.datasets.sources import TableSource, open_source

ROWS = b"a,b\n1,x\n2,y\n"
TABLE = pa.table({"a": [1, 2], "b": ["x", "y"]})


def parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(TABLE, sink)
    return sink.getvalue()


class Server(BaseHTTPRequestHandler):
    """Serves by path; counts requests, and keeps what came with the last one."""

    served: dict[str, tuple[str, bytes]]
    requests: list[str]
    authorizations: list[str | None]
    failures: int  # answers that fail before one is good

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.requests.append(self.path)
        self.authorizations.append(self.headers["Authorization"])
        if type(self).failures:
            type(self).failures -= 1
            self.send_error(503)
        elif path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://localhost:" + str(self.server.server_port) + "/rows.csv")  # type: ignore[attr-defined]
            self.end_headers()
        elif path in self.served:
            kind, content = self.served[path]
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content) + (10 if path == "/cut.csv" else 0)))
            if path == "/named":
                self.send_header("Content-Disposition", 'attachment; filename="../my rows.tsv"')
            self.end_headers()
            self.wfile.write(content)
        else:
            self.send_error(404)

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache directory is empty, and a second is short."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("time.sleep", lambda _: None)
    return tmp_path / "cache"


@pytest.fixture
def server() -> Iterator[str]:
    Server.requests, Server.authorizations, Server.failures = [], [], 0
    Server.served = {
        "/rows.csv": ("application/octet-stream", ROWS),
        "/a%20b/gr%C3%B6%C3%9Fe.csv": ("text/csv", ROWS),
        "/export": ("text/csv; charset=utf-8", ROWS),
        "/named": ("application/octet-stream", ROWS.replace(b",", b"\t")),
        "/magic": ("application/octet-stream", parquet()),
        "/cut.csv": ("text/csv", ROWS),
        "/page.csv": ("text/html", b"<!DOCTYPE html><title>rows.csv</title>"),
        "/bad.csv": ("text/csv", b"a,b\n1\n"),
    }
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def read(given: str) -> TableSource:
    source = open_source(given)
    assert isinstance(source, TableSource)
    return source


def test_a_file_is_downloaded_once(server: str) -> None:
    for _ in range(2):
        source = read(f"{server}/rows.csv")
        assert source.table == TABLE
        assert (source.name, source.source) == ("rows", f"{server}/rows.csv")
        assert "delete that folder to download it again" in source.notes[-1]
        assert source.sha256 == hashlib.sha256(ROWS).hexdigest()
    assert Server.requests == ["/rows.csv"]


def test_a_cached_file_that_changed_is_downloaded_again(server: str, cache: Path) -> None:
    read(f"{server}/rows.csv")
    (path,) = cache.rglob("rows.csv")
    path.write_bytes(b"a,b\n9,z\n")
    assert read(f"{server}/rows.csv").table == TABLE
    (path.parent / "download.json").write_text("{")
    assert read(f"{server}/rows.csv").table == TABLE
    assert len(Server.requests) == 3


@pytest.mark.parametrize("path", ["/export?format=csv", "/named", "/magic", "/moved", "/a b/größe.csv"])
def test_the_format_is_told_by_name_type_or_content(path: str, server: str) -> None:
    assert read(server + path).table == TABLE


def test_a_busy_server_is_asked_again(server: str) -> None:
    Server.failures = 2
    assert read(f"{server}/rows.csv").table == TABLE
    assert len(Server.requests) == 3


def test_a_server_that_stays_busy_or_hangs_up_is_an_error_of_its_own(server: str, cache: Path) -> None:
    Server.failures = 99
    with pytest.raises(DataError, match=r"/rows.csv: the download failed 3 times \(it answers 503"):
        read(f"{server}/rows.csv")
    Server.failures = 0
    with pytest.raises(DataError, match=r"/cut.csv: the download failed 3 times \(IncompleteRead"):
        read(f"{server}/cut.csv")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/rows.csv"
        with pytest.raises(DataError, match="refused"):
            read(address)
    assert [path for path in cache.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{server}/nowhere.csv", r"got '.*/nowhere.csv', which answers 404 Not Found"),
        ("{server}/page.csv", r"must be the address of a file, got '.*/page.csv', which is a web page"),
        ("{server}/bad.csv", r"got 'http://.*/bad.csv', where row 1 has 1 \('1'\)"),
        ("http://me:hidden@[::1/rows.csv", r"must be an address, got an invalid one"),
        ("http:///rows.csv", r"must be an address, got 'http:///rows.csv', which names no server"),
        ("http://a b.org/rows.csv", r"must be an address, got 'http://a b.org/rows.csv'"),
        ("s3://bucket/rows.csv", r"must be a path or begin with https://, got 's3://bucket/rows.csv'"),
    ],
)
def test_an_address_that_gives_no_data_is_refused(given: str, message: str, server: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        read(given.format(server=server))
    assert "\n" not in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_user_and_password_come_from_the_netrc_file(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password p@ss\n")
    netrc.chmod(0o600)
    read(f"{server}/rows.csv")
    assert Server.authorizations == ["Basic " + base64.b64encode(b"me:p@ss").decode()]
    read(f"{server}/moved")  # to another name of the server
    assert Server.authorizations[2] is None
    netrc.write_text("machine\n")
    with pytest.raises(InputError, match=r"~/.netrc"):
        read(f"{server}/export")


@pytest.mark.parametrize(
    "given",
    [
        "https://me:hidden@a.org/rows.csv", "https://hidden@a.org/rows.csv", "https://a.org/rows.csv?token=hidden",
        "https://a.org/rows.csv?X-Amz-Signature=hidden", "https://a.org/rows.csv?sv=1&sig=hidden",
        "https://a.org/rows.csv?api_key=hidden",
        "s3://me:hidden@a.org/rows.csv",
    ],
)  # fmt: skip
def test_an_address_with_a_password_is_refused_and_not_shown(given: str) -> None:
    with pytest.raises(InputError, match=r"must not hold a password or a token, .* for '.*a.org/rows.csv'") as raised:
        read(given)
    assert "hidden" not in str(raised.value)


def test_a_word_like_key_in_a_parameter_is_no_secret(server: str) -> None:
    read(f"{server}/export?monkey=1&signed=2&author=3")
