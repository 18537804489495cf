"""The settings of Dask and the address of a scheduler, checked before anything runs."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from steps.base.errors import InputError, StepError

_CONNECT, _ANSWER = 5.0, 5.0  # seconds
_POLL = 0.2  # seconds
_ADDRESS = re.compile(r"(?:(?P<scheme>tcp|tls)://)?(?P<host>\[[^]]+\]|[^:/\s@]+):(?P<port>\d{1,5})/?")
_UNLIKE_DASK = (
    TimeoutError,
    MemoryError,
    ValueError,
)  # its first bytes are read as a length, its others as MessagePack


def check_dask() -> None:
    """Read the settings of Dask, from files and variables: its import would fail with a traceback, or a cluster later.

    Raises:
        InputError: A file is damaged, or a section or a time has a value of another kind.
    """
    try:
        import dask.config  # late: it takes a second
        import distributed  # noqa: F401 -- reads its own settings
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unlike_settings(" ".join(str(error).split())) from error
    for defaults in dask.config.defaults:
        for name in defaults:
            _check_setting(name, defaults[name], dask.config.get(name, defaults[name]))


def _check_setting(name: str, default: Any, given: Any) -> None:
    """Compare a section or a time with its default."""
    if isinstance(default, dict):
        if not isinstance(given, dict):
            raise _unlike_settings(f"{given!r} for the section {name}")
        for key, value in default.items():
            _check_setting(f"{name}.{key}", value, given.get(key, value))
    elif isinstance(default, str) and isinstance(given, str) and _is_time(default) and not _is_time(given):
        raise _unlike_settings(f"{given!r} for {name}; write a time such as {default!r}")


def _is_time(text: str) -> bool:
    from dask.utils import parse_timedelta

    try:
        parse_timedelta(text)
    except (ValueError, KeyError):
        return False
    return True


def _unlike_settings(found: str) -> InputError:
    return InputError(
        f"the settings of Dask must be ones that it can read, in variables DASK_… and in the files of DASK_CONFIG or "
        f"~/.config/dask, got {found}"
    )


def check_scheduler(address: str) -> None:
    """Connect to a Dask scheduler and ask for its identity.

    Raises:
        InputError: The text is no address of a scheduler, or another program answers.
        StepError: Nobody answers within seconds.
    """
    host, port = _host_and_port(address)
    arguments = _connection_arguments(address)
    try:
        _await_listener(host, port)
        with ThreadPoolExecutor(1) as own_thread:  # the caller's may have an event loop, as in a notebook
            kind = own_thread.submit(asyncio.run, asyncio.wait_for(_kind(address, arguments), _ANSWER)).result()
    except _UNLIKE_DASK:
        kind = "not a part of Dask"
    except OSError as error:
        raise StepError(
            f"the Dask scheduler at {address} does not answer: {error.strerror or 'it closes the connection'}"
        ) from error
    if kind:
        raise _wrong(address, f", which is {kind}")


def _host_and_port(address: str) -> tuple[str, int]:
    """The parts of an address that Dask takes; tried without a connection."""
    found = _ADDRESS.fullmatch(address)
    if address.lower().startswith(("http://", "https://")):
        raise _wrong(address, ", which seems to be that of its dashboard")
    if found is None or not 0 < int(found["port"]) < 1 << 16:
        raise _wrong(address, "" if re.search(r":\d+/?$", address) else ", without a port")
    return found["host"].strip("[]"), int(found["port"])


def _connection_arguments(address: str) -> dict[str, Any]:
    """Arguments of a connection, by Dask's own settings."""
    from distributed import Security  # late: it takes a second

    try:
        arguments: dict[str, Any] = Security().get_connection_args("client")
    except (OSError, ValueError, TypeError) as error:  # also of OpenSSL
        raise _unlike_settings(f"certificates for TLS that cannot be read ({error})") from error
    if address.startswith("tls:") and arguments.get("ssl_context") is None:
        raise InputError(
            "address must be without TLS if no certificates are set, or set DASK_DISTRIBUTED__COMM__TLS__CA_FILE, "
            f"…__CLIENT__CERT and …__CLIENT__KEY, got {address!r}"
        )
    return arguments


def _await_listener(host: str, port: int) -> None:
    """Wait for a program that accepts connections; a scheduler may still be starting.

    Raises:
        OSError: There is none, or no such host.
    """
    deadline = time.monotonic() + _CONNECT
    while True:
        try:
            socket.create_connection((host, port), _CONNECT).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL)
        except TimeoutError as error:
            raise OSError(error.errno, f"no connection within {_CONNECT:g} s") from error
        else:
            return


async def _kind(address: str, arguments: dict[str, Any]) -> str:
    """The kind of server at an address, in words; "" for a scheduler."""
    from distributed.core import rpc

    async with rpc(address, timeout=_CONNECT, connection_args=arguments) as server:
        identity = await server.identity()
    return "" if "workers" in identity else f"a {identity['type'].lower()} of Dask"


def _wrong(address: str, detail: str) -> InputError:
    example = "tcp://10.0.0.1:8786"
    return InputError(f"address must be that of a Dask scheduler, such as {example}, got {address!r}{detail}")
