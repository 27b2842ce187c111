"""Next hops of our queue: aiosmtpd, which takes, refuses or puts off by the name of the recipient."""

import ssl
import subprocess
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from waxwing import PATIENCE, free_ports


class Taken:
    """One message that was acknowledged."""

    def __init__(self, session, envelope):
        self.sender = envelope.mail_from
        self.recipients = list(envelope.rcpt_tos)
        self.options = list(envelope.mail_options)
        self.content = envelope.original_content
        self.encrypted = session.ssl is not None
        self.requires_tls = getattr(session, "requires_tls", False)


class Host(SMTP):
    """With the one parameter that aiosmtpd does not know (RFC 8689)."""

    async def smtp_MAIL(self, arg):
        words = (arg or "").split()
        if self.event_handler.knows_requiretls and "REQUIRETLS" in words:
            self.session.requires_tls = True
            arg = " ".join(word for word in words if word != "REQUIRETLS")
        await super().smtp_MAIL(arg)


class Sink:
    """Listens on a port of its own, again and again. `later…` is put off as often as `patience` says, `never…` is refused."""

    def __init__(self, tls=None, port=None, host="127.0.0.1", knows_requiretls=False):
        self.host = host
        self.knows_requiretls = knows_requiretls
        self.port = port or free_ports(1)[0]
        self.tls = tls
        self.patience = 1
        self.taken = []
        self.asked = {}
        self.lock = threading.Lock()
        self.controller = None

    # -- what aiosmtpd asks -----------------------------------------------------------------------

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        if self.knows_requiretls and session.ssl:
            responses.insert(1, "250-REQUIRETLS")
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        with self.lock:
            self.asked[address] = self.asked.get(address, 0) + 1
            if address.startswith("never"):
                return "550 5.1.1 nobody of that name"
            if address.startswith("later") and self.asked[address] <= self.patience:
                return "451 4.2.1 come again"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 good"

    async def handle_DATA(self, server, session, envelope):
        with self.lock:
            self.taken.append(Taken(session, envelope))
        return "250 2.0.0 taken"

    # -- what a test does -------------------------------------------------------------------------

    def start(self):
        context = self.tls

        class Listener(Controller):
            def factory(self):
                return Host(self.handler, hostname="sink.test", tls_context=context, enable_SMTPUTF8=True)

        self.controller = Listener(self, hostname=self.host, port=self.port)
        self.controller.start()
        return self

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None

    def wait(self, count, seconds=PATIENCE):
        """All messages, once there are as many."""
        deadline = time.monotonic() + seconds
        while len(self.taken) < count:
            assert time.monotonic() < deadline, f"{len(self.taken)} of {count} messages came"
            time.sleep(0.02)
        return self.taken


def self_signed(folder):
    """A TLS context with a certificate that nobody knows."""
    key, certificate = folder / "sink.key", folder / "sink.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=sink.test", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def route(domain, sink):
    return f'[[transport.route]]\ndomain = "{domain}"\nnext_hop = "127.0.0.1:{sink.port}"\n'


def settings(*routes, retry=(1,), more=""):
    """The `[transport]` of a server that is in a hurry."""
    return f"[transport]\nretry_seconds = {list(retry)}\n{more}\n" + "".join(routes)


def queue_is_empty(server, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while rows := server.json("queue", "list"):
        assert time.monotonic() < deadline, rows
        time.sleep(0.1)
