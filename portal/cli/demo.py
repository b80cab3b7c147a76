"""keydesk demo: the whole portal on this machine, with orders and a mail server of its own."""

import fcntl
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import flask_migrate

from portal import create_app
from portal.cli.init import write_instance_file
from portal.cli.listening import listen, loopback_or_fail
from portal.config import instance_folder
from portal.demo import portal as demo_portal
from portal.demo import shop
from portal.demo.mail_server import LOOPBACK, catching_mails
from portal.demo.orders import PRODUCTS
from portal.demo.vendor import vendors_web_service

DEFAULT_PORT = 5000
SETTINGS = {"DEMO": "true", "SESSION_COOKIE_SECURE": "false", "PORTAL_NAME": '"Keydesk demo"'}


@click.group(invoke_without_command=True)
@click.option(
    "--host", default=LOOPBACK, show_default=True, help="The demo listens on loopback only."
)
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, envvar="PORT", type=click.IntRange(1, 65535)
)
@click.option("--reset", is_flag=True, help="Start over with fresh data.")
@click.pass_context
def demo(ctx: click.Context, host: str, port: int, reset: bool) -> None:
    """Start a demo with 200 orders, a vendor's web service, and a mail server that catches what
    leaves.

    Its data stays in the folder demo/ of the instance folder until --reset.
    """
    if ctx.invoked_subcommand is None:
        _run(host, port, reset)


@demo.command()
@click.option(
    "--product",
    "products",
    multiple=True,
    type=click.Choice([code for code, _sku, _name, _cents in PRODUCTS]),
    default=["1001"],
    help="Its code; several make an order of several items.",
)
@click.option("--quantity", default=1, show_default=True, type=click.IntRange(1, 100))
@click.option("--email", default="kim@example.com", show_default=True)
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, envvar="PORT", type=click.IntRange(1, 65535)
)
def order(products: tuple[str, ...], quantity: int, email: str, port: int) -> None:
    """Tell the demo that is running of a paid order, as the shop of Acme Store would."""
    message = shop.paid_order(list(products), email, quantity)
    try:
        shop.tell(f"http://{LOOPBACK}:{port}", message)
    except shop.ShopError as error:
        raise click.ClickException(str(error)) from None
    number = message["data"]["number"]
    click.echo(f"The order came in: http://{LOOPBACK}:{port}/orders/{number}")


def _run(host: str, port: int, reset: bool) -> None:
    loopback_or_fail(host)
    folder = instance_folder() / "demo"
    with (
        # Both before anything is touched.
        _alone(folder, f"http://{LOOPBACK}:{port}") as lock,
        listen(LOOPBACK, port, choose="PORT=8000 make demo, or --port") as listener,
    ):
        _run_alone(folder, listener, reset, lock)


@contextmanager
def _alone(folder: Path, address: str) -> Iterator[int]:
    """Keep every other demo from `folder` as long as this one runs, at `address`, or anything that
    it has started and that has inherited the file of this number."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("a+") as file:
        file.seek(0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = file.read().strip()
            raise click.ClickException(
                f"The demo runs already, at {running}. End it there first (Ctrl+C)."
            ) from None
        file.truncate()
        file.write(address)
        file.flush()
        yield file.fileno()


def _run_alone(folder: Path, listener: socket.socket, reset: bool, lock: int) -> None:
    if reset:
        shutil.rmtree(folder, ignore_errors=True)
    os.environ["KEYDESK_INSTANCE"] = str(folder)
    write_instance_file(folder, SETTINGS)
    with create_app().app_context():
        flask_migrate.upgrade()
        demo_portal.fill()
    with catching_mails(folder / "mailbox") as mail_port, vendors_web_service(folder) as vendor:
        with create_app().app_context():
            demo_portal.point_to_vendor(*vendor)
        _announce(listener.getsockname()[1])
        sys.exit(_serve(listener, mail_port, folder, lock))


def _announce(port: int) -> None:
    click.echo(
        f"\n  Keydesk demo: http://{LOOPBACK}:{port}\n\n"
        f"  {demo_portal.OPERATOR}   sees all orders\n"
        f"  {demo_portal.AGENT}      sees the orders of Acme Store\n"
        f"  password: {demo_portal.PASSWORD}\n\n"
        f"  A paid order comes in: {_order_command(port)}\n"
        f"  E-mails that leave: http://{LOOPBACK}:{port}/mailbox\n"
        "  Ctrl+C ends it.\n"
    )


def _order_command(port: int) -> str:
    """What to type for an order to come in at `port`, in the folder the demo was started in."""
    script = Path(sys.executable).with_name("keydesk")
    name = script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script
    return f"{shlex.quote(str(name))} demo order" + (
        "" if port == DEFAULT_PORT else f" --port {port}"
    )


def _serve(listener: socket.socket, mail_port: int, folder: Path, lock: int) -> int:
    """Run the real server as a process of its own until it ends; its exit code. Whoever comes to
    `listener` before it has started waits, and is not turned away."""
    fd = listener.fileno()
    command = [sys.executable, "-m", "portal", "serve", f"--fd={fd}", "--no-access-log"]
    environment = os.environ | {
        "KEYDESK_INSTANCE": str(folder),
        "FLASK_MAIL_SERVER": LOOPBACK,
        "FLASK_MAIL_PORT": str(mail_port),
        "FLASK_PORTAL_URL": f"http://{LOOPBACK}:{listener.getsockname()[1]}",
    }
    server = subprocess.Popen(  # noqa: S603 - our own command
        command, env=environment, pass_fds=[lock, fd]
    )
    listener.close()  # or whoever comes while the server ends would wait in vain
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: server.send_signal(received))
    return server.wait()
