"""The dav plugin is replaced while many clients synchronise: no request fails."""

import threading

from test_dav import Dav, event
from test_swap import next_version
from waxwing import Server

CLIENTS = 40


def test_no_request_fails_while_the_plugin_is_swapped_back_and_forth(tmp_path):
    server = Server(extra_config="")
    server.start()
    try:
        user = server.add_user("alice")
        here = Dav(server, user)
        calendar = here.home + "calendar/"
        # Enough for an answer of several pages, which goes on in whatever version is there by then.
        for number in range(1200):
            assert here.put(f"{calendar}{number}.ics", event(str(number), summary="x" * 2000)).status == 201
        ended, failures, requests = threading.Event(), [], []

        def synchronise(number):
            client = Dav(server, user)
            token, round_ = client.sync(calendar).token, 0
            while not ended.is_set():
                round_ += 1
                put = client.put(f"{calendar}client-{number}.ics", event(f"client-{number}", summary=str(round_)))
                answer = client.sync(calendar, token)
                whole = client("GET", calendar) if number % 8 == 0 else None
                if put.status not in (201, 204) or answer.status != 207:
                    failures.append((number, put.status, answer.status, answer.body[:200]))
                elif whole is not None and not whole.body.endswith(b"END:VCALENDAR\r\n"):
                    failures.append((number, "torn", len(whole.body)))
                elif f"{calendar}client-{number}.ics" not in answer.responses():
                    failures.append((number, "not told"))
                else:
                    token = answer.token
                requests.append(3 if whole else 2)

        def guarded(number):
            try:
                synchronise(number)
            except Exception as error:  # noqa: BLE001
                failures.append((number, repr(error)))

        clients = [threading.Thread(target=guarded, args=(number,)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        for round_ in range(3):
            server.cli("plugin", "load", str(next_version(tmp_path, "dav", f"0.1.{round_ + 1}")))
            server.cli("plugin", "activate", "dav")
            server.cli("plugin", "rollback", "dav")
        ended.set()
        for client in clients:
            client.join()
        assert not failures, failures[:5]
        assert sum(requests) > CLIENTS
    finally:
        server.destroy()
