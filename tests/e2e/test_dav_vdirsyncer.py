"""vdirsyncer keeps calendars and address books in step with folders of files, edited on both sides."""

import pathlib
import subprocess
import sys

import pytest

from test_dav import Dav, card, event
from waxwing import PASSWORD, PATIENCE

CONFIG = """
[general]
status_path = "{root}/status"

[pair calendars]
a = "files_calendars"
b = "server_calendars"
collections = [["work", "work", "calendar"]]
conflict_resolution = "b wins"
metadata = ["displayname", "color"]

[storage files_calendars]
type = "filesystem"
path = "{root}/calendars"
fileext = ".ics"

[storage server_calendars]
type = "caldav"
url = "{url}"
username = "{user}"
password = "{password}"
verify = "{ca}"

[pair books]
a = "files_books"
b = "server_books"
collections = ["from a", "from b"]

[storage files_books]
type = "filesystem"
path = "{root}/books"
fileext = ".vcf"

[storage server_books]
type = "carddav"
url = "{url}"
username = "{user}"
password = "{password}"
verify = "{ca}"
"""


class Vdirsyncer:
    def __init__(self, server, user, root):
        self.root = root
        url = f"https://localhost:{server.ports['https']}/"
        self.config = root / "config"
        self.config.write_text(CONFIG.format(root=root, url=url, user=user, password=PASSWORD, ca=server.ca))
        self.calendar = root / "calendars" / "work"
        self.calendar.mkdir(parents=True)
        self.book = root / "books" / "contacts"
        self.book.mkdir(parents=True)

    def __call__(self, *arguments):
        program = pathlib.Path(sys.executable).with_name("vdirsyncer")
        done = subprocess.run(
            [str(program), "-c", str(self.config), "-v", "WARNING", *arguments],
            input="y\n" * 10,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def vdirsyncer(server, user, tmp_path):
    client = Vdirsyncer(server, user, tmp_path)
    client("discover")
    return client


def uids(folder):
    return {path.stem for path in folder.iterdir() if path.suffix in (".ics", ".vcf")}


def test_a_thousand_events_and_five_hundred_contacts_are_kept_in_step_with_edits_on_both_sides(server, user, vdirsyncer):
    events, cards = 1000, 500
    for number in range(events):
        text = event(f"e{number}", summary=f"number {number}", more="RRULE:FREQ=WEEKLY\r\n" if number % 10 == 0 else "")
        (vdirsyncer.calendar / f"e{number}.ics").write_text(text)
    for number in range(cards):
        (vdirsyncer.book / f"c{number}.vcf").write_text(card(f"c{number}", f"Person {number}"))
    vdirsyncer("sync")
    here = Dav(server, user)
    calendar, book = here.home + "calendar/", here.books + "contacts/"
    on_server = here.propfind(calendar, "D:getetag", depth="1").responses()
    assert len(on_server) == events + 1
    assert len(here.propfind(book, "D:getetag", depth="1").responses()) == cards + 1

    # Edits on the server, edits in the files, and what is gone or new on either side.
    path = {name.rsplit("/", 1)[1]: name for name in on_server}
    named = {uid: next(p for n, p in path.items() if n.startswith(f"{uid}.") or n == f"{uid}.ics") for uid in ("e1", "e2")}
    assert here.put(named["e1"], event("e1", summary="edited on the server")).status == 204
    assert here("DELETE", named["e2"]).status == 204
    assert here.put(calendar + "new-there.ics", event("new-there")).status == 201
    (vdirsyncer.calendar / "e3.ics").write_text(event("e3", summary="edited here"))
    (vdirsyncer.calendar / "e4.ics").unlink()
    (vdirsyncer.calendar / "new-here.ics").write_text(event("new-here"))
    (vdirsyncer.book / "c1.vcf").write_text(card("c1", "Another Name"))
    vdirsyncer("sync")
    assert "edited on the server" in (vdirsyncer.calendar / "e1.ics").read_text()
    assert "e2" not in uids(vdirsyncer.calendar) and "new-there" in uids(vdirsyncer.calendar)
    whole = here("GET", calendar).body.decode()
    assert "edited here" in whole and "UID:new-here" in whole and "UID:e4\r\n" not in whole
    assert whole.count("BEGIN:VEVENT") == events
    assert "FN:Another Name" in here("GET", book).body.decode()

    # Nothing is left to be done.
    before = here.sync(calendar).token
    vdirsyncer("sync")
    assert here.sync(calendar).token == before


def test_a_new_address_book_in_the_files_is_made_on_the_server(server, user, vdirsyncer):
    friends = vdirsyncer.root / "books" / "friends"
    friends.mkdir()
    (friends / "1.vcf").write_text(card("1"))
    vdirsyncer("discover", "books")
    vdirsyncer("sync", "books")
    here = Dav(server, user)
    assert "FN:Ada Lovelace" in here("GET", here.books + "friends/").body.decode()


def test_metadata_of_a_calendar_go_both_ways(server, user, vdirsyncer):
    vdirsyncer("sync")
    (vdirsyncer.calendar / "color").write_text("#00ff00")
    vdirsyncer("metasync")
    here = Dav(server, user)
    stats = here.propfind(here.home + "calendar/", "I:calendar-color").responses()[here.home + "calendar/"]
    assert stats[200]["{http://apple.com/ns/ical/}calendar-color"].text.lower().startswith("#00ff00")
    assert (vdirsyncer.calendar / "displayname").read_text().strip() == "Calendar"
