"""tsdav, curl and cadaver: programs that speak CalDAV and CardDAV, or only WebDAV."""

import json
import pathlib
import subprocess

from test_dav import Dav, event
from waxwing import PASSWORD, PATIENCE

HERE = pathlib.Path(__file__).resolve().parent


def run(*command, env=None, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=PATIENCE, env=env, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_tsdav_works_through_calendars_and_an_address_book(server, user, monkeypatch):
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", server.ca)
    facts = {"port": server.ports["https"], "user": user, "password": PASSWORD}
    assert json.loads(run("node", HERE / "tsdav.mjs", json.dumps(facts))) == {
        "calendars": [["Calendar", ["VAVAILABILITY", "VEVENT", "VFREEBUSY"]], ["Tasks", ["VTODO"]]],
        "created": 201,
        "again": 412,
        "objects": ["one", "two"],
        "updated": 204,
        "stale": 412,
        "synced": ["other"],
        "deleted": 204,
        "made": True,
        "book": "Contacts",
        "card": 201,
        "cards": ["Ada Lovelace"],
    }


def test_cadaver_lists_gets_copies_and_deletes(server, user, tmp_path):
    here = Dav(server, user)
    calendar = here.home + "calendar/"
    text = event("1")
    assert here.put(calendar + "1.ics", text).status == 201
    login, password = user, PASSWORD
    (tmp_path / ".netrc").write_text(f'machine 127.0.0.1\nlogin {login}\npassword "{password}"\n')
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / "other.ics").write_text(event("2"))
    url = f"http://127.0.0.1:{server.ports['http']}{calendar}"
    # Over the listener without TLS: cadaver asks a person whether to trust a certificate.
    commands = "ls\nget 1.ics got.ics\nput other.ics 2.ics\nmove 2.ics 3.ics\ndelete 1.ics\nls\nquit\n"
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    out = run("cadaver", url, input=commands, cwd=tmp_path, env=environment)
    assert (tmp_path / "got.ics").read_bytes() == text.encode()
    first, last = out.split("Listing collection")[1:3]
    assert "1.ics" in first and "3.ics" in last and "1.ics" not in last, out


def test_curl_gets_a_calendar_whole_and_puts_with_a_compressed_body(server, user, tmp_path):
    here = Dav(server, user)
    url = f"https://localhost:{server.ports['https']}{here.home}calendar/"
    curl = ["curl", "-sS", "--fail-with-body", "--cacert", server.ca, "-u", f"{user}:{PASSWORD}"]
    (tmp_path / "1.ics").write_text(event("1"))
    run("gzip", "-k", tmp_path / "1.ics")
    sent = ["-T", tmp_path / "1.ics.gz", "-H", "Content-Encoding: gzip", "-H", "Content-Type: text/calendar", "-H", "Expect: 100-continue"]
    run(*curl, *sent, url + "1.ics")
    assert "BEGIN:VEVENT" in run(*curl, url)
    assert "SUMMARY:meeting" in run(*curl, url + "1.ics")
