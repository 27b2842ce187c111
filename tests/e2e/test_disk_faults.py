"""The disk is full, read-only, slow, failing, damaged; files run out. One mailbox is struck, the other goes on; the client hears
its protocol's temporary error, the log names path and cause, and when the cause is gone, service is back without a restart."""

import json
import os
import pathlib
import re
import resource
import smtplib
import threading
import time

import pytest

from forgetful import ForgetfulDisk
from waxwing import Server

MESSAGE = b"From: a@elsewhere.test\r\nSubject: %s\r\n\r\n" + b"0123456789abcdef" * 4 + b"\r\n"


class Struck(Server):
    """Two people; the disk can be told to fail for the first alone."""

    def __init__(self, disk=ForgetfulDisk):
        super().__init__(disk=disk)
        self.alice, self.bob = self.add_user("alice"), self.add_user("bob")
        mailboxes = {row["address"]: row["mailbox"] for row in self.json("user", "list")}
        self.path = mailboxes[self.alice]
        self.start()
        for user in (self.alice, self.bob):
            client = self.imap(user)
            assert client.append("INBOX", None, None, MESSAGE % b"before")[0] == "OK"
            client.logout()

    @property
    def files(self):
        return self.data / "mailboxes" / self.path[:2] / self.path

    def fail(self, what, errno):
        self.disk.ask("fail", what, errno, self.path)

    def heal(self):
        self.disk.ask("clear")

    def lmtp(self, *recipients):
        """The reply to each recipient of one message."""
        raw = self.raw("lmtp")
        raw.until("220 ")
        commands = ["LHLO client.test", "MAIL FROM:<a@elsewhere.test>", *(f"RCPT TO:<{to}>" for to in recipients)]
        for command in commands:
            raw.send(command + "\r\n")
            raw.until("250 ")
        raw.send("DATA\r\n")
        raw.until("354 ")
        raw.send(MESSAGE % b"lmtp" + b".\r\n")
        replies = [raw.line().decode().strip() for _ in recipients]
        raw.close()
        return replies

    def smtp(self, recipient):
        with smtplib.SMTP("127.0.0.1", self.ports["smtp"], timeout=60) as client:
            try:
                client.sendmail("a@elsewhere.test", [recipient], MESSAGE % b"smtp")
            except smtplib.SMTPDataError as error:
                return f"{error.smtp_code} {error.smtp_error.decode()}"
        return "250"

    def json_of_check(self, *arguments):
        return json.loads(self.cli("mailbox", "check", *arguments, "--json", check=False).stdout)

    def is_clean(self):
        rows = self.json_of_check()
        return all(not row["findings"] and not row["error"] for row in rows)


@pytest.fixture
def struck():
    server = Struck()
    yield server
    server.heal()
    log = server.log_text()
    server.destroy()
    assert "panicked" not in log, log[-4000:]


@pytest.fixture
def plain():
    """The same on the disk of the machine, which can exchange two folders in one step."""
    server = Struck(disk=None)
    yield server
    log = server.log_text()
    server.destroy()
    assert "panicked" not in log, log[-4000:]


def subjects(client):
    client.select("INBOX")
    rows = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    return [re.search(rb"Subject: (\S+)", row[1]).group(1).decode() for row in rows if isinstance(row, tuple)]


@pytest.mark.parametrize(
    "errno, smtp, imap, cause",
    [
        ("ENOSPC", "452 4.3.1", "UNAVAILABLE", "full|No space"),
        ("EDQUOT", "452 4.3.1|451 4.3.0", "UNAVAILABLE", "quota|full|disk I/O"),
        ("EROFS", "451 4.3.0", "UNAVAILABLE", "Read-only|readonly|disk I/O"),
        ("EIO", "451 4.3.0", "UNAVAILABLE", "I/O error"),
    ],
)
def test_what_cannot_be_written_is_refused_for_now_and_nobody_else_notices(struck, errno, smtp, imap, cause):
    client, other = struck.imap(struck.alice), struck.imap(struck.bob)
    client.select("INBOX")
    struck.fail("write", errno)
    for _ in range(2):
        assert re.match(smtp, struck.smtp(struck.alice)), struck.log_text()[-2000:]
        refused, taken = struck.lmtp(struck.alice, struck.bob)
        assert re.match(smtp, refused) and taken.startswith("250 "), (refused, taken)
        status, text = client.append("INBOX", None, None, MESSAGE % b"refused")
        assert status == "NO" and f"[{imap}]" in text[0].decode(), text
        status, text = client.store("1", "+FLAGS", "(\\Flagged)")
        assert status == "NO" and f"[{imap}]" in text[0].decode(), text
        assert other.append("INBOX", None, None, MESSAGE % b"other")[0] == "OK"
    assert client.fetch("1", "(BODY.PEEK[])")[0] == "OK", "what is there can still be read"
    told = [line for line in struck.log_text().splitlines() if "the mailbox cannot be served" in line]
    assert told and struck.path in told[0] and re.search(cause, told[0]), told
    assert len(told) <= 2, "a line for every failure would fill the disk further"
    struck.heal()
    assert client.append("INBOX", None, None, MESSAGE % b"appended")[0] == "OK"
    assert client.store("1", "+FLAGS", "(\\Flagged)")[0] == "OK"
    assert struck.smtp(struck.alice) == "250"
    assert "the mailbox is served again" in struck.log_text()
    assert subjects(struck.imap(struck.alice)) == ["before", "appended", "smtp"]
    assert subjects(struck.imap(struck.bob)).count("other") == 2
    assert struck.is_clean()


def test_a_disk_without_room_takes_nothing_and_gives_what_it_has(struck):
    client = struck.imap(struck.alice)
    client.select("INBOX")
    struck.disk.ask("capacity", int(struck.disk.ask("used")) + 4096)
    big = MESSAGE % b"big" + os.urandom(300_000).hex().encode() + b"\r\n"
    status, text = client.append("INBOX", None, None, big)
    assert status == "NO" and b"UNAVAILABLE" in text[0], text
    assert client.fetch("1", "(BODY.PEEK[])")[0] == "OK"
    struck.disk.ask("capacity", 1 << 40)
    assert client.append("INBOX", None, None, big)[0] == "OK"
    assert subjects(client) == ["before", "big"]
    assert struck.is_clean()


def test_a_sync_that_failed_never_makes_a_later_promise_hollow(struck):
    client = struck.imap(struck.alice)
    struck.fail("sync", "EIO")
    status, _ = client.append("INBOX", None, None, MESSAGE % b"doubtful")
    assert status == "NO"
    struck.heal()
    for _ in range(3):
        assert client.append("INBOX", None, None, MESSAGE % b"promised")[0] == "OK"
    struck.disk.ask("cut")
    struck.stop(9)
    struck.disk.ask("revive", "forget", 1)
    struck.start()
    there = subjects(struck.imap(struck.alice))
    assert there.count("promised") == 3 and there.count("doubtful") <= 1, there
    assert struck.is_clean()


def test_a_slow_disk_slows_its_own_mailbox(struck):
    client, other = struck.imap(struck.alice), struck.imap(struck.bob)
    struck.disk.ask("delay", 1500, struck.path)
    answers = []
    slow = threading.Thread(target=lambda: answers.append(client.append("INBOX", None, None, MESSAGE % b"slow")))
    slow.start()
    time.sleep(0.2)
    began = time.monotonic()
    assert other.append("INBOX", None, None, MESSAGE % b"quick")[0] == "OK"
    assert time.monotonic() - began < 1.3 and slow.is_alive()
    struck.heal()
    slow.join(60)
    assert answers[0][0] == "OK"
    assert struck.is_clean()


def damage(struck, mark):
    """Stops the server and writes over the page where that text stands first."""
    struck.stop()
    file = struck.files / "mailbox.sqlite"
    octets = bytearray(file.read_bytes())
    page = octets.index(mark) // 4096 * 4096
    octets[page : page + 4096] = b"\xa5" * 4096
    file.write_bytes(octets)
    struck.start()


def test_a_damaged_file_is_made_a_mailbox_again_while_the_server_runs(plain):
    client = plain.imap(plain.alice)
    for number in range(120):
        client.append("INBOX", "(\\Seen)", None, MESSAGE % f"n{number}".encode())
    client.create("Projects")
    client.append("Projects", None, None, MESSAGE % b"big" + os.urandom(100_000).hex().encode() + b"\r\n")
    client.select("INBOX")
    before = client.untagged_responses["UIDVALIDITY"]
    client.logout()
    # A leaf of the table of messages: subjects stand there alone.
    damage(plain, b"n60")
    client = plain.imap(plain.alice)
    assert client.select("INBOX")[0] == "NO"
    # Mail still arrives where the damaged page is not touched; what was taken must be there afterwards.
    assert plain.lmtp(plain.alice)[0].startswith("250 ")
    answer = plain.cli("mailbox", "check", plain.alice, "--repair", check=False)
    assert answer.returncode == 1, "something was lost"
    kept = plain.files / "mailbox.sqlite.damaged-1"
    assert f"the damaged file is kept as {kept}" in answer.stdout and "INBOX UID" in answer.stdout, answer.stdout
    assert b"\xa5" * 4096 in kept.read_bytes()
    # In the session that was refused, and without a restart.
    assert subjects(client) == ["before"] + [f"n{number}" for number in range(120)] + ["lmtp"]
    assert client.untagged_responses["UIDVALIDITY"] == before
    unseen = client.search(None, "UNSEEN")[1][0].split()
    assert 1 < len(unseen) < 80, "flags of the page's messages alone are lost"
    client.select("Projects")
    assert client.fetch("1", "(BODY.PEEK[])")[0] == "OK"
    assert plain.lmtp(plain.alice)[0].startswith("250 ")
    log = plain.log_text()
    assert "the mailbox was salvaged" in log and str(kept) in log
    assert plain.is_clean()
    row = next(row for row in plain.json_of_check("--repair") if row["owner"] == plain.alice)
    assert row["salvage"] is None and row["items"] == 124


def test_what_a_damaged_file_lost_is_told_as_json(plain):
    client = plain.imap(plain.alice)
    client.create("Projects")
    client.append("Projects", None, None, MESSAGE % b"kept")
    client.logout()
    # The only page of the table of folders; an index has their names.
    damage(plain, b"IPF.StickyNote")
    row = next(row for row in plain.json_of_check("--repair") if row["owner"] == plain.alice)
    assert not row["error"] and not row["findings"]
    salvage = row["salvage"]
    assert pathlib.Path(salvage["damaged_file"]).exists() and salvage["damaged_pages"]
    assert {"lost": "folder-row", "of": "Projects", "uids": []} in salvage["losses"]
    client = plain.imap(plain.alice)
    assert subjects(client) == ["before"]
    client.select("Projects")
    assert client.fetch("1", "(BODY.PEEK[])")[0] == "OK"
    assert plain.is_clean()


def test_a_damaged_file_harms_one_person_and_is_found(struck):
    client = struck.imap(struck.alice)
    for number in range(120):
        client.append("INBOX", None, None, MESSAGE % f"n{number}".encode())
    client.logout()
    damage(struck, b"n60")
    other = struck.imap(struck.bob)
    assert subjects(other) == ["before"]
    client = struck.imap(struck.alice)
    status, text = client.select("INBOX")
    assert status == "NO" and b"[CORRUPTION]" in text[0], text
    assert struck.lmtp(struck.bob)[0].startswith("250 ")
    assert struck.path in struck.log_text() and "malformed" in struck.log_text()
    rows = {row["owner"]: row for row in struck.json_of_check()}
    assert not rows[struck.bob]["findings"] and (rows[struck.alice]["findings"] or rows[struck.alice]["error"])


def test_a_message_whose_file_is_gone_is_named_and_the_others_are_read(struck):
    client = struck.imap(struck.alice)
    big = MESSAGE % b"big" + os.urandom(200_000).hex().encode() + b"\r\n"
    assert client.append("INBOX", None, None, big)[0] == "OK"
    files = [path for path in (struck.files / "blobs").rglob("*") if path.is_file()]
    assert len(files) == 1
    kept = files[0].read_bytes()
    files[0].unlink()
    client.select("INBOX")
    assert client.fetch("1", "(BODY.PEEK[])")[0] == "OK"
    # Header and structure stand in the database; only the octets are gone.
    status, rows = client.fetch("2", "(UID RFC822.SIZE)")
    assert status == "OK" and str(len(big)).encode() in rows[0]
    status, text = client.fetch("1:2", "(BODY.PEEK[])")
    shown = client.untagged_responses.pop("FETCH", [])
    # Not EXPUNGEISSUED: a client that keeps a copy would delete it.
    assert status == "NO" and b"[SERVERBUG]" in text[0], (status, text)
    assert sum(isinstance(row, tuple) for row in shown) == 1, shown
    assert "is gone" in struck.log_text() and files[0].name in struck.log_text()
    row = next(row for row in struck.json_of_check("--repair") if row["owner"] == struck.alice)
    assert [found["invariant"] for found in row["findings"]] == ["blob-file"]
    assert "INBOX UID 2" in row["findings"][0]["what"] and not row["findings"][0]["repaired"]
    files[0].write_bytes(kept)
    assert client.fetch("2", "(BODY.PEEK[])")[0] == "OK"
    assert struck.is_clean()


def test_when_files_run_out_new_work_waits_and_old_work_goes_on(struck):
    session = struck.imap(struck.alice)
    session.select("INBOX")
    pid = struck.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    in_use = len(os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (in_use, before[1]))
    late = threading.Thread(target=lambda: greeted.append(struck.imap(struck.bob)))
    greeted = []
    late.start()
    time.sleep(1)
    assert not greeted
    assert session.noop()[0] == "OK" and session.fetch("1", "(FLAGS)")[0] == "OK"
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    late.join(30)
    assert greeted and greeted[0].append("INBOX", None, None, MESSAGE % b"late")[0] == "OK"
    assert re.search("(?i)too many open files", struck.log_text())
    assert struck.is_clean()
