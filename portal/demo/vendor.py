"""The vendor of the demo: the example web service, run as a process of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.shared_secret import new_secret

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "web_service.py"


@contextmanager
def vendors_web_service(folder: Path) -> Iterator[tuple[str, str]]:
    """Run the example until the block ends: its address, and the secret it shares with us. What it
    has answered is kept in `folder`."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    secret = new_secret()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, str(EXAMPLE), str(port), str(folder / "vendor.db")],
        env=os.environ | {"WEB_SERVICE_SECRET": secret},
        stderr=subprocess.DEVNULL,  # where it says each request
    )
    try:
        yield f"http://127.0.0.1:{port}/licenses", secret
    finally:
        process.terminate()
        process.wait()
