"""Starts a server for the tests: the binary that PORTICO_BIN names, in an empty folder, on free ports."""

import os
import re
import subprocess
import tempfile
import time

import httpx

DEADLINE_SECONDS = 15


class Server:
    """`portico dev`. Its data is deleted with it."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="portico-python-test-")
        self.log = open(os.path.join(self.folder.name, "log"), "w+")
        # The environment of this process is not inherited, because its settings would change the test. A low scrypt
        # cost keeps the test fast.
        environment = {
            "PORTICO_LISTEN": "127.0.0.1:0",
            "PORTICO_INTERNAL_LISTEN": "127.0.0.1:0",
            "PORTICO_SCRYPT": "ln=12,r=8,p=1",
        }
        self.process = subprocess.Popen(
            [os.environ["PORTICO_BIN"], "dev"],
            cwd=self.folder.name,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.log,
        )
        self.url = "http://" + eventually("the server listens", self._address)

    def _address(self):
        with open(self.log.name) as log:
            found = re.search(r"\blistening\b.*?\blisten=(\S+)", log.read())
        return found and found.group(1)

    def mailed(self, recipient, pick):
        """Returns what `pick` returns for the newest mail to `recipient` for which it is truthy."""

        def look():
            mails = httpx.get(f"{self.url}/dev/mail.json", params={"to": recipient}).raise_for_status().json()
            return next(filter(None, map(pick, mails)), None)

        return eventually(f"mail to {recipient}", look)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()


def eventually(what, look):
    """Calls `look` until it returns a truthy value, and returns that value."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise TimeoutError(f"{what}: did not happen within {DEADLINE_SECONDS} s")
