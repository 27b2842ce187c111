"""A worker that delivers, appends, copies, moves, flags and expunges its own messages until the server is gone."""

import itertools
import re
import smtplib

import imapclient

from messages import message
from model import Effect, Holdings, Place
from waxwing import PASSWORD, PATIENCE

FOLDERS = ("INBOX", "Work", "Archive", "Work/Deep")
FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft", "$Label1", "Soaked")
# Above this, a worker expunges: the checks between two rounds read everything.
MOST = 40


class Gone(Exception):
    """The server does not answer any more."""


# How a client notices it.
LOST = (OSError, Gone, smtplib.SMTPException, imapclient.exceptions.IMAPClientError, AssertionError)


class MailWorker:
    def __init__(self, name, server, user, neighbours, journal):
        self.name, self.server, self.user, self.neighbours, self.journal = name, server, user, neighbours, journal
        self.holdings = Holdings()
        self.pending = []  # effects whose operation was not answered
        self.retry = None  # the delivery whose answer was lost: (key, recipients)
        self.numbers = itertools.count(1)

    def run(self, random, stop):
        """One round. Ends when `stop` is set between two operations, or with what the end of the server looks like."""
        client = imapclient.IMAPClient("127.0.0.1", self.server.ports["imap"], ssl=False, timeout=PATIENCE)
        client.login(self.user, PASSWORD)
        session = Session(client)
        operations = (
            (self.deliver_lmtp, 4),
            (self.deliver_smtp, 3),
            (self.append, 4),
            (self.append_several, 2),
            (self.store, 6),
            (self.copy, 3),
            (self.move, 4),
            (self.expunge, 3),
        )
        try:
            while not stop.is_set():
                if len(self.holdings.placed) > MOST:
                    self.expunge(random, session)
                weights = [weight for _, weight in operations]
                random.choices([operation for operation, _ in operations], weights)[0](random, session)
        finally:
            session.close()

    # -- operations -------------------------------------------------------------------------------

    def append(self, random, session):
        key, folder, flags = self.new_key(), random.choice(FOLDERS), some_flags(random)
        with self.doing("append", [self.added(folder, [(None, key, flags)])]) as answer:
            uids = appended(session.client.append(folder, message(key), sorted(flags)))
            answer([self.added(folder, [(uids[0], key, flags)])])

    def append_several(self, random, session):
        folder, count = random.choice(FOLDERS), random.randint(2, 5)
        items = [(None, self.new_key(), some_flags(random)) for _ in range(count)]
        with self.doing("multiappend", [self.added(folder, items)]) as answer:
            parts = [{"msg": message(key), "flags": sorted(flags)} for _, key, flags in items]
            _, lines = session.client.multiappend(folder, parts)
            uids = appended(lines[0])
            told = [(uid, key, flags) for uid, (_, key, flags) in zip(uids, items, strict=True)]
            answer([self.added(folder, told)])

    def deliver_lmtp(self, random, _session):
        key, recipients = self.delivery(random)
        effects = [self.arrives(to, key) for to in recipients]
        with self.doing("lmtp", effects) as answer:
            raw = self.server.raw("lmtp")
            try:
                command(raw, "LHLO soak.test", "250 ", greeting=True)
                command(raw, f"MAIL FROM:<{key}@elsewhere.test>", "250 ")
                for to in recipients:
                    command(raw, f"RCPT TO:<{to}>", "250 ")
                command(raw, "DATA", "354 ")
                raw.send(message(key) + b".\r\n")
                for count, to in enumerate(recipients, 1):
                    line = raw.line()
                    if not line.startswith(b"250 "):
                        raise Gone(f"{to}: {line!r}")
                    # Each recipient's answer counts by itself.
                    answer(effects[:count])
            finally:
                raw.close()

    def deliver_smtp(self, random, _session):
        key, recipients = self.delivery(random)
        effects = [self.arrives(to, key) for to in recipients]
        with self.doing("smtp", effects) as answer:
            with smtplib.SMTP("127.0.0.1", self.server.ports["smtp"], "soak.test", timeout=PATIENCE) as client:
                refused = client.sendmail(f"{key}@elsewhere.test", list(recipients), message(key))
                assert not refused, refused
                answer(effects)

    def store(self, random, session):
        folder, chosen = self.choose(random)
        if not chosen:
            return
        flags, how = some_flags(random), random.choice(("set", "add", "remove"))
        changes = {}
        for place in chosen:
            before = self.holdings.placed[place][1]
            changes[place] = {"set": flags, "add": before | flags, "remove": before - flags}[how]
        effect = Effect(f"{how} {sorted(flags)}", flags=changes)
        call = {"set": "set_flags", "add": "add_flags", "remove": "remove_flags"}[how]
        with self.doing("store", [effect]) as answer:
            session.select(folder)
            getattr(session.client, call)([place.uid for place in chosen], sorted(flags))
            answer([effect])

    def copy(self, random, session):
        self.transfer(random, session, "copy")

    def move(self, random, session):
        self.transfer(random, session, "move")

    def transfer(self, random, session, verb):
        folder, chosen = self.choose(random)
        if not chosen:
            return
        target = random.choice([other for other in FOLDERS if other != folder])
        held = [self.holdings.placed[place] for place in chosen]
        gone = chosen if verb == "move" else []
        adds = [(self.user, target, None, key, flags) for key, flags in held]
        with self.doing(verb, [Effect(f"{verb} {folder} to {target}", gone, adds)]) as answer:
            session.select(folder)
            uids = transferred(getattr(session.client, verb)([place.uid for place in chosen], target), session.client)
            adds = [(self.user, target, uids[place.uid], key, flags) for place, (key, flags) in zip(chosen, held)]
            answer([Effect(f"{verb} {folder} to {target}", gone, adds)])

    def expunge(self, random, session):
        folder, chosen = self.choose(random, most=12)
        if not chosen:
            return
        marked = {place: self.holdings.placed[place][1] | {"\\Deleted"} for place in chosen}
        mark = Effect("mark for expunge", flags=marked)
        with self.doing("store", [mark]) as answer:
            session.select(folder)
            session.client.add_flags([place.uid for place in chosen], ["\\Deleted"])
            answer([mark])
        gone = Effect("expunge", removes=chosen)
        with self.doing("expunge", [gone]) as answer:
            session.client.expunge([place.uid for place in chosen])
            answer([gone])

    # -- what they have in common -------------------------------------------------------------------

    def doing(self, op, effects):
        return Doing(self, op, effects)

    def new_key(self):
        return f"{self.name}.{next(self.numbers)}"

    def added(self, folder, items):
        return Effect(f"append to {folder}", adds=[(self.user, folder, *item) for item in items])

    def arrives(self, recipient, key):
        return Effect(f"delivery to {recipient}", adds=[(recipient, "INBOX", None, key, frozenset())])

    def delivery(self, random):
        """A new one, or once more the one whose answer was lost, as a sender does: it arrives at most once for each attempt."""
        if self.retry and random.random() < 0.5:
            key, recipients = self.retry
        else:
            others = random.sample(self.neighbours, random.choice((0, 0, 1, len(self.neighbours))))
            key, recipients = self.new_key(), (self.user, *others)
        self.retry = (key, recipients)
        return key, recipients

    def choose(self, random, most=6):
        """A folder of ours and some of our messages in it."""
        mine = [place for place in self.holdings.placed if place.user == self.user]
        if not mine:
            return None, []
        folder = random.choice(sorted({place.folder for place in mine}))
        here = sorted(place for place in mine if place.folder == folder)
        return folder, sorted(random.sample(here, min(len(here), random.randint(1, most))))


class Doing:
    """One operation: journalled, and part of the model only as far as it was answered."""

    def __init__(self, worker, op, effects):
        self.worker, self.op, self.effects = worker, op, effects
        self.answered = []

    def __enter__(self):
        self.worker.pending = self.effects
        self.worker.journal.write(self.worker.name, "ask", op=self.op, effects=[e.to_json() for e in self.effects])
        return self.answer

    def answer(self, effects):
        self.answered = list(effects)

    def __exit__(self, kind, error, _trace):
        for effect in self.answered:
            self.worker.holdings.apply(effect)
        whole = len(self.answered) == len(self.effects)
        self.worker.pending = [] if whole else [effect for effect in self.effects if effect not in self.answered]
        written = [effect.to_json() for effect in self.answered]
        if kind is None and whole:
            self.worker.retry = None
            self.worker.journal.write(self.worker.name, "told", op=self.op, effects=written)
            return False
        self.worker.journal.write(self.worker.name, "lost", op=self.op, effects=written, error=str(error))
        if kind is not None and issubclass(kind, LOST):
            raise Gone(f"{self.op}: {error}") from error
        return False


class Session:
    """An IMAP session that remembers what it has selected."""

    def __init__(self, client):
        self.client, self.selected = client, None

    def select(self, folder):
        if self.selected != folder:
            self.client.select_folder(folder)
            self.selected = folder

    def close(self):
        try:
            self.client.logout()
        except (OSError, imapclient.exceptions.IMAPClientError):
            self.client.shutdown()


def some_flags(random):
    return frozenset(random.sample(FLAGS, random.randint(0, 3)))


def command(raw, text, reply, greeting=False):
    if greeting and not raw.line().startswith(b"220 "):
        raise Gone("no greeting")
    raw.send(text + "\r\n")
    line = raw.line()
    while line[3:4] == b"-":
        line = raw.line()
    if not line.startswith(reply.encode()):
        raise Gone(f"{text}: {line!r}")


def numbers(spans):
    out = []
    for span in spans.decode().split(","):
        first, _, last = span.partition(":")
        out += range(int(first), int(last or first) + 1)
    return out


def appended(text):
    # imapclient hands out the text of a refused MULTIAPPEND like that of an accepted one.
    found = re.search(rb"\[APPENDUID \d+ ([\d:,]+)\]", text)
    if not found:
        raise Gone(repr(text))
    return numbers(found.group(1))


def transferred(text, client):
    """Source UID -> target UID (RFC 4315: both sets in the same order). MOVE tells it before the tagged answer."""
    found = re.search(rb"\[COPYUID \d+ ([\d:,]+) ([\d:,]+)\]", text if isinstance(text, bytes) else b"")
    told = found.groups() if found else client._imap.untagged_responses.pop("COPYUID")[-1].split()[1:]
    return dict(zip(*(numbers(spans) for spans in told), strict=True))
