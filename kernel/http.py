"""Outbound HTTP that cannot be turned against the network it runs in.

Addresses of sources and webhooks are typed in by people. ``guarded_client`` resolves a host once, checks every address
it resolves to, and connects to one that was checked: a name cannot answer differently the second time (DNS
rebinding). Redirects go through the same check. A response has a size limit, an exchange a time limit.

Refused are loopback, private, link-local (where clouds keep their metadata), multicast and reserved addresses, also
when they hide in IPv4-mapped, NAT64 or 6to4 addresses. What is needed inside the own network is named in the setting
``OUTBOUND_ALLOW``: networks ("10.20.0.0/16"), hosts ("mlflow.corp.example") or domains (".corp.example").
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias, cast

import httpcore2
import httpx2
from django.conf import settings
from django.utils.translation import gettext as _

from kernel.errors import DomainError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver: TypeAlias = Callable[[str, int], Sequence[str]]

MAX_BYTES = 10 * 1024 * 1024
MAX_SECONDS = 60.0
MAX_REDIRECTS = 5

# ``is_global`` lets these through although they lead to any IPv4 address, private ones included.
_TRANSLATED = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"))


class OutboundRefused(DomainError):
    """The address may not be called, or its answer was too large or too slow."""

    status = 422
    code = "outbound_refused"


def guarded_client(
    *,
    timeout: float = 10.0,
    allow_private: bool = False,
    max_bytes: int = MAX_BYTES,
    max_seconds: float = MAX_SECONDS,
    follow_redirects: bool = True,
    headers: dict[str, str] | None = None,
    resolve: Resolver | None = None,
) -> httpx2.Client:
    """A client for addresses that somebody typed in. Use it as a context manager; it reads no proxy variables.

    ``timeout`` bounds each step (connecting, one read), ``max_seconds`` the whole exchange with its redirects,
    ``max_bytes`` the body of one response. ``allow_private`` lets private and loopback addresses pass, never
    link-local ones. Raises ``OutboundRefused`` for what is refused and ``httpx2.HTTPError`` for what fails.
    """
    backend = _GuardedBackend(resolve or _resolve, allow_private=allow_private)
    return _GuardedClient(
        max_seconds=max_seconds,
        transport=_GuardedTransport(backend, max_bytes=max_bytes),
        timeout=timeout,
        follow_redirects=follow_redirects,
        max_redirects=MAX_REDIRECTS,
        trust_env=False,
        # Without compression a body cannot be larger than what was counted.
        headers={"User-Agent": "Tollgate", **(headers or {}), "Accept-Encoding": "identity"},
    )


def refusal(address: Address, *, allow_private: bool = False) -> str:
    """Why an address may not be called; empty if it may."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return refusal(mapped, allow_private=allow_private)
    if any(address in network for network in _networks()):
        return ""
    if any(address in network for network in _TRANSLATED):
        return _("it translates to another address")
    if address.is_multicast or address.is_unspecified or address.is_link_local:
        return _("it is link-local, multicast or unspecified")
    if allow_private and (address.is_private or address.is_loopback):
        return ""
    return "" if address.is_global else _("it is private, loopback or reserved")


def guarded_addresses(host: str, port: int) -> list[str]:
    """The addresses of a host for clients that are not HTTP, each of them checked: connect to one of these, not to
    the name, which may answer differently the second time. Raises ``OutboundRefused``; ``OSError`` when there is none.
    """
    try:
        return _GuardedBackend(_resolve, allow_private=False)._checked(host, port)
    except httpcore2.ConnectError as error:
        raise OSError(str(error)) from None


class _GuardedClient(httpx2.Client):
    """Starts the clock of an exchange, whose redirects share it."""

    def __init__(self, *, max_seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self._max_seconds = max_seconds

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        token = _deadline.set(time.monotonic() + self._max_seconds)
        try:
            return super().send(request, **options)
        finally:
            _deadline.reset(token)


class _GuardedTransport(httpx2.HTTPTransport):
    def __init__(self, backend: httpcore2.NetworkBackend, *, max_bytes: int) -> None:
        # Not super().__init__(): it would only build the pool that this one replaces.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(),  # SSL_CERT_FILE names an organisation's own authorities
            # A connection serves one exchange, so the deadline it was opened under is its own.
            max_keepalive_connections=0,
            network_backend=backend,
        )
        self._max_bytes = max_bytes

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = super().handle_request(request)
        try:
            self._check_headers(response)
        except OutboundRefused:
            response.close()
            raise
        response.stream = _CountedStream(cast(httpx2.SyncByteStream, response.stream), self._max_bytes)
        return response

    def _check_headers(self, response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise OutboundRefused(_("The answer is compressed although that was declined."))
        announced = response.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > self._max_bytes:
            raise _too_large(self._max_bytes)


class _CountedStream(httpx2.SyncByteStream):
    """A response body that ends with an error when it outgrows its limit."""

    def __init__(self, stream: httpx2.SyncByteStream, max_bytes: int) -> None:
        self._stream = stream
        self._max_bytes = max_bytes

    def __iter__(self) -> Iterator[bytes]:
        left = self._max_bytes
        for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise _too_large(self._max_bytes)
            yield chunk

    def close(self) -> None:
        self._stream.close()


class _GuardedBackend(httpcore2.NetworkBackend):
    """Opens connections to checked addresses only."""

    def __init__(self, resolve: Resolver, *, allow_private: bool) -> None:
        self._resolve = resolve
        self._allow_private = allow_private
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        deadline = _deadline.get()
        failure: Exception | None = None
        for address in self._checked(host, port):
            try:
                stream = self._sockets.connect_tcp(
                    address, port, _remaining(deadline, timeout), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, deadline)
        raise failure or httpcore2.ConnectError(f"{host} has no address")

    def connect_unix_socket(self, *args: Any, **options: Any) -> httpcore2.NetworkStream:
        raise OutboundRefused(_("Sockets of this machine cannot be called."))

    def _checked(self, host: str, port: int) -> list[str]:
        """The addresses of a host, all of them if every one may be called."""
        try:
            addresses = list(self._resolve(host, port))
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} cannot be resolved: {error}") from error
        if not _host_is_allowed(host):
            for address in addresses:
                reason = refusal(ipaddress.ip_address(address.partition("%")[0]), allow_private=self._allow_private)
                if reason:
                    raise OutboundRefused(
                        _("%(host)s may not be called: its address is %(address)s, and %(reason)s.")
                        % {"host": host, "address": address, "reason": reason},
                        hint=_("If it is yours, an operator can name it in TOLLGATE_OUTBOUND_ALLOW."),
                    )
        return addresses


class _TimedStream(httpcore2.NetworkStream):
    """A connection whose every step ends when the exchange has to."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float | None) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _until(self._deadline):
            return self._stream.read(max_bytes, _remaining(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _until(self._deadline):
            self._stream.write(buffer, _remaining(self._deadline, timeout))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        with _until(self._deadline):
            stream = self._stream.start_tls(ssl_context, server_hostname, _remaining(self._deadline, timeout))
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


_deadline: ContextVar[float | None] = ContextVar("outbound_deadline", default=None)


def _remaining(deadline: float | None, timeout: float | None) -> float | None:
    """How long the next step may take: its own timeout, or what is left of the exchange."""
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise _too_slow()
    return left if timeout is None else min(timeout, left)


@contextmanager
def _until(deadline: float | None) -> Iterator[None]:
    """Tell a step that ran into the end of the exchange from one that took too long by itself."""
    try:
        yield
    except httpcore2.TimeoutException:
        if deadline is not None and time.monotonic() >= deadline:
            raise _too_slow() from None
        raise


def _too_slow() -> OutboundRefused:
    return OutboundRefused(_("The answer took too long."))


def _too_large(max_bytes: int) -> OutboundRefused:
    return OutboundRefused(_("The answer is larger than %(bytes)d bytes.") % {"bytes": max_bytes})


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _allowed() -> list[str]:
    return [str(entry).strip().lower() for entry in getattr(settings, "OUTBOUND_ALLOW", ()) if str(entry).strip()]


def _networks() -> list[Network]:
    found: list[Network] = []
    for entry in _allowed():
        try:
            found.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            continue  # a host name
    return found


def _host_is_allowed(host: str) -> bool:
    host = host.lower().rstrip(".")
    return any(host == entry or (entry.startswith(".") and host.endswith(entry)) for entry in _allowed())
