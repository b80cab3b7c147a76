"""An e-mail that comes back is found by its Message-ID, and by nothing else."""

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


def test_the_command_says_what_it_made_of_a_mail(keydesk, sent, tmp_path):
    file = tmp_path / "bounce.eml"
    file.write_bytes(report(sent[0].message_id))
    db.session.rollback()
    run = keydesk.run("bounces", "take", file)
    assert (run.returncode, run.stdout) == (0, "The e-mail of order A0005555555 came back.\n")
    file.write_bytes(b"Subject: Hello\n\nHello")
    run = keydesk.run("bounces", "take", file)
    assert (run.returncode, run.stderr) == (
        1, "Error: The mail does not report that an e-mail came back.\n",
    )  # fmt: skip
