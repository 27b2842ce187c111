"""Shared and public folders over IMAP: two people, groups, anyone, rights that come and go. Driven with imaplib and imapclient."""

import imaplib
import itertools

import imapclient
import pytest

from test_swap import next_version
from waxwing import DOMAIN, PASSWORD

_names = itertools.count(1)
MESSAGE = b"From: a@example.org\r\nSubject: shared\r\n\r\nhello\r\n"
ALL = "lrswipkxteacd"


@pytest.fixture
def people(server):
    """Two users, without anything shared."""
    number = next(_names)
    return server.add_user(f"alice{number}"), server.add_user(f"bob{number}")


def client(server, user):
    session = imapclient.IMAPClient("127.0.0.1", server.ports["imap"], ssl=False)
    session.login(user, PASSWORD)
    return session


def plain(server, user):
    session = imaplib.IMAP4("127.0.0.1", server.ports["imap"])
    session.login(user, PASSWORD)
    return session


def said(session, command):
    """All lines that answer a command which imaplib does not know."""
    tag = session._new_tag()
    session.send(tag + b" " + command.encode() + b"\r\n")
    lines = []
    while not lines or not lines[-1].startswith(tag):
        lines.append(session.readline().strip())
    return lines


def names(session, pattern="*"):
    return sorted(name for _, _, name in session.list_folders("", pattern))


def test_what_one_gives_the_other_sees_and_no_more(server, people):
    alice, bob = people
    with client(server, alice) as hers, client(server, bob) as his:
        hers.create_folder("Projects")
        hers.append("Projects", MESSAGE)
        shared = f"Other Users/{alice}/Projects"
        assert not any(name.startswith("Other Users") for name in names(his))
        with pytest.raises(imapclient.exceptions.IMAPClientError, match="NONEXISTENT"):
            his.select_folder(shared)
        assert b"ACL" in his.capabilities()
        hers.setacl("Projects", bob, "lr")
        assert dict(hers.getacl("Projects")) == {alice.encode(): ALL.encode(), bob.encode(): b"lr"}
        assert [name for name in names(his) if name.startswith("Other")] == ["Other Users", f"Other Users/{alice}", shared]
        assert names(his, "Other Users/%") == [f"Other Users/{alice}"]
        opened = his.select_folder(shared, readonly=True)
        assert opened[b"EXISTS"] == 1 and opened[b"PERMANENTFLAGS"] == ()
        assert his.fetch(1, ["BODY.PEEK[]"])[1][b"BODY[]"] == MESSAGE
        for refused in (
            lambda: his.append(shared, MESSAGE),
            lambda: his.create_folder(f"{shared}/Sub"),
            lambda: his.delete_folder(shared),
            lambda: his.getacl(shared),
            lambda: his.setacl(shared, bob, "lrswi"),
            lambda: his.create_folder(f"Other Users/{alice}/New"),
        ):
            with pytest.raises(imapclient.exceptions.IMAPClientError, match="NOPERM"):
                refused()
        his.unselect_folder()
        hers.setacl("Projects", bob, '""')
        assert not any(name.startswith("Other Users") for name in names(his))


def test_rights_of_rfc_4314_and_what_they_are_tied_to(server, people):
    alice, bob = people
    hers, his = plain(server, alice), plain(server, bob)
    assert hers.setacl("INBOX", bob, "lrs")[0] == "OK"
    his_inbox = f'"Other Users/{alice}/INBOX"'
    assert his.myrights(his_inbox)[1][0].split()[-1] == b"lrsw"
    assert hers.setacl("INBOX", bob, "+te")[0] == "OK"
    assert hers.setacl("INBOX", bob, "-s")[0] == "OK"
    assert his.myrights(his_inbox)[1][0].split()[-1] == b"lrted"
    assert hers.myrights("INBOX")[1][0].split()[-1] == ALL.encode()
    assert said(hers, f"LISTRIGHTS INBOX {bob}")[0] == f'* LISTRIGHTS INBOX {bob} "" l r sw ip kc ted xa'.encode()
    assert hers.setacl("INBOX", alice, "lr")[0] == "NO"
    assert hers.setacl("INBOX", f"nobody@{DOMAIN}", "lr")[0] == "NO"
    with pytest.raises(imaplib.IMAP4.error, match="unknown right"):
        hers.setacl("INBOX", bob, "lrz")
    assert hers.deleteacl("INBOX", bob)[0] == "OK"
    assert his.myrights(his_inbox)[0] == "NO"
    assert hers.namespace()[1] == [b'(("" "/")) (("Other Users/" "/")) (("Public/" "/"))']


def test_list_tells_rights(server, people):
    alice, bob = people
    with client(server, alice) as hers:
        hers.setacl("INBOX", bob, "lri")
    his = plain(server, bob)
    lines = said(his, 'LIST "" ("INBOX" "Other Users/*") RETURN (MYRIGHTS)')
    rights = [line for line in lines if line.startswith(b"* MYRIGHTS")]
    assert rights == [b"* MYRIGHTS INBOX " + ALL.encode(), f'* MYRIGHTS "Other Users/{alice}/INBOX" lrip'.encode()]


def test_flags_by_rights(server, people):
    alice, bob = people
    with client(server, alice) as hers, client(server, bob) as his:
        hers.append("INBOX", MESSAGE)
        hers.setacl("INBOX", bob, "lrsw")
        opened = his.select_folder(f"Other Users/{alice}/INBOX")
        assert b"READ-WRITE" in opened and b"\\Deleted" not in opened[b"PERMANENTFLAGS"] and b"\\Seen" in opened[b"PERMANENTFLAGS"]
        his.add_flags(1, [b"\\Flagged", b"\\Deleted"])
        hers.select_folder("INBOX")
        assert set(hers.get_flags(1)[1]) - {b"\\Recent"} == {b"\\Flagged"}
        with pytest.raises(imapclient.exceptions.IMAPClientError, match="NOPERM"):
            his.add_flags(1, [b"\\Deleted"])
        with pytest.raises(imapclient.exceptions.IMAPClientError, match="NOPERM"):
            his.expunge()


def test_who_may_only_add_reads_without_marking_and_closes_without_expunging(server, people):
    alice, bob = people
    with client(server, alice) as hers, client(server, bob) as his:
        hers.append("INBOX", MESSAGE, [b"\\Deleted"])
        hers.setacl("INBOX", bob, "lri")
        shared = f"Other Users/{alice}/INBOX"
        assert his.select_folder(shared)[b"PERMANENTFLAGS"] == ()
        assert his.fetch(1, ["BODY[]"])[1][b"BODY[]"] == MESSAGE
        his.append(shared, MESSAGE, [b"\\Flagged"])
        his.close_folder()
        hers.select_folder("INBOX")
        flags = {number: set(found) - {b"\\Recent"} for number, found in hers.get_flags("1:*").items()}
        assert flags == {1: {b"\\Deleted"}, 2: set()}


def test_rights_taken_away_while_selected(server, people):
    alice, bob = people
    with client(server, alice) as hers:
        hers.append("INBOX", MESSAGE)
        hers.setacl("INBOX", bob, "lrswte")
        his = plain(server, bob)
        his.select(f'"Other Users/{alice}/INBOX"')
        hers.setacl("INBOX", bob, "lr")
        assert said(his, r"STORE 1 +FLAGS (\Seen)")[-1].split()[1] == b"NO"
        hers.setacl("INBOX", bob, '""')
        lines = said(his, "NOOP")
        assert b"not shared any more" in lines[-1]
        assert his.readline().startswith(b"* BYE")


def test_idle_in_a_shared_folder_is_told_of_new_mail(server, people):
    alice, bob = people
    with client(server, alice) as hers, client(server, bob) as his:
        hers.setacl("INBOX", bob, "lr")
        his.select_folder(f"Other Users/{alice}/INBOX", readonly=True)
        his.idle()
        hers.append("INBOX", MESSAGE)
        told = his.idle_check(timeout=10)
        assert (1, b"EXISTS") in told
        his.idle_done()
        assert his.fetch(1, ["RFC822.SIZE"])[1][b"RFC822.SIZE"] == len(MESSAGE)


def test_messages_go_from_one_account_into_the_other(server, people):
    alice, bob = people
    with client(server, alice) as hers, client(server, bob) as his:
        hers.append("INBOX", MESSAGE, [b"\\Seen", b"$Label1"])
        hers.append("INBOX", MESSAGE.replace(b"shared", b"second"))
        hers.setacl("INBOX", bob, "lr")
        shared = f"Other Users/{alice}/INBOX"
        assert b"[READ-ONLY]" in said(his._imap, f'SELECT "{shared}"')[-1]
        his.select_folder(shared, readonly=True)
        his.copy([1, 2], "INBOX")
        with pytest.raises(imapclient.exceptions.IMAPClientError, match="CANNOT|NOPERM"):
            his.move([1], "INBOX")
        his.select_folder("INBOX")
        copied = his.fetch([1, 2], ["FLAGS", "BODY.PEEK[]"])
        assert copied[1][b"BODY[]"] == MESSAGE
        assert {b"\\Seen", b"$Label1"} <= set(copied[1][b"FLAGS"])
        hers.setacl("INBOX", bob, "lrswite")
        his.move([1], shared)
        assert his.folder_status("INBOX", ["MESSAGES"])[b"MESSAGES"] == 1
        assert hers.folder_status("INBOX", ["MESSAGES"])[b"MESSAGES"] == 3
        his.select_folder(shared)
        his.move([1, 2, 3], "INBOX")
        assert his.folder_status(shared, ["MESSAGES"])[b"MESSAGES"] == 0
        assert his.folder_status("INBOX", ["MESSAGES"])[b"MESSAGES"] == 4


def test_mailboxes_are_made_renamed_and_deleted_by_their_rights(server, people):
    alice, bob = people
    with client(server, alice) as hers, client(server, bob) as his:
        hers.create_folder("Team")
        hers.setacl("Team", bob, "lrswipkxtea")
        shared = f"Other Users/{alice}/Team"
        his.create_folder(f"{shared}/Plans")
        his.append(f"{shared}/Plans", MESSAGE)
        his.subscribe_folder(f"{shared}/Plans")
        assert f"{shared}/Plans" in [name for _, _, name in his.list_sub_folders()]
        his.rename_folder(f"{shared}/Plans", f"{shared}/Old")
        assert "Team/Old" in names(hers)
        with pytest.raises(imapclient.exceptions.IMAPClientError, match="CANNOT"):
            his.rename_folder(f"{shared}/Old", "Mine")
        his.delete_folder(f"{shared}/Old")
        assert "Team/Old" not in names(hers)
        his.setacl(shared, "anyone", "lr")
        assert dict(hers.getacl("Team"))[b"anyone"] == b"lr"


def test_groups_and_everybody(server, people):
    alice, bob = people
    group = f"group{next(_names)}@{DOMAIN}"
    server.cli("group", "add", group, bob)
    with client(server, alice) as hers:
        hers.create_folder("ForGroup")
        hers.setacl("ForGroup", group, "lr")
    shared = f"Other Users/{alice}/ForGroup"
    with client(server, bob) as his:
        assert shared in names(his)
    rows = server.json("share", "list", alice)
    assert rows == [{"account": alice, "folder": "ForGroup", "member": group, "level": "reviewer", "rights": 0x401}]
    server.cli("share", "grant", alice, "ForGroup", bob, "none")
    with client(server, bob) as his:
        assert shared not in names(his)
    server.cli("share", "revoke", alice, bob)
    server.cli("group", "remove-members", group, bob)
    with client(server, bob) as his:
        assert shared not in names(his)


def test_public_folders(own_server):
    server = own_server
    alice, bob = server.add_user("alice"), server.add_user("bob")
    public = f"public@{DOMAIN}"
    server.cli("domain", "public", DOMAIN, public)
    server.cli("folder", "create", public, "News/Releases")
    server.cli("share", "grant", public, "News", "anyone", "reviewer", "--below")
    server.cli("share", "grant", public, "News/Releases", alice, "editor")
    with client(server, alice) as hers, client(server, bob) as his:
        assert names(hers, "Public*") == ["Public", "Public/News", "Public/News/Releases"]
        hers.append("Public/News/Releases", MESSAGE)
        his.select_folder("Public/News/Releases", readonly=True)
        assert his.fetch(1, ["BODY.PEEK[]"])[1][b"BODY[]"] == MESSAGE
        with pytest.raises(imapclient.exceptions.IMAPClientError, match="NOPERM"):
            his.append("Public/News/Releases", MESSAGE)
        his.copy([1], "INBOX")
        assert his.folder_status("INBOX", ["MESSAGES"])[b"MESSAGES"] == 1
    check = server.json("mailbox", "check")
    assert all(not row["findings"] for row in check)
    refused = server.cli("domain", "public", "nowhere.example", public, check=False)
    assert refused.returncode == 1 and "does not exist" in refused.stderr


def test_a_session_in_a_shared_folder_survives_an_upgrade(own_server, tmp_path):
    server = own_server
    alice, bob = server.add_user("alice"), server.add_user("bob")
    with client(server, alice) as hers, client(server, bob) as his:
        hers.append("INBOX", MESSAGE)
        hers.setacl("INBOX", bob, "lr")
        his.select_folder(f"Other Users/{alice}/INBOX", readonly=True)
        assert b"9.0.0" not in his.id_()[0][3]
        server.cli("plugin", "load", str(next_version(tmp_path, "imap", "9.0.0")))
        server.cli("plugin", "activate", "imap")
        assert his.fetch(1, ["RFC822.SIZE"])[1][b"RFC822.SIZE"] == len(MESSAGE)
        assert b"9.0.0" in his.id_()[0][3]
        hers.append("INBOX", MESSAGE)
        his.noop()
        assert len(his.search("ALL")) == 2
