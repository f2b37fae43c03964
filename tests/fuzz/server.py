"""A real Portico process to send requests to, and its users."""

import base64
import http.client
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time

PASSWORD = "quartz-lantern-41"


class Server:
    """A `portico dev` process with its own database, rate limits off, cheap hashes, and mail in memory."""

    def __init__(self, binary, database=None, redis=None):
        self.folder = tempfile.mkdtemp(prefix="portico-fuzz.")
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PORTICO_", "MAIL_"))}
        limits = "REQUESTS SIGN_IN_RATE SIGN_IN_ACCOUNT SIGN_IN_NETWORK SIGN_IN_LOCKOUT RECOVERY_ACCOUNT RECOVERY_NETWORK SEND_CODE SEND_CODE_NETWORK CODE_MISSES MFA_MISSES MFA_LOCKOUT TOKEN_NETWORK CEREMONIES INVITE_RECIPIENT INVITE_ACTOR INVITE_COLLEAGUE INVITE_BULK BEARER CHECK_PASSWORD BRAND_MISSES"
        env |= {f"PORTICO_LIMIT_{name}": "off" for name in limits.split()}
        env |= {
            "PORTICO_LISTEN": "127.0.0.1:0",
            "PORTICO_INTERNAL_LISTEN": "127.0.0.1:0",
            "PORTICO_SCRYPT": "ln=10,r=8,p=1",
            "PORTICO_ACCESS_TTL": "24h",
            "PORTICO_DATA_DIR": self.folder,
            "DATABASE_URL": database or f"sqlite:{self.folder}/portico.db",
            "MAIL_URL": "memory:",
            "NO_COLOR": "1",
        }
        if redis:
            env["REDIS_URL"] = redis
        self.process = subprocess.Popen([binary, "dev"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.port = None
        self.requests = 0
        # The device cookie of the owner. A known device has code flows of its own, which requests of the tests cannot
        # use up.
        self.device = None
        self.failed = []  # the log lines of responses with a 5xx status, and of panics
        self.recent = []
        self.listening = threading.Event()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if not self.listening.wait(60) or self.port is None:
            raise SystemExit("fuzz: portico did not start:\n" + "\n".join(self.recent))

    def _read(self):
        """Reads the log until the process ends."""
        for line in self.process.stderr:
            line = re.sub(r"\x1b\[[0-9;]*m", "", line.decode(errors="replace")).rstrip()
            self.recent = [*self.recent[-40:], line]
            if " listening" in line and self.port is None:
                self.port = int(re.search(r"127\.0\.0\.1:(\d+)", line).group(1))
                self.listening.set()
            if "answered" in line:
                self.requests += 1
                if re.search(r"status=5\d\d", line):
                    self.failed.append(line)
            elif "panicked" in line:
                self.failed.append(line)
        self.listening.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def connect(self):
        """Opens a connection to the API. Reads and writes on it time out after 30 seconds."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def request(self, method, path, body=None, token=None):
        """Sends a well-formed request. Returns the status and the JSON of the response."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"content-type": "application/json"} if body is not None else {}
        if token:
            headers["authorization"] = f"Bearer {token}"
        if self.device and path == "/api/staff/auth/send-code":
            headers["cookie"] = self.device
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        for cookie in response.headers.get_all("set-cookie") or []:
            if cookie.startswith("portico_staff_device="):
                self.device = cookie.split(";")[0]
        return response.status, json.loads(text) if text else None

    def expect(self, status, *request, **options):
        """Sends a request whose response must have this status. Returns the JSON of the response."""
        actual, body = self.request(*request, **options)
        if actual != status:
            raise SystemExit(f"fuzz: {request} was answered with {actual} instead of {status}: {body}")
        return body

    def mail(self, to, since):
        """Waits until there are more than `since` mails to an address, and returns the newest."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            mails = self.expect(200, "GET", f"/dev/mail.json?to={to}")
            if len(mails) > since:
                return mails[0]
            time.sleep(0.05)
        raise SystemExit(f"fuzz: no mail to {to} within 30 s")

    def mails(self, to):
        """Returns the number of mails to an address."""
        return len(self.expect(200, "GET", f"/dev/mail.json?to={to}"))

    def staff(self):
        """Signs the owner in and returns the access token."""
        before = self.mails("owner@demo.test")
        flow = self.expect(200, "POST", "/api/staff/auth/send-code", {"email": "owner@demo.test"})["flow"]
        code = self.mail("owner@demo.test", before)["code"]
        return self.expect(200, "POST", "/api/staff/auth/verify-code", {"flow": flow, "code": code})["access_token"]

    def portal(self, staff):
        """Creates a client, and a portal user who is invited, activates and signs in.

        Returns the client's id, the user's address and access token, a used link token and an unused one.
        """
        client = self.expect(201, "POST", "/api/v1/clients", {"name": "Fuzz Ltd"}, token=staff)["id"]
        email = f"ann-{secrets.token_hex(4)}@example.com"
        path = f"/api/v1/clients/{client}/portal-user"
        self.expect(201, "POST", path, {"email": email, "name": "Ann Baker"}, token=staff)
        link = self.mail(email, 0)["links"][0].split("#token=")[1]
        self.expect(200, "POST", "/api/portal/auth/activate", {"token": link, "password": PASSWORD})
        credentials = {"email": email, "password": PASSWORD}
        session = self.expect(200, "POST", "/api/portal/auth/sign-in", credentials)
        self.expect(200, "GET", "/api/portal/auth/session", token=session["access_token"])
        # The notice of a sign-in from an unknown device must not be taken for the mail below.
        self.mail(email, 1)
        before = self.mails(email)
        self.expect(200, "POST", "/api/portal/auth/forgot-password", {"email": email})
        unused = self.mail(email, before)["links"][0].split("#token=")[1]
        return {"client": client, "email": email, "token": session["access_token"], "used": link, "unused": unused}

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.reader.join(5)
        shutil.rmtree(self.folder, ignore_errors=True)


def jwt(header, claims):
    """Returns a JWT with an invalid signature."""
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return f"{part(header)}.{part(claims)}.{'A' * 86}"
