"""What the RFCs ask for and clients rely on, said over a bare socket: one behaviour, one test."""

import pytest

from waxwing import DOMAIN, PASSWORD, deliver_lmtp

MESSAGE = b"From: a@elsewhere.test\r\nSubject: one\r\n\r\nbody\r\n"


def connect(server, user):
    raw = server.raw("imaps")
    raw.until("* OK")
    raw.command("login", f'LOGIN {user} "{PASSWORD}"')
    return raw


def append(raw, mailbox, count=1):
    for _ in range(count):
        raw.send(b"append APPEND %s {%d+}\r\n%s\r\n" % (mailbox.encode(), len(MESSAGE), MESSAGE))
        assert raw.until("append ")[-1].startswith(b"append OK")


@pytest.fixture
def pair(server, user):
    """Two sessions of one user that have the same five messages selected."""
    sessions = [connect(server, user), connect(server, user)]
    append(sessions[0], "INBOX", 5)
    for session in sessions:
        session.command("s", "SELECT INBOX")
    yield sessions
    for session in sessions:
        session.close()


# -- IMAP ---------------------------------------------------------------------------------------


def test_what_a_client_can_use_is_told_before_it_logs_in(server):
    """imaplib asks once, at the greeting."""
    client = server.imap()
    assert {"IDLE", "MOVE", "UIDPLUS", "CONDSTORE", "UTF8=ACCEPT"} <= set(client.capabilities)
    client.logout()


def test_messages_that_another_session_expunged_are_named_and_keep_their_numbers(pair):
    """RFC 2180 sections 4.1 to 4.4, RFC 5530 EXPUNGEISSUED."""
    one, other = pair
    other.command("d", "STORE 2,4 +FLAGS (\\Deleted)")
    other.command("e", "EXPUNGE")
    lines = one.command("a", "FETCH 1:* UID")
    assert [line.split()[1] for line in lines[:-1]] == [b"1", b"3", b"5"]
    assert lines[-1].startswith(b"a OK [EXPUNGEISSUED]")
    assert one.command("b", "STORE 1:2 +FLAGS (kw)")[-1].startswith(b"b OK")
    assert one.command("c", "STORE 2 +FLAGS (kw)")[-1].startswith(b"c NO [EXPUNGEISSUED]")
    assert one.command("d", "SEARCH ALL")[0] == b"* SEARCH 1 3 5\r\n"
    lines = one.command("e", "COPY 2 INBOX")
    assert lines == [b"* 4 EXPUNGE\r\n", b"* 2 EXPUNGE\r\n", lines[-1]] and lines[-1].startswith(b"e NO [EXPUNGEISSUED]")
    assert one.command("f", "UID COPY 2 INBOX")[-1].startswith(b"f OK")


def test_the_largest_number_is_not_a_star(pair):
    one, _ = pair
    assert len(one.command("a", "UID FETCH 4294967295 UID")) == 1
    assert len(one.command("b", "UID FETCH 100:4294967295 UID")) == 1
    assert one.command("c", "UID FETCH 100:* UID")[0].startswith(b"* 5 FETCH")


def test_a_list_of_every_uid_of_a_large_mailbox_fits_into_a_line(pair):
    uids = ",".join(str(uid) for uid in range(1, 12_000))
    assert pair[0].command("a", f"UID SEARCH UID {uids}")[0] == b"* SEARCH 1 2 3 4 5\r\n"


def test_the_first_use_of_modseqs_tells_where_they_stand(pair):
    """RFC 7162 section 3.1.2; later uses need not."""
    one, other = pair
    assert one.command("a", "FETCH 1 MODSEQ")[0].startswith(b"* OK [HIGHESTMODSEQ ")
    assert one.command("b", "FETCH 1 MODSEQ")[0].startswith(b"* 1 FETCH")
    assert other.command("a", "ENABLE CONDSTORE")[0].startswith(b"* OK [HIGHESTMODSEQ ")


def test_a_mailbox_that_is_deleted_while_selected_ends_sessions_only_when_they_use_it(server, user):
    """RFC 2180 section 3.3."""
    sessions = [connect(server, user) for _ in range(6)]
    owner, busy, idle, closes, leaves, selects = sessions
    owner.command("a", "CREATE gone")
    for session in sessions[1:]:
        session.command("s", "SELECT gone")
    idle.send("i IDLE\r\n")
    idle.until("+")
    assert owner.command("b", "DELETE gone")[-1].startswith(b"b OK")
    lines = busy.command("c", "NOOP") + busy.until("* BYE")
    assert lines[-2].startswith(b"c NO [NONEXISTENT]") and b"deleted" in lines[-1]
    assert b"deleted" in idle.until("* BYE")[-1]
    assert closes.command("c", "CLOSE")[-1].startswith(b"c OK")
    assert leaves.command("c", "UNSELECT")[-1].startswith(b"c OK")
    assert selects.command("c", "SELECT INBOX")[-1].startswith(b"c OK [READ-WRITE]")
    for session in sessions:
        session.close()


def test_a_pattern_in_the_wrong_encoding_matches_nothing(pair):
    assert pair[0].command("a", 'LIST "" "R&D*"') == [b"a OK LIST completed\r\n"]


def test_the_folders_of_a_new_account_are_subscribed(server, user):
    """Thunderbird shows no others by default."""
    raw = connect(server, user)
    names = {line.split()[-1] for line in raw.command("a", 'LSUB "" "*"')[:-1]}
    assert names == {b"INBOX", b"Drafts", b"Sent", b"Trash", b"Junk", b"Archive"}
    raw.close()


# -- SMTP and LMTP ------------------------------------------------------------------------------


def smtp(server, listener="smtp"):
    raw = server.raw(listener)
    raw.until("220 ")
    raw.send(("LHLO" if listener == "lmtp" else "EHLO") + " client.test\r\n")
    raw.until("250 ")
    return raw


def say(raw, command):
    """The code of a reply of one line."""
    raw.send(command + "\r\n")
    return int(raw.line()[:3])


def test_postmaster_is_served_though_nobody_made_one(server, user):
    """RFC 5321 section 4.5.1."""
    raw = smtp(server)
    assert say(raw, "MAIL FROM:<>") == 250
    for address in ("postmaster", f"PostMaster@{DOMAIN}"):
        assert say(raw, f"RCPT TO:<{address}>") == 250
    raw.close()
    deliver_lmtp(server, f"postmaster@{DOMAIN}", MESSAGE)


@pytest.mark.parametrize("chunks", [1, 64, 65, 700])
def test_a_message_may_come_in_any_number_of_chunks(server, user, chunks):
    """RFC 3030."""
    raw = smtp(server)
    say(raw, "MAIL FROM:<a@elsewhere.test>")
    say(raw, f"RCPT TO:<{user}>")
    body = b"".join(b"line %d of the message\r\n" % number for number in range(chunks))
    raw.send(b"BDAT 17\r\nSubject: parts\r\n\r")
    assert raw.line().startswith(b"250 ")
    rest = b"\n" + body
    size = -(-len(rest) // chunks)
    pieces = [rest[at : at + size] for at in range(0, len(rest), size)]
    for number, piece in enumerate(pieces):
        last = b" LAST" if number == len(pieces) - 1 else b""
        raw.send(b"BDAT %d%s\r\n%s" % (len(piece), last, piece))
        assert raw.line().startswith(b"250 "), number
    raw.close()
    client = server.imap(user)
    client.select()
    assert client.fetch("1", "(BODY[TEXT])")[1][0][1] == body
    client.logout()


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n"])
def test_only_a_dot_between_two_crlf_ends_a_message(server, user, end):
    raw = smtp(server)
    say(raw, "MAIL FROM:<a@elsewhere.test>")
    say(raw, f"RCPT TO:<{user}>")
    assert say(raw, "DATA") == 354
    raw.send(b"Subject: one\r\n\r\nx" + end + b"MAIL FROM:<smuggled@elsewhere.test>\r\n.\r\n")
    assert raw.line().startswith(b"250 ")
    assert say(raw, "NOOP") == 250
    raw.close()


@pytest.mark.parametrize("parameter", ["SIZE", "SIZE=x", "BODY", "SMTPUTF8=1", "RET=X", "ENVID"])
def test_a_known_parameter_that_is_malformed_is_an_error_of_syntax(server, parameter):
    raw = smtp(server)
    assert say(raw, f"MAIL FROM:<a@elsewhere.test> {parameter}") == 501
    assert say(raw, "MAIL FROM:<a@elsewhere.test> X=1") == 555
    raw.close()
