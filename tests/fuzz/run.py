"""Sends invalid and unusual requests to a real Portico process. See README.md in this folder."""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import judge
import mutations
import operations
from server import PASSWORD, Server

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FINDINGS = ROOT / "target/fuzz/findings"
# The identities of schemathesis, and the paths that each is used for. The portal user comes first, because requests of
# the staff user can archive the portal user's client.
IDENTITIES = {"portal": "^/api/portal/", "staff": "^/api/(staff|v1)/", "anonymous": "^/(health|[.]well-known)/|/sign-out"}
# Operations that end the session, that can take the role of the signed-in owner once another owner was invited, or that
# can require a second factor of the owner. They are left out for identities that are signed in.
ENDS_SESSION = "^(sign_out|update_staff$|remove_staff$|update_sign_in_policy$)"


class Run:
    """All tests against one server."""

    def __init__(self, server, document, seed):
        self.server, self.document, self.random = server, document, random.Random(seed)
        self.operations = operations.read(document)
        staff = server.staff()
        self.users = server.portal(staff)
        # No request names this portal user, so the account must be unchanged at the end.
        self.bystander = server.portal(staff)
        self.tokens = {"staff": staff, "portal": self.users["token"]}
        self.connection = judge.Connection(server)
        self.findings = {}

    def valid_request(self, operation):
        return operations.valid_request(operation, self.document, self.users, self.tokens)

    def check(self, request):
        """Sends a request and reports what is wrong with the response."""
        data = request.bytes()
        try:
            response = self.connection.send(request.method, data)
            faults = judge.faults(request, response)
        except TimeoutError:
            faults = ["no response within 30 s"]
            self.connection.close()
        for fault in faults:
            self.report(f"{request.operation.id}: {request.note}: {fault}", f"{request.operation.id} {fault}", data)

    def report(self, line, kind, data):
        """Keeps a finding and the bytes of its request, if it is the first of its kind."""
        if kind in self.findings:
            return
        FINDINGS.mkdir(parents=True, exist_ok=True)
        path = FINDINGS / f"{len(list(FINDINGS.iterdir())):03}.http"
        path.write_bytes(data)
        self.findings[kind] = f"{line}\n    tests/fuzz/run --repeat {path.relative_to(ROOT)}"

    def every_mutation(self):
        """Sends each mutation of the valid request to each operation, and the raw bytes, once."""
        for operation in self.operations:
            valid = self.valid_request(operation)
            for mutation in mutations.ALL:
                for mutated in mutation(valid):
                    self.check(mutated)
        for name, data in mutations.raw(self.valid_request(self.operations[1])):
            try:
                responses = judge.send_raw(self.server, data).split(b"HTTP/1.1 ")[1:]
            except TimeoutError:
                self.report(f"{name}: no response within 30 s", name, data)
                continue
            for response in responses:
                if response[:1] == b"5":
                    self.report(f"{name}: the response is {response[:60]}", name, data)

    def mixed_mutations(self, count=None, until=None):
        """Sends requests with two random mutations: one of the headers, and one of the body, path, query or method.

        Sends `count` requests, or, if `until` is given, as many as possible until that time of the monotonic clock.
        """
        valid_requests = [self.valid_request(operation) for operation in self.operations]
        pools = [[list(mutation(valid)) for mutation in mutations.ALL] for valid in valid_requests]
        sent = 0
        while sent < count if until is None else time.monotonic() < until:
            valid, (bodies, headers, paths) = self.random.choice(list(zip(valid_requests, pools)))
            mutated = self.random.choice(headers).copy()
            mutated.statuses = valid.statuses | {400, 401, 403, 404, 405, 413, 414, 415, 422}
            other = self.random.choice(bodies + paths)
            mutated.method, mutated.target, mutated.body = other.method, other.target, self.noise(other.body)
            mutated.note += " and " + other.note
            self.check(mutated)
            sent += 1

    def noise(self, body):
        """Returns the body, in half of the cases with some random bytes changed."""
        if not body or self.random.random() < 0.5:
            return body
        noisy = bytearray(body)
        for _ in range(self.random.randint(1, 4)):
            at = self.random.randint(0, len(noisy))
            noisy[at : at + self.random.randint(0, 2)] = self.random.randbytes(self.random.randint(0, 3))
        return bytes(noisy)

    def schemathesis(self, identity, examples, seed, seconds=None):
        """Runs all phases of schemathesis on the operations of an identity.

        With `seconds`, runs at most that long, and the identity `anonymous` tests all operations.
        """
        report = FINDINGS.parent / f"schemathesis-{identity}.ndjson"
        report.parent.mkdir(parents=True, exist_ok=True)
        command = [str(Path(sys.executable).with_name("st")), "--config-file", str(HERE / "schemathesis.toml"), "run"]
        command += [str(ROOT / "openapi/openapi.json"), "--url", self.server.url, "--continue-on-failure", "--no-color", "--warnings", "off"]
        command += ["--seed", str(seed), "--max-examples", str(examples), "--generation-database", "none"]
        if seconds:
            command += ["--max-time", str(max(1, int(seconds)))]
        if not seconds or identity != "anonymous":
            command += ["--include-path-regex", IDENTITIES[identity]]
        if identity != "anonymous":
            command += ["-H", f"Authorization: Bearer {self.tokens[identity]}", "--exclude-operation-id-regex", ENDS_SESSION]
            # Every request has the credential, so this check could not send one without it.
            command += ["--exclude-checks", "ignored_auth"]
        env = os.environ | {"PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "hooks", "FUZZ_USERS": json.dumps(self.users)}
        result = subprocess.run(command, env=env, capture_output=True, text=True, cwd=report.parent)
        if result.returncode != 0:
            output = result.stdout[-8000:] + result.stderr[-2000:]
            self.findings[f"schemathesis {identity}"] = f"schemathesis, {identity}:\n{output}"

    def check_server_still_works(self):
        """Checks that a new portal user can be invited, activate and sign in, and that the bystander can sign in."""
        staff = self.server.staff()
        self.server.portal(staff)
        # A request may have found the client in the list of clients and archived it.
        path = f"/api/v1/clients/{self.bystander['client']}"
        self.server.expect(200, "PATCH", path, {"status": "active"}, token=staff)
        credentials = {"email": self.bystander["email"], "password": PASSWORD}
        self.server.expect(200, "POST", "/api/portal/auth/sign-in", credentials)


def deployments():
    """Yields the deployments to test: SQLite, and Postgres with Redis if `bin/services` has started them."""
    yield "single", {}
    postgres, redis = os.environ.get("PORTICO_TEST_POSTGRES"), os.environ.get("PORTICO_TEST_REDIS")
    if postgres:
        yield "cluster", {"database": f"{postgres}/portico", "redis": redis}


def repeat(server, path):
    """Sends the kept request of a finding and prints the response."""
    print(judge.send_raw(server, Path(path).read_bytes()).decode(errors="replace"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, help="how long to test, in minutes; without it, run the short form")
    parser.add_argument("--seed", type=int, help="the seed of the random numbers; a run with findings prints it")
    parser.add_argument("--repeat", metavar="FILE", help="send the kept request of a finding and print the response")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else 1 if options.minutes is None else random.randrange(10**9)
    binary = ROOT / "target/debug/portico"
    document = json.loads((ROOT / "openapi/openapi.json").read_text())
    findings, requests, failed = [], 0, 0
    all_deployments = list(deployments())
    for name, stores in all_deployments:
        server = Server(binary, **stores)
        try:
            if options.repeat:
                repeat(server, options.repeat)
                continue
            run = Run(server, document, seed)
            is_last = name == all_deployments[-1][0]
            if is_last or options.minutes is not None:
                run.every_mutation()
            if options.minutes is None:
                run.mixed_mutations(count=1_000)
                for identity in IDENTITIES if is_last else []:
                    run.schemathesis(identity, 3, seed)
            else:
                share = options.minutes * 60 / len(all_deployments) / 4
                run.mixed_mutations(until=time.monotonic() + share)
                for identity in IDENTITIES:
                    run.schemathesis(identity, 100, seed, share)
            run.check_server_still_works()
            findings += [f"{name}: {finding}" for finding in run.findings.values()]
        finally:
            server.stop()
        findings += [f"{name}: log: {line}" for line in server.failed[:20]]
        requests += server.requests
        failed += len(server.failed)
    if options.repeat:
        return 0
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} findings; to repeat them: tests/fuzz/run --seed {seed}")
    print(f"fuzz: {requests:,} requests, {failed} of them failed with a 5xx status")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
