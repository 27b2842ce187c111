"""Bytes in equal bytes out, and what FETCH says of a message agrees with Python's own email parser."""

import base64
import email
import email.policy
import os
import re

import imapclient
import pytest

from corpus import cpython_corpus, generated
from waxwing import PASSWORD
from independent import bodystructure_differences, envelope_differences

GENERATED = 2000


def without_trace(data):
    """The message without what SMTP and LMTP must put before it (RFC 5321 4.4): Return-Path and one Received."""
    match = re.match(rb"Return-Path: <[^>]*>\r\n(?:Received: (?:[^\r\n]|\r\n[ \t])*\r\n)?", data)
    assert match, data[:100]
    return data[match.end() :]


@pytest.fixture(scope="module")
def messages():
    corpus = list(cpython_corpus().items())
    return corpus + [(f"generated {n}", m) for n, m in enumerate(generated(GENERATED))]


def fetched(server, user):
    client = imapclient.IMAPClient("localhost", server.ports["imaps"], ssl_context=server.tls_context())
    client.login(user, PASSWORD)
    client.select_folder("INBOX", readonly=True)
    out = {}
    for start in range(1, 100_000, 200):
        rows = client.fetch(list(range(start, start + 200)), ["BODY.PEEK[]", "RFC822.SIZE"])
        if not rows:
            break
        for number, row in rows.items():
            assert row[b"RFC822.SIZE"] == len(row[b"BODY[]"])
            out[number] = row[b"BODY[]"]
        if len(rows) < 200:
            break
    client.logout()
    return [out[k] for k in sorted(out)]


def test_appended_messages_come_back_byte_for_byte(server, user, messages):
    client = server.imap(user)
    for _, message in messages:
        # imaplib would rewrite bare CR and LF; the literal is sent as it is.
        client.send(b"x APPEND INBOX {%d+}\r\n" % len(message) + message + b"\r\n")
        while True:
            line = client.readline()
            if line.startswith(b"x "):
                break
        assert line.startswith(b"x OK"), line
    got = fetched(server, user)
    assert len(got) == len(messages)
    for (name, message), back in zip(messages, got):
        assert back == message, name


def smtp_session(server, listener, hello):
    raw = server.raw(listener)
    raw.until("220 ")
    raw.send(f"{hello} client.test\r\n")
    raw.until("250 ")
    return raw


@pytest.mark.parametrize("listener,hello", [("smtp", "EHLO"), ("lmtp", "LHLO")])
def test_delivered_messages_come_back_unchanged_below_their_trace_headers(server, user, messages, listener, hello):
    raw = smtp_session(server, listener, hello)
    for number, (name, message) in enumerate(messages):
        if number % 2:
            # RFC 3030: no dots to stuff.
            raw.send(f"MAIL FROM:<a@elsewhere.test> BODY=8BITMIME\r\nRCPT TO:<{user}>\r\nBDAT {len(message)} LAST\r\n".encode() + message)
            for _ in range(3):
                assert raw.line().startswith(b"250"), name
        else:
            raw.send(f"MAIL FROM:<a@elsewhere.test> BODY=8BITMIME\r\nRCPT TO:<{user}>\r\nDATA\r\n")
            for reply in ("250 ", "250 ", "354 "):
                raw.until(reply)
            raw.send(re.sub(rb"(?m)^\.", b"..", message) + b".\r\n")
            raw.until("250 ")
    got = fetched(server, user)
    assert len(got) == len(messages)
    for (name, message), back in zip(messages, got):
        assert without_trace(back) == message, name


def test_bodystructure_and_envelope_agree_with_pythons_email_package(server, user, messages):
    """Differences that have a reason stand in docs/mime-differences.md and in `independent.EXPLAINED`; any other fails."""
    chosen = messages[: len(messages) - GENERATED] + messages[-300:]
    client = imapclient.IMAPClient("localhost", server.ports["imaps"], ssl_context=server.tls_context())
    client.login(user, PASSWORD)
    for _, message in chosen:
        client.append("INBOX", message)
    client.select_folder("INBOX", readonly=True)
    differences = []
    for number, (name, message) in enumerate(chosen, 1):
        row = client.fetch(number, ["ENVELOPE", "BODYSTRUCTURE"])[number]
        parsed = email.message_from_bytes(message, policy=email.policy.compat32)
        differences += [(name, d) for d in envelope_differences(row[b"ENVELOPE"], parsed)]
        differences += [(name, d) for d in bodystructure_differences(row[b"BODYSTRUCTURE"], parsed, name)]
    client.logout()
    assert not differences, "\n".join(f"{n}: {d}" for n, d in differences)


def test_every_section_of_a_nested_message_is_the_range_it_names(server, user):
    inner = b"Subject: inner\r\nContent-Type: text/html\r\n\r\n<p>in</p>\r\n"
    message = (
        b"Subject: outer\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\npre\r\n--B\r\n\r\none\r\n"
        b"--B\r\nContent-Type: message/rfc822\r\nX-Mime: yes\r\n\r\n" + inner + b"\r\n--B--\r\nepilogue\r\n"
    )
    client = server.imap(user)
    client.append("INBOX", None, None, message)
    client.select("INBOX")

    def section(item):
        closed = item if "]" in item else item + "]"
        rows = client.fetch("1", f"(BODY.PEEK[{closed})")[1]
        return rows[0][1] if isinstance(rows[0], tuple) else None

    assert section("1") == b"one"
    assert section("1.MIME") == b"\r\n"
    assert section("2") == inner
    assert section("2.MIME") == b"Content-Type: message/rfc822\r\nX-Mime: yes\r\n\r\n"
    assert section("2.HEADER") == b"Subject: inner\r\nContent-Type: text/html\r\n\r\n"
    assert section("2.TEXT") == b"<p>in</p>\r\n"
    assert section("2.1") == b"<p>in</p>\r\n"
    assert section("HEADER.FIELDS (SUBJECT)") == b"Subject: outer\r\n\r\n"
    assert section("TEXT]<0.5>") == b"pre\r\n"
    # Behind the end there is an empty string; as a literal, since clients look for one where text may be.
    assert section("]<100000.5>") == b""


def test_a_message_delivered_twice_in_one_mailbox_costs_its_bytes_once(server, user):
    # Does not compress below three quarters, so that five more copies could not hide in the pages of five more rows.
    body = b"Subject: big\r\n\r\n" + base64.encodebytes(os.urandom(2_000_000)).replace(b"\n", b"\r\n")
    client = server.imap(user)
    client.append("INBOX", None, None, body)
    once = server.json("mailbox", "size", user)[0]["bytes_on_disk"]
    for _ in range(5):
        client.append("INBOX", None, None, body)
    many = server.json("mailbox", "size", user)[0]["bytes_on_disk"]
    assert once > 2_000_000
    assert many - once < 500_000, (once, many)
