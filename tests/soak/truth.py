"""What is there after a crash, and whether it may be."""

import collections
import json
import re

import imapclient

from messages import is_message
from model import Place, explain
from waxwing import PASSWORD, PATIENCE

KEY_FIELD = b"BODY[HEADER.FIELDS (X-SOAK-KEY)]"


class Seen:
    """What clients were shown in the course of the run, which must hold for ever: a UID names one message, numbers only grow."""

    def __init__(self):
        self.bindings = {}  # (user, folder, uidvalidity, uid) -> key
        self.numbers = {}  # (user, folder) -> (uidvalidity, uidnext, highest modseq)
        self.modseqs = {}  # place -> modseq
        self.whole = set()  # places whose octets were read

    def folder(self, user, folder, status, rows):
        """Lines that tell what went back."""
        validity, uidnext, highest = status
        lines = []
        before = self.numbers.get((user, folder), status)
        for name, old, new in zip(("UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ"), before, status):
            if new < old or (name == "UIDVALIDITY" and new != old):
                lines.append(f"{user} {folder}: {name} was {old} and is {new}")
        self.numbers[user, folder] = status
        for uid, (key, _flags, modseq) in rows.items():
            name = (user, folder, validity, uid)
            if self.bindings.setdefault(name, key) != key:
                lines.append(f"{user} {folder}: UID {uid} was {self.bindings[name]} and is {key}")
            if uid >= uidnext:
                lines.append(f"{user} {folder}: UID {uid} is there, UIDNEXT is {uidnext}")
            if modseq > highest:
                lines.append(f"{user} {folder}: UID {uid} has MODSEQ {modseq}, HIGHESTMODSEQ is {highest}")
            place = Place(user, folder, uid)
            old = self.modseqs.get(place, modseq)
            if modseq < old or (modseq > old and modseq <= before[2]):
                lines.append(f"{user} {folder}: MODSEQ of UID {uid} was {old}, HIGHESTMODSEQ {before[2]}, and is {modseq}")
            self.modseqs[place] = modseq
        return lines

    def told(self, user, folder, validity, uid, key):
        """A client was told this before the crash."""
        self.bindings[user, folder, validity, uid] = key


def read_folder(client, folder):
    """((uidvalidity, uidnext, highestmodseq), uid -> (key, flags, modseq))."""
    client.select_folder(folder, readonly=True)
    status = client.folder_status(folder, ["UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ", "MESSAGES"])
    rows = {}
    if status[b"MESSAGES"]:
        for uid, row in client.fetch(client.search("ALL"), ["FLAGS", "MODSEQ", b"BODY.PEEK[HEADER.FIELDS (X-SOAK-KEY)]"]).items():
            key = re.search(rb"(?i)x-soak-key: (\S+)", row[KEY_FIELD])
            flags = frozenset(flag.decode() for flag in row[b"FLAGS"] if flag != b"\\Recent")
            rows[uid] = (key.group(1).decode() if key else None, flags, row[b"MODSEQ"][0])
    if len(rows) != status[b"MESSAGES"]:
        raise imapclient.exceptions.IMAPClientError(f"{folder} has {status[b'MESSAGES']} messages and shows {len(rows)}")
    return (status[b"UIDVALIDITY"], status[b"UIDNEXT"], status[b"HIGHESTMODSEQ"]), rows


def inspect(server, users, folders, workers, seen):
    """Compares everything with what the workers know, and takes over what is there. Lines that tell what is wrong."""
    lines = []
    actual = collections.defaultdict(dict)  # worker -> place -> (key, flags)
    for user in users:
        with imapclient.IMAPClient("127.0.0.1", server.ports["imap"], ssl=False, timeout=PATIENCE) as client:
            client.login(user, PASSWORD)
            for folder in folders:
                status, rows = read_folder(client, folder)
                lines += seen.folder(user, folder, status, rows)
                for uid, (key, flags, _) in rows.items():
                    actual[key.split(".")[0] if key else "nobody"][Place(user, folder, uid)] = (key, flags)
                lines += check_octets(client, user, folder, rows, seen)
    for worker in workers:
        there = actual.pop(worker.name, {})
        chosen, nearest = explain(worker.holdings, worker.pending, there)
        if chosen is None:
            pending = [effect.to_json() for effect in worker.pending]
            lines += [f"{worker.name} (not answered: {pending}):", *("  " + line for line in nearest)]
        worker.holdings.placed, worker.holdings.loose = dict(there), collections.Counter()
        worker.pending = []
    lines += [f"a message of nobody: {place} {held}" for left in actual.values() for place, held in left.items()]
    return lines


def check_octets(client, user, folder, rows, seen):
    """Every octet of what was not read before."""
    lines = []
    new = [uid for uid in rows if Place(user, folder, uid) not in seen.whole]
    if not new:
        return lines
    for uid, row in client.fetch(new, [b"BODY.PEEK[]"]).items():
        if rows[uid][0] and not is_message(rows[uid][0], row[b"BODY[]"]):
            lines.append(f"{user} {folder}: UID {uid} is not the octets of {rows[uid][0]}")
        seen.whole.add(Place(user, folder, uid))
    return lines


def check_mailboxes(server):
    """`waxwing mailbox check` of all mailboxes: lines that tell what it found."""
    done = server.cli("mailbox", "check", "--json", check=False)
    rows = json.loads(done.stdout)
    lines = [f"mailbox check: {row['owner']}: {found}" for row in rows for found in row["findings"]]
    lines += [f"mailbox check: {row['owner']}: {row['error']}" for row in rows if row["error"]]
    if done.returncode != 0 and not lines:
        lines.append(f"mailbox check ended with {done.returncode}: {done.stderr}")
    return lines
