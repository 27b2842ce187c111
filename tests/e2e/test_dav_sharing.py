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


# -- invitations and delegates --------------------------------------------------------------------

CS = "{http://calendarserver.org/ns/}"
DAV = "{DAV:}"


def share(client, path, *changes):
    body = f'<S:share xmlns:S="http://calendarserver.org/ns/" xmlns:D="DAV:">{"".join(changes)}</S:share>'
    return client.xml("POST", path, body)


def invitation(address, access="read", summary=""):
    return f"<S:set><D:href>mailto:{address}</D:href><S:summary>{summary}</S:summary><S:{access}/></S:set>"


def reply(client, uid, answer):
    body = (
        f'<S:invite-reply xmlns:S="http://calendarserver.org/ns/" xmlns:D="DAV:"><S:{answer}/><S:in-reply-to>{uid}</S:in-reply-to>'
        "</S:invite-reply>"
    )
    return client.xml("POST", client.home, body)


def notifications(client):
    """Path -> the element in a notification."""
    asked = client.propfind(client.principal, "S:notification-URL").responses()[client.principal][200]
    collection = asked[f"{CS}notification-URL"].find(f"{DAV}href").text
    members = client.propfind(collection, "D:getetag", "S:notificationtype", "D:resourcetype", depth="1").responses()
    assert members.pop(collection)[200][f"{DAV}resourcetype"].find(f"{CS}notification") is not None
    found = {}
    for path in members:
        answer = client("GET", path)
        assert answer.status == 200 and answer.xml.tag == f"{CS}notification"
        _, found[path] = list(answer.xml)
    return found


def invited(client, path):
    """Address -> status and access, as whoever asks is told."""
    told = client.propfind(path, "S:invite").responses()[path][200][f"{CS}invite"]
    users = {}
    for user in told.findall(f"{CS}user"):
        tags = [child.tag.removeprefix(CS) for child in user]
        (status,) = [tag for tag in tags if tag.startswith("invite-")]
        users[user.find(f"{DAV}href").text.removeprefix("mailto:")] = (status, user.find(f"{CS}access")[0].tag.removeprefix(CS))
    return users


def test_an_invitation_is_accepted_and_the_owner_hears_of_it(server, people):
    dan, eva = (Dav(server, user) for user in people)
    assert dan("MKCALENDAR", dan.home + "team/").status == 201
    calendar = dan.home + "team/"
    modes = dan.propfind(calendar, "S:allowed-sharing-modes").responses()[calendar][200][f"{CS}allowed-sharing-modes"]
    assert modes.find(f"{CS}can-be-shared") is not None
    nobody = f"nobody-at-all@{DOMAIN}"
    assert share(dan, calendar, invitation(people[1], "read-write", "The team"), invitation(nobody)).status == 200
    assert invited(dan, calendar) == {people[1]: ("invite-noresponse", "read-write"), nobody: ("invite-invalid", "read")}
    assert listed(eva, eva.home) == {}
    ((path, notification),) = notifications(eva).items()
    assert notification.tag == f"{CS}invite-notification"
    assert notification.find(f"{CS}summary").text == "The team"
    assert notification.find(f"{CS}hosturl/{DAV}href").text == calendar
    assert notification.find(f"{CS}organizer/{DAV}href").text == f"mailto:{people[0]}"
    uid = notification.find(f"{CS}uid").text
    assert notifications(dan) == {}
    assert Dav(server, people[0])("GET", path).status == 404
    accepted = reply(eva, uid, "invite-accepted")
    assert accepted.status == 200 and accepted.xml.tag == f"{CS}shared-as"
    assert accepted.xml.find(f"{DAV}href").text == calendar
    assert notifications(eva) == {}
    assert list(listed(eva, eva.home)) == [calendar]
    assert eva.put(calendar + "1.ics", event("1")).status == 201
    kind = eva.propfind(calendar, "D:resourcetype").responses()[calendar][200][f"{DAV}resourcetype"]
    assert kind.find(f"{CS}shared") is not None
    kind = dan.propfind(calendar, "D:resourcetype").responses()[calendar][200][f"{DAV}resourcetype"]
    assert kind.find(f"{CS}shared-owner") is not None
    ((path, told),) = notifications(dan).items()
    assert told.tag == f"{CS}invite-reply" and told.find(f"{CS}invite-accepted") is not None
    assert told.find(f"{CS}in-reply-to").text == uid
    assert dan("DELETE", path).status == 204
    assert notifications(dan) == {}
    # It goes out of her home and stays where it is.
    assert eva("DELETE", calendar).status == 204
    assert listed(eva, eva.home) == {}
    assert dan("GET", calendar + "1.ics").status == 200
    assert invited(dan, calendar)[people[1]] == ("invite-declined", "read-write")


def test_an_invitation_is_declined_taken_back_or_put_aside(server, people):
    dan, eva = (Dav(server, user) for user in people)
    calendar = dan.home + "calendar/"
    assert share(eva, calendar, invitation(people[1])).status in (404, 409)
    assert share(dan, calendar, invitation(people[1])).status == 200
    assert share(eva, calendar, invitation(people[1], "read-write")).condition == "{DAV:}need-privileges"
    ((path, notification),) = notifications(eva).items()
    uid = notification.find(f"{CS}uid").text
    assert reply(eva, "no such uid", "invite-declined").status == 404
    assert eva("DELETE", path).status == 204
    assert notifications(eva) == {} and invited(dan, calendar) == {people[1]: ("invite-noresponse", "read")}
    assert reply(eva, uid, "invite-declined").status == 200
    assert invited(dan, calendar) == {people[1]: ("invite-declined", "read")}
    assert share(dan, calendar, invitation(people[1])).status == 200
    assert invited(dan, calendar) == {people[1]: ("invite-noresponse", "read")}
    assert share(dan, calendar, f"<S:remove><D:href>mailto:{people[1]}</D:href></S:remove>").status == 200
    assert (invited(dan, calendar), notifications(eva)) == ({}, {})
    assert eva.propfind(calendar, "D:displayname").status == 404
    assert share(dan, calendar, "<S:set/>").status == 400


def test_delegates_are_members_of_a_group(server, people):
    dan, eva = (Dav(server, user) for user in people)
    dan("MKCALENDAR", dan.home + "team/")
    group = dan.principal + "calendar-proxy-write/"

    def members(client=dan, path=group):
        told = client.propfind(path, "D:group-member-set").responses()[path][200]["{DAV:}group-member-set"]
        return [href.text for href in told]

    def set_members(client, *hrefs):
        inner = "".join(f"<D:href>{href}</D:href>" for href in hrefs)
        body = f'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:group-member-set>{inner}</D:group-member-set></D:prop></D:set></D:propertyupdate>'
        return list(client.xml("PROPPATCH", group, body).responses()[group])

    assert members() == []
    assert set_members(dan, eva.principal) == [200]
    assert members() == [eva.principal] and members(eva) == []
    assert set(listed(eva, eva.home)) == {dan.home + name for name in ("calendar/", "tasks/", "team/")}
    assert proxied(eva) == [[], [dan.principal]]
    membership = eva.propfind(eva.principal, "D:group-membership").responses()[eva.principal][200]["{DAV:}group-membership"]
    assert [href.text for href in membership] == [group]
    assert eva.put(dan.home + "team/1.ics", event("1")).status == 201
    assert set_members(eva, eva.principal) == [403]
    assert set_members(dan, "/dav/principals/nobody-at-all@nowhere.test/") == [403]
    assert set_members(dan) == [200]
    assert (members(), listed(eva, eva.home)) == ([], {})
    # A calendar that is made later is not hers; taking her out of the group still takes the others away.
    assert set_members(dan, eva.principal) == [200]
    assert dan("MKCALENDAR", dan.home + "later/").status == 201
    fred = Dav(server, server.add_user(f"fred-{people[0].split('@')[0]}"))
    assert acl(dan, dan.home + "later/", (f"<D:href>{fred.principal}</D:href>", ["read", "write"])).status == 200
    assert set_members(dan) == [200]
    assert (members(), listed(eva, eva.home)) == ([], {})
    assert set(listed(fred, fred.home)) == {dan.home + "later/"}
