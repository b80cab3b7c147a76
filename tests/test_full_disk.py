"""A disk that fills up under the worker: nothing is lost, nobody is asked twice, and the worker
goes on by itself as soon as there is room.

What the disk does is done by a limit on the size of the worker's files, which anybody may set.
"""

import resource
from threading import Thread

import pytest

from portal.models import Fulfilment
from portal.models.product import Tool
from tests.support.running_portal import wait_until
from tests.support.web_services import reply, stored_settings_for
from tests.test_worker import begin, is_over, seen

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Disk:
    """The disk of a worker, which says there what it complains about."""

    def __init__(self, worker):
        self._worker = worker
        self._said = []
        Thread(target=self._said.extend, args=(worker.stderr,), daemon=True).start()

    def fill(self):
        resource.prlimit(self._worker.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def make_room(self):
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(self._worker.pid, resource.RLIMIT_FSIZE, unlimited)

    def wait_for_complaint(self, words):
        """Wait until the worker has said `words`."""
        wait_until(lambda: any(words in line.decode() for line in list(self._said)))


@pytest.fixture
def disk(acme, keydesk):
    with keydesk.start("worker") as worker:
        yield Disk(worker)
        worker.kill()


def test_what_a_vendor_answered_is_not_lost(disk, service, mailbox):
    def answer(handler, closing):
        disk.fill()
        reply("AAAA-1")(handler, closing)

    service.answer = [answer, reply("AAAA-2")]
    stored = stored_settings_for(service.url)
    (asking,) = begin("A0001111111", tool=Tool.WEB_SERVICE, settings=stored)
    disk.wait_for_complaint("The database failed")
    disk.make_room()
    wait_until(is_over)
    (mail,) = mailbox.messages
    assert "AAAA-1" in mail.plain
    assert len(service.asked) == 1
    assert seen(Fulfilment, asking).attempts == 1


def test_what_the_mail_server_answered_is_not_lost(disk, mailbox, monkeypatch):
    take_in = mailbox.put

    def put(*mail):
        disk.fill()
        take_in(*mail)

    monkeypatch.setattr(mailbox, "put", put)
    begin("A0001111111")
    disk.wait_for_complaint("The database failed")
    disk.make_room()
    wait_until(is_over)
    assert len(mailbox.messages) == 1


def test_what_comes_while_the_disk_is_full_is_done_when_there_is_room(disk, service, mailbox):
    begin("A0001111111")
    mailbox.wait_for(1)
    wait_until(is_over)
    disk.fill()
    stored = stored_settings_for(service.url)
    service.answer = [reply("AAAA-1"), reply("AAAA-2")]
    begin("A0002222222", "A0003333333")
    begin("A0004444444", "A0005555555", tool=Tool.WEB_SERVICE, settings=stored)
    disk.wait_for_complaint("The queue cannot be read")
    assert (len(service.asked), len(mailbox.messages)) == (0, 1)
    disk.make_room()
    wait_until(is_over)
    assert (len(service.asked), len(mailbox.messages)) == (2, 5)
