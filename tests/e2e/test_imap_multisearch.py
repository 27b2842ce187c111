"""Searches of several mailboxes (RFC 7377, RFC 9585), batches of UIDs, LANGUAGE (RFC 5255)."""

import re

import pytest

from test_imap_extensions import append, connect
from test_imap_writing import put

MAIL = b"From: a@b.test\r\nSubject: %s\r\n\r\nx\r\n"


def fill(raw):
    for mailbox in ("one", "one/deep", "one/deep/down", "two"):
        raw.command("c", f"CREATE {mailbox}")
    for mailbox, subjects in (("INBOX", "ab"), ("one", "bb"), ("one/deep", "a"), ("one/deep/down", "b")):
        for subject in subjects:
            append(raw, mailbox, MAIL % subject.encode())


@pytest.fixture
def raw(server, user):
    session = connect(server, user)
    fill(session)
    yield session
    session.close()


def found(raw, text):
    """`{mailbox: rest}` of the answers."""
    lines = raw.command("e", f"ESEARCH {text}")
    assert lines[-1].startswith(b"e OK"), lines
    answers = (re.match(rb'\* ESEARCH \(TAG "e" MAILBOX (\S+) UIDVALIDITY \d+\) UID(.*)\r\n', line) for line in lines[:-1])
    return {answer[1].decode(): answer[2].decode() for answer in answers}


def test_mailboxes_are_named_in_every_way(raw):
    assert found(raw, "IN (personal) SUBJECT b") == {"INBOX": " ALL 2", "one": " ALL 1:2", "one/deep/down": " ALL 1"}
    assert found(raw, "IN (inboxes) RETURN (COUNT) ALL") == {"INBOX": " COUNT 2"}
    assert found(raw, "IN (subtree one) RETURN (MIN) ALL") == {"one": " MIN 1", "one/deep": " MIN 1", "one/deep/down": " MIN 1"}
    assert list(found(raw, "IN (subtree-one one) ALL")) == ["one", "one/deep"]
    assert list(found(raw, "IN (mailboxes (two one nowhere) inboxes) ALL")) == ["INBOX", "one"]
    raw.command("s", "SUBSCRIBE one/deep")
    assert "one/deep" in found(raw, "IN (subscribed) ALL")
    assert found(raw, "ALL") == {}, "nothing is selected"
    raw.command("s", "SELECT one")
    assert found(raw, "UID *") == {"one": " ALL 2"}
    assert found(raw, "IN (personal) UID *")["INBOX"] == " ALL 2"


def test_what_belongs_to_the_selected_mailbox_is_refused(raw):
    for wrong in ("IN (personal) 1:3", "IN (personal) RETURN (SAVE) ALL", "IN (all) ALL"):
        assert raw.command("e", f"ESEARCH {wrong}")[-1].startswith(b"e BAD"), wrong
    assert raw.command("e", "ESEARCH IN (personal) CHARSET KOI8-R ALL")[-1].startswith(b"e NO [BADCHARSET")


@pytest.mark.parametrize("own_server", [{"extra_config": "[plugin.imap.config]\nprogress_seconds = 0"}], indirect=True)
def test_a_long_search_says_how_far_it_is(own_server):
    raw = connect(own_server, own_server.add_user("alice"))
    fill(raw)
    lines = raw.command("e", "ESEARCH IN (subtree one) SUBJECT b")
    progress = [line for line in lines if b"INPROGRESS" in line]
    assert progress == [b'* OK [INPROGRESS ("e" %d 3)] Searching mailboxes\r\n' % number for number in (1, 2)]
    assert sum(b"ESEARCH (" in line for line in lines) == 2
    raw.close()


def test_batches_part_a_mailbox(server, user):
    raw = connect(server, user)
    for _ in range(21):
        # Fifty messages of one octet of text each.
        assert put(raw, "APPEND INBOX" + " {20+}\r\nSubject: x\r\n\r\nabcdef" * 50)[-1].startswith(b"p OK")
    raw.command("s", "SELECT INBOX")
    raw.command("d", "UID STORE 1:10,700:739 +FLAGS (\\Deleted)")
    raw.command("d", "EXPUNGE")
    line = raw.command("b", "UIDBATCHES 500")[0]
    batches = [tuple(map(int, batch.split(b":"))) for batch in line.split(b") ")[1].strip().split(b",")]
    assert batches[0][0] == 1050 and batches[-1][1] == 1
    counts = [len(raw.command("f", f"UID FETCH {low}:{high} UID")) - 1 for high, low in batches]
    assert counts == [500, 500]
    assert raw.command("b", "UIDBATCHES 500 2:9")[0] == b'* UIDBATCHES (TAG "b") %d:1\r\n' % batches[1][0]
    assert raw.command("b", "UIDBATCHES 500 7:9")[0] == b'* UIDBATCHES (TAG "b")\r\n'
    assert raw.command("b", "UIDBATCHES 499")[-1].startswith(b"b NO [CLIENTBUG]")
    raw.close()


def test_there_is_one_language(server):
    raw = server.raw("imaps")
    raw.until("* OK")
    assert raw.command("a", "LANGUAGE")[0] == b"* LANGUAGE (EN I-DEFAULT)\r\n"
    assert raw.command("b", "LANGUAGE de *")[0] == b"* LANGUAGE (EN)\r\n"
    assert raw.command("c", "LANGUAGE de")[-1].startswith(b"c NO")
    raw.close()
