"""What the document says: the operations, a good request to each, and which answers it may give."""

import copy
import json
import re
import uuid

CANARY = "canary-4711-do-not-echo"


class Operation:
    def __init__(self, document, path, method, spec):
        self.siblings = {sibling.upper() for sibling in document["paths"][path]}
        self.path, self.method, self.id = path, method.upper(), spec["operationId"]
        self.statuses = {int(status) for status in spec["responses"]}
        self.parameters = spec.get("parameters", [])
        schemes = [name for choice in spec.get("security", []) for name in choice]
        self.realm = "staff" if "StaffBearer" in schemes else "portal" if "PortalBearer" in schemes else None
        # Sent with the credentials of this run, it would end the run.
        self.ends_session = self.id.startswith("sign_out")
        content = spec.get("requestBody", {}).get("content", {})
        schema = next((media["schema"] for media in content.values()), None)
        self.schema = schema and document["components"]["schemas"][schema["$ref"].rsplit("/")[-1]]

    def body(self, document, people):
        """A body that the schema takes, or None."""
        if not self.schema:
            return None
        values = {
            "email": people["email"],
            "token": people["unused"],
            # Longer than a password may be, so that it spends no link and changes nobody's.
            "password": CANARY * 6,
            "name": "Ann Baker",
            "uuid": str(uuid.uuid4()),
            "six-digits": "012345",
            "locale": "de-CH",
            "external-ref": "A-1",
        }
        body = {}
        for name, schema in self.schema["properties"].items():
            if "allOf" in schema:
                schema = document["components"]["schemas"][schema["allOf"][0]["$ref"].rsplit("/")[-1]]
            body[name] = schema["enum"][0] if "enum" in schema else values[schema["format"]]
        return body

    def target(self, people):
        return re.sub(r"\{\w+\}", people["client"], self.path)


def read(document):
    """Every operation of the document."""
    return [
        Operation(document, path, method, spec)
        for path, methods in document["paths"].items()
        for method, spec in methods.items()
    ]


class Request:
    """A request as bytes, and what the answer may be."""

    def __init__(self, operation, target, headers, body, note):
        self.operation, self.note = operation, note
        self.method, self.target = operation.method, target
        self.headers, self.body = list(headers), body
        # Widened by whoever makes it worse.
        self.statuses = set(operation.statuses)

    def copy(self):
        return copy.copy(self)._own_headers()

    def _own_headers(self):
        self.headers = list(self.headers)
        return self

    def bytes(self):
        lines = [f"{self.method} ".encode() + self.target + b" HTTP/1.1", b"Host: localhost"]
        lines += [name + b": " + value for name, value in self.headers]
        if self.body is not None:
            lines.append(f"Content-Length: {len(self.body)}".encode())
        return b"\r\n".join([*lines, b"", self.body or b""])


def good(operation, document, people, tokens):
    """A request that the operation takes, signed in as whoever may make it."""
    headers = []
    if operation.realm and not operation.ends_session:
        headers.append((b"Authorization", b"Bearer " + tokens[operation.realm].encode()))
    body = operation.body(document, people)
    if body is not None:
        headers.append((b"Content-Type", b"application/json"))
    data = None if body is None else json.dumps(body).encode()
    return Request(operation, operation.target(people).encode(), headers, data, "good")
