"""The file system that can lose its power and be told to fail (tests/forgetful-disk), mounted at a folder."""

import os
import pathlib
import subprocess

from waxwing import BINARY

PROGRAM = pathlib.Path(os.environ.get("WAXWING_FORGETFUL_DISK", BINARY.parent / "waxwing-forgetful-disk"))


class ForgetfulDisk:
    """Mounted from construction to `unmount`. The commands are those of the program's own documentation."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [str(PROGRAM), str(self.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.answer()

    def answer(self):
        line = self.process.stdout.readline().strip()
        assert line.startswith("ok"), line or "the disk is gone; it needs /dev/fuse and the right to mount"
        return line[3:]

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def unmount(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=30) == 0
