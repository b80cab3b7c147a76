"""keydesk demo: the whole portal on this machine, with orders and a mail server of its own."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import click
import flask_migrate

from portal import create_app
from portal.cli.init import write_instance_file
from portal.config import instance_folder
from portal.demo import portal as demo_portal
from portal.demo.mail_server import LOOPBACK, catching_mails

SETTINGS = {"DEMO": "true", "SESSION_COOKIE_SECURE": "false", "PORTAL_NAME": '"Keydesk demo"'}


@click.command()
@click.option(
    "--host", default=LOOPBACK, show_default=True, help="The demo listens on loopback only."
)
@click.option(
    "--port", default=5000, show_default=True, envvar="PORT", type=click.IntRange(1, 65535)
)
@click.option("--reset", is_flag=True, help="Start over with fresh data.")
def demo(host: str, port: int, reset: bool) -> None:
    """Start a demo with 200 orders, and a mail server that catches what leaves.

    Its data stays in the folder demo/ of the instance folder until --reset.
    """
    if host not in (LOOPBACK, "localhost"):
        raise click.ClickException(
            f"The demo listens on {LOOPBACK} only, because its passwords are known to everybody."
        )
    folder = instance_folder() / "demo"
    if reset:
        shutil.rmtree(folder, ignore_errors=True)
    os.environ["KEYDESK_INSTANCE"] = str(folder)
    write_instance_file(folder, SETTINGS)
    with create_app().app_context():
        flask_migrate.upgrade()
        demo_portal.fill()
    with catching_mails(folder / "mailbox") as mail_port:
        _announce(port)
        sys.exit(_serve(port, mail_port, folder))


def _announce(port: int) -> None:
    click.echo(
        f"\n  Keydesk demo: http://{LOOPBACK}:{port}\n\n"
        f"  {demo_portal.OPERATOR}   sees all orders\n"
        f"  {demo_portal.AGENT}      sees the orders of Acme Store\n"
        f"  password: {demo_portal.PASSWORD}\n\n"
        f"  E-mails that leave: http://{LOOPBACK}:{port}/mailbox\n"
        "  Ctrl+C ends it.\n"
    )


def _serve(port: int, mail_port: int, folder: Path) -> int:
    """Run the real server as a process of its own until it ends; its exit code."""
    command = [sys.executable, "-m", "portal", "serve", "--port", str(port), "--no-access-log"]
    environment = os.environ | {
        "KEYDESK_INSTANCE": str(folder),
        "FLASK_MAIL_SERVER": LOOPBACK,
        "FLASK_MAIL_PORT": str(mail_port),
        "FLASK_PORTAL_URL": f"http://{LOOPBACK}:{port}",
    }
    server = subprocess.Popen(command, env=environment)  # noqa: S603 - our own command
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: server.send_signal(received))
    return server.wait()
