"""Calendars and address books of others and of everybody, in the home sets of those who may see them."""

import itertools

import pytest

from test_dav import Dav, acl, card, client_of, event
from waxwing import DOMAIN

_names = itertools.count(1)
READ_FOR = "{http://calendarserver.org/ns/}calendar-proxy-read-for"
WRITE_FOR = "{http://calendarserver.org/ns/}calendar-proxy-write-for"


@pytest.fixture
def people(server):
    number = next(_names)
    return server.add_user(f"dan{number}"), server.add_user(f"eva{number}")


def listed(client, home):
    """What of others stands in a home: path -> display name."""
    found = client.propfind(home, "D:displayname", depth="1").responses()
    return {path: stat[200]["{DAV:}displayname"].text for path, stat in found.items() if not path.startswith(home)}


def proxied(client):
    """The principals whose calendars may be read only, and changed."""
    found = client.propfind(client.principal, "S:calendar-proxy-read-for", "S:calendar-proxy-write-for").responses()
    return [[href.text for href in found[client.principal][200][name]] for name in (READ_FOR, WRITE_FOR)]


def test_what_is_shared_appears_in_the_homes_of_those_who_may_see_it(server, people):
    dan, eva = (Dav(server, user) for user in people)
    assert (listed(eva, eva.home), listed(eva, eva.books), proxied(eva)) == ({}, {}, [[], []])
    who = f"<D:href>{eva.principal}</D:href>"
    assert acl(dan, dan.home + "calendar/", (who, ["read"])).status == 200
    assert listed(eva, eva.home) == {dan.home + "calendar/": f"Calendar ({people[0]})"}
    assert proxied(eva) == [[dan.principal], []]
    assert acl(dan, dan.home + "calendar/", (who, ["read", "write"])).status == 200
    assert acl(dan, dan.books + "contacts/", (who, ["read"])).status == 200
    assert listed(eva, eva.books) == {dan.books + "contacts/": f"Contacts ({people[0]})"}
    assert proxied(eva) == [[], [dan.principal]]
    assert set(eva.propfind(dan.home, "D:displayname", depth="1").responses()) == {dan.home, dan.home + "calendar/"}
    assert (listed(dan, dan.home), proxied(dan)) == ({}, [[], []])
    assert acl(dan, dan.home + "calendar/").status == 200
    assert acl(dan, dan.books + "contacts/").status == 200
    assert (listed(eva, eva.home), listed(eva, eva.books), proxied(eva)) == ({}, {}, [[], []])
    assert eva.propfind(dan.home, "D:displayname").status == 404


def test_python_caldav_writes_into_a_calendar_of_somebody_else(server, people):
    dan, eva = people
    server.cli("share", "grant", dan, "Calendar", eva, "editor")
    theirs = client_of(server, eva).principal().calendar(name=f"Calendar ({dan})")
    theirs.save_event(event("shared-1"))
    mine = client_of(server, dan).principal().calendar(name="Calendar")
    assert [found.icalendar_component["uid"] for found in mine.events()] == ["shared-1"]
    assert client_of(server, eva).principal().calendar(name="Calendar").events() == []


def test_privileges_follow_the_level(server, people):
    dan, eva = people
    calendar = Dav(server, dan).home + "calendar/"

    def privileges():
        found = Dav(server, eva).propfind(calendar, "D:current-user-privilege-set").responses()[calendar]
        held = found[200]["{DAV:}current-user-privilege-set"]
        return {privilege[0].tag.split("}")[1] for privilege in held}

    server.cli("share", "grant", dan, "Calendar", eva, "reviewer")
    assert "read" in privileges() and not privileges() & {"bind", "unbind", "write-content"}
    server.cli("share", "grant", dan, "Calendar", eva, "editor")
    assert {"read", "bind", "unbind", "write-content"} <= privileges()
    server.cli("share", "grant", dan, "Calendar", eva, "owner")
    assert {"all", "write", "write-acl"} <= privileges()


def test_a_calendar_that_may_not_be_deleted_keeps_its_meetings(server, people):
    dan, eva = (Dav(server, user) for user in people)
    work = dan.home + "work/"
    assert dan("MKCALENDAR", work).status == 201
    who = f"<D:href>{eva.principal}</D:href>"
    assert acl(dan, work, (who, ["read", "write"])).status == 200
    asked = f"ORGANIZER:mailto:{people[0]}\r\nATTENDEE:mailto:{people[0]}\r\nATTENDEE:mailto:{people[1]}\r\n"
    assert dan.put(work + "m.ics", event("meeting-1", more=asked)).status == 201
    refused = eva("DELETE", work)
    assert refused.status == 403 and b"need-privileges" in refused.body
    assert dan("GET", work + "m.ics").status == 200
    assert dan("DELETE", work).status == 204


def test_a_group_shares_an_address_book(server, people):
    dan, eva = people
    group = f"crew{next(_names)}@{DOMAIN}"
    server.cli("group", "add", group, eva)
    server.cli("share", "grant", dan, "Contacts", group, "reviewer")
    owner, reader = Dav(server, dan), Dav(server, eva)
    path = owner.books + "contacts/ada.vcf"
    assert owner.put(path, card("ada"), media="text/vcard").status == 201
    assert owner.books + "contacts/" in listed(reader, reader.books)
    assert reader("GET", path).status == 200
    assert reader("DELETE", path).status == 403


def test_public_calendars(own_server):
    server = own_server
    user, public = server.add_user("alice"), f"public@{DOMAIN}"
    server.cli("domain", "public", DOMAIN, public)
    server.cli("folder", "create", public, "Holidays", "--for", "calendar")
    server.cli("share", "grant", public, "Holidays", "anyone", "reviewer")
    alice = Dav(server, user)
    assert list(listed(alice, alice.home).values()) == [f"Holidays ({public})"]
    names = {calendar.get_display_name() for calendar in client_of(server, user).principal().calendars()}
    assert names == {"Calendar", "Tasks", f"Holidays ({public})"}
