"""A protocol is replaced while clients stay connected: the property everything here stands on."""

import re
import shutil
import threading
import time

from waxwing import PACKAGES, PASSWORD, deliver_lmtp

MESSAGE = b"From: a@elsewhere.test\r\nTo: b@example.test\r\nSubject: one\r\n\r\n" + b"0123456789abcdef" * 4 + b"\r\n"


def next_version(tmp_path, plugin, version, packages=PACKAGES):
    """The same component under another version: what it calls itself is the visible difference."""
    package = tmp_path / f"{plugin}-{version}"
    shutil.copytree(packages / plugin, package)
    manifest = package / "plugin.toml"
    text = manifest.read_text()
    manifest.write_text(re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', text, count=1))
    assert manifest.read_text() != text
    return package


def logged_in(server, user):
    raw = server.raw("imaps")
    raw.until("* OK")
    assert raw.command("a1", f'LOGIN {user} "{PASSWORD}"')[-1].startswith(b"a1 OK")
    return raw


def told_version(raw, tag="v1"):
    lines = raw.command(tag, 'ID ("name" "test")')
    assert lines[-1].startswith(tag.encode() + b" OK")
    return re.search(rb'"version" "([^"]+)"', b"".join(lines)).group(1).decode()


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def test_a_swap_and_its_rollback_disturb_nobody(own_server, tmp_path):
    server = own_server
    user = server.add_user("alice")
    filler = server.imap(user)
    filler.select("INBOX")
    big = MESSAGE + b"x" * 75 + b"\r\n"
    big = big + (b"y" * 78 + b"\r\n") * 400
    for _ in range(400):
        assert filler.append("INBOX", None, None, big)[0] == "OK"

    idlers = [logged_in(server, user) for _ in range(10)]
    for raw in idlers:
        raw.command("a2", "SELECT INBOX")
        raw.send("a3 IDLE\r\n")
        raw.until("+ ")

    # Half-way through a FETCH of some 13 MB: the client has read a little and stops reading.
    fetcher = logged_in(server, user)
    fetcher.command("a2", "SELECT INBOX")
    fetcher.send("a3 FETCH 1:* (UID BODY.PEEK[])\r\n")
    head = fetcher.read(200_000)

    # Half-way through an APPEND literal.
    appender = logged_in(server, user)
    appender.send(f"a2 APPEND INBOX (\\Seen) {{{len(big)}}}\r\n")
    appender.until("+ ")
    appender.send(big[: len(big) // 2])
    time.sleep(0.3)

    old = told_version(logged_in(server, user))
    package = next_version(tmp_path, "imap", "99.0.1")
    server.cli("plugin", "load", str(package))
    swap = server.json("plugin", "activate", "imap")
    assert "99.0.1" in str(swap)

    appender.send(big[len(big) // 2 :] + b"\r\n")
    assert re.match(rb"a2 OK \[APPENDUID \d+ 401\]", appender.until("a2 ")[-1])
    rest = [head]
    while True:
        chunk = fetcher.file.read1(65536)
        assert chunk, "the fetching client was disconnected"
        rest.append(chunk)
        if re.search(rb"\r\na3 [A-Z]+[^\r\n]*\r\n$", b"".join(rest[-2:])):
            break
    answer = b"".join(rest)
    assert re.search(rb"\r\na3 OK [^\r\n]*\r\n$", answer)
    position = 0
    for number in range(1, 401):
        match = re.compile(rb"\* %d FETCH \(UID %d BODY\[\] \{%d\}\r\n" % (number, number, len(big))).match(answer, position)
        assert match, f"message {number} is torn: {answer[position:position + 80]!r}"
        position = match.end() + len(big)
        assert answer[match.end() : position] == big
        assert answer[position : position + 3] == b")\r\n"
        position += 3
    # Only the EXISTS of the appended message may stand between the last message and the tagged line.
    assert re.fullmatch(rb"(\* [^\r\n]*\r\n)*a3 OK [^\r\n]*\r\n", answer[position:])

    for raw in idlers:
        raw.until("* 401 EXISTS")
        raw.send("DONE\r\n")
        assert raw.until("a3 ")[-1].startswith(b"a3 OK")
    for raw in [*idlers, fetcher, appender]:
        new = told_version(raw)
        assert new != old and "99.0.1" in new
        assert raw.command("n1", "NOOP")[-1].startswith(b"n1 OK")
    assert idlers[0].command("f1", "FETCH 401 (FLAGS)")[0].startswith(b"* 401 FETCH (FLAGS (\\Seen")

    for raw in idlers:
        raw.send("a4 IDLE\r\n")
        raw.until("+ ")
    server.cli("plugin", "rollback", "imap")
    for raw in idlers:
        raw.send("DONE\r\n")
        assert raw.until("a4 ")[-1].startswith(b"a4 OK")
        assert told_version(raw, "v2") == old
    status = {(p["plugin"], p["version"]): p for p in server.json("plugin", "status")}
    new_row = next(p for (name, version), p in status.items() if name == "imap" and "99.0.1" in version)
    assert new_row["sessions"] + new_row["frozen"] == 0 and new_row["traps"] == 0


def test_an_smtp_transaction_goes_on_across_a_swap(own_server, tmp_path):
    server = own_server
    user = server.add_user("alice")
    raw = server.raw("smtp")
    raw.until("220 ")
    for command in ("EHLO client.test", "MAIL FROM:<a@elsewhere.test>", f"RCPT TO:<{user}>"):
        raw.send(command + "\r\n")
        raw.until("250 ")
    raw.send("DATA\r\n")
    raw.until("354 ")
    raw.send(b"Subject: swapped\r\n\r\nfirst half, ")
    server.cli("plugin", "load", str(next_version(tmp_path, "smtp", "99.0.1")))
    server.cli("plugin", "activate", "smtp")
    raw.send(b"second half\r\n.\r\n")
    assert raw.until("250 ")[-1].startswith(b"250 2.")
    client = server.imap(user)
    assert client.select("INBOX") == ("OK", [b"1"])
    assert client.fetch("1", "(BODY[TEXT])")[1][0][1] == b"first half, second half\r\n"


def test_swapping_again_and_again_under_load_loses_and_doubles_nothing(own_server, tmp_path):
    server = own_server
    user = server.add_user("alice")
    versions = [next_version(tmp_path, "imap", f"99.0.{n}") for n in range(1, 4)]
    for package in versions:
        server.cli("plugin", "load", str(package))
    stop = threading.Event()
    acknowledged = []
    errors = []

    def append_and_fetch(number):
        try:
            c = server.imap(user)
            c.select("INBOX")
            n = 0
            while not stop.is_set():
                n += 1
                key = f"{number}.{n}"
                status, _ = c.append("INBOX", None, None, b"X-Key: " + key.encode() + b"\r\n" + MESSAGE)
                assert status == "OK", status
                acknowledged.append(key)
                status, rows = c.uid("FETCH", "1:*", "(FLAGS)")
                assert status == "OK"
            c.logout()
        except Exception as e:  # noqa: BLE001 - told to the main thread
            errors.append(e)

    threads = [threading.Thread(target=append_and_fetch, args=(n,)) for n in range(6)]
    [t.start() for t in threads]
    for round_ in range(12):
        server.cli("plugin", "activate", "imap", f"99.0.{round_ % 3 + 1}")
        time.sleep(0.1)
    stop.set()
    [t.join() for t in threads]
    assert not errors, errors
    c = server.imap(user)
    c.select("INBOX")
    rows = c.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (X-KEY)])")[1]
    keys = [row[1].split(b":")[1].strip().decode() for row in rows if isinstance(row, tuple)]
    assert sorted(keys) == sorted(acknowledged)


def test_a_broken_version_is_refused_at_load_and_the_running_one_goes_on(own_server, tmp_path):
    server = own_server
    user = server.add_user("alice")
    raw = logged_in(server, user)
    package = next_version(tmp_path, "imap", "99.0.1")
    wasm = next(package.glob("*.wasm"))
    wasm.write_bytes(wasm.read_bytes()[:5000])
    done = server.cli("plugin", "load", str(package), check=False)
    assert done.returncode != 0 and "imap" in done.stderr
    assert raw.command("n1", "NOOP")[-1].startswith(b"n1 OK")


def test_what_was_active_is_active_after_a_restart(own_server, tmp_path):
    server = own_server
    user = server.add_user("alice")
    server.cli("plugin", "load", str(next_version(tmp_path, "imap", "99.0.1")))
    server.cli("plugin", "activate", "imap")
    deliver_lmtp(server, user, MESSAGE)
    assert server.stop() == 0
    server.start()
    raw = logged_in(server, user)
    assert "99.0.1" in told_version(raw)
    assert b"* 1 EXISTS\r\n" in raw.command("s1", "SELECT INBOX")
