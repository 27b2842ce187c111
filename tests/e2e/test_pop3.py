"""POP3 with the clients of others: poplib, curl, fetchmail and mpop, beside IMAP in the same mailbox."""

import poplib
import re
import subprocess
import time

import pytest

from corpus import cpython_corpus, generated
from test_command_line_clients import run
from test_swap import next_version
from waxwing import PASSWORD

DOTS = b"From: a@elsewhere.test\r\nSubject: dots\r\n\r\n.\r\n..two\r\n...\r\nend\r\n"


def message(number, text="text"):
    return f"From: a@elsewhere.test\r\nSubject: number {number}\r\n\r\n{text} {number}\r\n".encode()


def pop3(server, user=None):
    client = poplib.POP3_SSL("localhost", server.ports["pop3s"], context=server.tls_context(), timeout=60)
    if user:
        client.user(user)
        client.pass_(PASSWORD)
    return client


def fill(server, user, messages):
    imap = server.imap(user)
    for m in messages:
        assert imap.append("INBOX", None, None, m)[0] == "OK"
    imap.select("INBOX")
    return imap


def octets(answer):
    return b"".join(line + b"\r\n" for line in answer[1])


def released(server, user):
    """Logs in again: the server hears that a connection is gone a little after its client has closed it."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return pop3(server, user)
        except poplib.error_proto as error:
            assert b"[IN-USE]" in error.args[0] and time.monotonic() < deadline
            time.sleep(0.05)


def test_a_client_lists_reads_and_deletes(server, user):
    messages = [message(1), DOTS, message(3)]
    fill(server, user, messages)
    client = pop3(server, user)
    assert client.stat() == (3, sum(map(len, messages)))
    assert client.list()[1] == [b"%d %d" % (n, len(m)) for n, m in enumerate(messages, 1)]
    assert [octets(client.retr(n)) for n in (1, 2, 3)] == messages
    assert octets(client.top(2, 2)) == b"From: a@elsewhere.test\r\nSubject: dots\r\n\r\n.\r\n..two\r\n"
    assert octets(client.top(1, 0)) == b"From: a@elsewhere.test\r\nSubject: number 1\r\n\r\n"
    client.dele(1)
    client.dele(2)
    with pytest.raises(poplib.error_proto):
        client.retr(1)
    assert client.stat() == (1, len(messages[2]))
    client.rset()
    assert client.stat()[0] == 3
    client.dele(2)
    assert client.quit().startswith(b"+OK")
    client = pop3(server, user)
    assert [octets(client.retr(n)) for n in (1, 2)] == [messages[0], messages[2]]
    client.quit()


def test_every_message_of_the_corpus_comes_out_as_it_went_in(server, user):
    messages = [*cpython_corpus().values(), *generated(100)]
    fill(server, user, messages)
    client = pop3(server, user)
    for number, m in enumerate(messages, 1):
        client._putcmd(f"RETR {number}")
        size = int(re.match(rb"\+OK (\d+) octets", client._getresp()).group(1))
        assert size == len(m)
        lines = []
        while (line := client.file.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        got = b"".join(lines)
        assert got == m or got == m + b"\r\n" and not m.endswith(b"\r\n"), f"message {number}"
    client.quit()


def test_unique_ids_last_whatever_imap_does(server, user):
    imap = fill(server, user, [message(n) for n in range(1, 5)])
    client = pop3(server, user)
    before = [line.split()[1] for line in client.uidl()[1]]
    assert len(set(before)) == 4
    client.quit()
    imap.store("2", "+FLAGS", "(\\Deleted \\Seen)")
    imap.expunge()
    imap.store("1", "+FLAGS", "(\\Flagged)")
    imap.append("INBOX", None, None, message(5))
    client = released(server, user)
    after = [line.split()[1] for line in client.uidl()[1]]
    assert after[:3] == [before[0], before[2], before[3]] and after[3] not in before
    client.quit()


def test_the_maildrop_stands_still_while_imap_works_in_it(server, user):
    imap = fill(server, user, [message(n) for n in range(1, 4)])
    client = pop3(server, user)
    stat, listed, uids = client.stat(), client.list()[1], client.uidl()[1]
    imap.store("2", "+FLAGS", "(\\Deleted)")
    imap.expunge()
    imap.append("INBOX", None, None, message(4))
    assert (client.stat(), client.list()[1], client.uidl()[1]) == (stat, listed, uids)
    assert octets(client.retr(3)) == message(3)
    with pytest.raises(poplib.error_proto, match="gone"):
        client.retr(2)
    # What is gone is passed over at QUIT, and what came meanwhile stays.
    client.dele(1)
    client.dele(2)
    assert client.quit().startswith(b"+OK")
    imap.noop()
    assert [imap.fetch(n, "(BODY[])")[1][0][1] for n in ("1", "2")] == [message(3), message(4)]


def test_a_message_moved_away_is_not_deleted_where_it_went(server, user):
    imap = fill(server, user, [message(1), message(2)])
    client = pop3(server, user)
    client.dele(1)
    assert imap.create("Kept")[0] == "OK"
    assert imap.uid("MOVE", "1", "Kept")[0] == "OK"
    assert client.quit().startswith(b"+OK")
    assert imap.select("Kept") == ("OK", [b"1"])
    assert imap.select("INBOX") == ("OK", [b"1"])


def test_nothing_is_deleted_without_quit(server, user):
    fill(server, user, [message(1), message(2)])
    client = pop3(server, user)
    client.dele(1)
    client.sock.shutdown(2)
    client.close()
    client = released(server, user)
    assert client.stat()[0] == 2
    client.quit()


def test_a_maildrop_is_one_sessions(server, user):
    first = pop3(server, user)
    with pytest.raises(poplib.error_proto, match=r"\[IN-USE\]"):
        pop3(server, user)
    # IMAP is not in the way of it, nor it of IMAP.
    assert fill(server, user, [message(1)]).select("INBOX") == ("OK", [b"1"])
    first.quit()
    released(server, user).quit()


def test_a_wrong_password_is_told_apart_from_trouble(server, user):
    client = pop3(server)
    client.user(user)
    with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
        client.pass_("wrong")
    client.user(user)
    client.pass_(PASSWORD)
    client.quit()


def test_capabilities_change_with_tls(server, user):
    client = poplib.POP3("localhost", server.ports["pop3"], timeout=60)
    before = client.capa()
    assert "STLS" in before and {"PLAIN", "LOGIN"} <= set(before["SASL"])
    client.stls(server.tls_context())
    after = client.capa()
    assert "STLS" not in after and after["EXPIRE"] == ["NEVER"] and after["UTF8"] == ["USER"] and "USER" in after
    client.user(user)
    client.pass_(PASSWORD)
    assert "SASL" not in client.capa()
    client.quit()


def test_pipelined_commands_are_answered_in_their_order(server, user):
    messages = [message(n, "x" * 2000) for n in range(1, 201)]
    fill(server, user, messages)
    raw = server.raw("pop3s")
    raw.until("+OK")
    raw.send(f"USER {user}\r\nPASS {PASSWORD}\r\nSTAT\r\n" + "".join(f"RETR {n}\r\n" for n in range(1, 201)) + "QUIT\r\n")
    raw.until("+OK Logged in")
    assert raw.line() == b"+OK 200 %d\r\n" % sum(map(len, messages))
    for m in messages:
        assert raw.line() == b"+OK %d octets\r\n" % len(m)
        assert raw.read(len(m)) == m
        assert raw.line() == b".\r\n"
    assert raw.line() == b"+OK Bye\r\n"
    raw.close()


def test_utf8_is_for_names_and_messages(server):
    user = server.add_user("grün")
    text = "From: a@elsewhere.test\r\nSubject: grün\r\n\r\nschön\r\n".encode()
    raw = server.raw("pop3s")
    raw.until("+OK")
    imap = server.imap()
    imap.authenticate("PLAIN", lambda _: f"\0{user}\0{PASSWORD}".encode())
    assert imap.append("INBOX", None, None, text)[0] == "OK"
    for command in ("UTF8", f"USER {user}", f"PASS {PASSWORD}", "RETR 1"):
        raw.send(f"{command}\r\n".encode())
        assert raw.line().startswith(b"+OK"), command
    assert raw.read(len(text)) == text
    raw.close()


def test_a_session_goes_on_in_the_next_version(own_server, tmp_path):
    server = own_server
    user = server.add_user("alice")
    messages = [message(n, "y" * 70 + "\r\n" + "z" * 1900) for n in range(1, 301)]
    fill(server, user, messages)
    client = pop3(server, user)
    client.dele(7)
    stat = client.stat()
    # Half-way through three hundred answers that the client does not read.
    raw_user = server.add_user("bob")
    fill(server, raw_user, messages)
    raw = server.raw("pop3s")
    raw.until("+OK")
    raw.send(f"USER {raw_user}\r\nPASS {PASSWORD}\r\n" + "".join(f"RETR {n}\r\n" for n in range(1, 301)))
    raw.until("+OK Logged in")

    server.cli("plugin", "load", str(next_version(tmp_path, "pop3", "99.0.1")))
    assert "99.0.1" in str(server.json("plugin", "activate", "pop3"))

    assert client.stat() == stat and octets(client.retr(8)) == messages[7]
    with pytest.raises(poplib.error_proto, match=r"\[IN-USE\]"):
        pop3(server, user)
    for m in messages:
        assert raw.line() == b"+OK %d octets\r\n" % len(m)
        assert raw.read(len(m)) == m and raw.line() == b".\r\n"
    assert {s["version"] for s in server.json("session", "list") if s["protocol"] == "pop3"} == {"99.0.1"}
    server.cli("plugin", "rollback", "pop3")
    assert client.quit().startswith(b"+OK")
    assert released(server, user).stat()[0] == 299
    raw.close()


def test_a_killed_server_leaves_no_lock_behind(own_server):
    server = own_server
    user = server.add_user("alice")
    fill(server, user, [message(1), message(2)])
    client = pop3(server, user)
    client.dele(1)
    client.stat()
    server.process.kill()
    server.process.wait()
    server.start()
    client = pop3(server, user)
    assert client.stat()[0] == 2
    client.quit()


@pytest.mark.parametrize("scheme", ["pop3s", "pop3"])
def test_curl_lists_and_fetches(server, user, scheme):
    fill(server, user, [message(1), DOTS])
    base = f"{scheme}://localhost:{server.ports[scheme]}"
    curl = ["curl", "-sS", "--fail", "--ssl-reqd", "--cacert", server.ca, "-u", f"{user}:{PASSWORD}"]
    sizes = f"1 {len(message(1))}\r\n2 {len(DOTS)}\r\n".encode()
    assert run(*curl, f"{base}/") == sizes
    assert run(*curl, f"{base}/2") == DOTS
    assert run(*curl, "--sasl-ir", "--login-options", "AUTH=PLAIN", f"{base}/1") == message(1)
    assert run(*curl, "--login-options", "AUTH=LOGIN", f"{base}/1") == message(1)
    assert b"number 1" in run(*curl, "-X", "TOP 1 0", f"{base}/")


MPOP = """\
account default
host localhost
port {port}
user {user}
password "{password}"
auth {auth}
tls on
tls_starttls {starttls}
tls_trust_file {ca}
delivery maildir {maildir}
uidls_file {root}/uidls
keep {keep}
received_header off
"""


@pytest.mark.parametrize(
    "listener,starttls,auth",
    [("pop3", "on", "user"), ("pop3s", "off", "plain"), ("pop3s", "off", "scram-sha-256")],
)
def test_mpop_fetches_each_message_once(server, user, tmp_path, listener, starttls, auth):
    maildir = tmp_path / "mail"
    for part in ("cur", "new", "tmp"):
        (maildir / part).mkdir(parents=True)

    def fetched(keep):
        config = tmp_path / "mpoprc"
        config.write_text(
            MPOP.format(port=server.ports[listener], user=user, password=PASSWORD, auth=auth, starttls=starttls,
                        ca=server.ca, maildir=maildir, root=tmp_path, keep=keep)  # fmt: skip
        )
        config.chmod(0o600)
        run("mpop", "-C", config)
        return sorted(path.read_bytes() for path in (maildir / "new").iterdir())

    messages = sorted([message(1), DOTS, message(3, "grün")])
    fill(server, user, messages)
    unix = [m.replace(b"\r\n", b"\n") for m in messages]
    assert fetched("on") == unix
    assert fetched("on") == unix
    fill(server, user, [message(4)])
    assert len(fetched("off")) == 4
    assert released(server, user).stat() == (0, 0)


def test_fetchmail_empties_a_maildrop(server, user, tmp_path):
    messages = [message(n) for n in range(1, 21)]
    fill(server, user, messages)
    config = tmp_path / "fetchmailrc"
    config.write_text(
        f'poll localhost service {server.ports["pop3s"]} protocol pop3 auth password user "{user}" password "{PASSWORD}" ssl '
        f'sslcertck sslcertfile "{server.ca}" fetchall nokeep mda "cat >> {tmp_path}/out"\n'
    )
    config.chmod(0o600)
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "FETCHMAILHOME": str(tmp_path), "USER": "nobody"}
    done = subprocess.run(
        ["fetchmail", "-f", config, "--nosyslog", "--nodetach", "--pidfile", tmp_path / "pid"],
        capture_output=True, timeout=300, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    out = (tmp_path / "out").read_bytes()
    assert [int(n) for n in re.findall(rb"Subject: number (\d+)", out)] == list(range(1, 21))
    assert released(server, user).stat() == (0, 0)
