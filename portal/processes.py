"""Which process is at work on something, and whether it can still be."""

import os
import secrets
from functools import cache
from pathlib import Path
from socket import gethostname

# A container that is started again may give a process the same number.
_LIFE = secrets.token_hex(4)


def this_process() -> str:
    """The name of this process, among all of all hosts and times: 'place:life:pid'."""
    return f"{_place()}:{_LIFE}:{os.getpid()}"


def is_gone(name: str) -> bool:
    """Whether the process of this name is known to have ended. Of another place nobody knows."""
    parts = name.rsplit(":", 2)
    if len(parts) != 3 or parts[0] != _place() or not parts[2].isdigit():
        return False
    if int(parts[2]) == os.getpid():
        return name != this_process()
    try:
        os.kill(int(parts[2]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@cache
def _place() -> str:
    """Where a number stands for one process: the host, and on Linux the container, because two of
    them may call themselves by one host's name (namespaces(7))."""
    try:
        return f"{gethostname()}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:  # another system has no such thing
        return gethostname()
