"""Workers for what is not mail: folders, people, aliases, and which version of a plugin serves."""

import itertools
import subprocess

import imapclient

from mail import LOST, Gone
from waxwing import BINARY, DOMAIN, PASSWORD, PATIENCE

class FactWorker:
    """Changes facts (name -> value) one at a time. A change that was not answered may hold or not."""

    def __init__(self, name, server, journal):
        self.name, self.server, self.journal = name, server, journal
        self.facts = {}
        self.pending = None  # facts as they would be after the operation that was not answered
        self.numbers = itertools.count(1)

    def change(self, op, after, call):
        self.pending = after
        self.journal.write(self.name, "ask", op=op, after=after)
        try:
            call()
        except LOST as error:
            self.journal.write(self.name, "lost", op=op, error=str(error)[-300:])
            raise Gone(f"{op}: {error}") from error
        self.facts, self.pending = after, None
        self.journal.write(self.name, "told", op=op)

    def settle(self, actual):
        """Lines that tell what does not hold; takes over what is there."""
        choices = [self.facts] + ([self.pending] if self.pending is not None else [])
        if actual not in choices:
            return [f"{self.name}: there is {actual}, there must be {' or '.join(str(choice) for choice in choices)}"]
        self.facts, self.pending = dict(actual), None
        return []

    def without(self, name):
        return {other: value for other, value in self.facts.items() if other != name}


class FolderWorker(FactWorker):
    """CREATE, RENAME, DELETE, SUBSCRIBE below a folder of its own. The fact of a folder: its UIDVALIDITY and subscription."""

    def __init__(self, name, server, user, journal):
        super().__init__(name, server, journal)
        self.user = user

    def run(self, random, stop):
        with imapclient.IMAPClient("127.0.0.1", self.server.ports["imap"], ssl=False, timeout=PATIENCE) as client:
            client.login(self.user, PASSWORD)
            while not stop.is_set():
                operation = self.create
                if self.facts and (len(self.facts) > 12 or random.random() < 0.6):
                    operation = random.choice((self.delete, self.rename, self.subscribe))
                operation(random, client)

    def create(self, _random, client):
        name = f"{self.name}-{next(self.numbers)}"
        # The UIDVALIDITY is the server's choice; it is learnt after the answer and must then stay.
        self.change("create", {**self.facts, name: [None, False]}, lambda: client.create_folder(name))
        self.facts[name] = [self.validity(client, name), False]

    def delete(self, random, client):
        name = random.choice(sorted(self.facts))
        self.change("delete", self.without(name), lambda: client.delete_folder(name))

    def rename(self, random, client):
        name = random.choice(sorted(self.facts))
        fresh = f"{self.name}-{next(self.numbers)}"
        # RFC 9051 6.3.6: subscriptions are of names and stay behind.
        after = {**self.without(name), fresh: [self.facts[name][0], False]}
        self.change("rename", after, lambda: client.rename_folder(name, fresh))

    def subscribe(self, random, client):
        name = random.choice(sorted(self.facts))
        validity, subscribed = self.facts[name]
        call = client.unsubscribe_folder if subscribed else client.subscribe_folder
        self.change("subscribe", {**self.facts, name: [validity, not subscribed]}, lambda: call(name))

    @staticmethod
    def validity(client, name):
        return client.folder_status(name, ["UIDVALIDITY"])[b"UIDVALIDITY"]

    def actual(self, client):
        names = {name for _, _, name in client.list_folders("", f"{self.name}-*")}
        subscribed = {name for _, _, name in client.list_sub_folders("", f"{self.name}-*")}
        validities = {name: self.validity(client, name) for name in sorted(names)}
        for facts in (self.facts, self.pending or {}):
            for name, fact in facts.items():
                if fact[0] is None and name in validities:
                    fact[0] = validities[name]
        return {name: [validity, name in subscribed] for name, validity in validities.items()}


# People and aliases at a time: each round logs in as each, and a thousand rounds should cost the same each.
MOST = 12


class Administrator(FactWorker):
    """Adds and removes people and aliases, and swaps plugins, by the command line."""

    def __init__(self, server, journal, versions):
        super().__init__("administrator", server, journal)
        self.versions = versions  # plugin -> its versions
        self.facts = {f"active {plugin}": chosen[0] for plugin, chosen in versions.items()}

    def run(self, random, stop):
        operations = (self.swap, self.swap, self.add_user, self.add_alias, self.remove)
        while not stop.is_set():
            full = len(self.facts) > len(self.versions) + MOST
            (self.remove if full else random.choice(operations))(random)

    def ask(self, *arguments, stdin=None):
        command = [str(BINARY), "--config", str(self.server.config), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode != 0:
            raise Gone(done.stderr)

    def swap(self, random):
        plugin = random.choice(sorted(self.versions))
        version = random.choice(self.versions[plugin])
        after = {**self.facts, f"active {plugin}": version}
        self.change("swap", after, lambda: self.ask("plugin", "activate", plugin, version))

    def add_user(self, _random):
        address = f"extra{next(self.numbers)}@{DOMAIN}"
        after = {**self.facts, f"user {address}": "with a mailbox"}
        call = ("user", "add", address, "--password-stdin")
        self.change("user add", after, lambda: self.ask(*call, stdin=PASSWORD + "\n"))

    def add_alias(self, _random):
        address = f"alias{next(self.numbers)}@{DOMAIN}"
        after = {**self.facts, f"alias {address}": "there"}
        self.change("alias add", after, lambda: self.ask("alias", "add", address, f"u1@{DOMAIN}"))

    def remove(self, random):
        removable = [name for name in self.facts if not name.startswith("active ")]
        if removable:
            kind, address = random.choice(removable).split()
            after = self.without(f"{kind} {address}")
            without_asking = ["--yes"] if kind == "user" else []
            self.change(f"{kind} remove", after, lambda: self.ask(kind, "remove", address, *without_asking))

    def actual(self):
        facts = {}
        for row in self.server.json("plugin", "list"):
            if row["state"] == "active" and row["plugin"] in self.versions:
                facts[f"active {row['plugin']}"] = row["version"].split("-")[0]
        for row in self.server.json("user", "list"):
            if row["address"].startswith("extra"):
                facts[f"user {row['address']}"] = self.mailbox_of(row["address"])
        for row in self.server.json("alias", "list"):
            if row["address"].startswith("alias"):
                facts[f"alias {row['address']}"] = "there"
        return facts

    def mailbox_of(self, address):
        with imapclient.IMAPClient("127.0.0.1", self.server.ports["imap"], ssl=False, timeout=PATIENCE) as client:
            try:
                client.login(address, PASSWORD)
                client.select_folder("INBOX")
            except imapclient.exceptions.IMAPClientError as error:
                return f"without a mailbox: {error}"
            return "with a mailbox"
