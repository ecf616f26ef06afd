"""The most memory that this process has ever had."""

from __future__ import annotations

from pathlib import Path

__all__ = ["peak_kib"]


def peak_kib() -> int:
    """In KiB. (``ru_maxrss`` would begin with the peak of whoever started the process.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])
