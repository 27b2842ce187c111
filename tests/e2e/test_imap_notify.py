"""NOTIFY (RFC 5465): what happens is told when it happens."""

import pytest

from test_imap_extensions import append, connect
from test_swap import next_version

MAIL = b"From: a@b.test\r\nSubject: news\r\n\r\nx\r\n"


@pytest.fixture
def raw(server, user):
    session = connect(server, user)
    for mailbox in ("one", "two"):
        session.command("c", f"CREATE {mailbox}")
    append(session, "INBOX", MAIL)
    session.command("s", "SELECT INBOX")
    yield session
    session.close()


@pytest.fixture
def other(server, user, raw):
    session = connect(server, user)
    yield session
    session.close()


def ok(raw, text):
    lines = raw.command("n", f"NOTIFY {text}")
    assert lines[-1].startswith(b"n OK"), lines
    return lines[:-1]


def change(other, mailbox, *commands):
    other.command("s", f"SELECT {mailbox}")
    for command in commands:
        assert other.command("x", command)[-1].startswith(b"x OK")


def test_other_mailboxes_are_told_of_without_a_command(raw, other):
    assert ok(raw, "SET (mailboxes one (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge))") == []
    append(other, "one", MAIL)
    assert raw.line().startswith(b"* STATUS one (MESSAGES 1 UIDNEXT 2 UIDVALIDITY ")
    append(other, "two", MAIL)
    assert raw.line().startswith(b"* STATUS two (MESSAGES 1 UIDNEXT 2 ")
    change(other, "two", "UID STORE 1 +FLAGS (\\Seen)")
    change(other, "one", "UID STORE 1 +FLAGS (\\Seen)")
    line = raw.line()
    assert line.startswith(b"* STATUS one (") and b"UNSEEN 0" in line, "flags of `two` were not asked for"
    change(other, "two", "UID STORE 1 +FLAGS (\\Deleted)", "EXPUNGE")
    assert raw.line().startswith(b"* STATUS two (MESSAGES 0 UIDNEXT 2 ")
    ok(raw, "NONE")
    append(other, "two", MAIL)
    assert len(raw.command("q", "NOOP")) == 1


def test_status_is_told_at_once_and_the_first_group_counts(raw):
    lines = ok(raw, "SET STATUS (mailboxes (two) NONE) (subtree (one two) (MessageNew MessageExpunge))")
    assert len(lines) == 1 and lines[0].startswith(b"* STATUS one (MESSAGES 0 UIDNEXT 1 UIDVALIDITY ")


def test_the_selected_mailbox_is_told_of_with_what_was_asked_for(raw, other):
    ok(raw, "SET (selected (MessageNew (FLAGS BODY.PEEK[HEADER.FIELDS (Subject)]) MessageExpunge FlagChange))")
    append(other, "INBOX", MAIL)
    lines = raw.until(")")
    assert lines[0] == b"* 2 EXISTS\r\n"
    assert lines[2].startswith(b"* 2 FETCH (UID 2 FLAGS (") and b"Subject: news\r\n" in lines
    raw.send(b"p APPEND INBOX {%d+}\r\n%s\r\n" % (len(MAIL), MAIL))
    assert any(line.startswith(b"* 3 FETCH (UID 3 FLAGS (") for line in raw.until("p OK")), "and of what comes with a command"
    change(other, "INBOX", "UID STORE 1 +FLAGS (\\Deleted)")
    assert raw.line().startswith(b"* 1 FETCH (FLAGS (")
    change(other, "INBOX", "EXPUNGE")
    assert raw.line() == b"* 1 EXPUNGE\r\n"
    raw.command("u", "UNSELECT")
    append(other, "INBOX", MAIL)
    assert len(raw.command("q", "NOOP")) == 1


def test_expunges_can_wait_for_a_command(raw, other):
    ok(raw, "SET (selected-delayed (MessageNew MessageExpunge FlagChange))")
    change(other, "INBOX", "UID STORE 1 +FLAGS (\\Deleted)", "EXPUNGE")
    append(other, "INBOX", MAIL)
    lines = raw.until("* 2 EXISTS")
    assert not any(b"EXPUNGE" in line for line in lines)
    assert b"* 1 EXPUNGE\r\n" in raw.command("q", "NOOP")


def test_idle_and_notify_go_together(raw, other):
    ok(raw, "SET (personal (MessageNew MessageExpunge))")
    raw.send("i IDLE\r\n")
    raw.until("+ ")
    append(other, "two", MAIL)
    assert raw.line().startswith(b"* STATUS two (")
    append(other, "INBOX", MAIL)
    assert raw.line() == b"* 2 EXISTS\r\n"
    raw.send("DONE\r\n")
    raw.until("i OK")
    append(other, "one", MAIL)
    assert raw.until("* STATUS")[-1].startswith(b"* STATUS one (")


def test_events_that_nobody_tells_of_are_named(raw):
    answer = raw.command("n", "NOTIFY SET (personal (MailboxName MessageNew MessageExpunge))")[-1]
    assert answer.startswith(b"n NO [BADEVENT (MessageNew MessageExpunge FlagChange)]")
    assert raw.command("n", "NOTIFY SET (personal (FlagChange))")[-1].startswith(b"n BAD")


def test_a_new_version_of_the_plugin_goes_on_telling(own_server, tmp_path):
    user = own_server.add_user("alice")
    raw, other = connect(own_server, user), connect(own_server, user)
    raw.command("c", "CREATE one")
    ok(raw, "SET (personal (MessageNew MessageExpunge))")
    own_server.cli("plugin", "load", str(next_version(tmp_path, "imap", "99.0.1")))
    own_server.cli("plugin", "activate", "imap")
    append(other, "one", MAIL)
    assert raw.line().startswith(b"* STATUS one (MESSAGES 1 ")
    raw.close()
    other.close()
