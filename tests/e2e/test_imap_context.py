"""Results that are kept up to date: CONTEXT=SEARCH and CONTEXT=SORT (RFC 5267)."""

import pytest

from test_imap_extensions import append, connect
from test_swap import next_version


def mail(subject):
    return f"From: a@b.test\r\nSubject: {subject}\r\n\r\nx\r\n".encode()


@pytest.fixture
def raw(server, user):
    """A session with `b`, `d`, `f` selected."""
    session = connect(server, user)
    for subject in "bdf":
        append(session, "INBOX", mail(subject))
    session.command("s", "SELECT INBOX")
    yield session
    session.close()


@pytest.fixture
def other(server, user, raw):
    session = connect(server, user)
    session.command("s", "SELECT INBOX")
    yield session
    session.close()


def updates(raw, command="NOOP"):
    return [line for line in raw.command("n", command) if b"ESEARCH (TAG" in line]


def test_a_search_follows_the_mailbox(raw, other):
    assert raw.command("k", "UID SEARCH RETURN (UPDATE COUNT) UNSEEN")[0] == b'* ESEARCH (TAG "k") UID COUNT 3\r\n'
    append(other, "INBOX", mail("g"))
    assert updates(raw) == [b'* ESEARCH (TAG "k") UID ADDTO (0 4)\r\n']
    other.command("a", "UID STORE 2 +FLAGS (\\Seen)")
    assert updates(raw) == [b'* ESEARCH (TAG "k") UID REMOVEFROM (0 2)\r\n']
    assert updates(raw) == []
    assert updates(raw, "UID STORE 1 +FLAGS.SILENT (\\Seen)") == [b'* ESEARCH (TAG "k") UID REMOVEFROM (0 1)\r\n'], "what the session does itself counts too"
    assert updates(raw, "UID STORE 2 -FLAGS.SILENT (\\Seen)") == [b'* ESEARCH (TAG "k") UID ADDTO (0 2)\r\n']
    raw.command("c", 'CANCELUPDATE "k"')
    assert updates(raw, "UID STORE 1 -FLAGS.SILENT (\\Seen)") == []


def test_numbers_hold_when_they_are_told(raw, other):
    raw.command("k", "SEARCH RETURN (UPDATE ALL) UNSEEN")
    for command in ("UID STORE 1 +FLAGS (\\Deleted)", "UID STORE 3 +FLAGS (\\Seen)", "EXPUNGE"):
        other.command("a", command)
    append(other, "INBOX", mail("g"))
    assert updates(raw, "SEARCH ALL") == [b'* ESEARCH (TAG "k") REMOVEFROM (0 3)\r\n', b'* ESEARCH (TAG "k") ADDTO (0 4)\r\n'], "no EXPUNGE yet"
    lines = raw.command("n", "NOOP")
    assert lines[:2] == [b'* ESEARCH (TAG "k") REMOVEFROM (0 1)\r\n', b"* 1 EXPUNGE\r\n"]


def test_a_sorted_result_tells_places(raw, other):
    assert raw.command("k", "UID SORT RETURN (UPDATE ALL CONTEXT) (SUBJECT) UTF-8 ALL")[0] == b'* ESEARCH (TAG "k") UID ALL 1:3\r\n'
    for subject in "aeg":
        append(other, "INBOX", mail(subject))
    assert updates(raw) == [b'* ESEARCH (TAG "k") UID ADDTO (1 4 4 5 6 6)\r\n']
    for command in ("UID STORE 4,2 +FLAGS (\\Deleted)", "EXPUNGE"):
        other.command("a", command)
    assert updates(raw) == [b'* ESEARCH (TAG "k") UID REMOVEFROM (3 2 1 4)\r\n']


def test_updates_come_in_idle_too(raw, other):
    raw.command("k", "UID SEARCH RETURN (UPDATE) SUBJECT h")
    raw.send("i IDLE\r\n")
    raw.until("+ ")
    append(other, "INBOX", mail("h"))
    assert raw.until("* ESEARCH")[-1] == b'* ESEARCH (TAG "k") UID ADDTO (0 4)\r\n'
    raw.send("DONE\r\n")
    raw.until("i OK")


def test_what_cannot_be_kept_is_said_and_the_search_is_done(raw):
    for number in range(8):
        assert not any(b"NOUPDATE" in line for line in raw.command(f"k{number}", "SEARCH RETURN (UPDATE) ALL"))
    lines = raw.command("k9", "SEARCH RETURN (UPDATE) ALL")
    assert lines[0].startswith(b'* NO [NOUPDATE "k9"]') and lines[1] == b'* ESEARCH (TAG "k9") ALL 1:3\r\n'
    raw.command("c", 'CANCELUPDATE "k0" "k1"')
    assert raw.command("l", "SEARCH RETURN (UPDATE) 1:2")[0].startswith(b'* NO [NOUPDATE "l"]')
    raw.command("s", "SELECT INBOX")
    assert not any(b"NOUPDATE" in line for line in raw.command("k9", "SEARCH RETURN (UPDATE) ALL")), "they end with the selection"


def test_a_new_version_of_the_plugin_goes_on_telling(own_server, tmp_path):
    user = own_server.add_user("alice")
    raw = connect(own_server, user)
    raw.command("s", "SELECT INBOX")
    raw.command("k", "UID SORT RETURN (UPDATE COUNT) (SUBJECT) UTF-8 UNSEEN")
    own_server.cli("plugin", "load", str(next_version(tmp_path, "imap", "99.0.1")))
    own_server.cli("plugin", "activate", "imap")
    raw.send(b"p APPEND INBOX {%d+}\r\n%s\r\n" % (len(mail("g")), mail("g")))
    assert b'* ESEARCH (TAG "k") UID ADDTO (1 1)\r\n' in raw.until("p OK")
    raw.close()
