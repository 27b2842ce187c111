"""What the clients asked and what they were told, in the order in which they knew it; one JSON object a line."""

import json
import threading
import time


class Journal:
    def __init__(self, path):
        self.path = path
        self.file = open(path, "w", encoding="utf-8")
        self.lock = threading.Lock()
        self.started = time.monotonic()
        self.counts = {}

    def write(self, who, kind, **fields):
        """`kind`: ask, told, lost (no answer came), refused, or a milestone of the run."""
        line = {"at": round(time.monotonic() - self.started, 4), "who": who, "kind": kind, **fields}
        with self.lock:
            self.file.write(json.dumps(line, ensure_ascii=False) + "\n")
            if kind in ("told", "lost", "refused"):
                name = (fields["op"], kind)
                self.counts[name] = self.counts.get(name, 0) + 1

    def flush(self):
        with self.lock:
            self.file.flush()

    def close(self):
        self.file.close()
