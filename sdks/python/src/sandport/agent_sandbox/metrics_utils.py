"""Metrics of the client."""

from __future__ import annotations


def get_metrics() -> str:
    """Prometheus text. The client keeps no metrics: those of the sandboxes are the daemon's."""
    return "# The client keeps no metrics; ask the daemon for /metrics.\n"


def print_metrics() -> None:
    """Prints :func:`get_metrics`."""
    print(get_metrics())
