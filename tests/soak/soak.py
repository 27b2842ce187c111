"""Kills the server under load, again and again, and checks each time that nothing acknowledged was lost.

    cargo xtask soak kill --rounds 50
    cargo xtask soak power --rounds 50

A round: clients work for a second or two; the server is killed (`kill`: SIGKILL) or the power is cut (`power`: the
file system also forgets what was not synced); it is started again, sometimes killed once more while it starts; then
everything is read and compared with what the clients were told. The data lives on from round to round.

On a failure it prints the seed, the round, the difference and where the journal and the data lie, keeps both, and ends
with status 1. The seed decides what the clients do and when the server is killed; how far they get by then is the machine's
affair, so a seed makes a failure likely to come back, not certain.
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import signal
import sys
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from administration import Administrator, FolderWorker
from forgetful import ForgetfulDisk
from journal import Journal
from mail import FOLDERS, LOST, MailWorker
from observer import Observer
from truth import Seen, check_mailboxes, inspect, read_folder
from waxwing import DOMAIN, PACKAGES, PASSWORD, PATIENCE, Server

import imapclient

USERS = [f"u{number}@{DOMAIN}" for number in (1, 2, 3)]
WORKERS_OF_A_USER = 2
# The server's own recovery is cut short in one round of this many.
KILLED_AT_START = 6


class Soak:
    def __init__(self, options):
        self.options = options
        self.server = Server(disk=ForgetfulDisk if options.kind == "power" else None)
        self.journal = Journal(self.server.root / "journal.jsonl")
        self.versions = self.load_versions()
        for user in USERS:
            self.server.add_user(user.split("@")[0])
        if options.kind == "power":
            # What the command line acknowledged is there as well.
            self.cut(random.Random(f"{options.seed} 0"))
        self.server.start()
        self.make_folders()
        if options.syncs != "all":
            self.server.disk.ask("syncs", options.syncs)
        self.mail = [
            MailWorker(f"w{number}{user[1]}", self.server, user, [other for other in USERS if other != user], self.journal)
            for user in USERS
            for number in range(WORKERS_OF_A_USER)
        ]
        self.folders = FolderWorker("folders", self.server, USERS[0], self.journal)
        self.administrator = Administrator(self.server, self.journal, self.versions)
        self.observers = [Observer(self.server, user) for user in USERS]
        self.seen = Seen()
        self.restart_times = []

    def load_versions(self):
        """A second version of each protocol: the same component under another number."""
        versions = {}
        for plugin in ("imap", "smtp"):
            manifest = (PACKAGES / plugin / "plugin.toml").read_text()
            own = re.search(r'(?m)^version = "(.*)"$', manifest).group(1)
            package = self.server.root / f"{plugin}-99.0.0"
            shutil.copytree(PACKAGES / plugin, package)
            (package / "plugin.toml").write_text(manifest.replace(f'version = "{own}"', 'version = "99.0.0"', 1))
            self.server.cli("plugin", "load", str(package))
            versions[plugin] = [own, "99.0.0"]
        return versions

    def make_folders(self):
        for user in USERS:
            with imapclient.IMAPClient("127.0.0.1", self.server.ports["imap"], ssl=False, timeout=PATIENCE) as client:
                client.login(user, PASSWORD)
                for folder in FOLDERS:
                    if not client.folder_exists(folder):
                        client.create_folder(folder)

    # -- a round ------------------------------------------------------------------------------------

    def round(self, number):
        """Lines that tell what is wrong."""
        chance = random.Random(f"{self.options.seed} {number}")
        everybody = [*self.mail, self.folders, self.administrator, *self.observers]
        stop, cutting, broken = threading.Event(), threading.Event(), []

        def work(worker, place):
            try:
                worker.run(random.Random(f"{self.options.seed} {number} {place}"), stop)
            except LOST:
                if not cutting.is_set():
                    broken.append(traceback.format_exc())
            except Exception:
                broken.append(traceback.format_exc())

        threads = [threading.Thread(target=work, args=who, daemon=True) for who in zip(everybody, range(len(everybody)))]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.3, self.options.seconds))
        self.journal.write("soak", "cut", round=number)
        cutting.set()
        self.cut(chance)
        stop.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive(), "a client hangs"
        try:
            self.restart(chance)
        except AssertionError as error:
            return [f"the server does not start: {error}"]
        return [f"a client broke: {trace}" for trace in broken] + self.verify()

    def cut(self, chance):
        """The end of the process; with its disk, of what the disk was not asked to keep."""
        if not self.server.disk:
            self.server.stop(signal.SIGKILL)
            return
        self.server.disk.ask("cut")
        self.server.stop(signal.SIGKILL)
        lost = self.server.disk.ask("revive", chance.choice(("forget", "any", "any")), chance.randrange(1 << 32))
        self.journal.write("soak", "power back", lost=lost)

    def restart(self, chance):
        if chance.randrange(KILLED_AT_START) == 0:
            self.server.launch()
            time.sleep(chance.uniform(0, 0.6))
            self.cut(chance)
        started = time.monotonic()
        self.server.start()
        self.restart_times.append(time.monotonic() - started)

    def verify(self):
        """Lines that tell what is wrong: what cannot be read at all is one of them."""
        try:
            return self.compare()
        except LOST as error:
            return [f"what is there cannot be read: {error!r}"]

    def compare(self):
        lines = inspect(self.server, USERS, FOLDERS, self.mail, self.seen)
        with imapclient.IMAPClient("127.0.0.1", self.server.ports["imap"], ssl=False, timeout=PATIENCE) as client:
            client.login(self.folders.user, PASSWORD)
            lines += self.folders.settle(self.folders.actual(client))
        for observer in self.observers:
            with imapclient.IMAPClient("127.0.0.1", self.server.ports["imap"], ssl=False, timeout=PATIENCE) as client:
                client.login(observer.user, PASSWORD)
                lines += observer.resynchronise(read_folder(client, "INBOX")[1])
        lines += self.administrator.settle(self.administrator.actual())
        lines += check_mailboxes(self.server)
        log = self.server.log_text()
        if "panicked" in log:
            lines.append("something in the server panicked: " + log[log.index("panicked") - 200 :][:1000])
        return lines

    # -- the run ------------------------------------------------------------------------------------

    def run(self):
        started = time.monotonic()
        result = {"kind": self.options.kind, "seed": self.options.seed, "rounds": 0, "failed": False}
        try:
            for number in range(1, self.options.rounds + 1):
                wrong = self.round(number)
                result["rounds"] = number
                if wrong:
                    self.fail(number, wrong)
                    result.update(failed=True, round=number, difference=wrong, kept=str(self.server.root))
                    break
                self.progress(number, started)
        except BaseException:
            self.fail(result["rounds"] + 1, ["the soak itself broke:", *traceback.format_exc().splitlines()])
            raise
        finally:
            self.journal.flush()
        result["seconds"] = round(time.monotonic() - started, 1)
        result["operations"] = self.operations()
        result["longest_restart"] = round(max(self.restart_times, default=0), 3)
        return result

    def operations(self):
        """op -> how many were acknowledged, how many left without an answer."""
        names = sorted({op for op, _ in self.journal.counts})
        count = self.journal.counts.get
        return {op: {"acknowledged": count((op, "told"), 0), "unanswered": count((op, "lost"), 0)} for op in names}

    def progress(self, number, started):
        told = sum(row["acknowledged"] for row in self.operations().values())
        lost = sum(row["unanswered"] for row in self.operations().values())
        speed = (time.monotonic() - started) / number
        left = (self.options.rounds - number) * speed
        line = f"round {number}/{self.options.rounds}: {told} acknowledged, {lost} unanswered, {speed:.1f} s a round, {left:.0f} s left"
        if sys.stderr.isatty():
            print("\r" + line, end="", file=sys.stderr, flush=True)
        elif number % max(1, self.options.rounds // 20) == 0:
            print(line, file=sys.stderr, flush=True)

    def fail(self, number, wrong):
        self.journal.flush()
        root = self.server.root
        self.keep_data()
        print(f"\nFAILED: seed {self.options.seed}, round {number}", file=sys.stderr)
        for line in wrong:
            print(f"  {line}", file=sys.stderr)
        tail = self.journal.path.read_text().splitlines()[-15:]
        print(f"the end of the journal ({self.journal.path}):", *tail, sep="\n  ", file=sys.stderr)
        print(f"data, log and journal are kept in {root}", file=sys.stderr, flush=True)


    def keep_data(self):
        """Stopped as it is; what lives in the memory of the disk is copied beside it."""
        self.server.stop(signal.SIGKILL)
        if self.server.disk:
            special = lambda folder, names: [name for name in names if (pathlib.Path(folder) / name).is_socket()]  # noqa: E731
            shutil.copytree(self.server.data, self.server.root / "data-kept", ignore=special)
            self.server.disk.unmount()


def options(arguments):
    parser = argparse.ArgumentParser(prog="cargo xtask soak", description=__doc__.split("\n", 1)[0])
    parser.add_argument("kind", choices=("kill", "power"), help="how the server goes")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=1.6, help="the longest time of load in a round")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument(
        "--syncs",
        choices=("all", "none", "files", "folders"),
        default="all",
        help="power: which syncs the disk honours. With any but `all` acknowledged things get lost, and the soak must tell",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    chosen = parser.parse_args(arguments)
    if chosen.kind != "power" and chosen.syncs != "all":
        parser.error("only `power` has a disk that can ignore syncs")
    return chosen


def main(arguments):
    chosen = options(arguments)
    print(f"seed {chosen.seed}", file=sys.stderr, flush=True)
    soak = Soak(chosen)
    result = soak.run()
    if chosen.json:
        print(json.dumps(result, indent=2))
    else:
        print_table(result)
    if result["failed"]:
        return 1
    soak.journal.close()
    soak.server.destroy()
    return 0


def print_table(result):
    outcome = "FAILED" if result["failed"] else "nothing lost, nothing doubled"
    print(f"\n{result['kind']}: {result['rounds']} rounds in {result['seconds']} s, seed {result['seed']}: {outcome}")
    print(f"{'operation':<14}{'acknowledged':>14}{'unanswered':>12}")
    for op, row in result["operations"].items():
        print(f"{op:<14}{row['acknowledged']:>14}{row['unanswered']:>12}")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main(sys.argv[1:]))
