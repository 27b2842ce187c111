"""What Prometheus reads: parsed by its own library, and held against what clients did."""

import pathlib
import re
import signal
import time
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from test_swap import logged_in, next_version, wait_for
from waxwing import WORKSPACE, Server, deliver_lmtp

GUIDE = pathlib.Path(WORKSPACE / "docs/operator-guide.md")


class Scrape:
    """One look at /metrics."""

    def __init__(self, server, **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{server.ports['http']}/metrics", headers=headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            self.content_type = response.headers["Content-Type"]
            self.text = response.read().decode()
        self.families = list(text_string_to_metric_families(self.text))
        self.samples = {}
        for family in self.families:
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in self.samples, f"{key} stands there twice"
                self.samples[key] = sample.value

    def __call__(self, name, **labels):
        """The sum of all series of `name` that have these labels."""
        found = [
            value
            for (known, pairs), value in self.samples.items()
            if known == name and labels.items() <= dict(pairs).items()
        ]
        assert found, f"no {name} with {labels}"
        return sum(found)


def refused(server, method="GET", **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{server.ports['http']}/metrics", headers=headers, method=method)
    with pytest.raises(urllib.error.HTTPError) as failed:
        urllib.request.urlopen(request, timeout=30)
    return failed.value.code, failed.value.read().decode()


def test_connections_bytes_handshakes_and_log_ins_are_counted_exactly(own_server):
    server = own_server
    user = server.add_user("alice")
    before = Scrape(server)
    assert before.content_type == "text/plain; version=0.0.4; charset=utf-8"

    plain = [server.raw("imap") for _ in range(5)]
    received = sum(len(b"".join(raw.until("* OK"))) for raw in plain)
    sent = b"a1 CAPABILITY\r\n"
    plain[0].send(sent)
    received += len(b"".join(plain[0].until("a1 ")))
    # What is sent is counted when the system has taken it: a client may have read it a moment before.
    counted = before("waxwing_listener_sent_bytes_total", listener="imap") + received
    wait_for(lambda: Scrape(server)("waxwing_listener_sent_bytes_total", listener="imap") == counted)
    now = Scrape(server)

    def grown(name, **labels):
        return now(name, **labels) - before(name, **labels)

    assert grown("waxwing_listener_connections_total", listener="imap") == 5
    assert now("waxwing_listener_open_connections", listener="imap") == 5
    assert grown("waxwing_listener_received_bytes_total", listener="imap") == len(sent)
    assert grown("waxwing_listener_sent_bytes_total", listener="imap") == received
    assert now("waxwing_plugin_sessions", plugin="imap") == 5
    assert grown("waxwing_plugin_turns_total", plugin="imap") == 6
    for raw in plain:
        raw.close()
    wait_for(lambda: Scrape(server)("waxwing_listener_open_connections", listener="imap") == 0)

    for _ in range(3):
        server.imap(user).logout()
    for _ in range(2):
        client = server.imap()
        with pytest.raises(client.error):
            client.login(user, "wrong")
        client.logout()
    garbage = server.raw("imaps", tls=False)
    garbage.send(b"this is no ClientHello\r\n")
    garbage.read(1000)
    garbage.close()
    wait_for(lambda: Scrape(server)("waxwing_listener_open_connections", listener="imaps") == 0)
    now = Scrape(server)
    assert grown("waxwing_logins_total", result="ok") == 3
    assert grown("waxwing_logins_total", result="denied") == 2
    assert grown("waxwing_listener_connections_total", listener="imaps") == 6
    assert grown("waxwing_listener_tls_handshakes_total", listener="imaps", result="ok") == 5
    assert grown("waxwing_listener_tls_handshakes_total", listener="imaps", result="failed") == 1
    assert grown("waxwing_listener_sent_bytes_total", listener="imaps") > 0
    assert now("waxwing_plugin_cpu_seconds_total", plugin="imap") > before("waxwing_plugin_cpu_seconds_total", plugin="imap")


def test_deliveries_and_commits_of_the_store_are_counted(own_server):
    server = own_server
    user = server.add_user("alice")
    before = Scrape(server)
    for _ in range(4):
        deliver_lmtp(server, user, b"Subject: one\r\n\r\nbody\r\n")
    client = server.imap(user)
    client.select("INBOX")
    client.fetch("1:*", "(FLAGS)")
    after = Scrape(server)

    def grown(name):
        return after(name) - before(name)

    assert grown("waxwing_store_appends_total") == 4
    assert 1 <= grown("waxwing_store_commit_groups_total") <= 4
    assert grown("waxwing_store_commits_total") >= grown("waxwing_store_commit_groups_total")
    assert grown("waxwing_store_commit_seconds_total") > 0
    assert after("waxwing_store_open_databases") == 1
    assert 0 < after("waxwing_store_index_cache_bytes") < after("waxwing_store_index_cache_limit_bytes")


def test_a_swap_parked_sessions_and_a_turn_that_passed_its_limit_are_seen(tmp_path):
    server = Server(extra_config="[plugin.imap.limits]\nhost_calls_per_second = 40")
    server.start()
    try:
        user = server.add_user("alice")
        idlers = [logged_in(server, user) for _ in range(3)]
        for raw in idlers:
            raw.command("a2", "SELECT INBOX")
            raw.send("a3 IDLE\r\n")
            raw.until("+ ")
        wait_for(lambda: Scrape(server)("waxwing_plugin_sessions", plugin="imap", state="frozen") == 3)
        assert Scrape(server)("waxwing_plugin_memory_bytes", plugin="imap") == 0

        busy = logged_in(server, user)
        failed = 0
        for number in range(300):
            if not busy.command(f"n{number}", "STATUS INBOX (MESSAGES)")[-1].startswith(f"n{number} OK".encode()):
                failed += 1
                break
        assert failed == 1, "host_calls_per_second was never reached"
        now = Scrape(server)
        version = next(s.labels["version"] for f in now.families for s in f.samples if s.name == "waxwing_plugin_info" and s.labels["plugin"] == "imap")
        assert now("waxwing_plugin_limit_hits_total", plugin="imap", version=version) == 1
        assert now("waxwing_plugin_recoveries_total", plugin="imap", version=version) == 1
        assert now("waxwing_plugin_lost_sessions_total", plugin="imap", version=version) == 0
        assert now("waxwing_plugin_memory_bytes", plugin="imap", version=version) > 0
        assert now("waxwing_runtime_live_instances") == 1

        server.cli("plugin", "load", str(next_version(tmp_path, "imap", "99.0.1")))
        server.cli("plugin", "activate", "imap")
        wait_for(lambda: Scrape(server)("waxwing_plugin_handovers_total", plugin="imap", version="99.0.1") == 4)
        now = Scrape(server)
        # Those in IDLE, and the busy one too unless it was the one that tried the version: it waits as well.
        assert now("waxwing_plugin_sessions", plugin="imap", version="99.0.1", state="frozen") in (3, 4)
        assert now("waxwing_plugin_sessions", plugin="imap", version=version) == 0
        assert now("waxwing_plugin_info", plugin="imap", version="99.0.1", state="active") == 1
        rows = {(row["plugin"], row["version"]): row for row in server.json("plugin", "status")}
        for (plugin, number), row in rows.items():
            for column in ("turns", "handovers", "refusals"):
                assert now(f"waxwing_plugin_{column}_total", plugin=plugin, version=number) == row[column]
    finally:
        server.destroy()


def test_the_process_is_described(server):
    now = Scrape(server)
    assert now("waxwing_build_info") == 1
    assert abs(now("process_start_time_seconds") - time.time()) < 3600
    assert now("process_resident_memory_bytes") > 1 << 20
    assert 5 < now("process_open_fds") < now("process_max_fds")
    assert now("process_cpu_seconds_total") > 0


def test_the_table_of_the_guide_is_what_the_server_writes(server):
    documented = dict(re.findall(r"^\| `((?:waxwing|process)_\w+)` \| (\w+) \|", GUIDE.read_text(), re.M))
    written = dict(re.findall(r"^# TYPE (\S+) (\S+)$", Scrape(server).text, re.M))
    assert written == documented
    helped = re.findall(r"^# HELP (\S+) .+$", Scrape(server).text, re.M)
    assert helped == list(written)


def test_only_a_client_that_may_and_came_by_itself_reads_them(server):
    assert refused(server, method="POST")[0] == 405
    for header in ("X-Forwarded-For", "Forwarded", "Via"):
        code, text = refused(server, **{header: "192.0.2.7"})
        assert code == 403 and "proxy" in text


def test_behind_a_balancer_the_clients_address_counts_and_a_reload_changes_who_may():
    server = Server(listener_extra='proxy_protocol_from = ["127.0.0.0/8"]')
    server.start()

    def ask(client):
        raw = server.raw("http")
        raw.send(f"PROXY TCP4 {client} 127.0.0.1 4711 80\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = raw.file.read().decode()
        raw.close()
        return int(answer.split()[1]), answer

    try:
        assert ask("127.0.0.1")[0] == 200
        code, answer = ask("192.0.2.7")
        assert code == 403 and "[metrics] allow_from" in answer
        assert "not in [metrics] allow_from" in server.log_text()
        server.config.write_text(server.config.read_text() + '\n[metrics]\nallow_from = ["192.0.2.0/24"]\n')
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: ask("192.0.2.7")[0] == 200)
        assert ask("127.0.0.1")[0] == 403
        server.config.write_text(server.config.read_text().replace('["192.0.2.0/24"]', "[]"))
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: ask("192.0.2.7")[0] == 404)
    finally:
        server.destroy()
