"""A client that keeps a copy of the INBOX up to date while others change it, and after the crash resynchronises with what
it remembers (RFC 7162 QRESYNC). If a change number went back, its copy is no longer what the server shows."""

import re

from waxwing import PASSWORD


class Observer:
    def __init__(self, server, user):
        self.server, self.user = server, user
        self.validity, self.modseq = None, 0
        self.flags = {}  # uid -> flags; the copy

    def run(self, _random, stop):
        raw = self.connect()
        number, known = 0, max(self.flags, default=0)
        while not stop.is_set():
            number += 1
            told = raw.command(f"n{number}", "NOOP")
            self.absorb(told, learn=False)
            # Its MODSEQs say nothing of older messages: only what NOOP tells is complete up to the highest it names. And NOOP
            # may name a message above others that it has only counted: what it names is learnt when these are fetched.
            fetched = raw.command(f"f{number}", f"UID FETCH {known + 1}:* (FLAGS)")
            self.absorb(fetched, learn=False)
            known = max(self.flags, default=known)
            self.learn(told)
        raw.close()

    def connect(self):
        raw = self.server.raw("imap")
        raw.until("* OK")
        assert raw.command("a1", f'LOGIN {self.user} "{PASSWORD}"')[-1].startswith(b"a1 OK")
        assert raw.command("a2", "ENABLE QRESYNC")[-1].startswith(b"a2 OK")
        since = f" (QRESYNC ({self.validity} {self.modseq}))" if self.validity and self.modseq else ""
        lines = raw.command("a3", f"SELECT INBOX{since}")
        assert lines[-1].startswith(b"a3 OK"), lines[-1]
        text = b"".join(lines)
        validity = int(re.search(rb"\[UIDVALIDITY (\d+)\]", text).group(1))
        highest = re.search(rb"\[HIGHESTMODSEQ (\d+)\]", text)
        if self.validity not in (None, validity):
            raise AssertionError(f"UIDVALIDITY was {self.validity} and is {validity}")
        if highest and int(highest.group(1)) < self.modseq:
            raise AssertionError(f"HIGHESTMODSEQ was {self.modseq} and is {int(highest.group(1))}")
        self.absorb(lines)
        if not since:
            self.absorb(raw.command("a4", "UID FETCH 1:* (FLAGS)"), learn=False)
        self.validity, self.modseq = validity, max(self.modseq, int(highest.group(1)) if highest else 0)
        return raw

    def absorb(self, lines, learn=True):
        for line in lines:
            if line.startswith(b"* VANISHED "):
                for span in line.split()[-1].decode().split(","):
                    first, _, last = span.partition(":")
                    for uid in range(int(first), int(last or first) + 1):
                        self.flags.pop(uid, None)
            elif b" FETCH (" in line and b"UID " in line:
                uid = int(re.search(rb"UID (\d+)", line).group(1))
                flags = re.search(rb"FLAGS \(([^)]*)\)", line)
                if flags:
                    self.flags[uid] = frozenset(flags.group(1).decode().split()) - {"\\Recent"}
        if learn:
            self.learn(lines)

    def learn(self, lines):
        for line in lines:
            modseq = re.search(rb" FETCH \(.*MODSEQ \((\d+)\)", line)
            if modseq:
                self.modseq = max(self.modseq, int(modseq.group(1)))

    def resynchronise(self, rows):
        """After the crash: lines that tell where the copy differs from what is there (uid -> (key, flags, modseq))."""
        if self.validity is None:
            return []
        try:
            self.connect().close()
        except AssertionError as error:
            return [f"observer of {self.user}: {error}"]
        there = {uid: flags for uid, (_, flags, _) in rows.items()}
        lines = [f"observer of {self.user}: UID {uid} is gone and VANISHED did not say so" for uid in self.flags.keys() - there]
        lines += [f"observer of {self.user}: UID {uid} is new and was not told" for uid in there.keys() - self.flags]
        lines += [
            f"observer of {self.user}: UID {uid} has {sorted(there[uid])}, the resynchronised copy {sorted(self.flags[uid])}"
            for uid in there.keys() & self.flags
            if there[uid] != self.flags[uid]
        ]
        return lines
