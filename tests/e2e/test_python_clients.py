"""imaplib and imapclient, over TLS and STARTTLS."""

import datetime
import imaplib
import ssl
import threading

import imapclient
import pytest

from waxwing import PASSWORD, deliver_lmtp

MESSAGE = b"From: a@elsewhere.test\r\nTo: b@example.test\r\nSubject: one\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100\r\n\r\nfirst line\r\n"


def test_imaplib_does_its_daily_work_over_starttls(server, user):
    client = imaplib.IMAP4("localhost", server.ports["imap"])
    assert "STARTTLS" in client.capabilities
    client.starttls(server.tls_context())
    client.login(user, PASSWORD)
    assert client.append("INBOX", r"(\Seen $Forwarded)", '"02-Nov-2026 10:00:00 +0100"', MESSAGE)[0] == "OK"
    assert client.select("INBOX") == ("OK", [b"1"])
    status, data = client.fetch("1", "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
    assert status == "OK" and data[0][1] == MESSAGE
    assert rb"\Seen" in data[0][0] + data[1] and b"$Forwarded" in data[0][0] + data[1]
    assert f"RFC822.SIZE {len(MESSAGE)}".encode() in data[0][0]
    assert client.store("1", "+FLAGS", r"(\Deleted)")[0] == "OK"
    assert client.expunge() == ("OK", [b"1"])
    assert client.close()[0] == "OK"
    assert client.logout()[0] == "BYE"


def test_a_wrong_password_is_refused_and_the_right_one_still_works(server, user):
    client = server.imap()
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        client.login(user, "wrong")
    client.login(user, PASSWORD)
    client.logout()


@pytest.mark.parametrize("form", ["{user}@example.test", "{user}", "EXAMPLE\\{user}", "example.test\\{user}"])
def test_every_form_of_a_log_in_name_works(server, user, form):
    client = server.imap()
    name = form.format(user=user.split("@")[0])
    # imaplib quotes the password, not the name.
    quoted = '"' + name.replace("\\", "\\\\") + '"'
    assert client.login(quoted, PASSWORD)[0] == "OK"
    client.logout()


@pytest.fixture(params=["implicit", "starttls"])
def client(server, user, request):
    tls = ssl.create_default_context(cafile=server.ca)
    if request.param == "implicit":
        c = imapclient.IMAPClient("localhost", server.ports["imaps"], ssl_context=tls)
    else:
        c = imapclient.IMAPClient("localhost", server.ports["imap"], ssl=False)
        c.starttls(tls)
    c.login(user, PASSWORD)
    yield c
    c.logout()


def test_imapclient_sees_the_special_folders(client):
    by_flag = {flag: name for flags, _, name in client.list_folders() for flag in flags}
    assert {b"\\Drafts", b"\\Sent", b"\\Trash", b"\\Junk", b"\\Archive"} <= set(by_flag)
    assert client.find_special_folder(b"\\Sent") == by_flag[b"\\Sent"]
    assert "INBOX" in [name for _, _, name in client.list_folders()]
    assert client.namespace().personal[0] == ("", "/")


def test_imapclient_creates_renames_subscribes_and_deletes_folders_of_any_name(client):
    for name in ["Plain", "Grüße & Küsse", "a/b/c", "連雀", 'quo"te']:
        client.create_folder(name)
        assert client.folder_exists(name)
        client.subscribe_folder(name)
        assert name in [n for _, _, n in client.list_sub_folders()]
        client.rename_folder(name, name + " 2")
        assert not client.folder_exists(name) and client.folder_exists(name + " 2")
        client.unsubscribe_folder(name)
        client.delete_folder(name + " 2")
        assert not client.folder_exists(name + " 2")
    with pytest.raises(imapclient.exceptions.IMAPClientError, match="(?i)nonexistent|does not exist"):
        client.select_folder("nowhere")


def test_imapclient_searches_copies_moves_and_expunges(client):
    for n in range(20):
        flags = [b"\\Seen"] if n % 2 else []
        when = datetime.datetime(2026, 11, 1 + n, 12, 0, tzinfo=datetime.timezone.utc)
        client.append("INBOX", MESSAGE.replace(b"one", b"number %d" % n), flags, when)
    client.select_folder("INBOX")
    uids = client.search("ALL")
    assert len(uids) == 20
    assert client.search(["UNSEEN"]) == uids[0::2]
    assert client.search(["SUBJECT", "number 7"]) == [uids[7]]
    assert client.search(["SINCE", datetime.date(2026, 11, 15)]) == uids[14:]
    assert client.search(["OR", "UID", uids[0], "NOT", ["UID", f"{uids[0]}:{uids[18]}"]]) == [uids[0], uids[19]]
    assert client.search(["TEXT", "FIRST LINE", "LARGER", 10]) == uids
    assert client.search(["BODY", "no such words"]) == []
    client.create_folder("Target")
    client.copy(uids[:5], "Target")
    client.move(uids[5:10], "Target")
    assert client.search("ALL") == uids[:5] + uids[10:]
    client.delete_messages(uids[:2])
    client.uid_expunge(uids[:1])
    assert client.search("ALL") == uids[1:5] + uids[10:]
    assert client.folder_status("Target", ["MESSAGES", "UIDNEXT", "UNSEEN"]) == {b"MESSAGES": 10, b"UIDNEXT": 11, b"UNSEEN": 5}


def test_a_change_by_one_client_reaches_another_in_idle(server, user, client):
    client.select_folder("INBOX")
    client.idle()
    deliver_lmtp(server, user, MESSAGE)
    assert (1, b"EXISTS") in client.idle_check(timeout=10)
    other = server.imap(user)
    other.select("INBOX")
    other.store("1", "+FLAGS", r"(\Flagged)")
    seen = client.idle_check(timeout=10)
    assert any(item[1] == b"FETCH" and b"\\Flagged" in item[2][item[2].index(b"FLAGS") + 1] for item in seen), seen
    other.store("1", "+FLAGS", r"(\Deleted)")
    other.expunge()
    deadline = 5
    seen = []
    while not any(item == (1, b"EXPUNGE") for item in seen) and deadline:
        seen += client.idle_check(timeout=5)
        deadline -= 1
    assert (1, b"EXPUNGE") in seen
    client.idle_done()
    other.logout()


def test_condstore_tells_only_what_changed(client):
    for n in range(10):
        client.append("INBOX", MESSAGE)
    assert b"CONDSTORE" in client.capabilities()
    client.enable("CONDSTORE")
    info = client.select_folder("INBOX")
    before = info[b"HIGHESTMODSEQ"]
    client.add_flags([3], [b"\\Answered"])
    changed = client.fetch(list(range(1, 11)), ["FLAGS"], [f"CHANGEDSINCE {before}"])
    assert list(changed) == [3] and changed[3][b"MODSEQ"][0] > before


def test_eight_writers_on_one_folder_leave_the_same_picture_everywhere(server, user):
    errors = []

    def work(number):
        try:
            c = server.imap(user)
            c.select("INBOX")
            for n in range(10):
                assert c.append("INBOX", None, None, MESSAGE)[0] == "OK"
                c.noop()
                # A message another writer expunged meanwhile may answer NO [EXPUNGEISSUED]; both are right.
                c.store("1", "+FLAGS", rf"(k{number})")
                if n % 5 == 4:
                    c.store("1", "+FLAGS", r"(\Deleted)")
                    c.expunge()
            c.logout()
        except Exception as e:  # noqa: BLE001 - told to the main thread
            errors.append(e)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not errors, errors
    pictures = []
    for _ in range(2):
        c = server.imap(user)
        c.select("INBOX", readonly=True)
        pictures.append(c.uid("FETCH", "1:*", "(UID FLAGS)")[1])
        c.logout()
    assert pictures[0] == pictures[1]
    uids = [int(row.split(b"UID ")[1].split()[0].rstrip(b")")) for row in pictures[0] if row]
    assert uids == sorted(set(uids)) and len(uids) <= 80
