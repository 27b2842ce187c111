"""Torn, endless, deeply nested and oversized input: the protocol's proper error each time, and nobody else notices."""

import json
import socket
import threading
import time

import pytest

from waxwing import PASSWORD, Server, deliver_lmtp

MESSAGE = b"Subject: one\r\n\r\nbody\r\n"


@pytest.fixture
def session(server, user):
    raw = server.raw("imaps")
    raw.until("* OK")
    raw.command("a", f'LOGIN {user} "{PASSWORD}"')
    yield raw
    raw.close()


def test_a_session_torn_at_every_byte_answers_the_same(server, user):
    script = (
        f'a1 LOGIN {user} {{{len(PASSWORD)}+}}\r\n{PASSWORD}\r\na2 APPEND INBOX {{{len(MESSAGE)}+}}\r\n{MESSAGE.decode()}\r\n'
        "a3 SELECT INBOX\r\na4 FETCH 1 (BODY[])\r\na5 LOGOUT\r\n"
    ).encode()
    raw = server.raw("imaps")
    for n in range(len(script)):
        raw.send(script[n : n + 1])
    answer = b"".join(raw.until("a5 OK"))
    for tag in (b"a1 OK", b"a2 OK", b"a3 OK", b"a4 OK"):
        assert b"\r\n" + tag in answer
    assert b"BODY[] {%d}\r\n" % len(MESSAGE) + MESSAGE in answer


@pytest.mark.parametrize(
    "line",
    [
        b"x",
        b"x ",
        b"x NOSUCH",
        b"x FETCH",
        b"x FETCH 1 (BODY[",
        b"x FETCH 0 FLAGS",
        b"x FETCH 4294967296 FLAGS",
        b"x FETCH 1 (BODY[1.0])",
        b"x FETCH 1 BODY[]<1.99999999999999999999>",
        b'x SEARCH SUBJECT "unclosed',
        b"x SEARCH SUBJECT {99999999999999999999}",
        b"x SEARCH " + b"(" * 5000,
        b"x SEARCH " + b"NOT " * 5000 + b"ALL",
        b"x SEARCH " + b"OR ALL " * 3000 + b"ALL",
        b"x STORE 1 FLAGS (\\Seen",
        b"x STORE 1 FLAGS (\\Nonsense)",
        b"x UID",
        b"x UID NOOP",
        b"x LIST",
        b"x STATUS INBOX (NOTHING)",
        b"x APPEND INBOX",
        b"x APPEND INBOX {5",
        b"x COPY 1:* &Jj!",
        b"\x00\x01\x02\x03",
        b"\xff\xfe\xfd",
        b"x NOOP \x00",
        b"* OK server?",
        b"+ continue",
        b"x LOGIN again again",
    ],
)
def test_a_malformed_command_is_answered_and_the_session_goes_on(session, line):
    session.command("s", "SELECT INBOX")
    session.send(line + b"\r\n")
    session.send("y NOOP\r\n")
    lines = session.until("y ")
    assert lines[-1].startswith(b"y OK")
    assert any(b" BAD" in l or b" NO" in l for l in lines[:-1]), lines


def test_a_line_without_end_is_cut_off_with_a_named_limit(session):
    try:
        for _ in range(64):
            session.send(b"x" * 65536)
    except OSError:
        pass
    try:
        answer = session.file.read(4096)
    except OSError:
        answer = b""
    assert b"BYE" in answer or b"BAD" in answer or answer == b""


def test_a_literal_over_the_limit_is_refused_before_it_is_sent(session):
    session.send("x APPEND INBOX {99999999999}\r\n")
    line = session.line()
    assert line.startswith(b"x NO") or line.startswith(b"x BAD"), line
    assert session.command("y", "NOOP")[-1].startswith(b"y OK")


def test_a_huge_non_synchronising_literal_for_a_search_does_not_hang_the_session(session):
    session.command("s", "SELECT INBOX")
    session.send(b"x SEARCH SUBJECT {1000000+}\r\n")
    try:
        session.send(b"y" * 1_000_000 + b"\r\n")
    except OSError:
        pass
    lines = []
    while not lines or not lines[-1].startswith((b"x ", b"* BYE")):
        line = session.line()
        if not line:
            break
        lines.append(line)
    assert any(l.startswith((b"x BAD", b"x NO", b"* BYE")) for l in lines), lines


DEEP = b"Subject: deep\r\n" + b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(2000)
)
NESTED = b"Content-Type: message/rfc822\r\n\r\n" * 5000 + b"Subject: x\r\n\r\nx\r\n"
MANY = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 50000
LONG_HEADER = b"Subject: " + b"x" * 1_000_000 + b"\r\n\r\nx\r\n"
NUL = b"Subject: nul\r\n\r\n" + b"\x00\xff" * 1000 + b"\r\n"
ADDRESSES = b"To: " + b"(" * 50000 + b"a@b\r\n\r\nx\r\n"
PARAMS = b"Content-Type: text/plain; " + b"; ".join(b"a*%d*=x%%" % n for n in range(20000)) + b"\r\n\r\nx\r\n"


@pytest.mark.parametrize("message", [DEEP, NESTED, MANY, LONG_HEADER, NUL, ADDRESSES, PARAMS], ids="deep nested many header nul addresses params".split())
def test_a_monstrous_message_is_stored_served_and_described(server, user, message):
    client = server.imap(user)
    client.send(b"x APPEND INBOX {%d+}\r\n" % len(message) + message + b"\r\n")
    while not (line := client.readline()).startswith(b"x "):
        pass
    assert line.startswith(b"x OK"), line
    client.select("INBOX")
    assert client.fetch("1", "(BODY.PEEK[])")[1][0][1] == message
    assert client.fetch("1", "(ENVELOPE BODYSTRUCTURE)")[0] == "OK"
    assert client.search(None, "SUBJECT", '"nothing"')[0] == "OK"
    assert client.search(None, "TEXT", '"nothing"')[0] == "OK"
    client.logout()


def smtp(server, listener="smtp", hello="EHLO"):
    raw = server.raw(listener)
    raw.until("220 ")
    raw.send(f"{hello} client.test\r\n")
    raw.until("250 ")
    return raw


def test_the_server_is_no_open_relay(server, user):
    raw = smtp(server)
    raw.send("MAIL FROM:<a@elsewhere.test>\r\n")
    raw.until("250 ")
    for recipient, code in (
        ("<b@elsewhere.test>", b"550 5.7.1"),
        ("<nobody@example.test>", b"550 5.1.1"),
        ("<@example.test:b@elsewhere.test>", b"550 5.7.1"),
        ("<b%elsewhere.test@example.test>", b"550 5.1.1"),
        ("<\"b@elsewhere.test\"@example.test>", b"550 5.1.1"),
        ("<b@[127.0.0.1]>", b"550 5.7.1"),
    ):
        raw.send(f"RCPT TO:{recipient}\r\n")
        assert raw.line().startswith(code), recipient
    raw.send("DATA\r\n")
    assert raw.line().startswith((b"503 ", b"554 "))


@pytest.mark.parametrize("ending", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r"])
def test_no_other_line_ends_the_data_so_nothing_can_be_smuggled(server, user, ending):
    raw = smtp(server)
    raw.send(f"MAIL FROM:<a@elsewhere.test>\r\nRCPT TO:<{user}>\r\nDATA\r\n")
    for reply in ("250 ", "250 ", "354 "):
        raw.until(reply)
    raw.send(b"Subject: s\r\n\r\nx" + ending + f"MAIL FROM:<evil@elsewhere.test>\r\nRCPT TO:<{user}>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n".encode())
    assert raw.line()[:3] in (b"250", b"550", b"554", b"500")
    raw.send("NOOP\r\n")
    assert raw.line().startswith(b"250 ")
    client = server.imap(user)
    client.select("INBOX")
    assert client.search(None, "SUBJECT", "smuggled")[1] == [b""]


def test_a_message_over_the_size_limit_is_refused_by_size_and_by_count(server, user):
    raw = smtp(server)
    raw.send("MAIL FROM:<a@elsewhere.test> SIZE=99999999999\r\n")
    assert raw.line().startswith(b"552 5.3.4")
    raw.send("NOOP\r\n")
    assert raw.line().startswith(b"250 ")


@pytest.mark.parametrize("line", [b"x" * 100_000, b"MAIL FROM:<" + b"a" * 5000 + b"@b>", b"\x00\xff\xfe", b"RCPT TO:<>", b"MAIL FROM:a b c", b"BDAT", b"BDAT 99999999999999999999", b"BDAT -1 LAST", b"EHLO", b"DATA x"])
def test_a_malformed_smtp_command_is_answered_and_the_session_goes_on(server, line):
    raw = smtp(server)
    raw.send(line + b"\r\n")
    answer = raw.line()
    assert answer[:1] == b"5", answer
    if not answer.startswith(b"554 "):
        raw.send("RSET\r\n")
        assert raw.until("250 ")


def test_plaintext_sent_along_with_starttls_is_never_executed(server, user):
    raw = server.raw("imap")
    raw.until("* OK")
    raw.send(b"a STARTTLS\r\nb CAPABILITY\r\n")
    assert raw.until("a ")[-1].startswith(b"a OK")
    raw.sock.settimeout(5)
    tls = server.tls_context().wrap_socket(raw.sock, server_hostname="localhost")
    tls.sendall(b"c NOOP\r\n")
    assert tls.recv(4096).startswith(b"c OK")


def test_a_client_that_vanishes_in_the_middle_of_anything_leaves_nothing_behind(server, user):
    for text in (
        f'a LOGIN {user} "{PASSWORD}"\r\nb APPEND INBOX {{1000+}}\r\nhalf',
        f'a LOGIN {user} "{PASSWORD}"\r\nb SELECT INBOX\r\nc IDLE\r\n',
        f'a LOGIN {user} {{5}}\r\n',
    ):
        raw = server.raw("imaps")
        raw.send(text)
        time.sleep(0.1)
        raw.sock.close()
    client = server.imap(user)
    assert client.select("INBOX") == ("OK", [b"0"])
    assert server.json("mailbox", "check", user)[0]["findings"] == []


def test_ten_slow_readers_do_not_hold_up_anybody(server, user):
    client = server.imap(user)
    big = b"Subject: big\r\n\r\n" + b"z" * 78 * 100_000
    client.append("INBOX", None, None, big)
    slow = []
    for _ in range(10):
        raw = server.raw("imaps")
        raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.send(f'a LOGIN {user} "{PASSWORD}"\r\nb SELECT INBOX\r\nc FETCH 1 BODY.PEEK[]\r\n')
        slow.append(raw)
    time.sleep(0.5)
    start = time.monotonic()
    other = server.imap(user)
    other.select("INBOX")
    assert other.fetch("1", "(FLAGS)")[0] == "OK"
    assert time.monotonic() - start < 10
    for raw in slow:
        raw.sock.close()


GUESSING = {"trusted": ()}


@pytest.mark.parametrize("own_server", [GUESSING], indirect=True)
def test_guessing_passwords_becomes_slow_and_is_logged(own_server):
    server = own_server
    user = server.add_user("alice")
    times = []
    for n in range(4):
        raw = server.raw("imaps")
        raw.until("* OK")
        start = time.monotonic()
        assert raw.command("a", f"LOGIN {user} wrong{n}")[-1].startswith(b"a NO")
        times.append(time.monotonic() - start)
        raw.close()
    assert times[-1] > 1 and times[-1] > times[0]
    assert user in server.log_text() and "wrong0" not in server.log_text()


def test_many_connections_are_bounded_with_a_message_that_names_the_limit():
    server = Server(listener_extra="max_connections_per_address = 5")
    try:
        server.start()
        # Whether it answers was found out by connections, which may still be counted.
        held, deadline = [], time.monotonic() + 10
        while len(held) < 5:
            raw = server.raw("imap")
            if raw.line().startswith(b"* OK"):
                held.append(raw)
            assert time.monotonic() < deadline
        answers = [server.raw("imap").line() for _ in range(3)]
        assert any(a.startswith(b"* BYE") for a in answers), answers
        assert "max_connections_per_address" in server.log_text()
    finally:
        server.destroy()


def test_deliveries_from_twenty_connections_at_once_all_arrive(server, user):
    errors = []

    def work():
        try:
            for _ in range(10):
                deliver_lmtp(server, user, MESSAGE)
        except Exception as e:  # noqa: BLE001
            errors.append(e)

    threads = [threading.Thread(target=work) for _ in range(20)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not errors, errors
    assert server.imap(user).select("INBOX") == ("OK", [b"200"])
