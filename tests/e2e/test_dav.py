"""CalDAV and CardDAV with other people's clients: python-caldav, and curl's way of speaking for what no client library says."""

import base64
import datetime
import http.client
import ssl
import xml.etree.ElementTree as ElementTree

import caldav
import pytest
from caldav.elements import dav

from waxwing import PASSWORD, PATIENCE

NS = {
    "D": "DAV:",
    "C": "urn:ietf:params:xml:ns:caldav",
    "A": "urn:ietf:params:xml:ns:carddav",
    "S": "http://calendarserver.org/ns/",
    "I": "http://apple.com/ns/ical/",
}
XMLNS = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in NS.items())
UTC = datetime.timezone.utc


def event(uid, start="20260105T100000Z", summary="meeting", more=""):
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:{start}\r\nDURATION:PT1H\r\nSUMMARY:{summary}\r\n{more}"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def card(uid, name="Ada Lovelace", more=""):
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nN:{name};;;;\r\n{more}END:VCARD\r\n"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def xml(self):
        return ElementTree.fromstring(self.body)

    @property
    def condition(self):
        """The one condition of a DAV:error, as `{namespace}name`."""
        assert self.xml.tag == "{DAV:}error", self.body
        (condition,) = list(self.xml)
        return condition.tag

    def responses(self):
        """Path -> status of a whole resource, or status -> names of properties."""
        found = {}
        for response in self.xml.findall("D:response", NS):
            status = response.find("D:status", NS)
            if status is not None:
                found[response.find("D:href", NS).text] = int(status.text.split()[1])
                continue
            stats = {}
            for stat in response.findall("D:propstat", NS):
                code = int(stat.find("D:status", NS).text.split()[1])
                stats[code] = {prop.tag: prop for prop in stat.find("D:prop", NS)}
            found[response.find("D:href", NS).text] = stats
        return found

    @property
    def token(self):
        return self.xml.find("D:sync-token", NS).text


class Dav:
    """Requests as they are written down, over one connection that stays open."""

    def __init__(self, server, user, password=PASSWORD):
        context = ssl.create_default_context(cafile=server.ca)
        self.connection = http.client.HTTPSConnection("localhost", server.ports["https"], context=context, timeout=PATIENCE)
        self.authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() if user else None
        self.home = f"/dav/calendars/{user.replace('@', '%40')}/" if user else None
        self.books = f"/dav/addressbooks/{user.replace('@', '%40')}/" if user else None
        self.principal = f"/dav/principals/{user.replace('@', '%40')}/" if user else None

    def __call__(self, method, path, body=None, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.authorization:
            fields["Authorization"] = self.authorization
        self.connection.request(method, path, body=body.encode() if isinstance(body, str) else body, headers=fields)
        return Answer(self.connection.getresponse())

    def xml(self, method, path, body, **headers):
        return self(method, path, body, Content_Type="application/xml", **headers)

    def propfind(self, path, *props, depth="0", **headers):
        body = f"<D:propfind {XMLNS}><D:prop>{''.join(f'<{prop}/>' for prop in props)}</D:prop></D:propfind>"
        return self.xml("PROPFIND", path, body, Depth=depth, **headers)

    def put(self, path, text, media="text/calendar; charset=utf-8", **headers):
        return self("PUT", path, text, Content_Type=media, **headers)

    def sync(self, path, token="", limit=None, **headers):
        limit = f"<D:limit><D:nresults>{limit}</D:nresults></D:limit>" if limit else ""
        body = (
            f"<D:sync-collection {XMLNS}><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>{limit}"
            "<D:prop><D:getetag/></D:prop></D:sync-collection>"
        )
        return self.xml("REPORT", path, body, **headers)


@pytest.fixture
def ann(server, user):
    return Dav(server, user)


def client_of(server, user):
    url = f"https://localhost:{server.ports['https']}/dav/"
    return caldav.DAVClient(url=url, username=user, password=PASSWORD, ssl_verify_cert=server.ca)


# -- python-caldav ------------------------------------------------------------------------------


def test_python_caldav_finds_the_calendars_of_a_new_user(server, user):
    principal = client_of(server, user).principal()
    names = {calendar.get_display_name() for calendar in principal.calendars()}
    assert names == {"Calendar", "Tasks"}


def test_python_caldav_keeps_a_calendar_in_step(server, user):
    principal = client_of(server, user).principal()
    calendar = principal.make_calendar(name="Work", cal_id="work-1")
    weekly = calendar.save_event(
        dtstart=datetime.datetime(2026, 5, 17, 8, tzinfo=UTC),
        dtend=datetime.datetime(2026, 5, 17, 9, tzinfo=UTC),
        summary="weekly",
        rrule={"FREQ": "WEEKLY"},
    )
    known = calendar.objects(load_objects=True)
    calendar.save_event(dtstart=datetime.date(2026, 5, 18), dtend=datetime.date(2026, 5, 19), summary="a day")
    calendar.save_todo(summary="to do", due=datetime.date(2026, 12, 1))
    calendar.save_journal(dtstart=datetime.date(2026, 5, 1), summary="a page", description="text")
    changed, gone = known.sync()
    assert (len(changed), len(gone)) == (3, 0)
    weekly.delete()
    changed, gone = known.sync()
    assert (len(changed), len(gone)) == (0, 1)
    assert [todo.icalendar_component["summary"] for todo in calendar.todos()] == ["to do"]
    assert len(calendar.journals()) == 1
    calendar.set_properties([dav.DisplayName("Play")])
    assert "Play" in {calendar.get_display_name() for calendar in principal.calendars()}
    calendar.delete()
    assert len(principal.calendars()) == 2


def test_python_caldav_searches_a_range_and_expands_it(server, user):
    calendar = client_of(server, user).principal().make_calendar(name="Ranges", cal_id="ranges")
    for day, rule in ((1, None), (2, {"FREQ": "DAILY", "COUNT": 3}), (20, {"FREQ": "YEARLY"})):
        calendar.save_event(
            dtstart=datetime.datetime(2026, 3, day, 8, tzinfo=UTC),
            dtend=datetime.datetime(2026, 3, day, 9, tzinfo=UTC),
            summary=f"from {day}",
            **({"rrule": rule} if rule else {}),
        )

    def found(start, end, expand=False):
        events = calendar.search(start=start, end=end, event=True, expand=expand)
        return sorted(str(one.icalendar_component["summary"]) for one in events)

    day = lambda number: datetime.datetime(2026, 3, number, tzinfo=UTC)  # noqa: E731
    assert found(day(1), day(2)) == ["from 1"]
    assert found(day(2), day(6)) == ["from 2"]
    assert found(day(2), day(6), expand=True) == ["from 2"] * 3
    far = datetime.datetime(2086, 3, 20, tzinfo=UTC)
    # Beyond what is indexed when it is put, twice: the second time the index reaches there.
    for _ in range(2):
        assert found(far, far + datetime.timedelta(days=1)) == ["from 20"]
        assert found(far + datetime.timedelta(days=2), far + datetime.timedelta(days=30)) == []
    busy = calendar.freebusy_request(day(1), day(4)).data
    assert busy.count("FREEBUSY;") + busy.count("FREEBUSY:") == 3


# -- discovery ----------------------------------------------------------------------------------


def test_a_client_finds_its_way_from_the_host_name_alone(server, ann):
    nobody = Dav(server, None)
    for name in ("caldav", "carddav"):
        for method in ("GET", "PROPFIND"):
            answer = nobody(method, f"/.well-known/{name}")
            assert (answer.status, answer.headers["location"]) == (301, "/dav/")
    refused = nobody("PROPFIND", "/dav/", Depth="0")
    assert refused.status == 401 and refused.headers["www-authenticate"].startswith("Basic ")
    principal = ann.propfind("/dav/", "D:current-user-principal").responses()["/dav/"][200]
    assert principal["{DAV:}current-user-principal"].find("D:href", NS).text == ann.principal
    homes = ann.propfind(ann.principal, "C:calendar-home-set", "A:addressbook-home-set", "C:calendar-free-busy-set")
    stats = homes.responses()[ann.principal]
    found = {tag: element.find("D:href", NS).text for tag, element in stats[200].items()}
    assert found == {
        f"{{{NS['C']}}}calendar-home-set": ann.home,
        f"{{{NS['A']}}}addressbook-home-set": ann.books,
    }
    assert list(stats[404]) == [f"{{{NS['C']}}}calendar-free-busy-set"]


def test_options_need_no_password_and_tell_one_field_of_what_is_true(server):
    nobody = Dav(server, None)
    answer = nobody("OPTIONS", "/dav/")
    assert answer.status == 200
    assert len(answer.headers.get_all("dav")) == 1
    features = {feature.strip() for feature in answer.headers["dav"].split(",")}
    assert {"1", "2", "3", "calendar-access", "addressbook", "extended-mkcol"} <= features
    assert {"calendar-auto-schedule", "calendarserver-sharing"} <= features


def test_properties_nobody_knows_are_a_404_of_their_own(ann):
    apple = ["D:displayname", "S:getctag", "I:calendar-color", "S:push-transports", "C:default-alarm-vevent-date", "D:quota-x"]
    answer = ann.propfind(ann.home, *apple, depth="1")
    for path, stats in answer.responses().items():
        assert set(stats) <= {200, 404}, path
    calendar = answer.responses()[ann.home + "calendar/"]
    assert {"{DAV:}displayname", f"{{{NS['S']}}}getctag"} == set(calendar[200])
    minimal = ann.propfind(ann.home, *apple, depth="1", Prefer="return=minimal")
    assert all(set(stats) == {200} for stats in minimal.responses().values())


def test_infinite_depth_is_refused_by_its_precondition(ann):
    for headers in ({}, {"depth": "infinity"}):
        answer = ann("PROPFIND", ann.home, **headers)
        assert (answer.status, answer.condition) == (403, "{DAV:}propfind-finite-depth")


# -- objects ------------------------------------------------------------------------------------


def test_an_object_comes_back_byte_for_byte_with_its_tag(ann):
    path = ann.home + "calendar/a%20b%C3%BC.ics"
    text = event("1", more="X-STRANGE;X=\"a;b\":kept\r\n  folded\r\nATTACH:\r\n")
    put = ann.put(path, text, If_None_Match="*")
    assert put.status == 201
    got = ann("GET", path)
    assert (got.status, got.body.decode(), got.headers["etag"]) == (200, text, put.headers["etag"])
    assert got.headers["content-type"].startswith("text/calendar")
    assert ann("GET", path, If_None_Match=put.headers["etag"]).status == 304
    head = ann("HEAD", path)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(text.encode())))
    listed = ann.propfind(ann.home + "calendar/", "D:getetag", depth="1").responses()
    assert listed[path][200]["{DAV:}getetag"].text == put.headers["etag"]


def test_changes_are_made_on_condition_only(ann):
    path = ann.home + "calendar/1.ics"
    first = ann.put(path, event("1"))
    assert ann.put(path, event("1", summary="b"), If_None_Match="*").status == 412
    second = ann.put(path, event("1", summary="b"), If_Match=first.headers["etag"])
    assert second.status == 204
    assert ann.put(path, event("1", summary="c"), If_Match=first.headers["etag"]).status == 412
    assert ann("DELETE", path, If_Match=first.headers["etag"]).status == 412
    assert ann("DELETE", path, If_Match=second.headers["etag"]).status == 204
    assert ann("DELETE", path).status == 404
    assert ann("GET", path).status == 404


def test_every_wrong_object_is_refused_by_its_precondition(ann):
    calendar, book = ann.home + "calendar/", ann.books + "contacts/"
    assert ann.put(calendar + "1.ics", event("1")).status == 201
    two = event("2").replace("END:VCALENDAR\r\n", "") + event("3").split("PRODID:-//tests//EN\r\n")[1]
    for path, text, media, expected in (
        (calendar + "2.ics", event("1"), "text/calendar", f"{{{NS['C']}}}no-uid-conflict"),
        (calendar + "1.ics", event("9"), "text/calendar", f"{{{NS['C']}}}no-uid-conflict"),
        (calendar + "2.ics", "nonsense", "text/calendar", f"{{{NS['C']}}}valid-calendar-data"),
        (calendar + "2.ics", two, "text/calendar", f"{{{NS['C']}}}valid-calendar-object-resource"),
        (calendar + "2.ics", event("2").replace("VEVENT", "VTODO"), "text/calendar", f"{{{NS['C']}}}supported-calendar-component"),
        (calendar + "2.ics", card("1"), "text/vcard", f"{{{NS['C']}}}supported-calendar-data"),
        (book + "1.vcf", "nonsense", "text/vcard", f"{{{NS['A']}}}valid-address-data"),
        (book + "1.vcf", event("1"), "text/calendar", f"{{{NS['A']}}}supported-address-data"),
    ):
        answer = ann.put(path, text, media)
        assert answer.status in (403, 409) and answer.condition == expected, (path, answer.status, answer.body)
    taken = ann.put(calendar + "2.ics", event("1"))
    assert taken.xml[0].find("D:href", NS).text == calendar + "1.ics"
    assert ann.put(ann.home + "nowhere/1.ics", event("1")).status == 409


def test_a_collection_is_read_whole(ann):
    for number in range(3):
        ann.put(f"{ann.home}calendar/{number}.ics", event(str(number)))
        ann.put(f"{ann.books}contacts/{number}.vcf", card(str(number)), "text/vcard")
    calendar = ann("GET", ann.home + "calendar/").body.decode()
    assert calendar.count("BEGIN:VCALENDAR") == 1 and calendar.count("BEGIN:VEVENT") == 3
    assert ann("GET", ann.books + "contacts/").body.decode().count("BEGIN:VCARD") == 3


def test_objects_are_copied_and_moved(ann):
    calendar, other = ann.home + "calendar/", ann.home + "other/"
    assert ann("MKCALENDAR", other).status == 201
    ann.put(calendar + "1.ics", event("1"))
    goto = lambda method, path, to, **headers: ann(method, path, Destination=to, **headers)  # noqa: E731
    assert goto("COPY", calendar + "1.ics", other + "1.ics").status == 201
    assert goto("COPY", calendar + "1.ics", other + "1.ics").status == 204
    assert goto("COPY", calendar + "1.ics", other + "1.ics", Overwrite="F").status == 412
    twice = goto("COPY", calendar + "1.ics", calendar + "2.ics")
    assert (twice.status, twice.condition) == (409, f"{{{NS['C']}}}no-uid-conflict")
    wrong = goto("MOVE", calendar + "1.ics", ann.home + "tasks/1.ics")
    assert (wrong.status, wrong.condition) == (403, f"{{{NS['C']}}}supported-calendar-component")
    assert goto("MOVE", calendar + "1.ics", calendar + "renamed.ics").status == 201
    assert ann("GET", calendar + "1.ics").status == 404
    assert ann("GET", calendar + "renamed.ics").status == 200


def test_a_member_is_added_under_a_name_of_the_servers(ann):
    added = ann("POST", ann.home + "calendar/", event("1"), Content_Type="text/calendar")
    assert added.status == 201
    assert ann("GET", added.headers["location"]).headers["etag"] == added.headers["etag"]


# -- collections --------------------------------------------------------------------------------


def test_a_calendar_is_made_with_its_properties_and_keeps_others(ann):
    work = ann.home + "0E5F-work/"
    body = (
        f"<C:mkcalendar {XMLNS}><D:set><D:prop><D:displayname>Work &amp; Play</D:displayname><I:calendar-color>#ff0000</I:calendar-color>"
        "<C:supported-calendar-component-set><C:comp name='VTODO'/></C:supported-calendar-component-set>"
        "</D:prop></D:set></C:mkcalendar>"
    )
    assert ann.xml("MKCALENDAR", work, body).status == 201
    again = ann.xml("MKCALENDAR", work, body)
    assert (again.status, again.condition) == (405, "{DAV:}resource-must-be-null")
    update = (
        f"<D:propertyupdate {XMLNS}><D:set><D:prop><D:displayname>Other</D:displayname><I:calendar-order>7</I:calendar-order>"
        "<x:y xmlns:x='urn:x' a='1'>t<x:z/></x:y></D:prop></D:set><D:remove><D:prop><I:calendar-color/></D:prop></D:remove>"
        "</D:propertyupdate>"
    )
    assert set(ann.xml("PROPPATCH", work, update).responses()[work]) == {200}
    asked = ["D:displayname", "I:calendar-order", "I:calendar-color", "C:supported-calendar-component-set"]
    stats = ann.propfind(work, *asked).responses()[work]
    assert stats[200]["{DAV:}displayname"].text == "Other"
    assert stats[200][f"{{{NS['I']}}}calendar-order"].text == "7"
    kinds = stats[200][f"{{{NS['C']}}}supported-calendar-component-set"]
    assert [kind.get("name") for kind in kinds] == ["VTODO"]
    assert list(stats[404]) == [f"{{{NS['I']}}}calendar-color"]
    body = f"<D:propfind {XMLNS}><D:prop><y xmlns='urn:x'/></D:prop></D:propfind>"
    kept = ann.xml("PROPFIND", work, body, Depth="0").responses()[work][200]["{urn:x}y"]
    assert (kept.text, kept.get("a"), [child.tag for child in kept]) == ("t", "1", ["{urn:x}z"])


def test_a_change_of_properties_is_whole_or_nothing(ann):
    calendar = ann.home + "calendar/"
    update = (
        f"<D:propertyupdate {XMLNS}><D:set><D:prop><D:getetag>x</D:getetag><I:calendar-order>7</I:calendar-order></D:prop></D:set>"
        "</D:propertyupdate>"
    )
    answer = ann.xml("PROPPATCH", calendar, update)
    stats = answer.responses()[calendar]
    assert set(stats) == {403, 424}
    assert b"cannot-modify-protected-property" in answer.body
    assert 404 in ann.propfind(calendar, "I:calendar-order").responses()[calendar]


def test_an_address_book_is_made_by_extended_mkcol_and_deleted(ann):
    friends = ann.books + "friends/"
    body = (
        f"<D:mkcol {XMLNS}><D:set><D:prop><D:resourcetype><D:collection/>%s</D:resourcetype>"
        "<D:displayname>Friends</D:displayname></D:prop></D:set></D:mkcol>"
    )
    wrong = ann.xml("MKCOL", friends, body % "<C:calendar/>")
    assert (wrong.status, wrong.condition) == (403, "{DAV:}valid-resourcetype")
    assert ann.xml("MKCOL", friends, body % "<A:addressbook/>").status == 201
    ann.put(friends + "1.vcf", card("1"), "text/vcard")
    assert ann("DELETE", friends).status == 204
    assert ann("GET", friends + "1.vcf").status == 404
    for path in (ann.home + "calendar/", ann.books + "contacts/"):
        assert ann("DELETE", path).status == 403


# -- reports ------------------------------------------------------------------------------------


def test_a_synchronisation_tells_changes_in_pages_and_what_is_gone(ann):
    calendar = ann.home + "calendar/"
    for number in range(5):
        ann.put(f"{calendar}{number}.ics", event(str(number)))
    first = ann.sync(calendar, limit=3)
    told = first.responses()
    assert told.pop(calendar) == 507
    assert len(told) == 3
    assert b"number-of-matches-within-limits" in first.body
    rest = ann.sync(calendar, first.token)
    assert len(rest.responses()) == 2
    ann("DELETE", calendar + "0.ics")
    ann.put(calendar + "1.ics", event("1", summary="other"))
    last = ann.sync(calendar, rest.token, Depth="1")
    told = last.responses()
    assert told.pop(calendar + "0.ics") == 404
    assert set(told) == {calendar + "1.ics"}
    assert ann.sync(calendar, last.token).responses() == {}


def test_a_token_of_another_collection_or_time_asks_for_a_new_synchronisation(ann):
    token = ann.sync(ann.home + "calendar/").token
    head, number = token.rsplit("/", 1)
    for path, other in (
        (ann.home + "tasks/", token),
        (ann.home + "calendar/", f"{head}/{int(number) + 1000}"),
        (ann.home + "calendar/", "http://example.org/1"),
    ):
        answer = ann.sync(path, other)
        assert (answer.status, answer.condition) == (403, "{DAV:}valid-sync-token")


def test_a_multiget_answers_each_path(ann):
    calendar, book = ann.home + "calendar/", ann.books + "contacts/"
    ann.put(calendar + "1.ics", event("1"))
    ann.put(book + "1.vcf", card("1"), "text/vcard")
    for collection, name, report, data in (
        (calendar, "1.ics", "C:calendar-multiget", "C:calendar-data"),
        (book, "1.vcf", "A:addressbook-multiget", "A:address-data"),
    ):
        body = (
            f"<{report} {XMLNS}><D:prop><D:getetag/><{data}/></D:prop><D:href>{collection}{name}</D:href>"
            f"<D:href>{collection}none</D:href><D:href>/elsewhere</D:href></{report}>"
        )
        told = ann.xml("REPORT", collection, body).responses()
        prefix, local = data.split(":")
        source = told[collection + name][200][f"{{{NS[prefix]}}}{local}"].text
        assert source == ann("GET", collection + name).body.decode()
        assert (told[collection + "none"], told["/elsewhere"]) == (404, 404)


def test_a_query_filters_and_gives_a_part_of_the_data(ann):
    calendar = ann.home + "calendar/"
    ann.put(calendar + "1.ics", event("1", summary="Budget"))
    ann.put(calendar + "2.ics", event("2", summary="Lunch"))
    body = (
        f"<C:calendar-query {XMLNS}><D:prop><C:calendar-data><C:comp name='VCALENDAR'><C:comp name='VEVENT'><C:prop name='UID'/>"
        "</C:comp></C:comp></C:calendar-data></D:prop><C:filter><C:comp-filter name='VCALENDAR'><C:comp-filter name='VEVENT'>"
        "<C:prop-filter name='SUMMARY'><C:text-match>BUDG</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter>"
        "</C:calendar-query>"
    )
    told = ann.xml("REPORT", calendar, body, Depth="1").responses()
    assert set(told) == {calendar + "1.ics"}
    data = told[calendar + "1.ics"][200][f"{{{NS['C']}}}calendar-data"].text
    assert "UID:1" in data and "SUMMARY" not in data
    wrong = ann.xml("REPORT", calendar, body.replace("<C:text-match>", "<C:text-match collation='i;x'>"))
    assert (wrong.status, wrong.condition) == (403, f"{{{NS['C']}}}supported-collation")


def test_cards_are_queried_up_to_a_limit(ann):
    book = ann.books + "contacts/"
    for number, name in enumerate(("Ada Lovelace", "Grace Hopper", "Ada Byron")):
        ann.put(f"{book}{number}.vcf", card(str(number), name), "text/vcard")
    query = (
        f"<A:addressbook-query {XMLNS}><D:prop><D:getetag/></D:prop><A:filter><A:prop-filter name='FN'>"
        "<A:text-match match-type='starts-with'>ada</A:text-match></A:prop-filter></A:filter>%s</A:addressbook-query>"
    )
    assert set(ann.xml("REPORT", book, query % "").responses()) == {book + "0.vcf", book + "2.vcf"}
    told = ann.xml("REPORT", book, query % "<A:limit><A:nresults>1</A:nresults></A:limit>").responses()
    assert told[book] == 507 and len(told) == 2


def test_principals_are_found_and_expanded(ann, user):
    body = (
        f"<D:principal-property-search {XMLNS} test='anyof'><D:property-search><D:prop><C:calendar-user-address-set/></D:prop>"
        f"<D:match>mailto:{user}</D:match></D:property-search><D:prop><D:displayname/></D:prop></D:principal-property-search>"
    )
    assert set(ann.xml("REPORT", "/dav/principals/", body, Depth="0").responses()) == {ann.principal}
    body = (
        f"<D:expand-property {XMLNS}><D:property name='current-user-principal'><D:property name='calendar-home-set'"
        f" namespace='{NS['C']}'/></D:property></D:expand-property>"
    )
    answer = ann.xml("REPORT", "/dav/", body, Depth="0")
    assert ann.home.encode() in answer.body and b"calendar-home-set" in answer.body
    unknown = ann.xml("REPORT", "/dav/", f"<D:nonsense {XMLNS}/>")
    assert (unknown.status, unknown.condition) == (403, "{DAV:}supported-report")


# -- sharing ------------------------------------------------------------------------------------


def acl(client, path, *aces):
    body = "".join(
        f"<D:ace><D:principal>{who}</D:principal><D:grant>{''.join(f'<D:privilege><D:{what}/></D:privilege>' for what in privileges)}"
        "</D:grant></D:ace>"
        for who, privileges in aces
    )
    return client.xml("ACL", path, f"<D:acl {XMLNS}>{body}</D:acl>")


def test_an_owner_lets_others_in_and_out_again(server, user, ann):
    bob = Dav(server, server.add_user(f"guest-{user.split('@')[0]}"))
    calendar = ann.home + "calendar/"
    ann.put(calendar + "1.ics", event("1"))
    who = f"<D:href>{bob.principal}</D:href>"
    assert bob("GET", calendar + "1.ics").status == 404
    assert acl(ann, calendar, (who, ["read"])).status == 200
    assert bob("GET", calendar + "1.ics").status == 200
    assert set(bob.sync(calendar).responses()) == {calendar + "1.ics"}
    listed = bob.propfind(ann.home, "D:current-user-privilege-set", "D:owner", depth="1").responses()
    assert calendar in listed and ann.home + "tasks/" not in listed
    assert listed[calendar][200]["{DAV:}owner"][0].text == ann.principal
    refused = bob.put(calendar + "2.ics", event("2"))
    assert (refused.status, refused.condition) == (403, "{DAV:}need-privileges")
    assert bob("DELETE", calendar + "1.ics").status == 403
    assert acl(bob, calendar, (who, ["all"])).status == 403
    assert acl(ann, calendar, (who, ["read", "write"])).status == 200
    assert bob.put(calendar + "2.ics", event("2")).status == 201
    assert ann("GET", calendar + "2.ics").status == 200
    # Between mailboxes too.
    assert bob("COPY", calendar + "2.ics", Destination=bob.home + "calendar/2.ics").status == 201
    shown = ann.propfind(calendar, "D:acl").responses()[calendar][200]["{DAV:}acl"]
    grants = {ace.find("D:principal/D:href", NS).text: {p[0].tag for p in ace.find("D:grant", NS)} for ace in shown}
    assert {"{DAV:}read", "{DAV:}bind", "{DAV:}unbind", "{DAV:}write-content"} <= grants[bob.principal]
    assert 404 in bob.propfind(calendar, "D:acl").responses()[calendar]
    assert acl(ann, calendar).status == 200
    assert bob("GET", calendar + "1.ics").status == 404


def test_what_an_acl_cannot_say_is_refused_by_its_precondition(ann):
    calendar = ann.home + "calendar/"
    for who, privileges, expected in (
        ("<D:href>/dav/principals/nobody%40example.test/</D:href>", ["read"], "recognized-principal"),
        ("<D:unauthenticated/>", ["read"], "allowed-principal"),
        ("<D:authenticated/>", ["fly"], "not-supported-privilege"),
    ):
        answer = acl(ann, calendar, (who, privileges))
        assert (answer.status, answer.condition) == (403, f"{{DAV:}}{expected}")
    deny = (
        f"<D:acl {XMLNS}><D:ace><D:principal><D:all/></D:principal><D:deny><D:privilege><D:read/></D:privilege></D:deny></D:ace></D:acl>"
    )
    answer = ann.xml("ACL", calendar, deny)
    assert (answer.status, answer.condition) == (403, "{DAV:}grant-only")


# -- what is not to happen ----------------------------------------------------------------------


def test_others_see_nothing(server, user, ann):
    ann.put(ann.home + "calendar/1.ics", event("1"))
    other = Dav(server, server.add_user(f"other-{user.split('@')[0]}"))
    for method, path in (
        ("GET", ann.home + "calendar/1.ics"),
        ("PUT", ann.home + "calendar/2.ics"),
        ("DELETE", ann.home + "calendar/1.ics"),
        ("MKCALENDAR", ann.home + "x/"),
    ):
        answer = other(method, path, event("2") if method == "PUT" else None)
        assert answer.status in (403, 404, 409), (method, answer.status)
    assert other.propfind(ann.home, "D:displayname", depth="1").status in (403, 404)
    assert ann("GET", ann.home + "calendar/1.ics").status == 200


def test_hostile_bodies_get_an_answer(ann):
    calendar = ann.home + "calendar/"
    deep = "<a>" * 5000
    bomb = "<!DOCTYPE a [<!ENTITY b 'xxxxxxxxxx'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>"
    for body in ("", "<", deep, bomb, "<a/>", "\x00", "<D:propfind xmlns:D='DAV:'/>"):
        for method in ("PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "MKCOL"):
            answer = ann.xml(method, calendar, body, Depth="0")
            assert answer.status < 500, (method, body[:20], answer.status)
    endless = event("endless", start="00010101T000000Z", more="RRULE:FREQ=SECONDLY\r\n")
    answer = ann.put(calendar + "endless.ics", endless)
    assert answer.status == 403 and answer.condition == f"{{{NS['C']}}}max-instances"


def test_large_objects_are_kept_or_refused_and_nothing_breaks(ann):
    calendar = ann.home + "calendar/"
    one_line = event("line", more="ATTACH;ENCODING=BASE64;VALUE=BINARY:" + "QUFB" * 990_000 + "\r\n")
    many_lines = event("lines", more="COMMENT:x\r\n" * 49_000)
    for name, text in (("line.ics", one_line), ("lines.ics", many_lines)):
        assert ann.put(calendar + name, text).status == 201
        assert ann("GET", calendar + name).body == text.encode()
        for data in ("<C:calendar-data/>", "<C:calendar-data><C:comp name='VCALENDAR'><C:allprop/><C:allcomp/></C:comp></C:calendar-data>"):
            multiget = (
                f"<C:calendar-multiget {XMLNS}><D:prop>{data}</D:prop><D:href>{calendar}{name}</D:href></C:calendar-multiget>"
            )
            assert ann.xml("REPORT", calendar, multiget).status == 207
        assert ann("GET", calendar).status == 200
    large = event("large", more="ATTACH:" + "x" * 5_000_000 + "\r\n")
    refused = ann.put(calendar + "large.ics", large)
    assert (refused.status, refused.condition) == (403, f"{{{NS['C']}}}max-resource-size")
    refused = ann.put(calendar + "more-lines.ics", event("more", more="COMMENT:x\r\n" * 60_000))
    assert (refused.status, refused.condition) == (403, f"{{{NS['C']}}}valid-calendar-data")
