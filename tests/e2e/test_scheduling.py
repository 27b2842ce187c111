"""Meetings: CalDAV scheduling (RFC 6638) with python-caldav, iMIP (RFC 6047) with an SMTP sink and imaplib."""

import datetime
import email
import email.policy
import smtplib
import threading
import time

import icalendar
import pytest

from sink import queue_is_empty, route, settings
from test_dav import NS, Dav, client_of, event
from test_swap import next_version
from waxwing import DOMAIN, PATIENCE, Server

UTC = datetime.timezone.utc
DAN = "dan@sink.test"
CALDAV = f"{{{NS['C']}}}"


@pytest.fixture
def office(sink):
    """A server with three people, whose mail for sink.test goes to a sink."""
    server = Server(extra_config=settings(route("sink.test", sink)))
    server.start()
    for name in ("anna", "bob", "cleo"):
        server.add_user(name)
    yield server
    assert server.stop() == 0
    text = server.log_text()
    server.destroy()
    assert "panicked" not in text, text[-4000:]


def mail(name):
    return name if "@" in name else f"{name}@{DOMAIN}"


def meeting(*attendees, organizer="anna", start="20300107T100000Z", more="RRULE:FREQ=WEEKLY;COUNT=4\r\n", uid="m1", summary="Plans"):
    people = f"ORGANIZER:mailto:{mail(organizer)}\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:{mail(organizer)}\r\n"
    for name in attendees:
        people += f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{mail(name)}\r\n"
    return event(uid, start=start, summary=summary, more=more + people)


class Person:
    """Somebody with a calendar program and a mail program."""

    def __init__(self, server, name):
        self.server, self.address = server, mail(name)
        self.dav = Dav(server, self.address)
        self.calendar = self.dav.home + "calendar/"
        self.inbox = self.dav.home + "inbox/"

    def names(self, collection=None):
        answer = self.dav.propfind(collection or self.calendar, "D:getetag", depth="1")
        return [path for path in answer.responses() if not path.endswith("/")]

    def path(self):
        (path,) = self.names()
        return path

    def text(self, path=None):
        answer = self.dav("GET", path or self.path())
        assert answer.status == 200
        return answer.body.decode()

    def components(self):
        calendar = icalendar.Calendar.from_ical(self.text())
        return [one for one in calendar.subcomponents if one.name == "VEVENT"]

    def answer_of(self, name, at=0):
        """PARTSTAT of somebody in the copy of this one."""
        attendees = self.components()[at]["ATTENDEE"]
        attendees = attendees if isinstance(attendees, list) else [attendees]
        (line,) = [one for one in attendees if str(one).lower() == f"mailto:{mail(name)}"]
        return line.params

    def methods(self):
        """Of the messages in the scheduling inbox."""
        return sorted(str(icalendar.Calendar.from_ical(self.text(path))["METHOD"]) for path in self.names(self.inbox))

    def mails(self, count):
        deadline = time.monotonic() + PATIENCE
        while True:
            client = self.server.imap(self.address)
            found = int(client.select("INBOX")[1][0])
            if found >= count:
                octets = [client.fetch(str(at + 1), "(BODY[])")[1][0][1] for at in range(found)]
                client.logout()
                return [email.message_from_bytes(one, policy=email.policy.default) for one in octets]
            client.logout()
            assert time.monotonic() < deadline, f"{found} of {count} mails"
            time.sleep(0.1)

    def answers(self, partstat):
        """As a calendar program answers: the copy is put again with another PARTSTAT."""
        path = self.path()
        old = self.dav("GET", path)
        calendar = icalendar.Calendar.from_ical(old.body)
        for component in calendar.walk("VEVENT"):
            for line in component["ATTENDEE"]:
                if str(line).lower() == f"mailto:{self.address}":
                    line.params["PARTSTAT"] = partstat
                    line.params.pop("RSVP", None)
        headers = {"If_Schedule_Tag_Match": old.headers["schedule-tag"]}
        answer = self.dav.put(path, calendar.to_ical().decode(), **headers)
        assert answer.status == 204, answer.body
        return answer


def itip(message):
    """The calendar in a mail, and what its Content-Type says of it."""
    parts = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    (part,) = parts
    assert any(part.get_content_type() == "text/plain" for part in message.walk())
    calendar = icalendar.Calendar.from_ical(part.get_content())
    assert part.get_param("method").upper() == calendar["METHOD"]
    return calendar


def from_outside(server, recipient, calendar, sender=DAN):
    method = str(calendar["METHOD"])
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, f"about it ({method})"
    message.set_content("See the calendar.")
    message.add_alternative(calendar.to_ical(), "text", "calendar", params={"method": method, "charset": "utf-8"})
    with smtplib.SMTP("localhost", server.ports["smtp"], timeout=PATIENCE) as client:
        client.send_message(message, sender, [recipient])


def reply_of(request, method="REPLY", attendee=DAN, **changes):
    """What an outside client makes of an invitation."""
    calendar = icalendar.Calendar.from_ical(request.to_ical())
    calendar["METHOD"] = method
    component = calendar.walk("VEVENT")[0]
    line = icalendar.vCalAddress(f"mailto:{attendee}")
    line.params["PARTSTAT"] = changes.pop("partstat", "ACCEPTED")
    component["ATTENDEE"] = line
    for name, value in changes.items():
        del component[name]
        component.add(name, value)
    return calendar


# -- the meeting --------------------------------------------------------------------------------


def test_a_meeting_of_three_here_and_one_outside(office, sink):
    anna, bob, cleo = (Person(office, name) for name in ("anna", "bob", "cleo"))
    path = anna.calendar + "m1.ics"

    # Invited: here into the calendars, to the others as mail, and whoever is here gets that too.
    put = anna.dav.put(path, meeting("bob", "cleo", DAN), If_None_Match="*")
    assert put.status == 201 and put.headers["schedule-tag"]
    assert put.headers["etag"] is None, "what is stored is not what was put"
    assert anna.answer_of("bob")["SCHEDULE-STATUS"] == "1.2"
    assert anna.answer_of(DAN)["SCHEDULE-STATUS"] == "1.1"
    for person in (bob, cleo):
        assert person.answer_of("bob")["PARTSTAT"] == "NEEDS-ACTION"
        assert person.methods() == ["REQUEST"]
        (invitation,) = person.mails(1)
        assert itip(invitation)["METHOD"] == "REQUEST"
        assert invitation["From"].addresses[0].addr_spec == anna.address
    (sent,) = sink.wait(1)
    assert (sent.sender, sent.recipients) == (anna.address, [DAN])
    request = itip(email.message_from_bytes(sent.content, policy=email.policy.default))
    assert request["METHOD"] == "REQUEST" and len(request.walk("VEVENT")) == 1

    # Answered from here: the organiser hears it, and so do the others, without mail.
    before = Dav(office, anna.address)("GET", path).headers["schedule-tag"]
    bob.answers("ACCEPTED")
    assert anna.answer_of("bob")["PARTSTAT"] == "ACCEPTED"
    assert cleo.answer_of("bob")["PARTSTAT"] == "ACCEPTED"
    assert anna.dav("GET", path).headers["schedule-tag"] == before, "only an answer changed"
    assert anna.methods() == ["REPLY"]
    (reply,) = anna.mails(1)
    assert itip(reply)["METHOD"] == "REPLY" and reply["Subject"].startswith("Accepted")
    assert len(cleo.mails(1)) == 1

    # Answered from outside, as mail.
    from_outside(office, anna.address, reply_of(request, partstat="TENTATIVE"))
    assert len(anna.mails(2)) == 2
    assert anna.answer_of(DAN)["PARTSTAT"] == "TENTATIVE"
    assert bob.answer_of(DAN)["PARTSTAT"] == "TENTATIVE"

    # Countered: the proposal is in the inbox and in the mail, and changes nothing by itself.
    eleven = datetime.datetime(2030, 1, 7, 11, tzinfo=UTC)
    from_outside(office, anna.address, reply_of(request, method="COUNTER", DTSTART=eleven))
    assert len(anna.mails(3)) == 3
    assert anna.methods() == ["COUNTER", "REPLY", "REPLY"]
    assert anna.components()[0]["DTSTART"].dt.hour == 10

    # Moved to where it was proposed: all are asked again.
    moved = anna.text(path).replace("DTSTART:20300107T100000Z", "DTSTART:20300107T110000Z")
    assert anna.dav.put(path, moved).status == 204
    for person in (bob, cleo):
        (component,) = person.components()
        assert component["DTSTART"].dt == eleven and int(component["SEQUENCE"]) == 1
        assert person.answer_of("bob")["PARTSTAT"] == "NEEDS-ACTION"
        assert len(person.mails(2)) == 2
    again = itip(email.message_from_bytes(sink.wait(2)[1].content, policy=email.policy.default))
    assert again.walk("VEVENT")[0]["DTSTART"].dt == eleven

    # One instance is off.
    without = anna.text(path).replace("RRULE:", "EXDATE:20300114T110000Z\r\nRRULE:")
    assert anna.dav.put(path, without).status == 204
    off = itip(email.message_from_bytes(sink.wait(3)[2].content, policy=email.policy.default))
    assert off["METHOD"] == "CANCEL"
    assert off.walk("VEVENT")[0]["RECURRENCE-ID"].dt.day == 14
    for person in (bob, cleo):
        cancelled = [one for one in person.components() if one.get("STATUS") == "CANCELLED"]
        assert [one["RECURRENCE-ID"].dt.day for one in cancelled] == [14]
        assert itip(person.mails(3)[2])["METHOD"] == "CANCEL"

    # The whole of it is off.
    assert anna.dav("DELETE", path).status == 204
    for person in (bob, cleo):
        assert all(one.get("STATUS") == "CANCELLED" for one in person.components())
    gone = itip(email.message_from_bytes(sink.wait(4)[3].content, policy=email.policy.default))
    assert gone["METHOD"] == "CANCEL" and "RECURRENCE-ID" not in gone.walk("VEVENT")[0]
    queue_is_empty(office)


def test_an_invitation_from_outside_is_answered_from_the_calendar(office, sink):
    bob = Person(office, "bob")
    request = icalendar.Calendar.from_ical(meeting("bob", organizer=DAN, more=""))
    request.add("METHOD", "REQUEST")
    from_outside(office, bob.address, request, sender="eve@sink.test")
    bob.mails(1)
    assert bob.names() == [], "it is not from its organizer"
    from_outside(office, bob.address, request)
    bob.mails(2)
    assert bob.answer_of("bob")["PARTSTAT"] == "NEEDS-ACTION"
    answer = bob.answers("DECLINED")
    assert answer.headers["schedule-tag"]
    (sent,) = sink.wait(1)
    assert (sent.sender, sent.recipients) == (bob.address, [DAN])
    reply = itip(email.message_from_bytes(sent.content, policy=email.policy.default))
    assert reply["METHOD"] == "REPLY"
    assert reply.walk("VEVENT")[0]["ATTENDEE"].params["PARTSTAT"] == "DECLINED"
    # Forgotten in silence.
    assert bob.dav("DELETE", bob.path(), Schedule_Reply="F").status == 204
    queue_is_empty(office)
    assert len(sink.taken) == 1


def test_a_mail_that_claims_to_be_from_here_changes_no_calendar(office):
    bob = Person(office, "bob")
    request = icalendar.Calendar.from_ical(meeting("bob", more=""))
    request.add("METHOD", "REQUEST")
    from_outside(office, bob.address, request, sender=mail("anna"))
    assert len(bob.mails(1)) == 1
    assert bob.names() == []


def test_a_broken_calendar_loses_no_mail(office):
    bob = Person(office, "bob")
    for number, calendar in enumerate(("BEGIN:VCALENDAR", "x" * 100_000, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nEND:VCALENDAR")):
        message = f"From: {DAN}\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n{calendar}\r\n"
        with smtplib.SMTP("localhost", office.ports["smtp"], timeout=PATIENCE) as client:
            client.sendmail(DAN, [bob.address], message)
        assert len(bob.mails(number + 1)) == number + 1
    assert bob.names() == []


# -- the rules ----------------------------------------------------------------------------------


def test_what_an_attendee_may_not_change_is_refused(office):
    anna, bob = Person(office, "anna"), Person(office, "bob")
    anna.dav.put(anna.calendar + "m1.ics", meeting("bob"))
    path, text = bob.path(), bob.text()
    refused = bob.dav.put(path, text.replace("SUMMARY:Plans", "SUMMARY:Mine"))
    assert (refused.status, refused.condition) == (403, f"{CALDAV}allowed-attendee-scheduling-object-change")
    taken = bob.dav.put(path, text.replace(f"ORGANIZER:mailto:{anna.address}", f"ORGANIZER:mailto:{bob.address}"))
    assert (taken.status, taken.condition) == (403, f"{CALDAV}allowed-attendee-scheduling-object-change")
    given = anna.dav.put(anna.calendar + "m1.ics", text)
    assert given.status == 204, "the organizer may put what an attendee has"
    copied = anna.dav("COPY", anna.calendar + "m1.ics", Destination=anna.calendar + "m2.ics")
    assert (copied.status, copied.condition) == (403, f"{CALDAV}unique-scheduling-object-resource")
    anna.dav("MKCALENDAR", anna.dav.home + "work/")
    second = anna.dav.put(anna.dav.home + "work/m1.ics", meeting("bob"))
    assert (second.status, second.condition) == (403, f"{CALDAV}unique-scheduling-object-resource")
    assert anna.dav("MOVE", anna.calendar + "m1.ics", Destination=anna.dav.home + "work/m1.ics").status == 201
    assert anna.dav("GET", anna.dav.home + "work/m1.ics").headers["schedule-tag"]


def test_a_schedule_tag_is_a_condition(office):
    anna, bob = Person(office, "anna"), Person(office, "bob")
    path = anna.calendar + "m1.ics"
    tag = anna.dav.put(path, meeting("bob")).headers["schedule-tag"]
    told = anna.dav.propfind(path, "C:schedule-tag").responses()[path][200]
    assert told[f"{CALDAV}schedule-tag"].text == tag
    etag = anna.dav("GET", path).headers["etag"]
    bob.answers("ACCEPTED")
    later = meeting("bob", start="20300107T120000Z")
    assert anna.dav.put(path, later, If_Match=etag).status == 412
    moved = anna.dav.put(path, later, If_Schedule_Tag_Match=tag)
    assert moved.status == 204 and moved.headers["schedule-tag"] != tag
    assert anna.dav.put(path, later, If_Schedule_Tag_Match=tag).status == 412
    assert anna.dav("DELETE", path, If_Schedule_Tag_Match=tag).status == 412


def test_a_client_that_schedules_itself_is_left_alone(office, sink):
    anna, bob = Person(office, "anna"), Person(office, "bob")
    text = meeting("bob", DAN).replace("ATTENDEE;PARTSTAT=NEEDS", "ATTENDEE;SCHEDULE-AGENT=CLIENT;PARTSTAT=NEEDS")
    assert anna.dav.put(anna.calendar + "m1.ics", text).status == 201
    assert bob.names() == []
    queue_is_empty(office)
    assert sink.taken == []


def test_a_calendar_with_meetings_is_deleted_and_they_are_off(office):
    anna, bob = Person(office, "anna"), Person(office, "bob")
    anna.dav("MKCALENDAR", anna.dav.home + "work/")
    anna.dav.put(anna.dav.home + "work/m1.ics", meeting("bob"))
    assert anna.dav("DELETE", anna.dav.home + "work/").status == 204
    assert bob.components()[0]["STATUS"] == "CANCELLED"


# -- inbox, outbox, time ------------------------------------------------------------------------


def test_a_client_finds_inbox_and_outbox(office):
    anna = Person(office, "anna")
    asked = ("C:schedule-inbox-URL", "C:schedule-outbox-URL", "C:calendar-user-address-set", "C:calendar-user-type")
    told = anna.dav.propfind(anna.dav.principal, *asked).responses()[anna.dav.principal][200]
    href = lambda name: told[CALDAV + name].find("D:href", NS).text  # noqa: E731
    assert (href("schedule-inbox-URL"), href("schedule-outbox-URL")) == (anna.inbox, anna.dav.home + "outbox/")
    assert href("calendar-user-address-set") == f"mailto:{anna.address}"
    properties = anna.dav.propfind(anna.inbox, "D:resourcetype", "C:schedule-default-calendar-URL", "D:current-user-privilege-set")
    found = properties.responses()[anna.inbox][200]
    assert found["{DAV:}resourcetype"].find("C:schedule-inbox", NS) is not None
    assert found[f"{CALDAV}schedule-default-calendar-URL"].find("D:href", NS).text == anna.calendar
    assert found["{DAV:}current-user-privilege-set"].find(".//C:schedule-deliver", NS) is not None
    assert anna.dav.put(anna.inbox + "x.ics", event("x")).status == 403
    assert anna.dav("DELETE", anna.inbox).status == 403
    assert "calendar-auto-schedule" in anna.dav("OPTIONS", "/dav/").headers["dav"]
    principal = client_of(office, anna.address).principal()
    assert str(principal.schedule_inbox().url).endswith("/inbox/")
    Person(office, "bob").dav.put(Person(office, "bob").calendar + "m1.ics", meeting("anna", organizer="bob"))
    (item,) = principal.schedule_inbox().get_items()
    assert item.is_invite_request()


def test_who_has_time_is_asked_of_the_outbox(office):
    anna, bob = Person(office, "anna"), Person(office, "bob")
    anna.dav.put(anna.calendar + "m1.ics", meeting("bob", more=""))
    bob.dav.put(bob.calendar + "own.ics", event("own", start="20300107T140000Z"))
    bob.dav("MKCALENDAR", bob.dav.home + "birthdays/")
    transparent = "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>"
    body = f'<D:propertyupdate xmlns:D="DAV:" xmlns:C="{NS["C"]}"><D:set><D:prop>{transparent}</D:prop></D:set></D:propertyupdate>'
    assert bob.dav.xml("PROPPATCH", bob.dav.home + "birthdays/", body).status == 207
    bob.dav.put(bob.dav.home + "birthdays/1.ics", event("1", start="20300107T160000Z"))
    day = datetime.datetime(2030, 1, 7, tzinfo=UTC)
    principal = client_of(office, mail("cleo")).principal()
    answer = principal.freebusy_request(day, day + datetime.timedelta(days=1), [f"mailto:{bob.address}", f"mailto:nobody@{DOMAIN}"])
    assert isinstance(answer, dict) and answer, answer
    text = str(answer)
    post = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:f\r\nDTSTAMP:20300101T000000Z\r\n"
        f"DTSTART:20300107T000000Z\r\nDTEND:20300108T000000Z\r\nORGANIZER:mailto:{mail('cleo')}\r\n"
        f"ATTENDEE:mailto:{bob.address}\r\nATTENDEE:mailto:nobody@{DOMAIN}\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n"
    )
    cleo = Person(office, "cleo")
    raw = cleo.dav("POST", cleo.dav.home + "outbox/", post, Content_Type="text/calendar")
    assert raw.status == 200, raw.body
    found = {
        one.find("C:recipient/D:href", NS).text: (one.find("C:request-status", NS).text, one.findtext("C:calendar-data", None, NS))
        for one in raw.xml.findall("C:response", NS)
    }
    status, busy = found[f"mailto:{bob.address}"]
    assert status.startswith("2.0")
    assert "20300107T100000Z/20300107T110000Z" in busy and "20300107T140000Z/20300107T150000Z" in busy
    assert "T160000Z" not in busy and "Plans" not in busy
    assert found[f"mailto:nobody@{DOMAIN}"][0].startswith("3.7"), text
    foreign = cleo.dav("POST", cleo.dav.home + "outbox/", post.replace(mail("cleo"), bob.address), Content_Type="text/calendar")
    assert (foreign.status, foreign.condition) == (403, f"{CALDAV}organizer-allowed")


def test_hours_that_somebody_has_set_are_told(office):
    bob, cleo = Person(office, "bob"), Person(office, "cleo")
    hours = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VAVAILABILITY\nUID:a\nDTSTAMP:20300101T000000Z\nBEGIN:AVAILABLE\nUID:b\n"
        "DTSTAMP:20300101T000000Z\nDTSTART:20300101T090000Z\nDTEND:20300101T170000Z\nRRULE:FREQ=DAILY\nEND:AVAILABLE\n"
        "END:VAVAILABILITY\nEND:VCALENDAR\n"
    )
    for text, code in (("none", 403), (hours, 200)):
        prop = f"<C:calendar-availability>{text}</C:calendar-availability>"
        body = f'<D:propertyupdate xmlns:D="DAV:" xmlns:C="{NS["C"]}"><D:set><D:prop>{prop}</D:prop></D:set></D:propertyupdate>'
        changed = bob.dav.xml("PROPPATCH", bob.inbox, body)
        assert list(changed.responses()[bob.inbox]) == [code]
    post = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:f\r\nDTSTAMP:20300101T000000Z\r\n"
        f"DTSTART:20300107T000000Z\r\nDTEND:20300108T000000Z\r\nORGANIZER:mailto:{cleo.address}\r\n"
        f"ATTENDEE:mailto:{bob.address}\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n"
    )
    told = cleo.dav("POST", cleo.dav.home + "outbox/", post, Content_Type="text/calendar").xml.findtext(".//C:calendar-data", None, NS)
    assert "FBTYPE=BUSY-UNAVAILABLE:20300107T000000Z/20300107T090000Z" in told


def test_an_object_that_says_when_somebody_is_busy_is_taken(office):
    bob, cleo = Person(office, "bob"), Person(office, "cleo")
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VFREEBUSY\r\nUID:away\r\nDTSTAMP:20300101T000000Z\r\n"
        "DTSTART:20300107T000000Z\r\nDTEND:20300108T000000Z\r\nFREEBUSY:20300107T080000Z/20300107T090000Z\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n"
    )
    assert bob.dav.put(bob.calendar + "away.ics", text).status == 201
    day = datetime.datetime(2030, 1, 7, tzinfo=UTC)
    principal = client_of(office, cleo.address).principal()
    answer = principal.freebusy_request(day, day + datetime.timedelta(days=1), [f"mailto:{bob.address}"])
    assert "080000" in str([getattr(one, "data", one) for one in answer.values()])


def test_a_room_answers_by_itself(office):
    anna, bob = Person(office, "anna"), Person(office, "bob")
    room = office.add_user("room")
    office.cli("user", "resource", room, "--kind", "room")
    kind = anna.dav.propfind(f"/dav/principals/{room}/", "C:calendar-user-type")
    (found,) = kind.responses().values()
    assert found[200][f"{CALDAV}calendar-user-type"].text == "ROOM"
    start = (datetime.datetime.now(UTC) + datetime.timedelta(days=30)).strftime("%Y%m%dT100000Z")
    anna.dav.put(anna.calendar + "m1.ics", meeting("bob", "room", start=start))
    assert anna.answer_of("room")["PARTSTAT"] == "ACCEPTED"
    assert bob.answer_of("room")["PARTSTAT"] == "ACCEPTED"
    bob.dav.put(bob.calendar + "m2.ics", meeting("room", organizer="bob", uid="m2", start=start, more=""))
    copy = icalendar.Calendar.from_ical(bob.text(bob.calendar + "m2.ics")).walk("VEVENT")[0]
    (line,) = [one for one in copy["ATTENDEE"] if str(one).endswith(room)]
    assert line.params["PARTSTAT"] == "DECLINED"


# -- replacing the plugin -----------------------------------------------------------------------


def test_no_request_of_200_clients_fails_while_the_plugin_is_swapped(office, tmp_path):
    anna = Person(office, "anna")
    for number in range(100):
        assert anna.dav.put(f"{anna.calendar}{number}.ics", event(str(number))).status == 201
    ended, failures, rounds = threading.Event(), [], []

    def synchronise(number):
        try:
            client = Dav(office, anna.address)
            token = client.sync(anna.calendar).token
            while not ended.is_set():
                answer = client.sync(anna.calendar, token)
                if answer.status != 207:
                    failures.append((number, answer.status, answer.body[:200]))
                else:
                    token = answer.token
                rounds.append(number)
        except Exception as error:  # noqa: BLE001
            failures.append((number, repr(error)))

    clients = [threading.Thread(target=synchronise, args=(number,)) for number in range(200)]
    for client in clients:
        client.start()
    for round_ in range(3):
        office.cli("plugin", "load", str(next_version(tmp_path, "dav", f"0.1.{round_ + 1}")))
        office.cli("plugin", "activate", "dav")
        office.cli("plugin", "rollback", "dav")
    ended.set()
    for client in clients:
        client.join()
    assert not failures, failures[:5]
    assert len(set(rounds)) == 200


# -- what came late ------------------------------------------------------------------------------


def set_on(person, path, prop):
    body = f'<D:propertyupdate xmlns:D="DAV:" xmlns:C="{NS["C"]}"><D:set><D:prop>{prop}</D:prop></D:set></D:propertyupdate>'
    return list(person.dav.xml("PROPPATCH", path, body).responses()[path])


def busy_of(asking, person):
    """The FREEBUSY lines of a day, as the outbox tells them."""
    post = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:f\r\nDTSTAMP:20300101T000000Z\r\n"
        f"DTSTART:20300107T000000Z\r\nDTEND:20300108T000000Z\r\nORGANIZER:mailto:{asking.address}\r\n"
        f"ATTENDEE:mailto:{person.address}\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n"
    )
    answer = asking.dav("POST", asking.dav.home + "outbox/", post, Content_Type="text/calendar")
    text = answer.xml.findtext(".//C:calendar-data", None, NS)
    return [line for line in text.splitlines() if line.startswith("FREEBUSY")]


def test_hours_that_stand_in_a_calendar_count_like_those_of_the_inbox(office):
    bob, cleo = Person(office, "bob"), Person(office, "cleo")
    hours = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VAVAILABILITY\r\nUID:hours\r\nDTSTAMP:20300101T000000Z\r\n"
        "BEGIN:AVAILABLE\r\nUID:b\r\nDTSTAMP:20300101T000000Z\r\nDTSTART:20300101T090000Z\r\nDTEND:20300101T170000Z\r\nRRULE:FREQ=DAILY\r\n"
        "END:AVAILABLE\r\nEND:VAVAILABILITY\r\nEND:VCALENDAR\r\n"
    )
    assert bob.dav.put(bob.calendar + "hours.ics", hours).status == 201
    spans = ["20300107T000000Z/20300107T090000Z", "20300107T170000Z/20300108T000000Z"]
    assert busy_of(cleo, bob) == [f"FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:{span}" for span in spans]
    query = f'<C:free-busy-query xmlns:C="{NS["C"]}"><C:time-range start="20300107T000000Z" end="20300108T000000Z"/></C:free-busy-query>'
    told = bob.dav.xml("REPORT", bob.calendar, query, Depth="1").body.decode()
    assert all(f"FBTYPE=BUSY-UNAVAILABLE:{span}" in told for span in spans), told
    query = (
        f'<C:calendar-query xmlns:C="{NS["C"]}" xmlns:D="DAV:"><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR">'
        '<C:comp-filter name="VAVAILABILITY"/></C:comp-filter></C:filter></C:calendar-query>'
    )
    assert list(bob.dav.xml("REPORT", bob.calendar, query, Depth="1").responses()) == [bob.calendar + "hours.ics"]
    assert "calendar-availability" in bob.dav("OPTIONS", "/dav/").headers["dav"]


def test_hours_that_cannot_be_counted_are_refused(office):
    bob, cleo = Person(office, "bob"), Person(office, "cleo")
    available = "BEGIN:AVAILABLE\r\nUID:b\r\nDTSTAMP:20300101T000000Z\r\nDTSTART:20300101T090000Z\r\nDTEND:20300101T170000Z\r\nEND:AVAILABLE\r\n"
    undated = available.replace("DTSTART:20300101T090000Z\r\n", "")
    for begin in ("", "DTSTART:20300101T000000Z\r\n"):
        for broken in (undated, available * 2):
            hours = (
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VAVAILABILITY\r\nUID:hours\r\nDTSTAMP:20300101T000000Z\r\n"
                f"{begin}{broken}END:VAVAILABILITY\r\nEND:VCALENDAR\r\n"
            )
            assert bob.dav.put(bob.calendar + "hours.ics", hours).status == 403, hours
    assert busy_of(cleo, bob) == []


def test_a_time_without_a_zone_is_that_of_its_calendar(office):
    bob, cleo = Person(office, "bob"), Person(office, "cleo")
    assert set_on(bob, bob.calendar, "<C:calendar-timezone-id>Europe/Berlin</C:calendar-timezone-id>") == [200]
    assert bob.dav.put(bob.calendar + "1.ics", event("1", start="20300107T100000")).status == 201
    assert busy_of(cleo, bob) == ["FREEBUSY;FBTYPE=BUSY:20300107T090000Z/20300107T100000Z"]


def test_invitations_come_into_the_calendar_that_was_chosen(office):
    anna, bob = Person(office, "anna"), Person(office, "bob")
    work = bob.dav.home + "work/"
    assert bob.dav("MKCALENDAR", work).status == 201
    chosen = "<C:schedule-default-calendar-URL><D:href>{}</D:href></C:schedule-default-calendar-URL>"
    for elsewhere in (anna.calendar, bob.inbox, bob.dav.home + "none/", bob.dav.home + "tasks/"):
        assert set_on(bob, bob.inbox, chosen.format(elsewhere)) == [403]
    assert set_on(bob, bob.calendar, chosen.format(work)) == [403]
    assert set_on(bob, bob.inbox, chosen.format(work)) == [200]
    told = bob.dav.propfind(bob.inbox, "C:schedule-default-calendar-URL").responses()[bob.inbox][200]
    assert told[f"{CALDAV}schedule-default-calendar-URL"].find("D:href", NS).text == work
    anna.dav.put(anna.calendar + "m1.ics", meeting("bob"))
    assert (len(bob.names(work)), bob.names()) == (1, [])
    assert bob.dav("DELETE", work).status == 204
    anna.dav.put(anna.calendar + "m2.ics", meeting("bob", uid="m2"))
    assert len(bob.names()) == 1
    # That the one which was chosen is gone keeps nobody from setting something else.
    assert set_on(bob, bob.inbox, "<D:x/>") == [200]


def test_a_schedule_tag_changes_with_a_move_and_not_with_a_put_of_the_same(office):
    anna, bob = Person(office, "anna"), Person(office, "bob")
    path = anna.calendar + "m1.ics"
    anna.dav.put(path, meeting("bob"))
    bob.answers("ACCEPTED")
    there = anna.dav("GET", path)
    again = anna.dav.put(path, there.body.decode(), If_Schedule_Tag_Match=there.headers["schedule-tag"])
    assert (again.status, again.headers["schedule-tag"]) == (204, there.headers["schedule-tag"])
    moved = anna.dav("MOVE", path, Destination=anna.calendar + "m2.ics")
    assert moved.status == 201 and moved.headers["schedule-tag"] != there.headers["schedule-tag"]
    assert anna.dav("GET", anna.calendar + "m2.ics").headers["schedule-tag"] == moved.headers["schedule-tag"]


def test_a_meeting_that_something_else_is_moved_over_is_off(office):
    anna, bob = Person(office, "anna"), Person(office, "bob")
    anna.dav.put(anna.calendar + "m1.ics", meeting("bob"))
    anna.dav.put(anna.calendar + "own.ics", event("own"))
    assert anna.dav("MOVE", anna.calendar + "own.ics", Destination=anna.calendar + "m1.ics", Overwrite="F").status == 412
    assert bob.components()[0].get("STATUS") != "CANCELLED"
    assert anna.dav("MOVE", anna.calendar + "own.ics", Destination=anna.calendar + "m1.ics").status == 204
    assert bob.components()[0]["STATUS"] == "CANCELLED"


def test_the_answer_of_a_room_says_that_nobody_wrote_it(office):
    anna, bob = Person(office, "anna"), Person(office, "bob")
    room = office.add_user("room2")
    office.cli("user", "resource", room, "--kind", "room", "--answers", "accept")
    anna.dav.put(anna.calendar + "m1.ics", meeting("bob", "room2"))
    bob.answers("ACCEPTED")
    submitted = {str(message["From"].addresses[0].addr_spec): message["Auto-Submitted"] for message in anna.mails(2)}
    assert submitted == {room: "auto-replied", bob.address: None}


def test_an_answer_that_comes_late_does_not_undo_a_later_one(office, sink):
    anna = Person(office, "anna")
    anna.dav.put(anna.calendar + "m1.ics", meeting(DAN))
    request = itip(email.message_from_bytes(sink.wait(1)[0].content, policy=email.policy.default))
    now = datetime.datetime.now(UTC).replace(microsecond=0)
    early, late = (now - datetime.timedelta(minutes=minutes) for minutes in (60, 30))

    def until(holds):
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    from_outside(office, anna.address, reply_of(request, partstat="ACCEPTED", dtstamp=late))
    until(lambda: anna.answer_of(DAN)["PARTSTAT"] == "ACCEPTED")
    from_outside(office, anna.address, reply_of(request, partstat="DECLINED", dtstamp=early))
    until(lambda: "Older" in office.log_text())
    assert anna.answer_of(DAN)["PARTSTAT"] == "ACCEPTED"
    from_outside(office, anna.address, reply_of(request, partstat="TENTATIVE", dtstamp=now))
    until(lambda: anna.answer_of(DAN)["PARTSTAT"] == "TENTATIVE")
