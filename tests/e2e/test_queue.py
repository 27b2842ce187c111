"""The outbound queue with aiosmtpd as the next hop: what comes in through forwards leaves once and exactly as it came, or its sender
hears of it."""

import email
import email.policy
import re
import signal
import smtplib
import time

import pytest

from sink import Sink, queue_is_empty, route, self_signed, settings
from waxwing import DOMAIN, PATIENCE, Server

MESSAGE = (
    "From: anna@example.test\r\nTo: all@example.test\r\nSubject: grüße\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    ".dot\r\n..two\r\n.\r\n\r\nübergroß  \r\n"
).encode() + b"x" * 900 + b"\r\n"


@pytest.fixture
def post(request):
    """A server whose mail for sink.test goes to a sink."""
    servers = []

    def make(sink, **options):
        server = Server(extra_config=settings(route("sink.test", sink), **options))
        servers.append(server)
        return server.start()

    yield make
    for server in servers:
        server.destroy()


def forward(server, name, *targets):
    """An address of ours that leads to others."""
    address = f"{name}@{DOMAIN}"
    if len(targets) == 1:
        server.cli("alias", "add", address, targets[0])
    else:
        server.cli("group", "add", address, *targets)
    return address


def send(server, recipient, sender=f"anna@{DOMAIN}", message=MESSAGE, options=()):
    with smtplib.SMTP("localhost", server.ports["smtp"], timeout=PATIENCE) as client:
        client.ehlo()
        code, _ = client.mail(sender, ["BODY=8BITMIME"])
        assert code == 250
        code, said = client.rcpt(recipient, list(options))
        assert code == 250, said
        code, said = client.data(message)
        assert code == 250, said


def inbox(server, user, count, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while True:
        client = server.imap(user)
        found = int(client.select("INBOX")[1][0])
        if found >= count:
            messages = [client.fetch(str(at + 1), "(BODY[])")[1][0][1] for at in range(found)]
            client.logout()
            return [email.message_from_bytes(m, policy=email.policy.default) for m in messages]
        client.logout()
        assert time.monotonic() < deadline, f"{found} of {count} messages in the INBOX of {user}"
        time.sleep(0.1)


def status(report):
    """The fields of a report's recipients."""
    assert report.get_content_type() == "multipart/report" and not report.defects
    part = next(part for part in report.iter_parts() if part.get_content_type() == "message/delivery-status")
    return [dict(block.items()) for block in part.get_payload()[1:]]


def test_a_forwarded_message_leaves_once_and_exactly_as_it_came(post, sink):
    server = post(sink)
    send(server, forward(server, "away", "ok@sink.test"))
    queue_is_empty(server)
    (taken,) = sink.taken
    assert (taken.sender, taken.recipients) == (f"anna@{DOMAIN}", ["ok@sink.test"])
    assert re.fullmatch(rb"Delivered-To: away@example.test\r\nReceived: [^\n]+(\n[\t ][^\n]+)*\n", taken.content.removesuffix(MESSAGE))
    assert "BODY=8BITMIME" in taken.options


def test_members_at_different_hops_and_at_home_all_get_it(sink):
    other = Sink().start()
    server = Server(extra_config=settings(route("sink.test", sink), route("other.test", other))).start()
    try:
        bob = server.add_user("bob")
        send(server, forward(server, "all", "a@sink.test", "b@other.test", bob))
        queue_is_empty(server)
        assert [taken.recipients for taken in sink.taken + other.taken] == [["a@sink.test"], ["b@other.test"]]
        assert len(inbox(server, bob, 1)) == 1
    finally:
        other.stop()
        server.destroy()


def test_who_says_later_is_asked_again(post, sink):
    sink.patience = 2
    server = post(sink)
    send(server, forward(server, "all", "later@sink.test", "ok@sink.test"))
    queue_is_empty(server)
    assert [taken.recipients for taken in sink.taken] == [["ok@sink.test"], ["later@sink.test"]]
    assert sink.asked["later@sink.test"] == 3
    log = server.log_text()
    assert "deferred" in log and "451 4.2.1 come again" in log and "queue_id" in log


def test_a_refusal_comes_back_as_a_report_with_the_message(post, sink):
    server = post(sink)
    anna = server.add_user("anna")
    send(server, forward(server, "all", "never@sink.test", "ok@sink.test"))
    (report,) = inbox(server, anna, 1)
    assert report["Return-Path"] == "<>" and report["Auto-Submitted"] == "auto-replied"
    (fields,) = status(report)
    assert (fields["Action"], fields["Status"]) == ("failed", "5.1.1")
    assert fields["Final-Recipient"] == "rfc822; never@sink.test"
    assert fields["Original-Recipient"] == f"rfc822; all@{DOMAIN}"
    assert "550 5.1.1 nobody of that name" in fields["Diagnostic-Code"]
    (returned,) = [part for part in report.iter_parts() if part.get_content_type() in ("message/rfc822", "message/global")]
    assert "übergroß".encode() in returned.as_bytes() or "übergroß" in returned.as_string()
    queue_is_empty(server)
    assert len(inbox(server, anna, 1)) == 1


def test_success_is_reported_when_it_is_asked_for(post, sink):
    server = post(sink)
    anna = server.add_user("anna")
    send(server, forward(server, "away", "ok@sink.test"), options=["NOTIFY=SUCCESS"])
    (report,) = inbox(server, anna, 1)
    assert status(report)[0]["Action"] == "expanded"


def test_nothing_is_said_about_a_report(post, sink):
    server = post(sink)
    send(server, forward(server, "away", "never@sink.test"), sender="")
    queue_is_empty(server)
    assert "it is dropped" in server.log_text()


def test_a_next_hop_that_is_down_gets_it_when_it_is_up(post):
    sink = Sink()
    server = post(sink)
    send(server, forward(server, "away", "ok@sink.test"))
    while not (rows := server.json("queue", "list"))[0]["recipients"][0]["answer"]:
        time.sleep(0.1)
    assert "4.4.1" in rows[0]["recipients"][0]["answer"]
    sink.start()
    try:
        queue_is_empty(server)
        assert len(sink.taken) == 1
    finally:
        sink.stop()


def test_nothing_acknowledged_is_lost_by_a_kill_and_nothing_comes_twice(post):
    sink = Sink()
    server = post(sink)
    away = forward(server, "away", "ok@sink.test")
    for number in range(20):
        send(server, away, message=f"Subject: {number}\r\n\r\nhello\r\n".encode())
    server.stop(signal.SIGKILL)
    sink.start()
    try:
        server.start()
        queue_is_empty(server)
        subjects = [email.message_from_bytes(taken.content)["Subject"] for taken in sink.taken]
        assert sorted(subjects, key=int) == [str(number) for number in range(20)]
    finally:
        sink.stop()


def test_a_kill_while_messages_leave_loses_none(post, sink):
    server = post(sink)
    away = forward(server, "away", "ok@sink.test")
    sink.stop()
    for number in range(100):
        send(server, away, message=f"Subject: {number}\r\n\r\nhello\r\n".encode())
    sink.start()
    sink.wait(10)
    server.stop(signal.SIGKILL)
    known = len(sink.taken)
    server.start()
    queue_is_empty(server)
    subjects = [email.message_from_bytes(taken.content)["Subject"] for taken in sink.taken]
    assert set(subjects) == {str(number) for number in range(100)}
    # Those that the sink acknowledged and whose note the kill forestalled: at most one a connection.
    assert len(subjects) - 100 <= 5, f"{known} were known at the kill"


def test_starttls_is_used_where_it_is_offered(post, tmp_path):
    sink = Sink(tls=self_signed(tmp_path)).start()
    server = post(sink)
    try:
        send(server, forward(server, "away", "ok@sink.test"))
        queue_is_empty(server)
        assert sink.taken[0].encrypted
    finally:
        sink.stop()


@pytest.mark.parametrize("mode, with_tls", [("required", False), ("verified", True)])
def test_where_tls_is_asked_for_nothing_leaves_without_it(post, tmp_path, mode, with_tls):
    sink = Sink(tls=self_signed(tmp_path) if with_tls else None).start()
    server = post(sink, more=f'tls = "{mode}"')
    try:
        send(server, forward(server, "away", "ok@sink.test"))
        while not (rows := server.json("queue", "list"))[0]["recipients"][0]["answer"]:
            time.sleep(0.1)
        assert "4.7.5" in rows[0]["recipients"][0]["answer"] and not sink.taken
    finally:
        sink.stop()


def test_the_sender_hears_that_it_takes_long_and_at_last_that_it_failed(post):
    server = post(Sink(), more="delay_notice_seconds = 1\nexpire_seconds = 4")
    anna = server.add_user("anna")
    send(server, forward(server, "away", "ok@sink.test"))
    reports = inbox(server, anna, 2)
    assert [status(report)[0]["Action"] for report in reports] == ["delayed", "failed"]
    assert "Will-Retry-Until" in status(reports[0])[0]
    assert status(reports[1])[0]["Status"] == "5.4.7"
    queue_is_empty(server)


def test_an_administrator_sees_holds_releases_and_deletes(post):
    sink = Sink()
    server = post(sink)
    away = forward(server, "away", "ok@sink.test")
    for _ in range(2):
        send(server, away)
    one, two = [row["id"] for row in server.json("queue", "list", "--next-hop", f"127.0.0.1:{sink.port}")]
    server.cli("queue", "hold", str(one))
    assert [row["id"] for row in server.json("queue", "list", "--held")] == [one]
    assert server.json("queue", "show", str(one))["held"]
    table = server.cli("queue", "list").stdout
    assert "ok@sink.test" in table and "held" in table
    server.cli("queue", "delete", str(two))
    sink.start()
    try:
        time.sleep(2)
        assert not sink.taken
        server.cli("queue", "release", "--all")
        queue_is_empty(server)
        assert len(sink.taken) == 1
    finally:
        sink.stop()
    missing = server.cli("queue", "retry", str(one), check=False)
    assert missing.returncode == 1 and f"no message {one} is in the queue" in missing.stderr


def test_the_queue_can_be_looked_at_without_a_server(post):
    server = post(Sink())
    send(server, forward(server, "away", "ok@sink.test"))
    assert server.stop() == 0
    (row,) = server.json("queue", "list")
    server.cli("queue", "delete", str(row["id"]))
    assert server.json("queue", "list") == []


def test_nobody_relays_through_port_25(post, sink):
    server = post(sink)
    with smtplib.SMTP("localhost", server.ports["smtp"], timeout=PATIENCE) as client:
        client.ehlo()
        assert "auth" not in client.esmtp_features
        client.mail(f"anna@{DOMAIN}")
        code, said = client.rcpt("ok@sink.test")
        assert code == 550 and b"5.7.1" in said
    assert not sink.taken
