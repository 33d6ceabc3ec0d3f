"""Figures for Prometheus, of all of gunicorn's workers together.

Imported only if METRICS_TOKEN is set: without it nothing is counted.
https://prometheus.github.io/client_python/multiprocess/
"""

import os

from django.db import Error
from django.db.models import Count, Sum
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from .models import Frame

own = CollectorRegistry()
duration = Histogram(
    "site_request_seconds",
    "How long answers took",
    ["endpoint"],
    registry=own,
    buckets=[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
)
answers = Counter(
    "site_requests", "Answers by HTTP status", ["endpoint", "status"], registry=own
)
refused = Counter(
    "site_refused", "Requests refused or failed, by reason", ["why"], registry=own
)
opened = Counter(
    "frames_opened", "Frames found in memory, or read", ["where"], registry=own
)


def observe(fields):
    """Count an answered request (dict, see ``logs.note``)."""
    endpoint = fields.get("endpoint") or ""
    duration.labels(endpoint).observe(fields["ms"] / 1000)
    answers.labels(endpoint, fields["status"]).inc()
    if "refused" in fields:
        refused.labels(fields["refused"]).inc()
    for where in "cache_hits", "cache_misses":
        if where in fields:
            opened.labels(where).inc(fields[where])


class Stored:
    """How many frames there are, as the database knows it at this moment."""

    def collect(self):
        try:
            found = Frame.objects.aggregate(
                n=Count("pk"), size=Sum("nbytes", default=0)
            )
        except Error:  # What has been counted is worth telling also then.
            return
        yield GaugeMetricFamily("frames", "Frames", found["n"])
        yield GaugeMetricFamily("frames_bytes", "Their bytes", found["size"])


def exposition():
    """Return the figures (bytes) in Prometheus' format."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # gunicorn.conf.py sets it.
        MultiProcessCollector(registry)
    else:
        registry.register(own)
    registry.register(Stored())
    return generate_latest(registry)
