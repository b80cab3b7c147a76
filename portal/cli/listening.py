"""Where the portal is listened for, and what is said when that cannot be."""

import errno
import socket

import click

from portal.demo.mail_server import LOOPBACK

# Who may wait to be let in, as many as gunicorn allows.
BACKLOG = 2048


def loopback_or_fail(host: str) -> None:
    """End with one line if the demo would be served to anybody but this machine."""
    if host not in (LOOPBACK, "localhost"):
        raise click.ClickException(
            f"The demo listens on {LOOPBACK} only, because its passwords are known to everybody."
        )


def listen(host: str, port: int, *, choose: str = "--port") -> socket.socket:
    """A socket that listens there; `choose` is how whoever started this takes another port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(
                f"The port {port} of {host} is taken; choose another with {choose}."
            ) from None
        raise click.ClickException(f"Nobody can listen on {host}: {error.strerror}.") from None
    # gunicorn sets it too late for who connects while it starts: each answer would take 40 ms more.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
