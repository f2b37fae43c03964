"""Sends requests byte by byte as they are given, and checks the responses."""

import http.client
import json
import re
import socket

from operations import CANARY

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


class Response:
    """A response: its status, headers and body."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


class Connection:
    """A connection that is kept until the client or the server closes it, and then opened again."""

    def __init__(self, server):
        self.server, self.socket = server, None

    def send(self, method, data):
        """Returns the response, or None if the server closed the connection without one.

        Raises TimeoutError if the server sends nothing for 30 seconds.
        """
        for fresh in [False, True]:
            if self.socket is None or fresh:
                self.close()
                self.socket, fresh = self.server.connect(), True
            response = self._send(method, data)
            # The server may have closed a kept connection before it got the request. So the request is sent again.
            if response is not None or fresh:
                return response

    def _send(self, method, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server may have sent a response before it had read the whole request
        try:
            response = http.client.HTTPResponse(self.socket, method=method)
            response.begin()
            body = response.read()
        except (http.client.HTTPException, ConnectionError):
            self.close()
            return None
        if response.will_close or response.status >= 400 and len(data) > 60_000:
            self.close()
        return Response(response.status, response.headers, body)

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def send_raw(server, data):
    """Sends bytes on a new connection, closes the sending side, and returns all bytes that the server sends.

    Raises TimeoutError if the server sends nothing for 30 seconds.
    """
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
        pass  # the server may close the connection before it has read everything
    finally:
        connection.close()
    return received


def faults(request, response):
    """Returns everything that is wrong with the response to a request, as a list of texts."""
    if response is None:
        return ["the connection was closed without a response"] if len(request.bytes()) < 8_000 else []
    if response.status >= 500:
        return [f"the status is {response.status}"]
    # The HTTP library itself sends these responses, without a body and a request id, if it cannot parse a request.
    if response.status in {400, 414, 431} and not response.body and "x-request-id" not in response.headers:
        return []
    found = []
    headers = response.headers
    if response.status not in request.statuses:
        found.append(f"the status is {response.status}, which the OpenAPI document does not list")
    if not UUID.match(headers.get("x-request-id", "")) or headers.get("x-content-type-options") != "nosniff":
        found.append("a header that every response must have is missing")
    if response.status < 400:
        return found
    if CANARY.encode() in response.body or any(CANARY in value for value in headers.values()):
        if not is_only_in_pointers(response):
            found.append("the response contains a value of the request")
    if request.method == "HEAD":
        return found
    if headers.get("content-type") != "application/problem+json; charset=utf-8":
        return [*found, f"the content type is {headers.get('content-type')}"]
    problem = json.loads(response.body)
    type_is_good = problem["type"] == f"urn:portico:{problem['code']}"
    if problem["status"] != response.status or not type_is_good or not UUID.match(problem["request_id"]):
        found.append(f"the body is not a valid problem: {problem}")
    if (response.status == 422) != ("errors" in problem) or len(response.body) > 65_536:
        found.append(f"the problem has no errors, needless errors, or is too long: {response.body[:200]}")
    return found


def is_only_in_pointers(response):
    """Returns whether the canary is only in the detail and in the pointers of the errors.

    These may hold the names of unknown fields and parameters, so that a client can find them, but never values.
    """
    try:
        problem = json.loads(response.body)
    except ValueError:
        return False
    pointers = [field["pointer"] for field in problem.pop("errors", [])]
    problem.pop("detail")
    return CANARY not in json.dumps(problem) and any(CANARY in pointer for pointer in pointers)
