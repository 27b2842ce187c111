"""What phones and desktop programs ask, written down: the requests of Apple's, DAVx5's, Thunderbird's and Evolution's first days."""

import pytest

from test_dav import NS, XMLNS, Dav, card, event

APPLE_HOME = (
    "D:add-member S:allowed-sharing-modes S:autoprovisioned me:bulk-requests C:calendar-alarm I:calendar-color C:calendar-description"
    " C:calendar-free-busy-set I:calendar-order C:calendar-timezone D:current-user-privilege-set C:default-alarm-vevent-date"
    " C:default-alarm-vevent-datetime D:displayname S:getctag S:invite I:language-code I:location-code D:owner S:pre-publish-url"
    " S:publish-url S:push-transports S:pushkey D:quota-available-bytes D:quota-used-bytes I:refreshrate D:resource-id D:resourcetype"
    " C:schedule-calendar-transp C:schedule-default-calendar-URL S:source S:subscribed-strip-alarms S:subscribed-strip-attachments"
    " S:subscribed-strip-todos C:supported-calendar-component-set C:supported-calendar-component-sets D:supported-report-set"
    " D:sync-token"
).split()
APPLE_PRINCIPAL = (
    "C:calendar-home-set C:calendar-user-address-set D:current-user-principal D:displayname S:dropbox-home-URL S:email-address-set"
    " S:notification-URL D:principal-collection-set D:principal-URL D:resource-id C:schedule-inbox-URL C:schedule-outbox-URL"
    " D:supported-report-set"
).split()


@pytest.fixture
def ann(server, user):
    return Dav(server, user)


def propfind(client, path, props, depth="0", **headers):
    body = (
        f"<D:propfind {XMLNS} xmlns:me='http://me.com/_namespace/' xmlns:P='https://bitfire.at/webdav-push'>"
        f"<D:prop>{''.join(f'<{prop}/>' for prop in props)}</D:prop></D:propfind>"
    )
    answer = client.xml("PROPFIND", path, body, Depth=depth, **headers)
    assert answer.status == 207, answer.body
    responses = answer.responses()
    for stats in responses.values():
        assert set(stats) <= {200, 404}
        assert sum(len(props) for props in stats.values()) == len(set(props))
    return responses


def href(stats, name):
    return stats[200][name].find("D:href", NS).text


def test_apple_sets_up_an_account_and_its_first_calendars(ann):
    apple = {"User-Agent": "iOS/18.1.1 (22B91) dataaccessd/1.0", "Prefer": "return=minimal"}
    found = propfind(ann, "/dav/", ["D:current-user-principal", "D:principal-URL", "D:resourcetype"])["/dav/"]
    principal = href(found, "{DAV:}current-user-principal")
    assert ann("OPTIONS", principal, **apple).status == 200
    stats = propfind(ann, principal, APPLE_PRINCIPAL)[principal]
    home = href(stats, f"{{{NS['C']}}}calendar-home-set")
    assert home.endswith("/")
    emails = stats[200][f"{{{NS['S']}}}email-address-set"]
    assert [email.text for email in emails] == [principal.split("/")[3].replace("%40", "@")]
    # With these, programs leave invitations to the server.
    assert href(stats, f"{{{NS['C']}}}schedule-inbox-URL") == home + "inbox/"
    assert href(stats, f"{{{NS['C']}}}schedule-outbox-URL") == home + "outbox/"
    collections = propfind(ann, home, APPLE_HOME, depth="1")
    kinds = f"{{{NS['C']}}}supported-calendar-component-set"
    sets = {path: [kind.get("name") for kind in stats[200][kinds]] for path, stats in collections.items() if kinds in stats[200]}
    assert sets == {home + "calendar/": ["VEVENT", "VFREEBUSY", "VAVAILABILITY"], home + "tasks/": ["VTODO"]}
    reminders = home + "9F1B7C3E-12E4-4D1B-8F4C-0A8D7F2C9B11/"
    body = (
        f"<C:mkcalendar {XMLNS}><D:set><D:prop><C:supported-calendar-component-set><C:comp name='VTODO'/>"
        "</C:supported-calendar-component-set><D:displayname>Groceries</D:displayname><I:calendar-order>3</I:calendar-order>"
        "<I:calendar-color symbolic-color='blue'>#1BADF8FF</I:calendar-color></D:prop></D:set></C:mkcalendar>"
    )
    assert ann.xml("MKCALENDAR", reminders, body).status == 201
    update = (
        f"<D:propertyupdate {XMLNS}><D:set><D:prop><C:default-alarm-vevent-date>BEGIN:VALARM\nEND:VALARM\n</C:default-alarm-vevent-date>"
        "<I:calendar-order>1</I:calendar-order></D:prop></D:set></D:propertyupdate>"
    )
    assert set(ann.xml("PROPPATCH", home + "calendar/", update).responses()[home + "calendar/"]) == {200}
    color = propfind(ann, reminders, ["I:calendar-color"])[reminders][200][f"{{{NS['I']}}}calendar-color"]
    assert (color.text, color.get("symbolic-color")) == ("#1BADF8FF", "blue")
    # accountsd looks whether it may write at all.
    privileges = propfind(ann, reminders, ["D:current-user-privilege-set"])[reminders][200]["{DAV:}current-user-privilege-set"]
    names = {privilege[0].tag for privilege in privileges}
    assert {"{DAV:}write", "{DAV:}write-content", "{DAV:}bind", "{DAV:}unbind", "{DAV:}all"} <= names


def test_davx5_discovers_and_synchronises(ann):
    found = propfind(
        ann,
        "/dav/",
        ["D:resourcetype", "D:displayname", "D:current-user-principal", "D:current-user-privilege-set", "C:calendar-home-set",
         "C:supported-calendar-component-set", "I:calendar-color", "C:calendar-description", "C:calendar-timezone"],
    )
    principal = href(found["/dav/"], "{DAV:}current-user-principal")
    stats = propfind(
        ann, principal,
        ["D:displayname", "D:group-membership", "A:addressbook-home-set", "S:calendar-proxy-read-for", "S:calendar-proxy-write-for"],
    )[principal]
    books = href(stats, f"{{{NS['A']}}}addressbook-home-set")
    home = propfind(
        ann, books,
        ["D:resourcetype", "D:displayname", "D:current-user-privilege-set", "D:owner", "A:addressbook-description", "P:transports",
         "P:topic", "S:source"],
        depth="1",
    )
    book = next(path for path, stats in home.items() if stats[200]["{DAV:}resourcetype"].find("A:addressbook", NS) is not None)
    facts = propfind(
        ann, book, ["D:supported-report-set", "D:sync-token", "S:getctag", "A:max-resource-size", "A:supported-address-data"]
    )[book][200]
    versions = {data.get("version") for data in facts[f"{{{NS['A']}}}supported-address-data"]}
    assert versions == {"3.0", "4.0"}
    reports = {report.tag for report in facts["{DAV:}supported-report-set"].iter()}
    assert {"{DAV:}sync-collection", f"{{{NS['A']}}}addressbook-multiget"} <= reports
    assert ann.put(book + "1.vcf", card("1"), "text/vcard; version=3.0").status == 201
    told = ann.sync(book, facts["{DAV:}sync-token"].text).responses()
    assert set(told) == {book + "1.vcf"}
    multiget = (
        f"<A:addressbook-multiget {XMLNS}><D:prop><D:getcontenttype/><D:getetag/>"
        f"<A:address-data content-type='text/vcard' version='4.0'/></D:prop><D:href>{book}1.vcf</D:href></A:addressbook-multiget>"
    )
    data = ann.xml("REPORT", book, multiget).responses()[book + "1.vcf"][200][f"{{{NS['A']}}}address-data"].text
    assert "VERSION:4.0" in data and "FN:Ada Lovelace" in data


def test_a_card_of_version_4_is_read_as_3_by_who_names_no_version(ann):
    path = ann.books + "contacts/4.vcf"
    text = card("4").replace("VERSION:3.0", "VERSION:4.0")
    assert ann.put(path, text, "text/vcard; version=4.0").status == 201
    multiget = (
        f"<A:addressbook-multiget {XMLNS}><D:prop><A:address-data/></D:prop><D:href>{path}</D:href></A:addressbook-multiget>"
    )
    data = ann.xml("REPORT", ann.books + "contacts/", multiget).responses()[path][200][f"{{{NS['A']}}}address-data"].text
    assert "VERSION:3.0" in data
    assert ann("GET", path).body.decode() == text


def test_thunderbird_and_evolution_look_for_what_changed(ann):
    calendar = ann.home + "calendar/"
    first = propfind(ann, calendar, ["D:resourcetype", "D:owner", "D:current-user-principal", "D:current-user-privilege-set",
                                     "D:supported-report-set", "C:supported-calendar-component-set", "S:getctag"])[calendar][200]
    ctag = first[f"{{{NS['S']}}}getctag"].text
    assert ann.put(calendar + "1.ics", event("1")).status == 201
    other = propfind(ann, calendar, ["S:getctag"])[calendar][200][f"{{{NS['S']}}}getctag"].text
    assert other != ctag
    body = (
        f"<D:sync-collection {XMLNS}><D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:getcontenttype/><D:getetag/></D:prop>"
        "</D:sync-collection>"
    )
    told = ann.xml("REPORT", calendar, body, Depth="1").responses()
    assert told[calendar + "1.ics"][200]["{DAV:}getcontenttype"].text.startswith("text/calendar")
    query = (
        f"<C:calendar-query {XMLNS}><D:prop><D:getetag/><C:calendar-data><C:comp name='VCALENDAR'><C:prop name='VERSION'/>"
        "<C:comp name='VEVENT'><C:prop name='UID'/><C:prop name='LAST-MODIFIED'/></C:comp></C:comp></C:calendar-data></D:prop>"
        "<C:filter><C:comp-filter name='VCALENDAR'><C:comp-filter name='VEVENT'/></C:comp-filter></C:filter></C:calendar-query>"
    )
    data = ann.xml("REPORT", calendar, query, Depth="1").responses()[calendar + "1.ics"][200][f"{{{NS['C']}}}calendar-data"].text
    assert "UID:1" in data and "SUMMARY" not in data


def test_answers_about_more_objects_than_a_page_holds_are_whole(ann):
    calendar, count = ann.home + "calendar/", 2500
    for number in range(count):
        assert ann.put(f"{calendar}{number}.ics", event(str(number), summary="x" * 600)).status == 201
    paths = {f"{calendar}{number}.ics" for number in range(count)}
    listed = ann.propfind(calendar, "D:getetag", depth="1").responses()
    assert set(listed) == paths | {calendar}
    assert set(ann.sync(calendar).responses()) == paths
    for filter_ in ("", "<C:time-range start='20260101T000000Z' end='20270101T000000Z'/>"):
        query = (
            f"<C:calendar-query {XMLNS}><D:prop><C:calendar-data/></D:prop><C:filter><C:comp-filter name='VCALENDAR'>"
            f"<C:comp-filter name='VEVENT'>{filter_}</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
        )
        answer = ann.xml("REPORT", calendar, query, Depth="1")
        assert len(answer.body) > 2 * 1024 * 1024
        assert set(answer.responses()) == paths
    hrefs = "".join(f"<D:href>{path}</D:href>" for path in sorted(paths))
    multiget = f"<C:calendar-multiget {XMLNS}><D:prop><C:calendar-data/></D:prop>{hrefs}<D:href>/none</D:href></C:calendar-multiget>"
    assert set(ann.xml("REPORT", calendar, multiget).responses()) == paths | {"/none"}
    whole = ann("GET", calendar).body.decode()
    assert whole.count("BEGIN:VEVENT") == count
    assert (whole.count("BEGIN:VCALENDAR"), whole.count("END:VCALENDAR")) == (1, 1) and whole.endswith("END:VCALENDAR\r\n")
