"""Metrics: what Prometheus reads; no label ever holds a person, a post or an address."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections import defaultdict
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ariane.types import Feed

METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
UNROUTED = "none"


@dataclass(frozen=True, slots=True)
class Latency:
    """How long the answers of one route took, in seconds; told from the histogram's buckets."""

    route: str
    requests: int
    p50: float
    p95: float
    p99: float


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "ariane_requests",
            "Requests by method, route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "ariane_request_seconds",
            "Seconds from a request's first byte to its answer's last.",
            ("route",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "ariane_requests_in_flight", "Requests being answered.", registry=self.registry
        )
        self.held = Gauge(
            "ariane_work_held", "Jobs running or waiting for a thread.", registry=self.registry
        )
        self.feeds = Counter(
            "ariane_feeds",
            "Feeds served, by feed and by the rung of the ladder that ranked them.",
            ("feed", "model"),
            registry=self.registry,
        )
        self.removed = Counter(
            "ariane_removed",
            "Candidates that a rule or a policy took out of feeds.",
            ("policy",),
            registry=self.registry,
        )
        self.posts_read = Counter(
            "ariane_posts_read", "Posts read in the background.", registry=self.registry
        )
        self.posts_deepened = Counter(
            "ariane_posts_deepened", "Posts read by the language model.", registry=self.registry
        )
        self.posts_not_deepened = Counter(
            "ariane_posts_not_deepened",
            "Posts of which the language model gave no reading.",
            registry=self.registry,
        )
        self.posts_unreadable = Gauge(
            "ariane_posts_unreadable",
            "Posts that could not be read and are tried again later.",
            registry=self.registry,
        )
        self.background_failures = Counter(
            "ariane_background_failures", "Failed turns of the background.", registry=self.registry
        )
        self.engine_loads = Counter(
            "ariane_engine_loads", "Engines loaded while serving.", registry=self.registry
        )

    def served(self, feed: Feed) -> None:
        """Count a feed that was served, and what was taken out of it."""
        self.feeds.labels(feed.ask.feed.name, feed.model).inc()
        for policy, count in Tally(one.verdict.policy for one in feed.page.removed).items():
            self.removed.labels(policy).inc(count)

    def counted(self, counter: Counter) -> list[tuple[dict[str, str], int]]:
        """A counter's labels and counts, the largest first."""
        rows = [
            (dict(sample.labels), int(sample.value))
            for family in counter.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        ]
        return sorted(rows, key=lambda row: (-row[1], sorted(row[0].items())))

    def latencies(self) -> list[Latency]:
        """Every route that was asked for, the most asked first."""
        held: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        for family in self.seconds.collect():
            for sample in family.samples:
                if sample.name.endswith("_bucket"):
                    bound = float(sample.labels["le"])
                    held[sample.labels["route"]].append((bound, sample.value))
        rows = [
            Latency(
                route,
                int(buckets[-1][1]),
                *(_quantile(sorted(buckets), share) for share in (0.5, 0.95, 0.99)),
            )
            for route, buckets in held.items()
        ]
        return sorted(rows, key=lambda row: (-row.requests, row.route))

    def text(self) -> bytes:
        """The exposition format, version 0.0.4."""
        return generate_latest(self.registry)


def _quantile(buckets: list[tuple[float, float]], share: float) -> float:
    """A quantile of cumulative (bound, count), evenly spread inside a bucket as Prometheus has it.

    What lies beyond the last finite bound is told as that bound.
    """
    wanted = share * buckets[-1][1]
    low, before = 0.0, 0.0
    for bound, count in buckets:
        if count >= wanted and count > before:
            inside = (wanted - before) / (count - before)
            return low if bound == float("inf") else low + (bound - low) * inside
        if bound != float("inf"):
            low = bound
        before = count
    return low


class Measured:
    """Counts and times every request by the template of its route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and measure it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500
        began = time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self.metrics.in_flight.track_inprogress():
            try:
                await self.app(scope, receive, watch)
            finally:
                route = getattr(scope.get("route"), "path", UNROUTED)
                method = scope["method"] if scope["method"] in METHODS else "other"
                self.metrics.requests.labels(method, route, str(status)).inc()
                self.metrics.seconds.labels(route).observe(time.perf_counter() - began)
