"""Over TLS, mail goes to a server whose certificate is good, and to no other."""

import ssl
import threading
from datetime import timedelta
from ipaddress import ip_address

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal import clock, smtp
from portal.smtp import Failure
from portal.smtp.connection import Connection
from portal.smtp.departure import Departure
from tests.support.mail_servers import Mailbox, loopback_socket

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

# RFC 8446, 6.1: how one leaves politely, here before there are keys.
CLOSE_NOTIFY = "\x15\x03\x03\x00\x02\x01\x00"


class Keeper(Mailbox):
    async def handle_DATA(self, _server, _session, envelope):
        self.put(envelope.original_content, envelope.mail_from, envelope.rcpt_tos)
        return "250 2.0.0 Accepted"


@pytest.fixture
def certificate(tmp_path):
    """A self-made certificate for 127.0.0.1 and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@pytest.fixture(params=["use_tls", "use_ssl"])
def encrypted(request, app, certificate):
    """A mail server that speaks TLS, by STARTTLS or from the first byte; what arrived at it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    ways = {"use_tls": {"tls_context": context}, "use_ssl": {"ssl_context": context}}
    keeper = Keeper()
    server = Controller(keeper, hostname="127.0.0.1", port=free_port(), **ways[request.param])
    server.start()
    state = app.extensions["mail"]
    state.port = server.port
    setattr(state, request.param, True)
    yield keeper
    for thread in threading.enumerate():
        if thread.name == "mail":
            thread.join()  # it says goodbye
    server.stop()


def free_port():
    with loopback_socket() as probe:
        return probe.getsockname()[1]


def send():
    return smtp.hand_over(smtp.Message("Hello", ["kim@example.com"], "Hello.", None))


def test_a_certificate_that_we_trust_is_accepted(encrypted, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert send().accepted
    assert len(encrypted.messages) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(encrypted):
    outcome = send()
    assert (outcome.accepted, outcome.failure) == (False, Failure.NOT_ENCRYPTED)
    assert "certificate" in outcome.answer
    assert encrypted.empty


@pytest.mark.parametrize("leaves", [{"does": "drop"}, {"does": "reset"}, {"answer": CLOSE_NOTIFY}])
def test_a_server_that_leaves_before_it_has_encrypted_may_do_so_later(app, mail_server, leaves):
    app.extensions["mail"].use_ssl = True
    mail_server(at="CONNECT", **leaves)
    outcome = send()
    assert (outcome.accepted, outcome.failure) == (False, Failure.DROPPED)


def test_several_mails_over_one_connection(encrypted, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with smtp.Line():
        assert send().accepted
        assert send().accepted
    assert len(encrypted.messages) == 2


def test_what_is_broken_off_stays_encrypted(app, encrypted, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    departure = Departure()
    connection = Connection(app.extensions["mail"], departure)
    connection.open()
    departure.call_off()
    assert connection.host.sock.version() == "TLSv1.3"
    connection.say_goodbye()
