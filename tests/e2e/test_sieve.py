"""Sieve: scripts put in place over ManageSieve by other people's clients, and what becomes of mail that then arrives."""

import base64
import email
import email.header
import shutil
import smtplib

import managesieve
import pytest
from sievelib.managesieve import Client

from test_swap import next_version
from waxwing import DOMAIN, PASSWORD, PATIENCE

MESSAGE = (
    b"From: Carol <carol@elsewhere.test>\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@elsewhere.test>\r\n"
    b"Date: Fri, 27 Nov 2026 10:00:00 +0000\r\n\r\nbody of it\r\n"
)
SENDER = "carol@elsewhere.test"


@pytest.fixture(autouse=True)
def our_authority(monkeypatch, request):
    server = request.getfixturevalue("own_server" if "own_server" in request.fixturenames else "server")
    monkeypatch.setenv("SSL_CERT_FILE", server.ca)


def connect(server, user, password=PASSWORD):
    client = Client("localhost", server.ports["managesieve"])
    assert client.connect(user, password, starttls=True, authmech="PLAIN"), client.errmsg
    return client


def activate(server, user, script, name="main"):
    client = connect(server, user)
    assert client.putscript(name, script), client.errmsg
    assert client.setactive(name), client.errmsg
    client.logout()


def lmtp(server, recipients, subject, sender=SENDER, message=None, to=None):
    """The reply for each recipient; smtplib reads only the first of them."""
    recipients = [recipients] if isinstance(recipients, str) else recipients
    with smtplib.LMTP("127.0.0.1", server.ports["lmtp"], timeout=PATIENCE) as client:
        client.ehlo_or_helo_if_needed()
        assert client.mail(sender)[0] == 250
        for recipient in recipients:
            assert client.rcpt(recipient)[0] == 250, recipient
        text = message or MESSAGE % ((to or recipients[0]).encode(), subject.encode(), subject.replace(" ", "").encode())
        first = client.data(text)
        return [first, *(client.getreply() for _ in recipients[1:])]


def messages(server, user, folder="INBOX"):
    """Flags and message of everything in a folder, oldest first; none when there is no such folder."""
    with server.imap(user) as imap:
        if imap.select(f'"{folder}"', readonly=True)[0] != "OK":
            return []
        found = []
        for number in imap.search(None, "ALL")[1][0].split():
            (head, octets), *_ = imap.fetch(number, "(FLAGS BODY.PEEK[])")[1]
            flags = head.decode().partition("FLAGS (")[2].partition(")")[0].split()
            found.append((flags, email.message_from_bytes(octets)))
        return found


def subjects(server, user, folder="INBOX"):
    return [message["Subject"] for _, message in messages(server, user, folder)]


def test_a_script_is_active_for_the_next_message(server, user):
    lmtp(server, user, "before")
    activate(server, user, 'require ["fileinto", "mailbox", "imap4flags"]; fileinto :create :flags ["\\\\Seen", "$Todo"] "Lists/new";')
    lmtp(server, user, "after")
    assert subjects(server, user) == ["before"]
    [(flags, message)] = messages(server, user, "Lists/new")
    assert message["Subject"] == "after" and {"\\Seen", "$Todo"} <= set(flags)
    client = connect(server, user)
    assert client.setactive(""), client.errmsg
    client.logout()
    lmtp(server, user, "without")
    assert subjects(server, user) == ["before", "without"]


def test_conditions_choose_the_folder(server, user):
    activate(server, user, """
        require ["fileinto", "special-use", "mailbox", "subaddress", "envelope", "variables", "body", "relational", "comparator-i;ascii-numeric"];
        if header :contains "subject" "junk" { fileinto :specialuse "\\\\Junk" "nowhere"; }
        elsif header :contains "subject" "drop" { discard; }
        elsif body :contains "secret word" { fileinto :create "Words"; }
        elsif envelope :matches :detail "to" "*" { fileinto :create "+${1}"; }
        elsif header :value "ge" :comparator "i;ascii-numeric" "x-score" "10" { fileinto :create "High"; }
    """)
    lmtp(server, user, "junk")
    lmtp(server, user, "drop this")
    lmtp(server, user.replace("@", "+news@"), "detail")
    lmtp(server, user, "score", message=b"Subject: score\r\nX-Score: 12 points\r\n\r\n\r\n")
    lmtp(server, user, "word", message=b"Subject: word\r\nContent-Type: text/html\r\n\r\n<b>secret</b> word\r\n")
    lmtp(server, user, "plain")
    assert subjects(server, user, "Junk") == ["junk"]
    assert subjects(server, user, "+news") == ["detail"]
    assert subjects(server, user, "High") == ["score"]
    assert subjects(server, user, "Words") == ["word"]
    assert subjects(server, user) == ["plain"]


def test_a_script_that_fails_keeps_the_message(server, user):
    activate(server, user, 'require ["fileinto", "include"]; fileinto "no such folder"; include "missing";')
    assert lmtp(server, user, "kept")[0][0] == 250
    assert subjects(server, user) == ["kept"]
    assert "line 1: there is no script" in server.log_text()
    activate(server, user, 'require "fileinto"; fileinto "no such folder";')
    assert lmtp(server, user, "kept too")[0][0] == 250
    assert subjects(server, user) == ["kept", "kept too"]


def test_vacation_answers_once_and_only_people(server, user):
    writer = server.add_user(f"writer-of-{user.split('@')[0]}")
    activate(server, user, 'require "vacation"; vacation :days 1 :subject "Away" "I am in the mountains.";')
    lmtp(server, user, "one", sender=writer)
    lmtp(server, user, "two", sender=writer)
    lmtp(server, user, "to others", sender=writer, to=f"list@{DOMAIN}")
    lmtp(server, user, "bounce", sender="")
    assert subjects(server, user) == ["one", "two", "to others", "bounce"]
    [(_, answer)] = messages(server, writer)
    assert answer["Subject"] == "Away" and answer["Auto-Submitted"] == "auto-replied"
    assert answer["In-Reply-To"] == "<one@elsewhere.test>" and answer["Return-Path"] == "<>"
    assert answer["From"] == f"<{user}>" and "in the mountains" in answer.get_payload()


def test_reject_is_told_in_the_transaction(server, user):
    other = server.add_user(f"beside-{user.split('@')[0]}")
    activate(server, user, 'require "reject"; if header :contains "subject" "no" { reject "Not to me."; }')
    replies = lmtp(server, [user, other], "no thanks")
    assert replies[0] == (550, b"5.7.1 Not to me.") and replies[1][0] == 250
    assert subjects(server, user) == [] and subjects(server, other) == ["no thanks"]
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=PATIENCE) as client:
        with pytest.raises(smtplib.SMTPDataError) as alone:
            client.sendmail(SENDER, [user], MESSAGE % (user.encode(), b"no more", b"2"))
    assert alone.value.smtp_code == 550


def test_redirect_goes_to_others_and_never_round(server, user):
    other = server.add_user(f"next-{user.split('@')[0]}")
    activate(server, user, f'require "copy"; redirect :copy "{other}";')
    activate(server, other, f'redirect "{user}";')
    lmtp(server, user, "round")
    assert subjects(server, user) == ["round", "round"]
    assert subjects(server, other) == []
    assert messages(server, user)[1][1].get_all("Delivered-To") == [other, user]


def test_headers_are_edited_and_duplicates_known(server, user):
    activate(server, user, """
        require ["editheader", "duplicate", "fileinto", "mailbox"];
        if duplicate { fileinto :create "Again"; stop; }
        addheader "X-Sorted" "gr\u00fcn";
        deleteheader "subject";
    """)
    lmtp(server, user, "twice")
    lmtp(server, user, "twice")
    [(_, first)] = messages(server, user)
    assert first["Subject"] is None and str(email.header.make_header(email.header.decode_header(first["X-Sorted"]))) == "gr\u00fcn"
    assert first.get_payload() == "body of it\r\n"
    assert subjects(server, user, "Again") == ["twice"]


def test_scripts_include_each_other(server, user):
    client = connect(server, user)
    assert client.putscript("lists", 'require ["fileinto", "mailbox"]; if header :contains "subject" "[x]" { fileinto :create "X"; }')
    client.logout()
    activate(server, user, 'require "include"; include :personal "lists";')
    lmtp(server, user, "[x] list")
    lmtp(server, user, "plain")
    assert subjects(server, user, "X") == ["[x] list"] and subjects(server, user) == ["plain"]


def test_scripts_are_managed_by_sievelib(server, user):
    client = connect(server, user)
    assert "fileinto" in client.get_sieve_capabilities() and client.get_implementation() == "Waxwing"
    assert client.havespace("a", 1000) and not client.havespace("a", 10_000_000)
    assert not client.putscript("a", "keep;\nkep;\n")
    assert b"line 2: there is no command `kep`" in client.errmsg
    assert client.putscript("a", "keep;\r\n# gr\u00fcn\r\n"), client.errmsg
    assert client.putscript("b \"quoted\\", "discard;"), client.errmsg
    assert client.checkscript("stop;") and not client.checkscript("stop")
    assert client.setactive("a") and not client.setactive("none")
    assert client.listscripts()[0] == "a"
    assert client.getscript("a").replace("\r\n", "\n").rstrip("\n") == "keep;\n# gr\u00fcn"
    assert not client.deletescript("a") and client.renamescript("a", "c")
    assert client.listscripts()[0] == "c"
    assert client.setactive("") and client.deletescript("c")
    client.logout()


def test_scripts_are_managed_by_managesieve(server, user):
    client = managesieve.MANAGESIEVE("localhost", server.ports["managesieve"])
    assert client.starttls(verify=False)[0] == "OK"
    assert client.login("", user, "wrong") == "NO"
    assert client.login("", user, PASSWORD) == "OK"
    script = "keep;\r\n" + "# a long script\r\n" * 7_000
    assert client.havespace("big", len(script)) == "OK"
    assert client.putscript("big", script) == "OK"
    assert client.setactive("big") == "OK"
    assert client.listscripts() == ("OK", [("big", True)])
    assert client.getscript("big")[1].strip() == script.strip()
    assert client.putscript("too big", "#" * 140_000) == "NO"
    assert client.deletescript("big") == "NO"
    client.logout()


def test_a_session_goes_on_in_the_middle_of_a_script_across_a_swap(own_server, tmp_path):
    server = own_server
    user = server.add_user("swapped")
    raw = server.raw("managesieve")
    raw.until("OK ")
    token = base64.b64encode(b"\0" + user.encode() + b"\0" + PASSWORD.encode()).decode()
    raw.send(f'AUTHENTICATE "PLAIN" "{token}"\r\n')
    raw.until("OK ")
    raw.send('PUTSCRIPT "main" {5+}\r\nkeep;\r\n')
    raw.until("OK ")
    # A name as a literal, and the command not at its end.
    raw.send("PUTSCRIPT {5+}\r\nother")
    for plugin in ("managesieve", "sieve"):
        server.cli("plugin", "load", str(next_version(tmp_path, plugin, "99.0.1")))
        server.cli("plugin", "activate", plugin)
    raw.send(' {8+}\r\ndiscard;\r\nSETACTIVE "other"\r\nLISTSCRIPTS\r\n')
    assert raw.until("OK ")[-1] == b'OK "Stored"\r\n'
    raw.until("OK ")
    assert raw.until("OK ")[:-1] == [b'"main"\r\n', b'"other" ACTIVE\r\n']
    status = {(row["plugin"], row["version"]): row for row in server.json("plugin", "status")}
    assert status["managesieve", "99.0.1"]["handovers"] == 1
    lmtp(server, user, "gone")
    assert subjects(server, user) == []
    status = {(row["plugin"], row["version"]): row for row in server.json("plugin", "status")}
    assert status["sieve", "99.0.1"]["turns"] >= 1
    raw.close()


def test_scripts_are_in_a_backup(own_server, tmp_path):
    server, backup = own_server, str(tmp_path / "b")
    user = server.add_user("kept")
    activate(server, user, "discard;")
    server.cli("mailbox", "backup", user, "--to", backup)
    activate(server, user, "keep;")
    lmtp(server, user, "kept")
    assert subjects(server, user) == ["kept"]
    server.cli("mailbox", "restore", user, "--from", backup, "--replace", "--yes")
    lmtp(server, user, "gone")
    assert subjects(server, user) == []


def test_without_the_plugin_the_message_is_kept(own_server):
    """A server that lost its filter loses no mail."""
    server = own_server
    user = server.add_user("unfiltered")
    activate(server, user, "discard;")
    server.stop()
    shutil.rmtree(server.data / "plugins" / "sieve")
    server.start()
    assert lmtp(server, user, "kept")[0][0] == 250
    assert subjects(server, user) == ["kept"]
    assert "no plugin that filters is active" in server.log_text()


@pytest.mark.parametrize("own_server", [{"extra_config": "[plugin.sieve.limits]\nhost_calls_per_second = 1\n"}], indirect=True)
def test_a_filter_that_is_stopped_keeps_the_message(own_server):
    server = own_server
    user = server.add_user("stopped")
    activate(server, user, 'require "mailbox"; if mailboxexists ["INBOX", "INBOX", "INBOX", "INBOX", "INBOX"] { discard; }')
    assert lmtp(server, user, "kept")[0][0] == 250
    assert subjects(server, user) == ["kept"]
    assert "host_calls_per_second" in server.log_text() and "the filter failed, the message is kept" in server.log_text()
    assert next(row for row in server.json("plugin", "status") if row["plugin"] == "sieve")["limits"] == 1
