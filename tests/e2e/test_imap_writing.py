"""How messages get into a mailbox beyond a plain APPEND: REPLACE, BINARY, CATENATE, over a bare socket."""

import base64
import email
import re

import pytest

from test_imap_extensions import PLAIN, append, connect
from test_swap import next_version

@pytest.fixture
def raw(server, user):
    """A session with three messages selected, and a mailbox `Sketches`."""
    session = connect(server, user)
    for number in (b"one", b"two", b"three"):
        append(session, "INBOX", b"Subject: %s\r\n\r\n" % number + PLAIN)
    session.command("c", "CREATE Sketches")
    session.command("s", "SELECT INBOX")
    yield session
    session.close()

def put(raw, command, *pieces):
    """A command whose pieces are text, or literals as bytes; the answer's lines."""
    raw.send(f"p {command}")
    for piece in pieces:
        if isinstance(piece, str):
            raw.send(piece)
        else:
            raw.send(b"{%d}\r\n" % len(piece))
            raw.until("+ ")
            raw.send(piece)
    raw.send("\r\n")
    return raw.until("p ")

def stored(raw, uid, mailbox=None):
    """The whole message, as BODY[] has it."""
    if mailbox:
        raw.command("x", f"SELECT {mailbox}")
    raw.send(f"f UID FETCH {uid} (BODY.PEEK[])\r\n")
    line = raw.line()
    while b"BODY[]" not in line:
        assert not line.startswith(b"f "), line
        line = raw.line()
    message = raw.read(int(re.search(rb"BODY\[\] \{(\d+)\}", line)[1]))
    raw.until("f OK")
    return message

# -- REPLACE (RFC 8508) ---------------------------------------------------------------------------

def test_a_message_takes_the_place_of_another(raw):
    lines = put(raw, "REPLACE 2 INBOX (\\Draft) ", b"Subject: newer\r\n\r\nx\r\n")
    assert re.match(rb"\* OK \[APPENDUID \d+ 4\]", lines[0])
    assert [line for line in lines if b"EXISTS" in line or b"EXPUNGE" in line][0] in (b"* 2 EXPUNGE\r\n", b"* 4 EXISTS\r\n")
    assert b"* 2 EXPUNGE\r\n" in lines and lines[-1].startswith(b"p OK")
    assert raw.command("a", "UID SEARCH ALL")[0] == b"* SEARCH 1 3 4\r\n"
    assert b"\\Draft" in raw.command("b", "UID FETCH 4 FLAGS")[0]

def test_the_newer_message_may_go_to_another_mailbox(raw):
    lines = put(raw, "UID REPLACE 3 Sketches ", b"Subject: newer\r\n\r\nx\r\n")
    assert b"* 3 EXPUNGE\r\n" in lines and lines[-1].startswith(b"p OK")
    assert b"MESSAGES 1" in raw.command("a", "STATUS Sketches (MESSAGES)")[0]
    lines = put(raw, "REPLACE * Sketches ", b"Subject: newest\r\n\r\nx\r\n")
    assert b"* 2 EXPUNGE\r\n" in lines

def test_nothing_is_taken_away_when_nothing_is_put_in(raw):
    assert put(raw, "UID REPLACE 2 Nowhere {3+}\r\nabc")[-1].startswith(b"p NO [TRYCREATE]")
    assert put(raw, "UID REPLACE 99 INBOX {3+}\r\nabc")[-1].startswith(b"p NO")
    assert put(raw, "REPLACE 9 INBOX {3+}\r\nabc")[-1].startswith(b"p BAD")
    assert put(raw, "REPLACE 1 INBOX ", b"abc", " {3+}\r\nabc")[-1].startswith(b"p BAD")
    raw.command("x", "EXAMINE INBOX")
    assert put(raw, "REPLACE 1 INBOX {3+}\r\nabc")[-1].startswith(b"p NO [CANNOT]")
    raw.command("y", "UNSELECT")
    assert put(raw, "REPLACE 1 INBOX {3+}\r\nabc")[-1].startswith(b"p BAD")
    assert b"MESSAGES 3" in raw.command("a", "STATUS INBOX (MESSAGES)")[0]

def test_a_message_that_went_meanwhile_is_not_replaced(server, user, raw):
    raw.send("p UID REPLACE 2 INBOX {20}\r\n")
    raw.until("+ ")
    other = connect(server, user)
    other.command("s", "SELECT INBOX")
    other.command("d", "UID STORE 2 +FLAGS (\\Deleted)")
    other.command("e", "EXPUNGE")
    other.close()
    raw.send("Subject: late\r\n\r\nx\r\n\r\n")
    assert raw.until("p ")[-1].startswith(b"p NO [EXPUNGEISSUED]")
    assert raw.command("a", "UID SEARCH ALL")[0] == b"* SEARCH 1 3\r\n"

# -- BINARY (RFC 3516) ----------------------------------------------------------------------------

CONTENT = bytes(range(256)) * 9
BINARY = (
    b"From: a@b.test\r\nSubject: binary\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=xx\r\n"
    b"Content-Transfer-Encoding: binary\r\n\r\n--xx\r\nContent-Type: text/plain\r\n\r\nhello\r\n--xx\r\n"
    b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n" + CONTENT + b"\r\n--xx--\r\n"
)

def test_binary_content_is_stored_so_that_every_reader_can_have_it(raw):
    raw.send(b"p APPEND Sketches (\\Seen) ~{%d+}\r\n%s\r\n" % (len(BINARY), BINARY))
    assert raw.until("p ")[-1].startswith(b"p OK [APPENDUID")
    message = email.message_from_bytes(stored(raw, 1, "Sketches"))
    assert message["Content-Transfer-Encoding"] == "8bit"
    first, second = message.get_payload()
    assert first.get_payload() == "hello" and second["Content-Transfer-Encoding"] == "base64"
    assert base64.b64decode(second.get_payload()) == CONTENT
    raw.send("f FETCH 1 (BINARY.SIZE[2] BINARY.PEEK[2])\r\n")
    line = raw.line()
    assert b"BINARY.SIZE[2] %d " % len(CONTENT) in line and line.endswith(b"~{%d}\r\n" % len(CONTENT))
    assert raw.read(len(CONTENT)) == CONTENT
    raw.until("f OK")

def test_text_in_a_literal8_stays_as_it_came(raw):
    text = b"Subject: x\r\nContent-Transfer-Encoding: binary\r\n\r\nlong\nlines \xff\r\n"
    raw.send(b"p APPEND Sketches ~{%d}\r\n" % len(text))
    raw.until("+ ")
    raw.send(text + b"\r\n")
    assert raw.until("p ")[-1].startswith(b"p OK")
    assert stored(raw, 1, "Sketches") == text

def test_nul_that_no_encoding_hides_is_refused(raw):
    raw.send(b"p APPEND INBOX ~{18+}\r\nSubject: \0\r\n\r\nab\r\n\r\n")
    assert raw.until("p ")[-1].startswith(b"p NO [UNKNOWN-CTE]")
    assert raw.command("a", "NOOP")[-1].startswith(b"a OK")

# -- CATENATE (RFC 4469) --------------------------------------------------------------------------

ATTACHED = (
    b"Subject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=yy\r\n\r\n--yy\r\n"
    b"Content-Type: text/plain\r\n\r\nfirst\r\n--yy\r\nContent-Type: text/html\r\n\r\n<p>second</p>\r\n--yy--\r\n"
)

def test_a_message_is_strung_together_from_text_and_what_is_stored(raw):
    append(raw, "Sketches", ATTACHED)
    validity = re.search(rb"UIDVALIDITY (\d+)", raw.command("a", "STATUS Sketches (UIDVALIDITY)")[0])[1].decode()
    lines = put(
        raw,
        "APPEND INBOX (\\Seen) CATENATE (TEXT ",
        b"Subject: forwarded\r\n\r\n",
        f' URL "/Sketches;UIDVALIDITY={validity}/;UID=1/;SECTION=2" TEXT ',
        b"\r\n",
        ' URL "/Sketches/;UID=1/;section=2.MIME" URL ',
        b";UID=1/;PARTIAL=0.12",
        ")",
    )
    assert re.match(rb"p OK \[APPENDUID \d+ 4\]", lines[-1])
    composed = b"Subject: forwarded\r\n\r\n<p>second</p>\r\nContent-Type: text/html\r\n\r\nSubject: one"
    assert stored(raw, 4) == composed

def test_a_message_of_urls_alone_needs_no_literal_and_another_may_follow(raw):
    lines = put(raw, "APPEND Sketches CATENATE (URL /INBOX/;UID=2) (\\Flagged) CATENATE (URL /INBOX/;UID=1) ", b"Subject: x\r\n\r\ny")
    assert re.match(rb"p OK \[APPENDUID \d+ 1:3\]", lines[-1])
    original = stored(raw, 2)
    assert stored(raw, 1, "Sketches") == original
    assert b"\\Flagged" in raw.command("a", "UID FETCH 2 FLAGS")[0]

def test_a_draft_is_replaced_by_one_that_is_strung_together(raw):
    append(raw, "Sketches", ATTACHED)
    raw.command("s", "SELECT Sketches")
    lines = put(raw, "UID REPLACE 1 Sketches CATENATE (TEXT ", b"Subject: newer\r\n\r\n", " URL ;UID=1/;SECTION=1)")
    assert b"* 1 EXPUNGE\r\n" in lines and lines[-1].startswith(b"p OK")
    assert stored(raw, 2) == b"Subject: newer\r\n\r\nfirst"

@pytest.mark.parametrize(
    "url",
    [
        "/Nowhere/;UID=1",
        "/INBOX/;UID=99",
        "/INBOX;UIDVALIDITY=1/;UID=1",
        "/INBOX/;UID=1/;SECTION=7",
        "imap://elsewhere.test/INBOX/;UID=1",
        "imap:nonsense",
    ],
)
def test_a_url_of_nothing_is_named_and_nothing_is_added(raw, url):
    lines = put(raw, "APPEND INBOX CATENATE (TEXT ", b"Subject: x\r\n\r\n", f" URL {url} TEXT {{3+}}\r\nabc)")
    assert lines[-1].startswith(b"p NO [BADURL " + url.encode() + b"]"), lines
    assert raw.command("a", "UID SEARCH ALL")[0] == b"* SEARCH 1 2 3\r\n"

def test_a_text_of_nothing_and_a_binary_one_are_taken(raw):
    raw.send(b"p APPEND Sketches CATENATE (TEXT {0+}\r\n TEXT ~{42+}\r\nContent-Transfer-Encoding: binary\r\n\r\nab\0cd)\r\n")
    assert raw.until("p ")[-1].startswith(b"p OK")
    assert stored(raw, 1, "Sketches") == b"Content-Transfer-Encoding: base64\r\n\r\nYWIAY2Q="

def test_a_plugin_is_replaced_between_two_parts(own_server, tmp_path):
    user = own_server.add_user("alice")
    raw = connect(own_server, user)
    append(raw, "INBOX", ATTACHED)
    raw.send("p APPEND INBOX CATENATE (URL /INBOX/;UID=1/;SECTION=HEADER TEXT {5}\r\n")
    raw.until("+ ")
    raw.send("hello TEXT {6}\r\n")
    raw.until("+ ")
    own_server.cli("plugin", "load", str(next_version(tmp_path, "imap", "99.0.1")))
    own_server.cli("plugin", "activate", "imap")
    raw.send(" world)\r\n")
    assert raw.until("p ")[-1].startswith(b"p OK")
    header = ATTACHED[: ATTACHED.index(b"\r\n\r\n") + 4]
    assert stored(raw, 2, "INBOX") == header + b"hello world"
    raw.close()

