"""One mailbox over two protocols: what one client does the other sees, and eight writers at once leave all with one picture.

The writers are imapclient, poplib and smtplib; the pictures compared are an IMAP client's that was told of every change while it happened,
another's that looks afterwards, and a POP3 client's.
"""

import contextlib
import hashlib
import poplib
import random
import re
import smtplib
import threading
import time

import imapclient

from test_pop3 import octets, pop3
from waxwing import PASSWORD, Raw

SECONDS = 8
FOLDERS = ("INBOX", "Archive", "Trash")
KEYWORDS = (b"\\Seen", b"\\Flagged", b"\\Answered", b"work", b"later")
# What another client may do meanwhile: a message is gone, a maildrop is locked.
MAY_FAIL = re.compile(r"EXPUNGEISSUED|NONEXISTENT|IN-USE|no longer|gone|not exist", re.I)


def message(key):
    return f"From: {key}@elsewhere.test\r\nSubject: {key}\r\n\r\n{key}\r\n".encode()


def imap(server, user):
    client = imapclient.IMAPClient("localhost", server.ports["imaps"], ssl=True, ssl_context=server.tls_context())
    client.login(user, PASSWORD)
    return client


def deliver(server, user, key):
    with smtplib.LMTP("localhost", server.ports["lmtp"]) as lmtp:
        lmtp.sendmail("a@elsewhere.test", [user], message(key))


class Watcher:
    """An IMAP client that asks for nothing: it counts and keeps what the server tells (RFC 9051 section 7)."""

    def __init__(self, server, user):
        self.raw = server.raw("imaps")
        self.raw.until("* OK")
        assert self.raw.command("l", f'LOGIN {user} "{PASSWORD}"')[-1].startswith(b"l OK")
        self.rows = []  # by position: [uid, flags]
        self.tag = 0
        self.ask("SELECT INBOX")
        self.ask("UID FETCH 1:* (FLAGS)")

    def ask(self, text):
        self.tag += 1
        lines = self.raw.command(f"t{self.tag}", text)
        assert lines[-1].startswith(b"t%d OK" % self.tag), lines[-1]
        for line in lines:
            self.hear(line)
        return lines

    def hear(self, line):
        told = re.match(rb"\* (\d+) (EXISTS|EXPUNGE|FETCH)", line)
        if not told:
            return
        number, what = int(told.group(1)), told.group(2)
        if what == b"EXISTS":
            assert number >= len(self.rows), "EXISTS took messages away"
            self.rows += [[None, None] for _ in range(number - len(self.rows))]
        elif what == b"EXPUNGE":
            del self.rows[number - 1]
        else:
            uid, flags = re.search(rb"UID (\d+)", line), re.search(rb"FLAGS \(([^)]*)\)", line)
            row = self.rows[number - 1]
            assert not (uid and row[0]) or int(uid.group(1)) == row[0], "a number changed its message"
            row[0] = int(uid.group(1)) if uid else row[0]
            row[1] = frozenset(flags.group(1).split()) - {b"\\Recent"} if flags else row[1]

    def picture(self):
        self.ask("NOOP")
        for first, row in enumerate(self.rows, 1):
            if None in row:
                self.ask(f"FETCH {first}:* (UID FLAGS)")
                break
        return {uid: flags for uid, flags in self.rows}


class Idler(threading.Thread):
    """An IMAP client in IDLE; keeps lines with the time at which they came."""

    def __init__(self, server, user):
        super().__init__(daemon=True)
        self.raw: Raw = server.raw("imaps")
        self.raw.until("* OK")
        self.raw.command("l", f'LOGIN {user} "{PASSWORD}"')
        self.raw.command("s", "SELECT INBOX")
        self.lines = []
        self.raw.send("i IDLE\r\n")
        self.raw.until("+ ")
        self.start()

    def run(self):
        # Nobody ends the IDLE; the read does, when its time is over.
        with contextlib.suppress(OSError):
            while line := self.raw.file.readline():
                self.lines.append(line)

    def sees(self, text):
        deadline = time.monotonic() + 5
        while not any(text in line for line in self.lines):
            assert time.monotonic() < deadline, f"{text} was not told: {self.lines}"
            time.sleep(0.005)


def test_what_pop3_does_an_idle_imap_client_sees_at_once(server, user):
    idler = Idler(server, user)
    deliver(server, user, "one")
    idler.sees(b"* 1 EXISTS")
    client = pop3(server, user)
    assert client.stat()[0] == 1
    client.dele(1)
    client.quit()
    idler.sees(b"* 1 EXPUNGE")


def test_what_imap_does_the_next_pop3_session_sees(server, user):
    for key in ("one", "two", "three"):
        deliver(server, user, key)
    client = imap(server, user)
    client.select_folder("INBOX")
    client.move([1], "Archive")
    client.append("INBOX", message("four"))
    drop = pop3(server, user)
    assert [octets(drop.retr(n)).splitlines()[-1] for n in (1, 2, 3)] == [b"two", b"three", b"four"]
    # The maildrop is the one that the session opened, whatever happens meanwhile (RFC 1939 section 4).
    client.delete_messages([2])
    client.expunge()
    assert drop.stat()[0] == 3
    drop.quit()


class Writers:
    def __init__(self, server, user):
        self.server, self.user = server, user
        self.end = time.monotonic() + SECONDS
        self.problems, self.done = [], 0
        self.lock = threading.Lock()

    def run(self):
        kinds = [self.flags, self.flags, self.moves, self.moves, self.expunges, self.arrivals, self.arrivals, self.pop3]
        threads = [threading.Thread(target=self.loop, args=(kind, number)) for number, kind in enumerate(kinds)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self.problems, self.problems

    def loop(self, kind, number):
        dice, turn = random.Random(number), 0
        client = imap(self.server, self.user) if kind in (self.flags, self.moves, self.expunges) else None
        while time.monotonic() < self.end:
            turn += 1
            try:
                kind(client, dice, f"{number}-{turn}")
                with self.lock:
                    self.done += 1
            except (imapclient.exceptions.IMAPClientError, poplib.error_proto) as error:
                if not MAY_FAIL.search(str(error)):
                    self.problems.append(repr(error))
                    return
            except BaseException as error:
                self.problems.append(repr(error))
                raise

    @staticmethod
    def some(client, dice, folder, most=4):
        client.select_folder(folder)
        uids = client.search("UNDELETED")
        return dice.sample(uids, min(len(uids), dice.randint(1, most)))

    def flags(self, client, dice, _key):
        if uids := self.some(client, dice, "INBOX", 20):
            change = dice.choice((client.add_flags, client.remove_flags, client.set_flags))
            change(uids, dice.sample(KEYWORDS, 2))

    def moves(self, client, dice, _key):
        source, target = dice.sample(FOLDERS, 2)
        if uids := self.some(client, dice, source):
            dice.choice((client.move, client.copy))(uids, target)

    def expunges(self, client, dice, _key):
        if uids := self.some(client, dice, dice.choice(FOLDERS)):
            client.delete_messages(uids)
            client.expunge()

    def arrivals(self, _client, _dice, key):
        deliver(self.server, self.user, key)

    def pop3(self, _client, dice, _key):
        drop = pop3(self.server, self.user)
        for number in range(1, min(drop.stat()[0], 3) + 1):
            drop.retr(number)
            if dice.random() < 0.5:
                drop.dele(number)
        drop.quit()


def seen_afterwards(client):
    """uid -> flags, and digests of all messages in their order."""
    client.select_folder("INBOX", readonly=True)
    rows = client.fetch(client.search("ALL"), ["FLAGS", "BODY.PEEK[]"]) if client.search("ALL") else {}
    flags = {uid: frozenset(row[b"FLAGS"]) - {b"\\Recent"} for uid, row in rows.items()}
    return flags, [hashlib.sha256(rows[uid][b"BODY[]"]).hexdigest() for uid in sorted(rows)]


def test_eight_writers_over_two_protocols_leave_everybody_with_the_same_picture(server, user):
    for number in range(40):
        deliver(server, user, f"first-{number}")
    watcher = Watcher(server, user)
    watching = threading.Event()

    def watch():
        while not watching.is_set():
            watcher.ask("NOOP")
            time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    writers = Writers(server, user)
    writers.run()
    watching.set()
    thread.join()
    assert writers.done > 50, "hardly anything was written"
    told = watcher.picture()
    flags, digests = seen_afterwards(imap(server, user))
    assert told == flags
    drop = pop3(server, user)
    assert [hashlib.sha256(octets(drop.retr(n))).hexdigest() for n in range(1, drop.stat()[0] + 1)] == digests
    drop.quit()
    report = server.json("mailbox", "check", user)
    assert not any(mailbox["findings"] for mailbox in report), report
