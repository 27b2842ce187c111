"""METADATA (RFC 5464) and LIST-METADATA (RFC 9590)."""

import imaplib

import pytest

from test_imap_extensions import connect

imaplib.Commands.update({"GETMETADATA": ("AUTH", "SELECTED"), "SETMETADATA": ("AUTH", "SELECTED")})


@pytest.fixture
def raw(server, user):
    session = connect(server, user)
    session.command("c", "CREATE one")
    yield session
    session.close()


def get(raw, text):
    lines = raw.command("g", f"GETMETADATA {text}")
    assert lines[-1].startswith(b"g OK"), lines
    return lines


def test_entries_are_set_read_and_removed(raw):
    assert raw.command("a", 'SETMETADATA one (/private/comment "mine" /shared/Comment "ours")')[-1].startswith(b"a OK")
    assert get(raw, "one (/shared/comment /private/comment)")[0] == b'* METADATA one (/private/comment "mine" /shared/comment "ours")\r\n'
    assert raw.command("b", "SETMETADATA one (/private/comment NIL)")[-1].startswith(b"b OK")
    assert get(raw, "one /private/comment")[0] == b"* METADATA one (/private/comment NIL)\r\n"
    assert raw.command("c", "SETMETADATA gone (/private/comment NIL)")[-1].startswith(b"c NO [NONEXISTENT]")


def test_a_client_library_reads_what_it_wrote(server, user):
    client = server.imap(user)
    assert "METADATA" in client.capabilities
    assert client._simple_command("SETMETADATA", "INBOX", '(/private/vendor/x "a value")')[0] == "OK"
    kind, _ = client._simple_command("GETMETADATA", "INBOX", "/private/vendor/x")
    assert kind == "OK"
    assert client.untagged_responses["METADATA"][-1] == b'INBOX (/private/vendor/x "a value")'
    client.logout()


def test_depth_and_size_bound_what_is_told(raw):
    raw.command("a", f'SETMETADATA "" (/private/f "0" /private/f/a "1" /private/f/a/b "{"x" * 500}")')
    assert get(raw, '"" /private/f')[0] == b'* METADATA "" (/private/f "0")\r\n'
    assert get(raw, '(DEPTH 1) "" /private/f')[0] == b'* METADATA "" (/private/f "0" /private/f/a "1")\r\n'
    lines = get(raw, '(DEPTH infinity MAXSIZE 100) "" /private')
    assert b"/private/f/a/b" not in lines[0] and lines[-1].startswith(b"g OK [METADATA LONGENTRIES 500]")
    assert b"x" * 500 in get(raw, '(DEPTH infinity) "" /private')[0]


def test_binary_values_come_back_as_they_are(raw):
    raw.send(b"a SETMETADATA one (/private/icon ~{4+}\r\n\0\1\r\n)\r\n")
    assert raw.until("a ")[-1].startswith(b"a OK")
    raw.send("g GETMETADATA one /private/icon\r\n")
    assert raw.line() == b"* METADATA one (/private/icon ~{4}\r\n"
    assert raw.read(4) == b"\0\1\r\n"
    raw.until("g OK")


def test_limits_are_told_and_nothing_of_the_command_is_done(raw):
    long = b"x" * 16385
    raw.send(b'a SETMETADATA one (/private/a "1" /private/long {%d+}\r\n%s)\r\n' % (len(long), long))
    assert raw.until("a ")[-1].startswith(b"a NO [METADATA MAXSIZE 16384]")
    assert get(raw, "one /private/a")[0] == b"* METADATA one (/private/a NIL)\r\n"
    for number in range(100):
        assert raw.command("b", f'SETMETADATA one (/private/{number} "x")')[-1].startswith(b"b OK")
    assert raw.command("c", 'SETMETADATA one (/private/more "x")')[-1].startswith(b"c NO [METADATA TOOMANY]")
    assert raw.command("d", 'SETMETADATA one (/private/7 NIL /private/more "x")')[-1].startswith(b"d OK")


def test_entries_go_with_their_mailbox_and_end_with_it(raw):
    raw.command("a", 'SETMETADATA one (/private/comment "x")')
    raw.command("b", "RENAME one two")
    assert get(raw, "two /private/comment")[0] == b'* METADATA two (/private/comment "x")\r\n'
    raw.command("c", "DELETE two")
    raw.command("d", "CREATE two")
    assert get(raw, "two /private/comment")[0] == b"* METADATA two (/private/comment NIL)\r\n"


def test_a_list_tells_metadata(raw):
    raw.command("a", 'SETMETADATA one (/private/color "red")')
    lines = raw.command("b", 'LIST "" (INBOX one) RETURN (METADATA (/private/color))')
    assert lines[1] == b"* METADATA INBOX (/private/color NIL)\r\n"
    assert lines[3] == b'* METADATA one (/private/color "red")\r\n'
    assert b'* METADATA Sent (/private/specialuse "\\\\Sent")\r\n' in raw.command("c", 'LIST "" * RETURN (METADATA /private/specialuse)')
    assert raw.command("d", 'SETMETADATA Sent (/private/specialuse "\\\\Junk")')[-1].startswith(b"d NO [NOPERM]")


@pytest.mark.parametrize("own_server", [{"extra_config": '[plugin.imap.config]\nmetadata_admin = "mailto:root@test.example"'}], indirect=True)
def test_the_server_says_who_runs_it(own_server):
    raw = connect(own_server, own_server.add_user("alice"))
    assert get(raw, '"" /shared/admin')[0] == b'* METADATA "" (/shared/admin "mailto:root@test.example")\r\n'
    assert raw.command("a", 'SETMETADATA "" (/shared/admin "x")')[-1].startswith(b"a NO [NOPERM]")
    raw.close()
