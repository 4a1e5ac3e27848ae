"""What both transports share: settings of httpx, and httpx's errors in our words. No I/O."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
from typing import Any, Dict, Final, List, Optional, Tuple
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from ._config import ResolvedConfig
from ._version import __version__
from ._wire.call import Answer, ReadTimeout, Request
from .errors import ConfigError, NetworkError, SandportError, SandportTimeoutError
from .errors import error_from_answer as error_from_body

#: Tries of a request that the daemon did not get.
ATTEMPTS: Final = 3
#: Seconds before each further try.
RETRY_DELAYS: Final = (0.1, 0.4)

# The daemon closes connections that are idle for longer; a reused one must not be about to close.
_KEEPALIVE_SECONDS = 30.0

_KEEPALIVE_OPTIONS: List[Tuple[int, int, int]] = [
    (level, option, value)
    for level, option, value in (
        (socket.SOL_SOCKET, getattr(socket, "SO_KEEPALIVE", None), 1),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", None), 30),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", None), 15),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", None), 4),
    )
    if option is not None
]


def client_options(config: ResolvedConfig) -> Dict[str, Any]:
    """Keyword arguments for ``httpx.Client`` and ``httpx.AsyncClient`` alike."""
    local = _is_loopback(config.url)
    return {
        "headers": {
            "Authorization": f"Bearer {config.api_key}",
            "User-Agent": f"sandport-python/{__version__}",
            "Accept": "*/*",
            # Bytes arrive as they are stored.
            "Accept-Encoding": "identity",
        },
        # Without TLS no certificates are loaded: that takes longer than most requests.
        "verify": config.url.startswith("https:"),
        # A daemon on this machine is never behind a proxy.
        "trust_env": not local,
        "follow_redirects": False,
        "limits": limits(),
    }


def transport_options(config: ResolvedConfig) -> Dict[str, Any]:
    """Keyword arguments for a transport with TCP keepalive, which notices a dead peer while a
    command is silent. Empty when the environment names proxies: then httpx makes its own."""
    if not _is_loopback(config.url) and getproxies():
        return {}
    return {
        "verify": config.url.startswith("https:"),
        "limits": limits(),
        "socket_options": _KEEPALIVE_OPTIONS,
    }


def limits() -> httpx.Limits:
    return httpx.Limits(
        max_connections=None,
        max_keepalive_connections=20,
        keepalive_expiry=_KEEPALIVE_SECONDS,
    )


def timeout_of(request: Request, config: ResolvedConfig) -> httpx.Timeout:
    return httpx.Timeout(
        connect=config.connect_timeout,
        write=_seconds(request.write_timeout, config),
        read=_seconds(request.read_timeout, config),
        pool=None,
    )


def _seconds(timeout: ReadTimeout, config: ResolvedConfig) -> Optional[float]:
    if timeout == "idle":
        return config.idle_timeout
    return None if timeout == "forever" else timeout


def abort(response: httpx.Response) -> None:
    """Ends the connection under whoever reads the body."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None
    if connection is not None:
        with contextlib.suppress(OSError):  # It is gone already.
            if isinstance(connection, ssl.SSLSocket):  # Its own method is not for two threads.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            else:
                connection.shutdown(socket.SHUT_RDWR)


def make_url(config: ResolvedConfig, request: Request) -> str:
    return config.url + request.target


def answer_of(response: httpx.Response, request: Request) -> Answer:
    """:raises SandportError: for an answer that is not a success. The body must have been read."""
    if response.is_success or response.status_code in request.also_expected:
        headers = {key.lower(): value for key, value in response.headers.items()}
        return Answer(response.status_code, headers, response.content)
    raise error_from_body(
        response.status_code, response.content, response.headers.get("x-request-id")
    )


def may_retry(request: Request, error: Exception, attempt: int) -> bool:
    """True when the daemon certainly did not act on the request, or a second try does no harm."""
    if attempt >= ATTEMPTS or not request.idempotent:
        return False
    if isinstance(error, httpx.ConnectError):
        return True
    dropped = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
    repeatable = request.repeatable or request.method in ("GET", "HEAD")
    return repeatable and isinstance(error, dropped)


def error_of(error: Exception, config: ResolvedConfig) -> SandportError:
    """The error that stands for one of httpx's."""
    if isinstance(error, httpx.ConnectTimeout):
        return SandportTimeoutError(
            f"{config.url} did not take the connection within {config.connect_timeout:g} s.",
            code="client_timeout",
            retryable=True,
        )
    if isinstance(error, httpx.TimeoutException):
        return SandportTimeoutError(
            f"{config.url} was silent for too long.", code="client_timeout", retryable=True
        )
    if isinstance(error, httpx.ConnectError):
        return NetworkError(
            f"No daemon is reachable at {config.url} ({error}). Start one with "
            "`npx sandport serve`, or correct SANDPORT_URL.",
            code="network_error",
            retryable=True,
        )
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
        return ConfigError(
            f"{config.url!r} is not an http or https address: {error}", code="not_configured"
        )
    return NetworkError(
        f"The connection to {config.url} broke: {error or type(error).__name__}.",
        code="network_error",
        retryable=True,
    )


#: What httpx raises for itself; errors of the caller's own iterables pass through untouched.
HTTPX_ERRORS: Final = (httpx.TransportError, httpx.InvalidURL, httpx.StreamError)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
