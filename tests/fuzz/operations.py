"""Reads the OpenAPI document: the operations, a valid request to each, and the statuses of its responses."""

import copy
import json
import re
import uuid

# A text that no response may contain as a value.
CANARY = "canary-4711-do-not-echo"

# What `toJSON()` of a credential gives in a browser, with an unknown passkey.
PASSKEY_RESPONSE = {
    "id": "AAECAwQFBgcICQoLDA0ODw",
    "rawId": "AAECAwQFBgcICQoLDA0ODw",
    "type": "public-key",
    "response": {
        "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiQUFFQyIsIm9yaWdpbiI6Imh0dHA6Ly9sb2NhbGhvc3QifQ",
        "authenticatorData": "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAA",
        "attestationObject": "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVgA",
        "signature": "MEUCIQD",
        "userHandle": None,
        "transports": ["internal"],
    },
    "clientExtensionResults": {},
    "authenticatorAttachment": "platform",
}


class Operation:
    """An operation of the OpenAPI document."""

    def __init__(self, document, path, method, spec):
        self.siblings = {sibling.upper() for sibling in document["paths"][path]}
        self.path, self.method, self.id = path, method.upper(), spec["operationId"]
        self.statuses = {int(status) for status in spec["responses"]}
        self.parameters = spec.get("parameters", [])
        schemes = [name for choice in spec.get("security", []) for name in choice]
        self.realm = "staff" if "StaffBearer" in schemes else "portal" if "PortalBearer" in schemes else None
        # Such a request is sent without credentials, because it would end the session of this run.
        self.ends_session = self.id.startswith("sign_out")
        content = spec.get("requestBody", {}).get("content", {})
        schema = next((media["schema"] for media in content.values()), {})
        # A file has no schema of its own. The fuzz target `logo` makes such bodies.
        self.schema = "$ref" in schema and document["components"]["schemas"][schema["$ref"].rsplit("/")[-1]]

    def body(self, document, users):
        """Returns a body that matches the schema, or None if the operation has no body."""
        if not self.schema:
            return None
        values = {
            "email": users["email"],
            "token": users["unused"],
            # Longer than a password may be, so that the request consumes no link and changes no password.
            "password": CANARY * 6,
            "name": "Ann Baker",
            "uuid": str(uuid.uuid4()),
            "six-digits": "012345",
            "locale": "de-CH",
            "color": "#1f4fbf",
            "phone": "+44 20 7946 0000",
            "external-ref": "A-1",
            "search-text": "acme",
            "idempotency-key": "import-1",
            "date-time": "2026-11-26T12:00:00Z",
            "date": "2026-11-26",
            "login-state": "8sFvGq2mZk1xW4tR",
            "code-challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code-verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            "audit-action": "session.opened",
            "recovery-code": "Zt4k9-Qm2vx",
        }
        return self._object(document, self.schema, values, users)

    def _object(self, document, object_schema, values, users):
        body = {}
        for name, schema in object_schema.get("properties", {}).items():
            if schema.get("type") == "array":
                body[name] = [{"email": users["email"]}]
                continue
            # A reference that may be null is wrapped in `allOf`.
            reference = schema["allOf"][0] if "allOf" in schema else schema
            if "$ref" in reference:
                schema = document["components"]["schemas"][reference["$ref"].rsplit("/")[-1]]
            if schema["type"] == "array":
                items = schema["items"]
                if "$ref" in items:
                    items = document["components"]["schemas"][items["$ref"].rsplit("/")[-1]]
                body[name] = [items["enum"][0]]
            elif schema["type"] == "boolean":
                body[name] = True
            elif schema.get("additionalProperties") == {}:
                body[name] = PASSKEY_RESPONSE
            elif schema["type"] == "object":
                body[name] = self._object(document, schema, values, users)
            elif schema["type"] == "integer":
                body[name] = schema["minimum"]
            else:
                body[name] = _choice(schema["enum"]) if "enum" in schema else values[schema["format"]]
        return body

    def target(self, users):
        """Returns the path with the id of the client in place of each parameter."""
        return re.sub(r"\{\w+\}", users["client"], self.path)


def _choice(values):
    """Returns the value of an enumeration to send. A policy stays off, or its owner would need a second factor."""
    return "off" if "off" in values else values[0]


def read(document):
    """Returns every operation of the document."""
    return [
        Operation(document, path, method, spec)
        for path, methods in document["paths"].items()
        for method, spec in methods.items()
    ]


class Request:
    """A request, a note that describes it, and the statuses that its response may have."""

    def __init__(self, operation, target, headers, body, note):
        self.operation, self.note = operation, note
        self.method, self.target = operation.method, target
        self.headers, self.body = list(headers), body
        # Mutations add statuses.
        self.statuses = set(operation.statuses)

    def copy(self):
        """Returns a copy with headers of its own."""
        return copy.copy(self)._own_headers()

    def _own_headers(self):
        self.headers = list(self.headers)
        return self

    def bytes(self):
        """Returns the bytes of the request."""
        lines = [f"{self.method} ".encode() + self.target + b" HTTP/1.1", b"Host: localhost"]
        lines += [name + b": " + value for name, value in self.headers]
        if self.body is not None:
            lines.append(f"Content-Length: {len(self.body)}".encode())
        return b"\r\n".join([*lines, b"", self.body or b""])


def valid_request(operation, document, users, tokens):
    """Returns a valid request to the operation, with the access token of a user who may send it."""
    headers = []
    if operation.realm and not operation.ends_session:
        headers.append((b"Authorization", b"Bearer " + tokens[operation.realm].encode()))
    body = operation.body(document, users)
    if body is not None:
        headers.append((b"Content-Type", b"application/json"))
    data = None if body is None else json.dumps(body).encode()
    return Request(operation, operation.target(users).encode(), headers, data, "valid")
