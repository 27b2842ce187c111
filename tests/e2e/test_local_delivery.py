"""Who gets what: catch-all, who may write to a group, forwarding loops, and messages that come twice."""

import smtplib

import pytest

from sink import queue_is_empty, route, settings
from waxwing import DOMAIN, PASSWORD, PATIENCE, Server, deliver_lmtp

MESSAGE = b"From: bob@sender.test\r\nTo: all@example.test\r\nMessage-ID: <1@sender.test>\r\nDate: Fri, 27 Nov 2026 10:00:00 +0000\r\n\r\nhello\r\n"


@pytest.fixture
def server(sink):
    s = Server(extra_config=settings(route("sink.test", sink), more="duplicate_window_seconds = 600")).start()
    for name in ("anna", "carl"):
        s.add_user(name)
    yield s
    s.destroy()


def send(server, recipient, sender="bob@sender.test", message=MESSAGE):
    """The last answer."""
    with smtplib.SMTP("localhost", server.ports["smtp"], timeout=PATIENCE) as client:
        client.ehlo()
        assert client.mail(sender)[0] == 250
        code, said = client.rcpt(recipient)
        return (code, said) if code != 250 else client.data(message)


def submit(server, user, recipient):
    with smtplib.SMTP_SSL("localhost", server.ports["submissions"], timeout=PATIENCE, context=server.tls_context()) as client:
        client.login(f"{user}@{DOMAIN}", PASSWORD)
        client.mail(f"{user}@{DOMAIN}")
        client.rcpt(recipient)
        return client.data(f"From: {user}@{DOMAIN}\r\n\r\nhello\r\n".encode())


def count(server, user):
    client = server.imap(f"{user}@{DOMAIN}")
    found = int(client.select("INBOX")[1][0])
    client.logout()
    return found


def test_who_catches_gets_what_is_for_nobody(server):
    assert send(server, f"nobody@{DOMAIN}")[0] == 550
    server.cli("domain", "catch-all", DOMAIN, f"anna@{DOMAIN}")
    assert server.json("domain", "list")[0]["catch_all"] == f"anna@{DOMAIN}"
    assert send(server, f"nobody@{DOMAIN}")[0] == 250
    assert send(server, f"carl@{DOMAIN}")[0] == 250
    assert (count(server, "anna"), count(server, "carl")) == (1, 1)
    server.cli("domain", "catch-all", DOMAIN, "--off")
    assert send(server, f"nobody@{DOMAIN}")[0] == 550
    refused = server.cli("domain", "catch-all", DOMAIN, "x@elsewhere.test", check=False)
    assert refused.returncode == 1 and "alias" in refused.stderr


def test_a_group_takes_mail_of_whom_it_names(server):
    group = f"all@{DOMAIN}"
    server.cli("group", "add", group, f"anna@{DOMAIN}", "x@sink.test")
    assert send(server, group)[0] == 250
    server.cli("group", "posting", group, "members", "--allow", "boss@sender.test")
    (row,) = server.json("group", "list")
    assert (row["posting"], row["senders"]) == ("members", ["boss@sender.test"])
    code, said = send(server, group)
    assert code == 550 and b"5.7.2" in said
    assert send(server, group, "boss@sender.test", MESSAGE.replace(b"<1@", b"<2@"))[0] == 250
    assert send(server, group, "x@sink.test", MESSAGE.replace(b"<1@", b"<3@"))[0] == 250
    # Anybody can say that he is anna; she is known when she is logged in.
    assert send(server, group, f"anna@{DOMAIN}")[0] == 550
    assert submit(server, "anna", group)[0] == 250
    assert submit(server, "carl", group)[0] == 550
    server.cli("group", "posting", group, "domain")
    assert submit(server, "carl", group)[0] == 250
    server.cli("group", "posting", group, "listed", "--disallow", "boss@sender.test")
    assert submit(server, "anna", group)[0] == 550
    server.cli("group", "posting", group, "anyone")
    assert send(server, group, message=MESSAGE.replace(b"<1@", b"<4@"))[0] == 250
    queue_is_empty(server)
    assert count(server, "anna") == 6


def test_a_message_that_comes_back_to_its_alias_is_stopped(server, sink):
    server.cli("alias", "add", f"away@{DOMAIN}", "ok@sink.test")
    assert send(server, f"away@{DOMAIN}")[0] == 250
    queue_is_empty(server)
    (taken,) = sink.taken
    assert taken.content.startswith(f"Delivered-To: away@{DOMAIN}\r\n".encode())
    code, said = send(server, f"away@{DOMAIN}", message=taken.content)
    assert code == 554 and b"loop" in said
    assert send(server, f"anna@{DOMAIN}", message=taken.content)[0] == 250


def test_the_same_message_is_stored_once_in_a_mailbox(server):
    for _ in range(2):
        assert send(server, f"anna@{DOMAIN}")[0] == 250
    assert send(server, f"carl@{DOMAIN}")[0] == 250
    assert send(server, f"anna@{DOMAIN}", message=MESSAGE.replace(b"<1@", b"<2@"))[0] == 250
    assert (count(server, "anna"), count(server, "carl")) == (2, 1)
    deliver_lmtp(server, f"anna@{DOMAIN}", MESSAGE)
    deliver_lmtp(server, f"anna@{DOMAIN}", MESSAGE)
    assert count(server, "anna") == 4
