"""Settings of the server: the table `[serve]` of `ariane.toml`."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from ariane.types import CallError

HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+"
)

NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]+(\.[a-z0-9_-]+)*")

POSITIVE = (
    *("connections", "threads", "timeout_seconds", "body_bytes", "body_seconds", "batch_lines"),
    *("json_depth", "rate", "burst", "rate_xrpc", "burst_xrpc", "refresh_seconds"),
    *("cookie_days", "answer_seconds"),
)


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Where the server listens, what it allows a client, and who it is on Bluesky."""

    host: str = "127.0.0.1"
    """The address to listen on; the default is reachable from this machine only."""

    port: int = 8000
    """The port to listen on; 0 takes any free one."""

    hosts: tuple[str, ...] = ()
    """Names by which browsers reach the server beside `host`, `hostname` and addresses, such as one
    that a proxy passes on; a request for any other name is refused (421)."""

    connections: int = 1000
    """How many connections may be open at once."""

    threads: int = 4
    """How many requests are worked on at once."""

    queue: int = 64
    """How many requests may wait for a thread; one more is answered 503."""

    timeout_seconds: float = 20.0
    """How long one request may wait and work before it is answered 503."""

    answer_threads: int = 4
    """How many answers the language model of `[llm]` may be writing at once, apart from `threads`;
    a question beyond them is answered by quotations, and with 0 every one is."""

    answer_seconds: float = 30.0
    """How long one answer may wait for the language model before posts are quoted instead."""

    body_bytes: int = 4_194_304
    """The largest request body, in bytes."""

    body_seconds: float = 15.0
    """How long a client may take to send its body."""

    batch_lines: int = 5000
    """The most events in one batch."""

    json_depth: int = 16
    """How deeply a JSON body may be nested."""

    rate: float = 20.0
    """Requests a second that one client (a viewer, or else an address) may go on making."""

    burst: int = 100
    """Requests that one client may make at once."""

    rate_xrpc: float = 200.0
    """The same as `rate` for the Bluesky routes, where one address asks for many viewers."""

    burst_xrpc: int = 1000
    """The same as `burst` for the Bluesky routes."""

    origins: tuple[str, ...] = ()
    """Web origins whose pages may call the API from a browser; none by default."""

    refresh_seconds: float = 1.0
    """How often new posts are read and a newly promoted model is looked for, at the latest."""

    cookie_days: int = 180
    """How long an anonymous reader's consented cookie is good for."""

    open_accounts: bool = False
    """Let anyone sign in to the page as any account, a new one or the operator, without a proof:
    for demonstrations on one machine, so that `host` must be a loopback address."""

    hostname: str = ""
    """The public HTTPS host name, which makes this a Bluesky feed generator (did:web:hostname)."""

    publisher: str = ""
    """The DID of the account that published the feed records; the server's own where it is ""."""

    plc_directory: str = "https://plc.directory"
    """Where did:plc documents are looked up."""

    private_identity: bool = False
    """Look DID documents up on private addresses too: for tests and closed networks."""

    skeleton_any_id: bool = False
    """Let posts whose id is no at:// URI into feed skeletons: for tests."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise CallError(f"[serve] port is {self.port}; a port lies between 0 and 65535.")
        for name in POSITIVE:
            if not 0 < getattr(self, name) < float("inf"):
                raise CallError(f"[serve] {name} is {getattr(self, name)}; give more than 0.")
        for name in ("queue", "answer_threads"):
            if getattr(self, name) < 0:
                raise CallError(f"[serve] {name} is {getattr(self, name)}; give 0 or more.")
        if self.open_accounts and not _loopback(self.host):
            raise CallError(
                f"[serve] open_accounts is true while host is {self.host}, where others may come "
                "from; listen on 127.0.0.1, or leave it false."
            )
        if self.hostname and not HOST_NAME.fullmatch(self.hostname):
            raise CallError(
                f"[serve] hostname is {self.hostname!r}; give a bare host name such as "
                "feed.example.org, without https:// and without a port."
            )
        for name in self.hosts:
            if not NAME.fullmatch(name):
                raise CallError(
                    f"[serve] hosts holds {name!r}; give bare host names in small letters such as "
                    "feed.example.org, without https:// and without a port."
                )
        if self.publisher and not self.publisher.startswith(("did:plc:", "did:web:")):
            raise CallError(f"[serve] publisher is {self.publisher!r}; give a DID (did:plc:…).")

    @property
    def did(self) -> str:
        """The server's own DID, "" where it is no feed generator."""
        return f"did:web:{self.hostname}" if self.hostname else ""


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
