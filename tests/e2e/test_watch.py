"""Deploying by file: a folder of packages is watched, and what changes in it serves."""

import json
import queue
import re
import shutil
import subprocess
import threading

import pytest

from test_swap import logged_in, next_version, told_version
from waxwing import BINARY, PACKAGES


class Watch:
    """A running `waxwing plugin watch --json`, and what it tells."""

    def __init__(self, server, folder, *options):
        command = [str(BINARY), "--config", str(server.config), "plugin", "watch", str(folder), "--json", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def next(self, seconds=60):
        return self.lines.get(timeout=seconds)

    def end(self):
        self.process.terminate()
        return self.process.wait(timeout=20)


@pytest.fixture
def packages(tmp_path):
    """A folder with the imap package that the server has loaded already."""
    folder = tmp_path / "packages"
    folder.mkdir()
    shutil.copytree(PACKAGES / "imap", folder / "imap")
    return folder


def rewrite(package, pattern, replacement):
    manifest = package / "plugin.toml"
    text = manifest.read_text()
    changed = re.sub(pattern, replacement, text, count=1, flags=re.MULTILINE)
    assert changed != text
    manifest.write_text(changed)


def test_what_changes_serves_those_who_are_connected(own_server, packages, tmp_path):
    server = own_server
    raw = logged_in(server, server.add_user("alice"))
    watch = Watch(server, packages)
    assert watch.next()["result"] == "left", "what is active already is left as it is"

    rewrite(packages / "imap", r'^version = ".*"$', 'version = "99.0.1"')
    told = watch.next()
    assert (told["result"], told["plugin"], told["version"]) == ("active", "imap", "99.0.1"), told
    assert "99.0.1" in told_version(raw)

    # The same number again, with other limits: it is another package, and takes the place of the first.
    rewrite(packages / "imap", r"\Z", "\n[slo]\nmax_failures = 9\n")
    again = watch.next()
    assert (again["result"], again["version"]) == ("active", "99.0.1"), again
    assert again["key"] != told["key"]
    rows = [r for r in server.json("plugin", "list") if r["plugin"] == "imap" and r["version"] == "99.0.1"]
    assert {r["key"]: r["state"] for r in rows} == {told["key"]: "retired", again["key"]: "active"}
    assert raw.command("n1", "NOOP")[-1].startswith(b"n1 OK")

    # A package that comes in parts is not taken before it is whole.
    late = next_version(tmp_path, "imap", "99.0.2")
    part = packages / "late"
    part.mkdir()
    shutil.copy(late / "plugin.toml", part)
    component = (late / "plugin.wasm").read_bytes()
    with open(part / "plugin.wasm", "wb") as file:
        for start in range(0, len(component), len(component) // 5 + 1):
            file.write(component[start : start + len(component) // 5 + 1])
            file.flush()
            with pytest.raises(queue.Empty):
                watch.next(0.3)
    assert watch.next()["version"] == "99.0.2"
    assert watch.end() == 0


def test_an_error_is_told_and_the_watch_goes_on(own_server, packages):
    server = own_server
    watch = Watch(server, packages)
    watch.next()
    rewrite(packages / "imap", "^protocols", "protocol")
    told = watch.next()
    assert told["result"] == "failed" and "did you mean `protocols`" in told["detail"], told
    rewrite(packages / "imap", "^protocol ", "protocols ")
    rewrite(packages / "imap", r'^version = ".*"$', 'version = "99.0.3"')
    assert watch.next()["version"] == "99.0.3"
    (packages / "imap" / "plugin.wasm").write_bytes(b"\0asm and nothing more")
    told = watch.next()
    assert told["result"] == "failed" and "does not compile" in told["detail"], told
    assert watch.end() == 0


def test_a_share_of_mailboxes_gets_what_changes_and_a_rollback_outlasts_the_watch(own_server, packages):
    server = own_server
    alice, anonymous = logged_in(server, server.add_user("alice")), server.raw("imaps")
    anonymous.until("* OK")
    watch = Watch(server, packages, "--canary-percent", "100")
    watch.next()
    rewrite(packages / "imap", r'^version = ".*"$', 'version = "99.0.4"')
    assert watch.next()["result"] == "canary"
    assert "99.0.4" in told_version(alice)
    assert "99.0.4" not in told_version(anonymous)
    watch.end()
    server.cli("plugin", "canary", "imap", "--stop")
    watch = Watch(server, packages)
    told = watch.next()
    assert (told["result"], told["version"]) == ("left", "99.0.4"), told
    assert "99.0.4" not in told_version(alice, "v2")
    watch.end()


def test_without_a_server_it_says_what_is_needed(own_server, packages):
    own_server.stop()
    done = own_server.cli("plugin", "watch", str(packages), check=False)
    assert done.returncode != 0 and "waxwing serve" in done.stderr
