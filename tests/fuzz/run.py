"""Sends a real `portico` what no honest client would. See the README beside this file."""

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
# Whom schemathesis signs in as, and the paths where that matters. In this order: staff may archive the portal user's client.
IDENTITIES = {"portal": "^/api/portal/", "staff": "^/api/(staff|v1)/", "anonymous": "^/(health|[.]well-known)/|/sign-out"}
# Left out by whoever is signed in and wants to stay so.
ENDING = "^sign_out"


class Run:
    def __init__(self, server, document, seed):
        self.server, self.document, self.dice = server, document, random.Random(seed)
        self.operations = operations.read(document)
        staff = server.staff()
        self.people = server.portal(staff)
        # No request names this person, so nothing may happen to them.
        self.bystander = server.portal(staff)
        self.tokens = {"staff": staff, "portal": self.people["token"]}
        self.wire = judge.Wire(server)
        self.findings = {}

    def good(self, operation):
        return operations.good(operation, self.document, self.people, self.tokens)

    def try_one(self, request):
        data = request.bytes()
        try:
            answer = self.wire.send(request.method, data)
            faults = judge.faults(request, answer)
        except TimeoutError:
            faults = ["no answer in 30 s"]
            self.wire.close()
        for fault in faults:
            self.report(f"{request.operation.id}: {request.note}: {fault}", f"{request.operation.id} {fault}", data)

    def report(self, line, kind, data):
        """The first of each kind is shown and kept."""
        if kind in self.findings:
            return
        FINDINGS.mkdir(parents=True, exist_ok=True)
        path = FINDINGS / f"{len(list(FINDINGS.iterdir())):03}.http"
        path.write_bytes(data)
        self.findings[kind] = f"{line}\n    tests/fuzz/run --repeat {path.relative_to(ROOT)}"

    def every_mutation(self):
        for operation in self.operations:
            good = self.good(operation)
            for mutation in mutations.ALL:
                for worse in mutation(good):
                    self.try_one(worse)
        for name, data in mutations.raw(self.good(self.operations[1])):
            try:
                answers = judge.raw(self.server, data).split(b"HTTP/1.1 ")[1:]
            except TimeoutError:
                self.report(f"{name}: no answer in 30 s", name, data)
                continue
            for answer in answers:
                if answer[:1] == b"5":
                    self.report(f"{name}: answered {answer[:60]}", name, data)

    def mixed_mutations(self, count=None, until=None):
        """Two mutations of a kind each in one request, chosen by the dice, until the number or the time is up."""
        goods = [self.good(operation) for operation in self.operations]
        pools = [[list(mutation(good)) for mutation in mutations.ALL] for good in goods]
        done = 0
        while done < count if until is None else time.monotonic() < until:
            good, (bodies, headers, paths) = self.dice.choice(list(zip(goods, pools)))
            worse = self.dice.choice(headers).copy()
            worse.statuses = good.statuses | {400, 401, 403, 404, 405, 413, 414, 415, 422}
            other = self.dice.choice(bodies + paths)
            worse.method, worse.target, worse.body = other.method, other.target, self.noise(other.body)
            worse.note += " and " + other.note
            self.try_one(worse)
            done += 1

    def noise(self, body):
        """Now and then some bytes of it changed."""
        if not body or self.dice.random() < 0.5:
            return body
        noisy = bytearray(body)
        for _ in range(self.dice.randint(1, 4)):
            at = self.dice.randint(0, len(noisy))
            noisy[at : at + self.dice.randint(0, 2)] = self.dice.randbytes(self.dice.randint(0, 3))
        return bytes(noisy)

    def schemathesis(self, identity, examples, seed, seconds=None):
        """All phases over the operations of an identity; anonymously, and with time, over all."""
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
            command += ["-H", f"Authorization: Bearer {self.tokens[identity]}", "--exclude-operation-id-regex", ENDING]
            # The credential is on every request, so whether it is needed cannot be asked here.
            command += ["--exclude-checks", "ignored_auth"]
        env = os.environ | {"PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "hooks", "FUZZ_PEOPLE": json.dumps(self.people)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=report.parent)
        if done.returncode != 0:
            self.findings[f"schemathesis {identity}"] = f"schemathesis, {identity}:\n{done.stdout[-8000:]}{done.stderr[-2000:]}"

    def still_alive(self):
        """After all that, a new person goes the whole way, and one from before still signs in."""
        staff = self.server.staff()
        self.server.portal(staff)
        # A request may well have found the client in the list and archived it.
        path = f"/api/v1/clients/{self.bystander['client']}"
        self.server.must(200, "PATCH", path, {"status": "active"}, token=staff)
        credentials = {"email": self.bystander["email"], "password": PASSWORD}
        self.server.must(200, "POST", "/api/portal/auth/sign-in", credentials)


def shapes():
    """SQLite alone, and Postgres with Redis where `bin/services` has started them."""
    yield "alone", {}
    postgres, redis = os.environ.get("PORTICO_TEST_POSTGRES"), os.environ.get("PORTICO_TEST_REDIS")
    if postgres:
        yield "fleet", {"database": f"{postgres}/portico", "redis": redis}


def repeat(server, path):
    print(judge.raw(server, Path(path).read_bytes()).decode(errors="replace"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, help="how long, over all shapes; without it the small form")
    parser.add_argument("--seed", type=int, help="what the dice begin with; printed after a finding")
    parser.add_argument("--repeat", metavar="FILE", help="send one kept request and show the answer")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else 1 if options.minutes is None else random.randrange(10**9)
    binary = ROOT / "target/debug/portico"
    document = json.loads((ROOT / "openapi/openapi.json").read_text())
    findings, answered, failed = [], 0, 0
    every_shape = list(shapes())
    for name, store in every_shape:
        server = Server(binary, **store)
        try:
            if options.repeat:
                repeat(server, options.repeat)
                continue
            run = Run(server, document, seed)
            is_last = name == every_shape[-1][0]
            if is_last or options.minutes is not None:
                run.every_mutation()
            if options.minutes is None:
                run.mixed_mutations(count=1_000)
                for identity in IDENTITIES if is_last else []:
                    run.schemathesis(identity, 3, seed)
            else:
                share = options.minutes * 60 / len(every_shape) / 4
                run.mixed_mutations(until=time.monotonic() + share)
                for identity in IDENTITIES:
                    run.schemathesis(identity, 100, seed, share)
            run.still_alive()
            findings += [f"{name}: {finding}" for finding in run.findings.values()]
        finally:
            server.stop()
        findings += [f"{name}: logged: {line}" for line in server.failed[:20]]
        answered += server.answered
        failed += len(server.failed)
    if options.repeat:
        return 0
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} findings; again: tests/fuzz/run --seed {seed}")
    print(f"fuzz: {answered:,} requests, {failed} answered 5xx")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
