"""IMAP extensions that few or no client libraries speak, over a bare socket."""

import re
import zlib

import pytest

from test_swap import next_version
from waxwing import PASSWORD, Raw

HTML = (
    b"From: a@elsewhere.test\r\nSubject: two\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<style>p { color: red }</style><p>Sch\xc3\xb6ne   Gr\xc3\xbc\xc3\x9fe</p>\r\n"
)
PLAIN = b"From: a@elsewhere.test\r\nSubject: one\r\n\r\nHello   there,\r\n\r\nhow are you?\r\n"


def connect(server, user):
    raw = server.raw("imaps")
    raw.until("* OK")
    assert raw.command("login", f'LOGIN {user} "{PASSWORD}"')[-1].startswith(b"login OK")
    return raw


def append(raw, mailbox, message):
    raw.send(b"append APPEND %s {%d+}\r\n%s\r\n" % (mailbox.encode(), len(message), message))
    assert raw.until("append ")[-1].startswith(b"append OK")


@pytest.fixture
def raw(server, user):
    """A session with nine messages selected: HTML, plain, HTML, …"""
    session = connect(server, user)
    for number in range(9):
        append(session, "INBOX", PLAIN if number % 2 else HTML)
    session.command("s", "SELECT INBOX")
    yield session
    session.close()


class Deflated(Raw):
    """Lines over RFC 4978, with Python's own zlib at the other end."""

    def __init__(self, raw):
        self.sock, self.raw, self.buffer = raw.sock, raw, b""
        self.packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.unpacker = zlib.decompressobj(-15)
        self.file = self

    def send(self, data):
        data = data.encode() if isinstance(data, str) else data
        self.sock.sendall(self.packer.compress(data) + self.packer.flush(zlib.Z_SYNC_FLUSH))

    def readline(self):
        while b"\n" not in self.buffer:
            packed = self.sock.recv(65536)
            if not packed:
                break
            self.buffer += self.unpacker.decompress(packed)
        line, end, self.buffer = self.buffer.partition(b"\n")
        return line + end

    def close(self):
        self.raw.close()


# -- COMPRESS (RFC 4978) --------------------------------------------------------------------------


def test_a_session_is_compressed_both_ways_and_stays_so_when_its_plugin_is_replaced(own_server, tmp_path):
    user = own_server.add_user("alice")
    plain = connect(own_server, user)
    assert plain.command("a", "COMPRESS GZIP")[-1].startswith(b"a BAD")
    assert plain.command("b", "COMPRESS DEFLATE")[-1].startswith(b"b OK")
    raw = Deflated(plain)
    for _ in range(9):
        append(raw, "INBOX", PLAIN)
    raw.command("s", "SELECT INBOX")
    assert len(raw.command("c", "FETCH 1:* (FLAGS BODY.PEEK[])")) > 9
    assert raw.command("d", "COMPRESS DEFLATE")[-1].startswith(b"d NO [COMPRESSIONACTIVE]")
    assert b"COMPRESS" not in raw.command("e", "CAPABILITY")[0]
    own_server.cli("plugin", "load", str(next_version(tmp_path, "imap", "99.0.1")))
    own_server.cli("plugin", "activate", "imap")
    assert raw.command("f", "NOOP")[-1].startswith(b"f OK")
    assert raw.command("g", "COMPRESS DEFLATE")[-1].startswith(b"g NO [COMPRESSIONACTIVE]")
    raw.close()


# -- IMAP4rev2 (RFC 9051) -------------------------------------------------------------------------


def test_who_enables_imap4rev2_is_answered_as_it_has_it(server, user):
    raw = connect(server, user)
    append(raw, "INBOX", PLAIN)
    assert raw.command("a", "ENABLE IMAP4rev2")[0] == b"* ENABLED IMAP4REV2\r\n"
    lines = raw.command("b", "SELECT INBOX")
    assert any(line.startswith(b"* LIST (") and line.endswith(b"INBOX\r\n") for line in lines)
    assert not any(b"RECENT" in line or b"[UNSEEN" in line for line in lines)
    assert raw.command("c", "SEARCH ALL")[0] == b'* ESEARCH (TAG "c") ALL 1\r\n'
    assert raw.command("d", "UID SEARCH SEEN")[0] == b'* ESEARCH (TAG "d") UID\r\n'
    raw.send('e CREATE "Entwürfe"\r\n'.encode())
    assert raw.until("e ")[-1].startswith(b"e OK")
    assert any("Entwürfe".encode() in line for line in raw.command("f", 'LIST "" *'))
    append(raw, "INBOX", PLAIN)
    assert not any(b"RECENT" in line for line in raw.command("g", "NOOP"))
    raw.close()


# -- PARTIAL (RFC 9394) ---------------------------------------------------------------------------


def test_results_and_fetches_come_in_pages(raw):
    raw.command("d", "UID STORE 4 +FLAGS (\\Deleted)")
    raw.command("e", "EXPUNGE")
    search = lambda range_: raw.command("a", f"UID SEARCH RETURN (PARTIAL {range_} COUNT) ALL")[0]  # noqa: E731
    assert search("1:4") == b'* ESEARCH (TAG "a") UID PARTIAL (1:4 1:3,5) COUNT 8\r\n'
    assert search("-1:-2") == b'* ESEARCH (TAG "a") UID PARTIAL (-1:-2 8:9) COUNT 8\r\n'
    assert search("9:20") == b'* ESEARCH (TAG "a") UID PARTIAL (9:20 NIL) COUNT 8\r\n'
    lines = raw.command("b", "UID FETCH 2:* (UID) (PARTIAL 2:4)")
    assert [re.search(rb"UID (\d+)", line)[1] for line in lines[:-1]] == [b"3", b"5", b"6"]
    assert raw.command("c", "UID SEARCH RETURN (PARTIAL 1:4 ALL) ALL")[-1].startswith(b"c BAD")
    raw.command("d", "UID SEARCH RETURN (SAVE PARTIAL -1:-2) ALL")
    assert len(raw.command("e", "UID FETCH $ UID")) == 3


def test_a_sorted_result_comes_in_pages_of_its_order(raw):
    lines = raw.command("a", "UID SORT RETURN (PARTIAL 1:3) (REVERSE SUBJECT) UTF-8 ALL")
    assert lines[0] == b'* ESEARCH (TAG "a") UID PARTIAL (1:3 1,3,5)\r\n'


# -- SORT=DISPLAY (RFC 5957) ----------------------------------------------------------------------


def test_messages_are_sorted_by_the_names_that_people_see(raw):
    raw.command("a", "CREATE Names")
    for addresses in (
        'From: "Zoe" <anna@elsewhere.test>\r\nTo: Friends: b@elsewhere.test;',
        "From: mike@elsewhere.test\r\nTo: =?utf-8?q?B=C3=A9a?= <z@elsewhere.test>, a@elsewhere.test",
        "From: =?utf-8?q?=C3=81d=C3=A1m?= <zoe@elsewhere.test>\r\nTo: carl@elsewhere.test",
        "To: BEA <a@elsewhere.test>",
        'From: "Adam" <y@elsewhere.test>',
    ):
        append(raw, "Names", addresses.encode() + b"\r\nSubject: x\r\n\r\nhello\r\n")
    assert b"SORT=DISPLAY" in raw.command("b", "CAPABILITY")[0].split()
    raw.command("c", "SELECT Names")
    order = lambda criteria: raw.command("d", f"UID SORT ({criteria}) UTF-8 ALL")[0].split()[2:]  # noqa: E731
    # Of RFC 5256 only the local part counts; no address comes first in both.
    assert order("FROM") == [b"4", b"1", b"2", b"5", b"3"]
    assert order("DISPLAYFROM")[:2] == [b"4", b"5"] and order("DISPLAYFROM")[-1] in (b"1", b"3")
    assert order("DISPLAYFROM").index(b"2") < order("DISPLAYFROM").index(b"1")
    assert order("REVERSE DISPLAYFROM") == order("DISPLAYFROM")[::-1]
    places = order("DISPLAYTO")
    assert places[0] == b"5" and places.index(b"3") < places.index(b"1") and places.index(b"4") < places.index(b"3")
    assert raw.command("e", "UID SORT (DISPLAYPHONE) UTF-8 ALL")[-1].startswith(b"e BAD")


# -- UIDONLY (RFC 9586) ---------------------------------------------------------------------------


def test_who_enables_uidonly_neither_sends_nor_sees_numbers(raw):
    assert raw.command("a", "ENABLE UIDONLY")[0] == b"* ENABLED UIDONLY\r\n"
    for command in ("FETCH 1 FLAGS", "STORE 1 +FLAGS (x)", "SEARCH ALL", "COPY 1 INBOX", "UID SEARCH 1:3"):
        assert raw.command("b", command)[-1].startswith(b"b BAD [UIDREQUIRED]"), command
    lines = raw.command("c", "UID FETCH 3 (FLAGS)")
    assert lines[0].startswith(b"* 3 UIDFETCH (") and b"FLAGS" in lines[0]
    assert raw.command("d", "UID STORE 3 +FLAGS (\\Deleted)")[0].startswith(b"* 3 UIDFETCH (")
    assert raw.command("e", "EXPUNGE")[0] == b"* VANISHED 3\r\n"


# -- OBJECTID (RFC 8474) --------------------------------------------------------------------------


def test_a_mailbox_keeps_its_id_under_another_name_and_a_message_in_another_mailbox(raw):
    created = raw.command("a", "CREATE one")[-1]
    mailbox_id = re.search(rb"\[MAILBOXID \(([A-Za-z0-9_-]+)\)\]", created)[1]
    raw.command("b", "RENAME one two")
    assert mailbox_id in raw.command("c", "STATUS two (MAILBOXID)")[0]
    email = lambda uid: re.search(rb"EMAILID \((M\w+)\) THREADID NIL", raw.command("d", f"UID FETCH {uid} (EMAILID THREADID)")[0])[1]  # noqa: E731
    first, second = email(1), email(2)
    assert first != second
    raw.command("e", "UID COPY 1 two")
    assert raw.command("f", f"UID SEARCH EMAILID {second.decode()}")[0] == b"* SEARCH 2 4 6 8\r\n", "the same octets are the same message"
    assert raw.command("g", "UID SEARCH EMAILID Mnone")[0] == b"* SEARCH\r\n"
    assert any(b"[MAILBOXID (" + mailbox_id in line for line in raw.command("h", "SELECT two"))
    assert email(1) == first


# -- PREVIEW (RFC 8970), SAVEDATE (RFC 8514), WITHIN (RFC 5032) --------------------------------------


def test_a_preview_is_the_readable_text(raw):
    lines = b"".join(raw.command("a", "FETCH 1:2 (PREVIEW UID)"))
    assert b"PREVIEW {15}\r\n" + "Schöne Grüße".encode() in lines
    assert b'PREVIEW "Hello there, how are you?"' in lines
    assert b'PREVIEW "Hello there, how are you?"' in raw.command("b", "FETCH 2 PREVIEW (LAZY)")[0]


def test_messages_are_found_by_their_age_and_by_when_they_came_here(raw):
    old = b'x APPEND INBOX "01-Feb-2020 10:00:00 +0000" {%d+}\r\n%s\r\n' % (len(PLAIN), PLAIN)
    raw.send(old)
    raw.until("x ")
    raw.command("n", "NOOP")
    assert raw.command("a", "SEARCH OLDER 86400")[0] == b"* SEARCH 10\r\n"
    assert raw.command("b", "SEARCH YOUNGER 86400")[0] == b"* SEARCH 1 2 3 4 5 6 7 8 9\r\n"
    assert raw.command("c", "SEARCH SAVEDSINCE 1-Jan-2021 SAVEDATESUPPORTED")[0] == b"* SEARCH 1 2 3 4 5 6 7 8 9 10\r\n"
    assert raw.command("d", "SEARCH SAVEDBEFORE 1-Jan-2021")[0] == b"* SEARCH\r\n"
    saved = raw.command("e", "FETCH 10 SAVEDATE")[0]
    day = re.search(rb'SAVEDATE "\s?(\d+-\w+-\d+) ', saved)[1].decode()
    assert raw.command("f", f"SEARCH SAVEDON {day} 10")[0] == b"* SEARCH 10\r\n"


# -- UNAUTHENTICATE (RFC 8437) ----------------------------------------------------------------------


def test_a_connection_can_be_used_for_another_person(server, raw):
    other = server.add_user("another")
    raw.command("a", "ENABLE UIDONLY")
    assert raw.command("b", "UNAUTHENTICATE")[-1].startswith(b"b OK")
    assert raw.command("c", "SELECT INBOX")[-1].startswith(b"c BAD")
    assert b"AUTH=PLAIN" in raw.command("d", "CAPABILITY")[0]
    assert raw.command("e", f'LOGIN {other} "{PASSWORD}"')[-1].startswith(b"e OK")
    assert b"* 0 EXISTS\r\n" in raw.command("f", "SELECT INBOX")
    append(raw, "INBOX", PLAIN)
    raw.command("n", "NOOP")
    assert raw.command("g", "FETCH 1 UID")[0].startswith(b"* 1 FETCH"), "UIDONLY ended with the log-in"


# -- THREAD (RFC 5256) ------------------------------------------------------------------------------


def test_messages_are_threaded_by_what_they_refer_to_and_by_subject(server, user):
    raw = connect(server, user)
    mails = (
        ("one", None, "Lunch", 1),
        ("two", "one", "Re: Lunch", 2),
        ("three", "one two", "Re: Lunch", 4),
        ("four", "one", "Re: Lunch", 3),
        ("five", "gone", "Supper", 5),
        ("six", "gone", "Supper", 6),
        ("seven", None, "Re: Lunch", 7),
    )
    for name, references, subject, day in mails:
        text = f"From: a@b.test\r\nMessage-ID: <{name}@b.test>\r\nSubject: {subject}\r\nDate: Sun, {day} Feb 2026 10:00:00 +0000\r\n"
        if references:
            text += "References: " + "\r\n ".join(f"<{word}@b.test>" for word in references.split()) + "\r\n"
        append(raw, "INBOX", (text + "\r\nx\r\n").encode())
    raw.command("s", "SELECT INBOX")
    thread = lambda text: raw.command("a", text)[0]  # noqa: E731
    assert thread("THREAD REFERENCES UTF-8 ALL") == b"* THREAD (1 (2 3)(4)(7))((5)(6))\r\n"
    assert thread("UID THREAD REFS US-ASCII ALL") == b"* THREAD (1 (2 3)(4))((5)(6))(7)\r\n"
    assert thread("THREAD ORDEREDSUBJECT UTF-8 ALL") == b"* THREAD (1 (2)(4)(3)(7))(5 6)\r\n"
    assert thread("THREAD REFERENCES UTF-8 SUBJECT Supper") == b"* THREAD ((5)(6))\r\n"
    assert thread("THREAD REFERENCES UTF-8 SEEN") == b"* THREAD\r\n"
    append(raw, "INBOX", b"From: a@b.test\r\nMessage-ID: <eight@b.test>\r\nIn-Reply-To: <six@b.test>\r\n\r\nx\r\n")
    raw.command("n", "NOOP")
    assert thread("THREAD REFERENCES UTF-8 ALL") == b"* THREAD (1 (2 3)(4)(7))((5)(6 8))\r\n"
    assert raw.command("b", "THREAD FOO UTF-8 ALL")[-1].startswith(b"b BAD")
    raw.close()


# -- what an operator switches off ------------------------------------------------------------------


@pytest.mark.parametrize("own_server", [{"extra_config": '[plugin.imap.config.off]\nimap = ["thread=refs", "IDLE"]'}], indirect=True)
def test_a_capability_is_switched_off_for_a_listener_and_for_a_person(own_server):
    user = own_server.add_user("alice")
    own_server.cli("user", "feature", user, "imap.PREVIEW", "off")
    plain = own_server.raw("imap")
    greeting = plain.line().split()
    assert b"THREAD=REFERENCES" in greeting and b"THREAD=REFS" not in greeting and b"IDLE" not in greeting
    plain.close()
    raw = connect(own_server, user)
    offered = raw.command("a", "CAPABILITY")[0].split()
    assert b"THREAD=REFS" in offered and b"IDLE" in offered and b"PREVIEW" not in offered
    raw.close()
