"""The Dask cluster of a fleet, as its client sees it."""

from __future__ import annotations

import logging
import warnings
from typing import Any
from urllib.parse import urlsplit

from actbench.errors import InputError

INSTALL = "python -m pip install 'actbench-derivatives[fleet]'"

CONNECTING = 10.0
"""Seconds that a scheduler has to answer."""


def refuse_no_address(scheduler: str) -> None:
    """Raise `InputError` for what cannot be the address of a scheduler, at which Dask's client would wait in vain."""
    try:
        has_port = urlsplit(scheduler if "://" in scheduler else f"tcp://{scheduler}").port is not None
    except ValueError:
        has_port = False
    if not has_port:
        raise InputError(f"--scheduler {scheduler}: write the address of a Dask scheduler, tcp://HOST:PORT")


def connect(scheduler: str) -> Any:
    """Connect to a scheduler; `InputError` where Dask is not installed, or no scheduler answers."""
    try:
        from distributed import Client
    except ImportError:
        raise InputError(f"fleets are run by Dask, which is not installed: {INSTALL}") from None
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # a lost scheduler is one sentence, and no tracebacks
    # of an array of inputs, which has a limit of its own, and of versions, which hosts are held to by actbench
    warnings.filterwarnings("ignore", module=r"distributed\.")
    try:
        return Client(scheduler, timeout=CONNECTING, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"--scheduler {scheduler}: no Dask scheduler answers there ({error}): start one with 'dask scheduler', or "
            "correct the address"
        ) from None


def workers_of(client: Any) -> list[str]:
    """Return the addresses of all Dask workers."""
    return [*_threads(client)]


def busy_workers(client: Any) -> set[str]:
    """Return the addresses of the Dask workers of which no thread is free: what they are sent waits."""
    threads = _threads(client)
    return {address for address, tasks in client.processing().items() if len(tasks) >= threads.get(address, 1)}


def _threads(client: Any) -> dict[str, int]:
    """Return the number of threads of each Dask worker, by address.

    `Client.scheduler_info` may return those of its own regular update in between, which has none of them.
    """
    workers = client.sync(client.scheduler.identity, n_workers=-1)["workers"]
    return {address: worker["nthreads"] for address, worker in workers.items()}
