"""One GET, bounded in size, time and address: for URLs that others chose."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import httpcore
import httpx

from ariane.ingest.fields import shown
from ariane.ingest.settings import DEFAULTS
from ariane.ingest.source import BrokenSourceError, WrongSourceError

REDIRECTS = 5
REDIRECTED = frozenset({301, 302, 303, 307, 308})
NAT64 = ipaddress.ip_network("64:ff9b::/96")
UNICAST = ipaddress.ip_network("2000::/3")
"""All that is assigned of IPv6 for the public internet (RFC 4291, IANA's registry)."""

SPECIAL = tuple(ipaddress.ip_network(one) for one in ("2001::/23", "2001:db8::/32", "3fff::/20"))
"""What of it is for protocols or for examples."""

HEADERS: Mapping[bytes, bytes] = {
    b"User-Agent": b"Ariane (a self-hosted feed; it honours ETag and Last-Modified)",
    b"Accept": b"*/*",
    b"Accept-Encoding": b"identity",
}
# The value of a header (RFC 9110): Latin-1 without controls, and no space at its ends.
_VALUE = re.compile(r"[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a URL answered; `unchanged` (with no body) if it still is what `etag` told."""

    url: str
    body: bytes
    content_type: str = ""
    etag: str | None = None
    modified: str | None = None
    unchanged: bool = False


def fetch(
    url: str,
    *,
    limit_bytes: int = DEFAULTS.fetch_bytes,
    timeout: float = DEFAULTS.fetch_seconds,
    etag: str | None = None,
    modified: str | None = None,
    allow_private: bool = False,
) -> Fetched:
    """The body at an http or https URL, at most `limit_bytes` of it, within `timeout` seconds.

    The timeout is for everything together, redirects included (at most five, never from https to
    http). Every name is resolved once, its addresses are checked, and the connection goes to an
    address that passed: unless `allow_private`, only to public ones. Proxies are not used.
    `etag` and `modified` are those of an earlier answer. Raises WrongSourceError (a CallError) for
    a URL that no fetch may follow, BrokenSourceError for one that does not answer as it should.
    """
    deadline = time.monotonic() + timeout
    headers = {**HEADERS, **_conditions(etag, modified)}
    address = _address(url)
    network = _Checked(url, deadline, allow_private)
    with _told(url, timeout), httpcore.ConnectionPool(_tls(), network_backend=network) as pool:
        for _ in range(REDIRECTS + 1):
            with pool.stream(
                "GET", _target(address), headers=[(b"Host", address.netloc), *headers.items()]
            ) as response:
                if response.status not in REDIRECTED:
                    return _answer(url, address, response, limit_bytes)
                address = _next(url, address, _header(response, "location"))
    raise BrokenSourceError(f"{url} redirects more than {REDIRECTS} times; give its last address.")


def is_url(target: str) -> bool:
    """Whether a target is meant as a URL, of whatever scheme."""
    return "://" in target


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
        host = address.host  # decoded here, which may fail
    except (httpx.InvalidURL, UnicodeError) as error:
        raise WrongSourceError(f"{shown(url)} is no URL ({error}); correct it.") from None
    if address.scheme not in {"http", "https"} or not host or (address.port or 0) > 65_535:
        raise WrongSourceError(f"{shown(url)} is no http or https URL; only those are fetched.")
    if address.userinfo:
        raise WrongSourceError(f"{shown(host)} is given with a password in its URL; take it out.")
    return address


def _next(url: str, address: httpx.URL, location: str) -> httpx.URL:
    if not location:
        raise BrokenSourceError(f"{url} redirects without saying where; give another address.")
    try:
        joined = str(address.join(location))
    except (httpx.InvalidURL, UnicodeError) as error:
        raise BrokenSourceError(
            f"{url} redirects to {shown(location)}, no URL ({error}); give another address."
        ) from None
    after = _address(joined)
    if address.scheme == "https" and after.scheme == "http":
        raise BrokenSourceError(f"{url} redirects from https to http; give another address.")
    return after


def _answer(url: str, address: httpx.URL, response: httpcore.Response, limit_bytes: int) -> Fetched:
    kind, etag = _header(response, "content-type"), _header(response, "etag") or None
    modified = _header(response, "last-modified") or None
    if response.status == 304:
        return Fetched(str(address), b"", kind, etag, modified, unchanged=True)
    if response.status != 200:
        raise BrokenSourceError(f"{url} answered {response.status}; check the address.")
    if _header(response, "content-encoding").lower() not in {"", "identity"}:
        raise BrokenSourceError(f"{url} answers compressed although asked not to; download it.")
    body = bytearray()
    length = _header(response, "content-length")
    large = length.isascii() and length.isdigit() and int(length[:20]) > limit_bytes
    for chunk in () if large else response.iter_stream():
        body += chunk
        if large := len(body) > limit_bytes:
            break
    if large:
        raise BrokenSourceError(
            f"{url} is larger than {limit_bytes:,} bytes; download it and give the file."
        )
    return Fetched(str(address), bytes(body), kind, etag, modified)


def _target(address: httpx.URL) -> httpcore.URL:
    return httpcore.URL(
        scheme=address.raw_scheme,
        host=address.raw_host,
        port=address.port,
        target=address.raw_path,
    )


def _conditions(etag: str | None, modified: str | None) -> dict[bytes, bytes]:
    """Headers that ask for what is new alone; what could not have come in a header is not sent."""
    told = {b"If-None-Match": etag, b"If-Modified-Since": modified}
    return {
        name: value.encode("latin-1")
        for name, value in told.items()
        if value and _VALUE.fullmatch(value)
    }


def _header(response: httpcore.Response, name: str) -> str:
    for key, value in response.headers:
        if key.lower() == name.encode():
            return value.decode("latin-1").strip()
    return ""


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@contextmanager
def _told(url: str, timeout: float) -> Iterator[None]:
    """Whatever the network says wrong, in one sentence."""
    try:
        yield
    except httpcore.TimeoutException:
        raise BrokenSourceError(
            f"{url} did not answer whole within {timeout:g} seconds; try again later."
        ) from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise BrokenSourceError(f"{url} cannot be fetched ({error}); try again later.") from None


class _Checked(httpcore.NetworkBackend):
    """Connects only to addresses that it resolved and checked itself, and only until a deadline."""

    def __init__(self, url: str, deadline: float, allow_private: bool) -> None:
        self._url, self._deadline, self._allow_private = url, deadline, allow_private
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._addresses(host, port)
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                seconds = _remaining(self._deadline) / left
                stream = self._sockets.connect_tcp(address, port, seconds)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
            else:
                return _Timed(stream, self._deadline)
        raise WrongSourceError(
            f"{shown(self._url)} leads to {host}, which is at no public address; "
            "allow private_addresses in the settings if it is yours."
        )

    def _addresses(self, host: str, port: int) -> list[str]:
        """The host's addresses that may be connected to, as numbers: none resolves again."""
        resolver = ThreadPoolExecutor(1)  # getaddrinfo knows no timeout
        try:
            answer = resolver.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
            found = answer.result(_remaining(self._deadline))
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except (socket.gaierror, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} has no address: {error}") from None
        finally:
            resolver.shutdown(wait=False)
        numbers = dict.fromkeys(str(address[0]) for *_, address in found)
        return [one for one in numbers if self._allow_private or is_public(one)]


class _Timed(httpcore.NetworkStream):
    """A connection whose every wait ends at one deadline, so that a trickle ends too."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _remaining(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _remaining(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        seconds = _remaining(self._deadline)
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, seconds), self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _remaining(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left


def is_public(address: str) -> bool:
    """Whether an IP address is a public one, and so is the IPv4 one that an IPv6 one carries."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        carried = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in NAT64:
            carried.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        inner = [one for one in carried if one is not None]
        if inner:
            return all(one.is_global and not one.is_multicast for one in inner)
        if ip not in UNICAST or any(ip in special for special in SPECIAL):
            return False
    return ip.is_global and not ip.is_multicast
