"""Files at an address: downloaded once into this project's cache, with their SHA-256."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import netrc
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from email.message import Message
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from steps.base.files import file_digest, made_cache_folder, replacing
from steps.datasets.dataset import DataError
from steps.datasets.sources.naming import suffix
from steps.datasets.sources.progress import progress
from steps.datasets.sources.source import SourceError

_ATTEMPTS = 3
_FIRST_WAIT = 1.0  # seconds, doubled after each attempt
_TIMEOUT = 60.0  # seconds without a byte
_CHUNK = 1 << 20  # bytes
_BUSY = (408, 425, 429, 500, 502, 503, 504)  # answers that are worth another attempt
_SECRET = re.compile(r"(?i)(?:^|[-_.])(?:key|sig|auth|code)$|apikey|pass|pwd|token|secret|signature|credential|session")
_ABOUT = "download.json"
_IN_URL = "/%:@!$&'()*+,;=~?-._"  # characters that are not quoted
_PAGE = re.compile(rb"(?i)\s*<(!doctype|html)")
_MAGIC = {b"PAR1": ".parquet", b"ARROW1": ".arrow", b"\x93NUMPY": ".npy"}
_SUFFIXES = {
    "text/csv": ".csv", "application/csv": ".csv", "text/tab-separated-values": ".tsv", "text/plain": ".csv",
    "application/vnd.apache.parquet": ".parquet", "application/x-parquet": ".parquet",
    "application/vnd.apache.arrow.file": ".arrow",
}  # fmt: skip


@dataclass(frozen=True)
class Download:
    """A file that was downloaded.

    Attributes:
        name: Name of the file, with the suffix of its format.
        sha256: SHA-256 of its bytes.
    """

    name: str
    sha256: str


def is_address(given: str) -> bool:
    """Return whether the text is the address of a server."""
    return re.match(r"(?i)https?://", given) is not None


def check_address(given: str) -> None:
    """Refuse an address that cannot be recorded or read; the message never shows its secrets.

    Raises:
        SourceError: It is not an https or http address of a server, or it holds a password or a token.
    """
    try:
        parts = urlsplit(given)
        names = [pair.partition("=")[0] for pair in parts.query.split("&")]
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    except ValueError as error:
        raise SourceError(f"must be an address, got an invalid one ({error})") from error
    if "@" in parts.netloc or any(map(_SECRET.search, names)):
        raise SourceError(
            f"must not hold a password or a token, because parameters are recorded, got one for {shown!r}; "
            "write user and password to ~/.netrc, or download the file first"
        )
    if not is_address(given):
        raise SourceError(f"must be a path or begin with https://, got {shown!r}; download the file first")
    if not parts.hostname:
        raise SourceError(f"must be an address, got {shown!r}, which names no server")


def download(address: str, known: tuple[str, ...]) -> Path:
    """The file at an address, from the cache if it was downloaded before.

    Args:
        known: Suffixes of the readable formats.

    Raises:
        SourceError: The server refuses the address or returns a web page.
        DataError: The server does not answer or drops the connection.
    """
    folder = made_cache_folder() / "downloads" / hashlib.sha256(address.encode()).hexdigest()[:16]
    found = _cached(folder)
    if found is None:
        found = _with_patience(address, folder, known)
        with replacing(folder / _ABOUT) as draft:
            draft.write_text(json.dumps(asdict(found), indent=2) + "\n", encoding="utf-8")
    return folder / found.name


def _cached(folder: Path) -> Download | None:
    """The download in a folder, if it is still intact."""
    try:
        found = Download(**json.loads((folder / _ABOUT).read_text(encoding="utf-8")))
        return found if file_digest(folder / found.name) == found.sha256 else None
    except (OSError, ValueError, TypeError):
        return None


def _with_patience(address: str, folder: Path, known: tuple[str, ...]) -> Download:
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_FIRST_WAIT * 2 ** (attempt - 1))
        try:
            return _download(address, folder, known)
        except urllib.error.HTTPError as error:
            if error.code not in _BUSY:
                answer = f"{error.code} {error.reason}"
                raise SourceError(
                    f"must be an address that can be read, got {address!r}, which answers {answer}"
                ) from error
            reason = f"it answers {error.code} {error.reason}"
        except (http.client.InvalidURL, UnicodeError) as error:
            raise SourceError(f"must be an address, got {address!r} ({error})") from error
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
    raise DataError(f"{address}: the download failed {_ATTEMPTS} times ({reason}); check the network and try again")


def _download(address: str, folder: Path, known: tuple[str, ...]) -> Download:
    with urllib.request.urlopen(_request(address), timeout=_TIMEOUT) as answer:
        first = answer.read(_CHUNK)
        if answer.headers.get_content_type() == "text/html" or _PAGE.match(first):
            raise SourceError(
                f"must be the address of a file, got {address!r}, which is a web page; "
                "look for a link that downloads the file itself"
            )
        name = _file_name(answer.headers, (address, answer.url), first, known)
        length = int(answer.headers.get("Content-Length", 0))
        sha, received = hashlib.sha256(), 0
        with replacing(folder / name) as draft:
            with draft.open("wb") as file, progress(f"Downloading {name}", length or None, is_bytes=True) as advance:
                chunk = first
                while chunk:
                    file.write(chunk)
                    sha.update(chunk)
                    received += len(chunk)
                    advance(len(chunk))
                    chunk = answer.read(_CHUNK)
            if length and received != length:
                raise http.client.IncompleteRead(b"", length - received)
    return Download(name, sha.hexdigest())


def _request(address: str) -> urllib.request.Request:
    """A request with user and password from ~/.netrc; redirects to another server do not carry them."""
    parts = urlsplit(address)
    path, query = quote(parts.path, safe=_IN_URL), quote(parts.query, safe=_IN_URL)
    request = urllib.request.Request(urlunsplit((parts.scheme, parts.netloc, path, query, "")))
    request.add_header("User-Agent", "mlp-tuning")
    if found := _login(parts.hostname or ""):
        token = base64.b64encode(f"{found[0]}:{found[2]}".encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request


def _login(host: str) -> tuple[str, str, str] | None:
    """User, account and password for a server in ~/.netrc."""
    try:
        return netrc.netrc().authenticators(host)
    except FileNotFoundError:
        return None
    except netrc.NetrcParseError as error:
        raise SourceError(
            f"must be an address whose password can be read, got an unreadable ~/.netrc ({error})"
        ) from error


def _file_name(headers: Message, addresses: Iterable[str], first: bytes, known: tuple[str, ...]) -> str:
    """Name of the served file, with the suffix of its format."""
    paths = [headers.get_filename() or "", *(unquote(urlsplit(address).path) for address in addresses)]
    names = [Path(path.replace("\\", "/")).name for path in paths]
    for name in names:
        if suffix(Path(name)) in known:
            return name
    stem = next((Path(name).stem for name in names if name), "") or "data"
    by_content = next((ending for magic, ending in _MAGIC.items() if first.startswith(magic)), None)
    return stem + (by_content or _SUFFIXES.get(headers.get_content_type(), ".csv"))
