"""Who does the work: this process, several on this machine, or a Dask cluster."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from livingcircle_layers.errors import InputError

WAIT_FOR_WORKERS_S = 60.0  # they may be started after the scan
ATTEMPTS = 3  # a job whose worker was killed is given to another one; one that kills three is not tried again


@dataclass(frozen=True)
class Job:
    """A function of a module and what it is called with; both travel to other processes."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class Engine(Protocol):
    """Runs jobs, in any order."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Any]:
        """Yield what the jobs return, as they end."""
        ...

    def threads(self, jobs: int) -> int | None:
        """Return how many threads each of so many jobs is to use; None: as many as its machine has cores."""
        ...


class ThisProcess:
    """Runs one job after the other, here."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Any]:
        """Yield what the jobs return, in their order."""
        for job in jobs:
            yield job.function(*job.arguments)

    def threads(self, jobs: int) -> None:
        """Return None: one job after the other has the machine to itself."""
        del jobs


class Processes:
    """Runs jobs in processes of this machine.

    Parameters
    ----------
    number
        How many.
    """

    def __init__(self, number: int) -> None:
        self.number = number

    def run(self, jobs: Sequence[Job]) -> Iterator[Any]:
        """Yield what the jobs return, as they end; a job whose process was killed is started again.

        Raises
        ------
        InputError
            Processes are killed again and again, for want of memory as a rule.
        """
        left = dict(enumerate(jobs))
        for _ in range(ATTEMPTS):
            try:
                yield from self._run_once(left)
            except BrokenProcessPool:
                continue
            return
        raise InputError(
            f"{len(left)} parts of the city were not measured: their processes were killed {ATTEMPTS} times",
            expected="enough memory for each of them",
            remedy="fewer --jobs, or a smaller --memory so that the parts are smaller; what is done is kept (--resume)",
        )

    def threads(self, jobs: int) -> int:
        """Return the share of the cores that each of the jobs at work has; each thread needs memory of its own."""
        return max(1, (os.cpu_count() or 1) // min(self.number, max(jobs, 1)))

    def _run_once(self, left: dict[int, Job]) -> Iterator[Any]:
        context = multiprocessing.get_context("spawn")
        others = multiprocessing.active_children()
        with _silent_cleaner():
            workers = ProcessPoolExecutor(min(self.number, max(len(left), 1)), context, _end_with_the_parent)
        with workers as pool:
            try:
                with _not_for_children():
                    futures = {pool.submit(job.function, *job.arguments): number for number, job in left.items()}
                for future in as_completed(futures):
                    answer = future.result()
                    del left[futures[future]]
                    yield answer
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in set(multiprocessing.active_children()) - set(others):
                    process.kill()  # what it was working on is not written, or written whole
                raise


def _end_with_the_parent() -> None:
    """Let a worker leave Ctrl-C to its parent, and end when the parent is gone, which a pool's workers do not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _silent_cleaner() -> Iterator[None]:
    """Start the process that clears up after a program that was ended, Python's own, without a word when it does so."""
    name, before = "PYTHONWARNINGS", os.environ.get("PYTHONWARNINGS")
    os.environ[name] = ",".join(filter(None, (before, "ignore:resource_tracker:UserWarning")))
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def _not_for_children() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, not even before they can say so themselves."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # children take it over
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Cluster:
    """Runs jobs on a Dask cluster whose workers see the same folder.

    Parameters
    ----------
    address
        Of the scheduler: ``tcp://host:8786`` or ``tls://host:8786``.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def run(self, jobs: Sequence[Job]) -> Iterator[Any]:
        """Yield what the jobs return, as they end; Dask gives the job of a killed worker to another one.

        Raises
        ------
        InputError
            Dask is not installed, the scheduler cannot be reached or went away, it has no workers, or they cannot use
            the folder.
        """
        try:
            from distributed import Client
            from distributed import as_completed as completed
            from distributed.client import FutureCancelledError
        except ImportError as error:
            raise InputError(
                "--scheduler needs Dask",
                remedy='here and on every worker, in the source folder: pip install -c constraints.txt ".[cluster]"',
            ) from error
        _quiet_dask()
        self._check_encryption()
        fault = None
        try:
            with Client(self.address, timeout="10s", set_as_default=False) as client:  # type: ignore[no-untyped-call]
                self._wait_for_a_worker(client)
                futures = [
                    client.submit(job.function, *job.arguments, pure=False, retries=ATTEMPTS - 1) for job in jobs
                ]
                for future in completed(futures, loop=client.loop):  # type: ignore[no-untyped-call]
                    fault = future.exception()  # of the job; whatever is raised here is of the connection
                    if fault is not None:
                        break
                    yield future.result()
        except (OSError, TimeoutError, FutureCancelledError) as error:
            raise InputError(
                f"no Dask scheduler at {self.address}",
                got=str(error).splitlines()[0] if str(error) else type(error).__name__,
                expected="a running scheduler whose workers see the output folder",
                remedy="start it again and scan with --resume: what is done is kept",
            ) from error
        if fault is not None:
            raise self._told(fault)

    def threads(self, jobs: int) -> None:
        """Return None: how many cores the machines of the workers have is known there."""
        del jobs

    def _check_encryption(self) -> None:
        """Refuse an address that does not go with the certificates of Dask's configuration."""
        from distributed.security import Security

        encrypted, got = self.address.startswith("tls://"), "none"
        try:
            security = Security()  # type: ignore[no-untyped-call]
            known = security.get_connection_args("client").get("ssl_context") is not None  # type: ignore[no-untyped-call]
        except OSError as error:  # a file that is not there, or is no certificate
            known, got = False, str(error)
        if encrypted and not known:
            raise InputError(
                f"{self.address} needs certificates",
                got=got,
                expected="distributed.comm.tls in Dask's configuration, with ca-file, and cert and key of the client",
                remedy="set them as docs/large.md says; or tcp:// within a network that is yours alone",
            )
        if not encrypted and security.require_encryption:
            raise InputError(
                f"{self.address} is open, and Dask's configuration asks for encryption",
                expected="tls://…",
                remedy="start scheduler and workers with tls:// and their certificates",
            )

    def _wait_for_a_worker(self, client: Any) -> None:
        try:
            client.wait_for_workers(1, timeout=WAIT_FOR_WORKERS_S)
        except TimeoutError as error:
            raise InputError(
                f"the Dask scheduler at {self.address} has no workers",
                got=f"none within {WAIT_FOR_WORKERS_S:g} s",
                remedy=f"start some (dask worker {self.address}), each where the output folder can be seen",
            ) from error

    def _told(self, fault: BaseException) -> BaseException:
        """Return the fault of a job in words, where it is of the worker's machine and not of the program."""
        from distributed.scheduler import KilledWorker

        if isinstance(fault, KilledWorker):
            return InputError(
                f"the workers of {self.address} were killed again and again while they measured a part",
                expected="enough memory on each of them",
                remedy="a smaller --memory so that the parts are smaller; what is done is kept (--resume)",
            )
        if isinstance(fault, OSError):
            return InputError(
                f"a worker of {self.address} cannot use a file of the output folder",
                got=str(fault),
                expected="a folder that this machine and every worker see under the same path and may write to",
                remedy="choose such a folder with -o; what is done is kept (--resume)",
            )
        return fault


def _quiet_dask() -> None:
    """Keep what Dask logs of a lost connection from the screen: it is told in one line.

    For good, as its threads still log tracebacks when all is over.
    """
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)
