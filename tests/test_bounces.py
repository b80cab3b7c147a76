"""An e-mail that comes back is found by its Message-ID, and by nothing else."""

import os
import sqlite3
from contextlib import closing
from time import monotonic

import pytest

from portal import bounces, postman
from portal.extensions import db
from portal.models import DeliveryStatus
from tests.people import CODE, KIM, bring_in, order_document


def report(message_id, *, action="failed", why=f"smtp; 550 5.1.1 <{KIM}>: unknown", whole=False):
    """What a mail server says of an e-mail that it could not deliver (RFC 3464)."""
    kind = "message/rfc822" if whole else "text/rfc822-headers"
    return f"""\
From: MAILER-DAEMON@mail.example
To: shop@acme.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="--b"

----b
Content-Type: text/plain; charset=utf-8

I'm sorry to have to inform you that your message could not be delivered.

----b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example

Final-Recipient: rfc822; {KIM}
Action: {action}
Status: 5.1.1
Diagnostic-Code: {why}

----b
Content-Type: {kind}

Message-ID: {message_id}
To: {KIM}
Subject: Your license

{CODE if whole else ""}
----b--
""".encode()


@pytest.fixture
def sent(license, rob, mailbox):
    """Two e-mails to the same customer, about two orders, the older one first."""
    other = bring_in(order_document("A0006666666")).items[0].licenses[0]
    return [
        postman.resend(one, by=rob, token=f"{number}" * 20)
        for number, one in enumerate((license, other))
    ]


@pytest.mark.parametrize("whole", [False, True], ids=["headers", "all of it"])
def test_the_email_that_came_back_is_the_one_that_is_named(sent, whole):
    older, newest = sent
    assert bounces.take(report(older.message_id, whole=whole)) is older
    assert older.status is DeliveryStatus.BOUNCED
    assert newest.status is DeliveryStatus.SENT
    entry = older.order.history[0]
    assert entry.sentence == (
        f"The email containing license information to {KIM} came back: it was not delivered"
    )
    assert entry.answer == f"smtp; 550 5.1.1 <{KIM}>: unknown"


def test_the_same_report_again_changes_nothing(sent):
    for _time in range(2):
        bounces.take(report(sent[0].message_id))
    assert len(sent[0].order.history) == 2


def test_a_license_that_the_report_quotes_is_not_in_the_history(sent):
    bounces.take(report(sent[0].message_id, why=f"smtp; 554 spam: {CODE}"))
    assert sent[0].order.history[0].answer == "smtp; 554 spam: …"


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"Subject: Out of office\n\nI am away.",
        report("<1@elsewhere.example>"),
        report("<1@acme.example>", action="delayed"),
        report(""),
        report("x", whole=True).replace(b"message/rfc822", b"image/png"),
    ],
    ids=["nothing", "no report", "another's", "delayed", "no id", "no original"],
)
def test_what_is_no_report_of_an_email_of_ours_is_refused(sent, mail):
    with pytest.raises(bounces.NoBounce):
        bounces.take(mail)


def endless(beginning, line, lines=300_000):
    return beginning.encode() + line * lines


@pytest.mark.parametrize(
    "mail",
    [
        endless("Content-Type: message/delivery-status\n\n", b"\n"),
        endless("Content-Type: message/delivery-status\n\n", b"Action: x\n\n"),
        endless("Content-Type: text/plain", b";", 3_000_000) + b"\n\n",
        endless("Content-Type: text/plain", b";\n x", 300_000) + b"\n\n",
        endless('Content-Type: text/plain; boundary="', b'\\"', 3_000_000) + b"\n\n",
        endless("Content-Type: multipart/mixed; boundary=b\n\n", b"--b\n\n\n"),
        endless("", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n", 1_000),
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (depth, depth)
            for depth in range(100_000)
        ),
        endless("", b"Content-Type: message/rfc822\n\n"),
    ],
    ids=[
        "empty lines", "blocks", "semicolons", "folded", "quotes", "parts",
        "nested", "nested deeper", "mails in mails",
    ],
)  # fmt: skip
def test_a_mail_that_is_made_to_keep_us_busy_is_no_report_within_seconds(app, mail):
    begun = monotonic()
    with pytest.raises(bounces.NoBounce):
        bounces.take(mail)
    assert monotonic() - begun < 10


@pytest.mark.parametrize(
    "message_id", ["<", "<@", "<>", "<a@", "<a@[", "<a@[\n x", "\0", "é", "<" * 2000]
)
@pytest.mark.parametrize("whole", [False, True], ids=["headers", "all of it"])
def test_a_broken_message_id_is_that_of_no_email(sent, message_id, whole):
    with pytest.raises(bounces.NoBounce):
        bounces.take(report(message_id, whole=whole))


def test_the_words_of_the_server_are_kept_whatever_is_in_them(sent):
    why = "smtp; 550\0 pas d'adresse\x1b «é»\n  and a second line"
    bounces.take(report(sent[0].message_id, why=why))
    assert sent[0].order.history[0].answer == "smtp; 550 pas d'adresse «é» and a second line"


def test_a_report_that_quotes_a_very_long_email_is_taken(sent):
    mail = report(sent[0].message_id, whole=True)
    bounces.take(mail.replace(CODE.encode(), b"A long license.\n" * 1_000_000))
    assert sent[0].status is DeliveryStatus.BOUNCED


def test_the_command_says_what_it_made_of_a_mail(keydesk, sent, tmp_path):
    file = tmp_path / "bounce.eml"
    file.write_bytes(report(sent[0].message_id))
    db.session.rollback()
    run = keydesk.run("bounces", "take", file)
    assert (run.returncode, run.stdout) == (0, "The e-mail of order A0005555555 came back.\n")
    file.write_bytes(b"Subject: Hello\n\nHello")
    run = keydesk.run("bounces", "take", file)
    assert (run.returncode, run.stdout, run.stderr) == (
        0, "", "The mail does not report that an e-mail came back.\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    "mail",
    [b"", b"\xff" * 100, report("<"), report("<1@elsewhere.example>"), b"x" * 3_000_000],
    ids=["nothing", "bytes", "broken", "another's", "long"],
)
def test_a_mail_server_has_nothing_to_answer_a_stranger_with(keydesk, acme, mail):
    run = keydesk.run("bounces", "take", stdin=mail)
    assert (run.returncode, run.stdout) == (0, "")
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_report_waits_at_the_mail_server_while_the_database_is_locked(keydesk, sent, database):
    mail = report(sent[0].message_id)
    db.session.rollback()
    with closing(sqlite3.connect(database.uri.partition("///")[2])) as writer:
        writer.execute("BEGIN IMMEDIATE")
        run = keydesk.run("bounces", "take", stdin=mail, FLASK_SQLITE_BUSY_TIMEOUT="0.1")
    assert run.returncode == os.EX_TEMPFAIL
    assert run.stderr.startswith("Error: the database: database is locked")
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"FLASK_SQLALCHEMY_DATABASE_URI": "postgresql+psycopg://nobody@127.0.0.1:1/nowhere"},
        {"FLASK_SECRET_KEY": None},
    ],
    ids=["no database", "no settings"],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_report_waits_at_the_mail_server_until_the_portal_can_work(keydesk, sent, changes):
    run = keydesk.run("bounces", "take", stdin=report(sent[0].message_id), **changes)
    assert (run.returncode, len(run.stderr.splitlines())) == (os.EX_TEMPFAIL, 1)
