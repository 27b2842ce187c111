"""Filters that speak the milter protocol: one made with purepythonmilter, which does what a test says, and rspamd from Debian."""

import asyncio
import email
import shutil
import smtplib
import subprocess
import threading
import time

import pytest
from purepythonmilter import (
    Accept, AddRecipient, AppendHeader, ChangeHeader, ChangeMailFrom, Continue, DiscardMessage, EndOfMessage, Header, Helo, InsertHeader,
    MailFrom, PurePythonMilter, RcptTo, Reject, RejectWithCode, RemoveRecipient, ReplaceBodyChunk, TempFailWithCode, VerdictOrContinue,
)  # fmt: skip

from sink import Sink, queue_is_empty, route, settings
from waxwing import DOMAIN, PASSWORD, PATIENCE, Server, free_ports

MESSAGE = b"From: bob@sender.test\r\nTo: anna@example.test\r\nSubject: a long\r\n subject\r\nX-Old: 1\r\n\r\nhello\r\n.dot\r\n"


class Milter:
    """A filter on a port of its own; `at_end` and `at_rcpt` are what it answers."""

    def __init__(self):
        self.port = free_ports(1)[0]
        self.heard = []
        self.at_end = Continue
        self.at_rcpt = lambda address: Continue()
        self.at_mail = Continue
        self.delay = 0
        self.loop = asyncio.new_event_loop()
        # The library wants signals, which a thread has none of.
        self.loop.add_signal_handler = lambda *_: None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                __import__("socket").create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def run(self):
        milter = self

        async def on_helo(command: Helo) -> None:
            milter.heard.append(("helo", command.hostname))

        async def on_mail(command: MailFrom) -> VerdictOrContinue:
            milter.heard.append(("mail", command.address))
            return milter.at_mail()

        async def on_rcpt(command: RcptTo) -> VerdictOrContinue:
            milter.heard.append(("rcpt", command.address))
            return milter.at_rcpt(command.address)

        async def on_header(command: Header) -> None:
            milter.heard.append(("header", command.name, command.text))

        async def on_end(command: EndOfMessage) -> VerdictOrContinue:
            await asyncio.sleep(milter.delay)
            return milter.at_end()

        app = PurePythonMilter(
            name="test", hook_on_helo=on_helo, hook_on_mail_from=on_mail, hook_on_rcpt_to=on_rcpt, hook_on_header=on_header,
            hook_on_end_of_message=on_end, can_add_headers=True, can_add_recipients=True, can_change_body=True, can_change_headers=True,
            can_change_mail_from=True, can_remove_recipients=True, can_quarantine=True,
        )  # fmt: skip
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(app.start_server(host="127.0.0.1", port=self.port))
        except RuntimeError:
            pass

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


@pytest.fixture(scope="module")
def filters():
    m = Milter().start()
    yield m
    m.stop()


@pytest.fixture
def milter(filters):
    filters.heard.clear()
    filters.at_end = filters.at_mail = Continue
    filters.at_rcpt = lambda address: Continue()
    filters.delay = 0
    return filters


@pytest.fixture(scope="module")
def sink():
    s = Sink().start()
    yield s
    s.stop()


def table(port, keys=""):
    return f'[[transport.milter]]\naddress = "inet:127.0.0.1:{port}"\n{keys}\n'


@pytest.fixture(scope="module")
def filtered(filters, sink):
    """A server that asks the one filter."""
    s = Server(extra_config=settings(route("sink.test", sink)) + table(filters.port)).start()
    yield s
    s.destroy()


@pytest.fixture
def server(filtered, milter, sink):
    """The same with mailboxes that nobody has used."""
    sink.taken.clear()
    return people(filtered)


def people(server):
    number = getattr(server, "number", 0) + 1
    server.number = number
    server.anna, server.carl = server.add_user(f"anna{number}"), server.add_user(f"carl{number}")
    return server


@pytest.fixture
def house(sink):
    servers = []

    def make(*milters):
        tables = "".join(table(port, keys) for port, keys in milters)
        s = Server(extra_config=settings(route("sink.test", sink)) + tables).start()
        servers.append(s)
        return people(s)

    yield make
    for s in servers:
        s.destroy()


def send(server, *recipients, message=MESSAGE):
    recipients = recipients or (server.anna,)
    with smtplib.SMTP("localhost", server.ports["smtp"], timeout=PATIENCE, local_hostname="helo.test") as client:
        client.ehlo()
        assert client.mail("bob@sender.test")[0] == 250
        for recipient in recipients:
            assert client.rcpt(recipient)[0] == 250
        return client.data(message)


def folder(server, user=None, name="INBOX"):
    client = server.imap(user or server.anna)
    status, found = client.select(name)
    count = int(found[0]) if status == "OK" else 0
    messages = [client.fetch(str(at + 1), "(BODY[])")[1][0][1] for at in range(count)]
    client.logout()
    return messages


def test_a_filter_hears_all_of_a_message_and_what_it_does_not_touch_stays(server, milter):
    assert send(server)[0] == 250
    kinds = [heard[:2] for heard in milter.heard]
    assert kinds[:3] == [("helo", "helo.test"), ("mail", "bob@sender.test"), ("rcpt", server.anna)]
    assert ("header", "Subject") in kinds and ("header", "X-Old") in kinds
    (stored,) = folder(server)
    assert stored.endswith(MESSAGE)


def test_fields_and_body_are_changed(server, milter):
    milter.at_end = lambda: Continue(
        manipulations=[
            AppendHeader(headername="X-New", headertext="one\n\ttwo"),
            InsertHeader(headername="X-First", headertext="1", index=0),
            ChangeHeader(headername="Subject", headertext="another", nth_occurrence=1),
            ChangeHeader(headername="X-Old", headertext="", nth_occurrence=1),
            ReplaceBodyChunk(chunk=b"new body\r\n"),
        ]
    )
    assert send(server)[0] == 250
    stored = email.message_from_bytes(folder(server)[0])
    assert stored["Subject"] == "another" and stored["X-Old"] is None
    assert stored["X-New"] == "one\r\n\ttwo"
    assert stored.keys()[:2] == ["Return-Path", "X-First"]
    assert stored.get_payload() == "new body\r\n"


def test_the_envelope_is_changed(server, milter, sink):
    milter.at_end = lambda: Continue(
        manipulations=[
            RemoveRecipient(recipient=f"<{server.anna}>"),
            AddRecipient(recipient="<copy@sink.test>"),
            ChangeMailFrom(mail_from="<bounces@sender.test>"),
        ]
    )
    assert send(server, server.anna, server.carl)[0] == 250
    queue_is_empty(server)
    assert folder(server, server.anna) == [] and len(folder(server, server.carl)) == 1
    assert [(taken.sender, taken.recipients) for taken in sink.taken] == [("bounces@sender.test", ["copy@sink.test"])]


@pytest.mark.parametrize(
    "verdict, code, text",
    [
        (lambda: Reject(), 550, b"5.7.1"),
        (lambda: RejectWithCode(primary_code=(5, 5, 4), enhanced_code=(5, 6, 0), text="not this"), 554, b"5.6.0 not this"),
        (lambda: TempFailWithCode(primary_code=(4, 5, 1), enhanced_code=(4, 7, 1), text="come again"), 451, b"4.7.1 come again"),
        (lambda: DiscardMessage(), 250, b""),
    ],
)
def test_what_a_filter_decides_is_the_answer(server, milter, verdict, code, text):
    milter.at_end = verdict
    answer = send(server)
    assert answer[0] == code and text in answer[1]
    milter.at_end, milter.at_mail = Continue, verdict
    answer = send(server)
    assert answer[0] == code and text in answer[1]
    assert folder(server) == []


def test_a_recipient_is_refused_alone(server, milter):
    milter.at_rcpt = lambda address: Reject() if address.startswith("carl") else Continue()
    assert send(server, server.carl)[0] == 550
    send(server, server.anna, server.carl)
    assert folder(server, server.carl) == [] and len(folder(server, server.anna)) == 1


def test_what_is_submitted_is_filtered_before_it_is_signed(server, milter, sink):
    server.cli("domain", "dkim", DOMAIN, "create", "--algorithm", "ed25519")
    milter.at_end = lambda: Continue(manipulations=[ChangeHeader(headername="Subject", headertext="checked", nth_occurrence=1)])
    with smtplib.SMTP_SSL("localhost", server.ports["submissions"], timeout=PATIENCE, context=server.tls_context()) as client:
        client.login(server.anna, PASSWORD)
        client.sendmail(server.anna, ["ok@sink.test"], MESSAGE.replace(b"bob@sender.test", server.anna.encode()))
    queue_is_empty(server)
    (taken,) = sink.taken
    assert email.message_from_bytes(taken.content)["Subject"] == "checked"
    import dkim

    (key,) = server.json("domain", "dkim", DOMAIN, "list")
    assert dkim.verify(taken.content, dnsfunc=lambda name, timeout=5: key["record"]["value"].encode())


def test_filters_are_asked_in_their_order(house, milter):
    second = Milter().start()
    try:
        server = house((milter.port, ""), (second.port, ""))
        milter.at_end = lambda: Continue(manipulations=[AppendHeader(headername="X-By", headertext="first")])
        second.at_end = lambda: Continue(manipulations=[AppendHeader(headername="X-By", headertext="second")])
        assert send(server)[0] == 250
        assert ("header", "X-By", "first") in second.heard
        assert email.message_from_bytes(folder(server)[0]).get_all("X-By") == ["first", "second"]
        milter.at_end = Accept
        assert send(server)[0] == 250
    finally:
        second.stop()


@pytest.mark.parametrize("keys, code", [("", 451), ('on_failure = "tempfail"', 451), ('on_failure = "accept"', 250)])
def test_a_filter_that_is_not_there_does_what_the_operator_says(house, keys, code):
    server = house((free_ports(1)[0], keys))
    assert send(server)[0] == code
    assert len(folder(server)) == (code == 250)


def test_a_filter_that_does_not_answer_is_not_waited_for(house, milter):
    server = house((milter.port, 'timeout_seconds = 1\non_failure = "accept"'))
    milter.delay = 30
    began = time.monotonic()
    assert send(server)[0] == 250
    assert time.monotonic() - began < 20


def test_messages_of_another_kind_pass_by(house, milter):
    server = house((milter.port, 'for = ["submission"]'))
    milter.at_end = Reject
    assert send(server)[0] == 250


# What Debian's rspamd says to a mail that everybody calls spam.
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"


@pytest.fixture
def rspamd(tmp_path):
    """rspamd as a proxy that scans by itself and speaks milter; no network, no Redis."""
    if not shutil.which("rspamd"):
        pytest.fail("rspamd is missing")
    port = free_ports(1)[0]
    local = tmp_path / "rspamd.conf"
    for name in ("run", "db", "log"):
        (tmp_path / name).mkdir(mode=0o777)
    tmp_path.chmod(0o755)
    local.write_text(f"""
options {{ pidfile = "{tmp_path}/run/pid"; dns {{ nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }} filters = "regexp,dkim"; tempdir = "{tmp_path}"; hs_cache_dir = "{tmp_path}/db"; rrd = ""; stats_file = "{tmp_path}/db/stats"; }}
logging {{ type = "file"; filename = "{tmp_path}/log/rspamd.log"; level = "info"; }}
actions {{ reject = 15; add_header = 6; }}
gtube_patterns = "all";
worker "rspamd_proxy" {{
  bind_socket = "127.0.0.1:{port}"; milter = yes; timeout = 20s; count = 1;
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
""")  # fmt: skip
    process = subprocess.Popen(
        ["rspamd", "-f", "-i", "-c", str(local)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            __import__("socket").create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            log = tmp_path / "log" / "rspamd.log"
            assert process.poll() is None and time.monotonic() < deadline, log.read_text() if log.exists() else "no log"
            time.sleep(0.1)
    yield port
    process.terminate()
    process.wait(30)


def test_rspamd_refuses_spam_and_lets_the_rest_pass(house, rspamd):
    server = house((rspamd, ""))
    code, said = send(server, message=MESSAGE + GTUBE)
    assert code in (550, 554) and said, said
    assert send(server)[0] == 250
    (stored,) = folder(server)
    assert stored.endswith(b"hello\r\n.dot\r\n")
