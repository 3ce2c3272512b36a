"""What the numbers were measured on, without names of hosts or people."""

import os
import platform
import sys
from pathlib import Path


def machine() -> str:
    """One line: processor, usable cores, memory, kernel, Python."""
    cores = len(os.sched_getaffinity(0))
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    python = ".".join(map(str, sys.version_info[:3]))
    kernel = platform.release().split("-")[0]
    return f"{_processor()}, {cores} cores, {memory_gib:.0f} GiB, Linux {kernel}, Python {python}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return value.strip()
    return platform.machine()
