"""Measure the CPU time, memory and duration of processes."""

import contextlib
import os
import socket
import subprocess
import time
import urllib.request

QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def wall(function, *arguments):
    """Return the duration of a call in seconds."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def cpu_and_memory(site, arguments):
    """Return the CPU seconds and the peak resident memory (in kB) of a command."""
    process = subprocess.Popen([site.python, *arguments], cwd=site.path, **QUIET)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{arguments} failed in {site.path}"
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def free_address():
    """Return a free address of the loopback interface, as host:port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def first_page(site):
    """Return the seconds between the start of `runserver` and the first page."""
    address = free_address()
    command = [site.python, "manage.py", "runserver", "--noreload", address]
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=site.path, **QUIET)
    try:
        while time.perf_counter() - start < 60:
            assert process.poll() is None, f"no server in {site.path}"
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://{address}/", timeout=60).read()
                return time.perf_counter() - start
            time.sleep(0.005)
        raise TimeoutError(f"no page from {site.path} in 60 s")
    finally:
        process.terminate()
        process.wait()
