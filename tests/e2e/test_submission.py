"""Submission with swaks, nodemailer and smtplib: who is logged in writes to anybody, under an own name, and the message leaves as it came."""

import email
import json
import pathlib
import signal
import smtplib
import subprocess
import time

import pytest

from sink import Sink, queue_is_empty, route, settings
from test_command_line_clients import run
from test_queue import inbox, status
from waxwing import DOMAIN, PASSWORD, PATIENCE, Server

HERE = pathlib.Path(__file__).parent
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"


class Post:
    """A server with two users, and a sink for the rest of the world."""

    def __init__(self, **options):
        self.sink = Sink().start()
        self.server = Server(extra_config=settings(route("sink.test", self.sink), **options))
        for user in ("alice", "bob"):
            self.server.add_user(user)
        self.server.start()

    def close(self):
        self.server.destroy()
        self.sink.stop()

    def swaks(self, *arguments, tls="--tls", check=True):
        listener = "submissions" if tls == "--tls-on-connect" else "submission"
        command = ["swaks", "--server", "localhost", "--port", str(self.server.ports[listener]), tls, "--from", ALICE, *arguments]
        if check:
            return run(*command)
        return subprocess.run(command, capture_output=True, timeout=PATIENCE)

    def client(self, user=ALICE):
        client = smtplib.SMTP_SSL("localhost", self.server.ports["submissions"], context=self.server.tls_context(), timeout=PATIENCE)
        client.ehlo()
        if user:
            client.login(user, PASSWORD)
        return client


@pytest.fixture(scope="module")
def shared():
    p = Post()
    yield p
    p.close()


@pytest.fixture
def post(shared):
    queue_is_empty(shared.server)
    shared.sink.taken.clear()
    return shared


LOGIN = ("--auth-user", ALICE, "--auth-password", PASSWORD)


@pytest.mark.parametrize("tls", ["--tls", "--tls-on-connect"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_writes_to_anybody_with_every_way_to_log_in(post, tls, mechanism):
    subject = f"by {mechanism} {tls}"
    post.swaks("--auth", mechanism, *LOGIN, "--to", f"ok@sink.test,{BOB}", "--header", f"Subject: {subject}", tls=tls)
    (taken,) = post.sink.wait(1)
    assert (taken.sender, taken.recipients) == (ALICE, ["ok@sink.test"])
    message = email.message_from_bytes(taken.content)
    assert message["Subject"] == subject and message["Date"] and message["Message-ID"]
    assert "with ESMTPSA" in message["Received"]
    assert subject in [message["Subject"] for message in inbox(post.server, BOB, 1)]


@pytest.mark.parametrize(
    "arguments, code",
    [
        (("--to", "ok@sink.test"), "530 5.7.0"),
        (("--to", BOB), "530 5.7.0"),
        (("--auth", "PLAIN", "--auth-user", ALICE, "--auth-password", "wrong", "--to", "ok@sink.test"), "535 5.7.8"),
        ((*LOGIN, "--from", BOB, "--to", "ok@sink.test"), "550 5.7.1"),
        ((*LOGIN, "--h-From", BOB, "--to", "ok@sink.test"), "550 5.7.1"),
        ((*LOGIN, "--to", f"nobody@{DOMAIN}"), "550 5.1.1"),
    ],
)
def test_what_is_refused_says_why(post, arguments, code):
    done = post.swaks(*arguments, check=False)
    assert done.returncode != 0 and code.encode() in done.stdout, done.stdout.decode()
    assert not post.sink.taken


def test_no_password_is_asked_for_in_the_clear():
    server = Server(listener_extra='plaintext_login = "never"').start()
    try:
        client = smtplib.SMTP("localhost", server.ports["submission"], timeout=PATIENCE)
        client.ehlo()
        assert "auth" not in client.esmtp_features and "starttls" in client.esmtp_features
        assert client.docmd("AUTH PLAIN AAAA")[0] == 538
        client.starttls(context=server.tls_context())
        client.ehlo()
        assert {"PLAIN", "LOGIN"} <= set(client.esmtp_features["auth"].split())
        client.quit()
    finally:
        server.destroy()


def test_an_alias_is_an_own_name(post):
    post.server.cli("alias", "add", f"info@{DOMAIN}", ALICE)
    with post.client() as client:
        client.sendmail(f"info@{DOMAIN}", ["ok@sink.test"], f"From: info@{DOMAIN}\r\n\r\nhello\r\n")
    assert post.sink.wait(1)[0].sender == f"info@{DOMAIN}"


def test_a_signed_message_stays_as_it_is_but_for_its_bcc(post):
    signed = (
        f"DKIM-Signature: v=1; a=rsa-sha256; d={DOMAIN};\r\n\ts=x; h=from:subject;  bh=abc=;\r\n b=def==\r\n"
        f"From:  Alice   <{ALICE}>\r\nDate: Mon, 23 Nov 2026 21:01:01 +0000\r\nMessage-ID: <1@x>\r\nSubject:\r\n folded  \r\n"
    ).encode()
    body = b"MIME-Version: 1.0\r\n\r\n.dot\r\n\ttabs  \r\n\xc3\xbc\r\nFrom here\r\n"
    with post.client() as client:
        client.sendmail(ALICE, ["ok@sink.test"], signed + b"Bcc: x@sink.test,\r\n y@sink.test\r\n" + body, ["BODY=8BITMIME"])
    (taken,) = post.sink.wait(1)
    assert taken.content.startswith(b"Received: ") and taken.content.endswith(b"+0000\r\n" + signed + body)
    assert b"Bcc" not in taken.content


def test_nodemailer_sends_with_attachments_and_asks_for_a_report(post):
    facts = {"port": post.server.ports["submission"], "ca": post.server.ca, "user": ALICE, "password": PASSWORD, "to": "ok@sink.test"}
    seen = json.loads(run("node", HERE / "nodemailer.mjs", json.dumps(facts)))
    assert seen["accepted"] == ["ok@sink.test"] and seen["rejected"] == []
    assert "Queued as" in seen["response"]
    (taken,) = post.sink.wait(1)
    message = email.message_from_bytes(taken.content)
    assert [part.get_content_type() for part in message.walk()] == ["multipart/mixed", "text/plain", "application/octet-stream"]
    assert message.get_payload()[1].get_payload(decode=True) == bytes(range(256)) * 4000
    reports = [report for report in inbox(post.server, ALICE, 1) if report["Auto-Submitted"]]
    fields = status(reports[-1])
    assert (fields[0]["Action"], fields[0]["Final-Recipient"]) == ("relayed", "rfc822; ok@sink.test")


def test_a_refusal_of_the_next_hop_comes_back_to_the_sender(post):
    with post.client(BOB) as client:
        client.sendmail(BOB, ["never@sink.test"], f"From: {BOB}\r\nSubject: lost\r\n\r\nhello\r\n")
    queue_is_empty(post.server)
    report = inbox(post.server, BOB, 1)[-1]
    (fields,) = status(report)
    assert (fields["Action"], fields["Status"]) == ("failed", "5.1.1")


def test_a_message_is_held_for_as_long_as_its_sender_wants(post):
    with post.client() as client:
        assert "futurerelease" in client.esmtp_features and client.esmtp_features["limits"] == "RCPTMAX=1000"
        began = time.monotonic()
        client.sendmail(ALICE, ["ok@sink.test"], f"From: {ALICE}\r\n\r\nlater\r\n", ["HOLDFOR=4"])
    (row,) = post.server.json("queue", "list", "--sender", ALICE)
    assert row["source"] == "submission" and row["recipients"][0]["attempts"] == 0
    post.sink.wait(1)
    assert time.monotonic() - began >= 3


def test_a_copy_is_kept_in_sent_where_the_operator_wants_one():
    p = Post(more="save_sent = true")
    try:
        p.swaks("--to", BOB, "--auth", "PLAIN", "--auth-user", ALICE, "--auth-password", PASSWORD, "--header", "Subject: kept")
        with p.server.imap(ALICE) as client:
            assert client.select("Sent")[1] == [b"1"]
            flags, message = client.fetch("1", "(FLAGS BODY.PEEK[])")[1][0]
        assert b"\\Seen" in flags and b"Subject: kept" in message and b"Return-Path" not in message
        p.server.cli("user", "feature", ALICE, "submission.save-sent", "off")
        with p.client() as client:
            client.sendmail(ALICE, BOB, f"From: {ALICE}\r\nSubject: not kept\r\n\r\n")
        with p.server.imap(ALICE) as client:
            assert client.select("Sent")[1] == [b"1"]
    finally:
        p.close()


def test_what_was_accepted_survives_a_kill_and_arrives_once():
    post = Post()
    try:
        post.sink.stop()
        with post.client() as client:
            for number in range(20):
                message = f"From: {ALICE}\r\nSubject: {number}\r\n\r\nhello\r\n"
                client.sendmail(ALICE, ["a@sink.test", "b@sink.test", BOB], message)
        post.server.stop(signal.SIGKILL)
        post.sink.start()
        post.server.start()
        queue_is_empty(post.server)
        taken = [(int(email.message_from_bytes(one.content)["Subject"]), to) for one in post.sink.taken for to in one.recipients]
        assert sorted(taken) == [(number, to) for number in range(20) for to in ("a@sink.test", "b@sink.test")]
        assert len(inbox(post.server, BOB, 20)) == 20
    finally:
        post.close()
