"""Sending requests as they are, and judging the answers."""

import http.client
import json
import re
import socket

from operations import CANARY

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


class Wire:
    """One connection, kept for as long as both sides like."""

    def __init__(self, server):
        self.server, self.socket = server, None

    def send(self, method, data):
        """The answer, or None when the server hung up without one; a server that is silent for 30 s raises."""
        for fresh in [False, True]:
            if self.socket is None or fresh:
                self.close()
                self.socket, fresh = self.server.connect(), True
            answer = self._send(method, data)
            # A kept connection may have been closed in the meantime.
            if answer is not None or fresh:
                return answer

    def _send(self, method, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may have answered before it had read everything
        try:
            answer = http.client.HTTPResponse(self.socket, method=method)
            answer.begin()
            body = answer.read()
        except (http.client.HTTPException, ConnectionError):
            self.close()
            return None
        if answer.will_close or answer.status >= 400 and len(data) > 60_000:
            self.close()
        return Answer(answer.status, answer.headers, body)

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def raw(server, data):
    """Bytes as they are on a connection of their own, then the end of ours: what came back."""
    connection = server.connect()
    received = b""
    try:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65_536):
            received += piece
    except TimeoutError:
        raise
    except OSError:
        pass  # it hung up in the middle, as it may
    finally:
        connection.close()
    return received


def faults(request, answer):
    """Everything that is wrong with an answer."""
    if answer is None:
        return ["hung up without an answer"] if len(request.bytes()) < 8_000 else []
    if answer.status >= 500:
        return [f"answered {answer.status}"]
    # The HTTP library answers these itself: before there is a request there is nobody to describe it.
    if answer.status in {400, 414, 431} and not answer.body and "x-request-id" not in answer.headers:
        return []
    found = []
    if answer.status not in request.statuses:
        found.append(f"answered {answer.status}, which the document does not have")
    if not UUID.match(answer.headers.get("x-request-id", "")) or answer.headers.get("x-content-type-options") != "nosniff":
        found.append("lacks a header that every answer has")
    if answer.status < 400:
        return found
    if CANARY.encode() in answer.body or any(CANARY in value for value in answer.headers.values()):
        if not is_name(answer):
            found.append("echoes a value")
    if request.method == "HEAD":
        return found
    if answer.headers.get("content-type") != "application/problem+json; charset=utf-8":
        return [*found, f"is of type {answer.headers.get('content-type')}"]
    problem = json.loads(answer.body)
    if problem["status"] != answer.status or problem["type"] != f"urn:portico:{problem['code']}" or not UUID.match(problem["request_id"]):
        found.append(f"is not a good problem: {problem}")
    if (answer.status == 422) != ("errors" in problem) or len(answer.body) > 65_536:
        found.append(f"has a strange shape: {answer.body[:200]}")
    return found


def is_name(answer):
    """The names of unknown fields and parameters go back, so that they can be found; never their values."""
    try:
        problem = json.loads(answer.body)
    except ValueError:
        return False
    pointers = [field["pointer"] for field in problem.pop("errors", [])]
    problem.pop("detail")
    return CANARY not in json.dumps(problem) and any(CANARY in pointer for pointer in pointers)
