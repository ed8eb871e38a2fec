"""Metrics: what Prometheus reads; no label ever holds a person, a post or an address."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
UNROUTED = "none"


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
        self.posts_read = Counter(
            "ariane_posts_read", "Posts read in the background.", registry=self.registry
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

    def text(self) -> bytes:
        """The exposition format, version 0.0.4."""
        return generate_latest(self.registry)


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
