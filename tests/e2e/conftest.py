"""Fixtures: one server for the tests that only need users of their own, and a way to have one alone."""

import itertools

import pytest

from sink import Sink
from waxwing import Server

_names = itertools.count(1)


@pytest.fixture(scope="session")
def server():
    s = Server()
    s.start()
    yield s
    assert s.stop() == 0, "the server did not end cleanly"
    text = s.log_text()
    s.destroy()
    assert "panicked" not in text, "something in the host panicked:\n" + text[-4000:]


@pytest.fixture
def user(server):
    """A fresh user with an empty mailbox."""
    return server.add_user(f"user{next(_names)}")


@pytest.fixture
def own_server(request):
    """A server of the test's own, stopped and restarted as it likes; parametrise indirectly with Server's arguments."""
    s = Server(**getattr(request, "param", {}))
    s.start()
    yield s
    s.destroy()


@pytest.fixture
def sink():
    """A next hop of the test's own."""
    s = Sink().start()
    yield s
    s.stop()
