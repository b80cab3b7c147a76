"""Which process is at work on something, and whether it can still be."""

import os
import secrets
from socket import gethostname

# A container that is started again may give a process the same number.
_LIFE = secrets.token_hex(4)


def this_process() -> str:
    """The name of this process, among all of all hosts and times: 'host:life:pid'."""
    return f"{gethostname()}:{_LIFE}:{os.getpid()}"


def is_gone(name: str) -> bool:
    """Whether the process of this name is known to have ended. Of another host nobody knows."""
    parts = name.rsplit(":", 2)
    if len(parts) != 3 or parts[0] != gethostname() or not parts[2].isdigit():
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
