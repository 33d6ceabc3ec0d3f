"""Metrics for Prometheus, summed over all of gunicorn's workers.

This module needs the client library, so it is imported only if METRICS_TOKEN is set.
https://prometheus.github.io/client_python/multiprocess/
"""

import os
from collections.abc import Iterator
from typing import Any

from django.db import Error
from django.db.models import Count, Sum
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ..models import Frame

own = CollectorRegistry()
duration = Histogram(
    "site_request_seconds",
    "Response times",
    ["endpoint"],
    registry=own,
    buckets=[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
)
answers = Counter(
    "site_requests", "Responses by HTTP status", ["endpoint", "status"], registry=own
)
refused = Counter(
    "site_refused", "Refused and failed requests by reason", ["why"], registry=own
)
opened = Counter(
    "frames_opened", "Frames found in the cache, or read", ["where"], registry=own
)


def observe(fields: dict[str, Any]) -> None:
    """Record the metrics of a request from the fields of its log context."""
    endpoint = fields.get("endpoint") or ""
    duration.labels(endpoint).observe(fields["ms"] / 1000)
    answers.labels(endpoint, fields["status"]).inc()
    if "refused" in fields:
        refused.labels(fields["refused"]).inc()
    for where in "cache_hits", "cache_misses":
        if where in fields:
            opened.labels(where).inc(fields[where])


class FrameCollector(Collector):
    """Collect the number and the size of the frames from the database."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            found = Frame.objects.aggregate(
                n=Count("pk"), size=Sum("nbytes", default=0)
            )
        except Error:  # Other metrics are available without the database.
            return
        yield GaugeMetricFamily("frames", "Number of frames", found["n"])
        yield GaugeMetricFamily("frames_bytes", "Bytes of all frames", found["size"])


def exposition() -> bytes:
    """Return the metrics in the exposition format of Prometheus."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # gunicorn_hooks sets it.
        MultiProcessCollector(registry)
    else:
        registry.register(own)
    registry.register(FrameCollector())
    return generate_latest(registry)
