"""Outbound HTTP: what may be called, and that nothing else is, whatever a name or a redirect says."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator, Sequence

import httpx2
import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from kernel.http import OutboundRefused, guarded_client, refusal

LOOPBACK = "127.0.0.1"


class Resolver:
    """Answers with what it was told; each name's answers are used up one after the other, the last one stays."""

    def __init__(self, **answers: Sequence[str]) -> None:
        self.answers = {name.replace("_", "."): list(addresses) for name, addresses in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        addresses = self.answers[host]
        return [addresses.pop(0) if len(addresses) > 1 else addresses[0]]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",  # an address to refuse
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "2002:7f00:1::1",
        "2001:db8::1",
    ],
)
def test_addresses_that_lead_inside_are_refused(address: str) -> None:
    assert refusal(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_on_the_internet_are_not(address: str) -> None:
    assert refusal(ipaddress.ip_address(address)) == ""


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "64:ff9b::7f00:1"])
def test_the_metadata_of_clouds_stays_refused_where_private_addresses_are_not(address: str) -> None:
    assert refusal(ipaddress.ip_address(address), allow_private=True)
    assert not refusal(ipaddress.ip_address("10.0.0.1"), allow_private=True)


def test_a_name_that_resolves_to_a_private_address_is_refused(httpserver: HTTPServer) -> None:
    with (
        guarded_client(resolve=Resolver(inside_example=[LOOPBACK])) as client,
        pytest.raises(OutboundRefused, match=r"inside\.example may not be called.*127\.0\.0\.1") as caught,
    ):
        client.get(f"http://inside.example:{httpserver.port}/")
    assert "TOLLGATE_OUTBOUND_ALLOW" in caught.value.hint
    assert httpserver.log == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::1]", "[::ffff:127.0.0.1]"])
def test_the_spellings_of_this_machine_are_refused(host: str, httpserver: HTTPServer) -> None:
    with guarded_client() as client, pytest.raises((OutboundRefused, httpx2.ConnectError)):
        client.get(f"http://{host}:{httpserver.port}/")
    assert httpserver.log == []


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    def resolve(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "10.0.0.1"]

    with guarded_client(resolve=resolve) as client, pytest.raises(OutboundRefused, match=r"10\.0\.0\.1"):
        client.get("http://mixed.example/")


def test_private_addresses_can_be_allowed_for_one_client(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("hello")
    with guarded_client(allow_private=True) as client:
        assert client.get(httpserver.url_for("/")).text == "hello"


@pytest.mark.parametrize("entry", ["127.0.0.0/8", "127.0.0.1", "source.corp.example", ".corp.example"])
def test_an_operator_can_name_what_is_needed_inside(entry: str, httpserver: HTTPServer, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["10.9.0.0/16", entry]
    httpserver.expect_request("/").respond_with_data("hello")
    with guarded_client(resolve=Resolver(source_corp_example=[LOOPBACK])) as client:
        assert client.get(f"http://source.corp.example:{httpserver.port}/").text == "hello"


def test_naming_one_host_lets_no_other_pass(httpserver: HTTPServer, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = [".corp.example", "10.0.0.0/8"]
    resolver = Resolver(evilcorp_example=[LOOPBACK])
    with guarded_client(resolve=resolver) as client, pytest.raises(OutboundRefused):
        client.get(f"http://evilcorp.example:{httpserver.port}/")


def test_a_redirect_to_a_private_address_is_refused(httpserver: HTTPServer, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["public.example"]
    inside = f"http://inside.example:{httpserver.port}/secret"
    httpserver.expect_request("/").respond_with_data(status=302, headers={"Location": inside})
    resolver = Resolver(public_example=[LOOPBACK], inside_example=[LOOPBACK])
    with guarded_client(resolve=resolver) as client, pytest.raises(OutboundRefused, match=r"inside\.example"):
        client.get(f"http://public.example:{httpserver.port}/")
    assert [request.path for request, _ in httpserver.log] == ["/"]


def test_a_name_that_answers_differently_the_second_time_is_asked_once(
    httpserver: HTTPServer, settings: Settings
) -> None:
    """DNS rebinding: the connection goes to the address that was checked."""
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    httpserver.expect_request("/").respond_with_data("hello")
    resolver = Resolver(turncoat_example=[LOOPBACK, "10.0.0.1"])
    with guarded_client(resolve=resolver) as client:
        assert client.get(f"http://turncoat.example:{httpserver.port}/").text == "hello"
        assert resolver.asked == ["turncoat.example"]
        with pytest.raises(OutboundRefused, match=r"10\.0\.0\.1"):
            client.get(f"http://turncoat.example:{httpserver.port}/")


def test_the_next_address_is_tried_when_one_does_not_answer(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("hello")

    def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.2", LOOPBACK]  # the server listens on the second only

    with guarded_client(resolve=resolve, allow_private=True) as client:
        assert client.get(f"http://two.example:{httpserver.port}/").text == "hello"


def test_an_announced_body_that_is_too_large_is_not_read(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(b"x" * 2000)
    with (
        guarded_client(allow_private=True, max_bytes=1000) as client,
        pytest.raises(OutboundRefused, match="larger than 1000 bytes"),
    ):
        client.get(httpserver.url_for("/"))


def test_a_body_that_grows_too_large_is_cut_off(httpserver: HTTPServer) -> None:
    def endless(request: Request) -> Response:
        return Response((b"x" * 500 for _ in range(10)), direct_passthrough=True)  # chunked: no length

    httpserver.expect_request("/").respond_with_handler(endless)
    with (
        guarded_client(allow_private=True, max_bytes=1000) as client,
        pytest.raises(OutboundRefused, match="larger than 1000 bytes"),
    ):
        client.get(httpserver.url_for("/"))


def test_a_body_of_just_the_limit_is_fine(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(b"x" * 1000)
    with guarded_client(allow_private=True, max_bytes=1000) as client:
        assert len(client.get(httpserver.url_for("/")).content) == 1000


def test_a_compressed_body_is_refused_because_it_may_be_a_bomb(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(gzip.compress(b"x"), headers={"Content-Encoding": "gzip"})
    with guarded_client(allow_private=True) as client, pytest.raises(OutboundRefused, match="compressed"):
        client.get(httpserver.url_for("/"))


@pytest.fixture
def dripping_port() -> Iterator[int]:
    """A server that sends one byte of its headers every 50 ms and never ends."""
    listener = socket.create_server((LOOPBACK, 0))
    stop = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Endless: ")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    yield listener.getsockname()[1]
    stop.set()
    thread.join()
    listener.close()


def test_a_server_that_drips_is_left_when_the_time_is_up(dripping_port: int) -> None:
    started = time.monotonic()
    with (
        guarded_client(allow_private=True, timeout=5, max_seconds=0.4) as client,
        pytest.raises(OutboundRefused, match="too long"),
    ):
        client.get(f"http://{LOOPBACK}:{dripping_port}/")
    assert time.monotonic() - started < 3


def test_proxies_of_the_environment_are_not_used(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    httpserver.expect_request("/").respond_with_data("hello")
    with guarded_client(allow_private=True) as client:
        assert client.get(httpserver.url_for("/")).text == "hello"


@pytest.mark.parametrize("url", ["ftp://public.example/", "file:///etc/passwd", "gopher://public.example/"])
def test_other_schemes_are_refused(url: str) -> None:
    with guarded_client() as client, pytest.raises(httpx2.UnsupportedProtocol):
        client.get(url)
