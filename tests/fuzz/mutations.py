"""Hand-written mutations. Each function takes a valid request and yields mutated ones, each for a class of inputs.

A mutated request has a note that describes it, and the statuses that its response may have.
"""

import json

from operations import CANARY
from server import jwt

C = CANARY.encode()
# The maximum size of a body in bytes.
BODY_LIMIT = 64 * 1024
# The nil UUID.
NIL = "00000000-0000-0000-0000-000000000000"

# JSON texts that replace the value of a field.
VALUES = {
    "null": b"null", "true": b"true", "zero": b"0", "minus zero": b"-0", "huge": b"1e999", "NaN": b"NaN", "2^63": b"9223372036854775808",
    "2^64": b"18446744073709551616", "fraction": b"0.1", "long number": b"9" * 5000, "empty": b'""', "one letter": b'"a"', "space": b'" "',
    "list of guesses": b'["%s","b"]' % C, "object": b'{"%s":1}' % C, "list of lists": b"[[[]]]", "NUL": b'"a\\u0000b"', "raw NUL": b'"a\0b"',
    "lone surrogate": b'"%s\\ud800"' % C, "surrogate pair": b'"\\ud83d\\ude00"', "swapped surrogate pair": b'"\\ude00\\ud83d"', "invalid UTF-8": b'"%s\xff"' % C,
    "overlong": b'"\xc0\xaf"', "encoded surrogate": b'"\xed\xa0\x80"', "beyond Unicode": b'"\xf4\x90\x80\x80"', "newline": b'"a\nb"',
    "escape": b'"\\u001b[31m"', "bad escape": b'"\\x41"', "bidi": '"\u202e\u2066"'.encode(), "folds": '"\u212a\u0131\ufb1d"'.encode(),
    "marks": b'"' + "e\u0301".encode() * 500 + b'"', "expands": b'"' + "\ufdfa".encode() * 3000 + b'"', "joiner": '"a\u200db\ufeff"'.encode(),
    "1,000": b'"' + b"a" * 1_000 + b'"', "60,000": b'"' + b"a" * 60_000 + b'"', "SQL": b"\"' OR 1=1 --\"", "template": b'"{{7*7}}${7*7}"',
    "header": b'"a@x.test\\r\\nBcc: %s@x.test"' % C, "two addresses": b'"a@x.test,b@x.test"', "markup": b'"<b onload=x>"', "uuid": f'"{NIL}"'.encode(),
}

# Bodies that replace a whole body.
BODIES = {
    "nothing": b"", "space": b" \n", "null": b"null", "list": b"[]", "string": b'"%s"' % C, "truncated": b'{"email":', "two objects": b"{} {}", "trailing comma": b'{"a":1,}', "comment": b"{}//",
    "deep list": b"[" * 30_000, "deep object": b'{"a":' * 10_000, "closed deep list": b"[" * 5_000 + b"]" * 5_000, "many fields": b"{" + b",".join(b'"%d":1' % i for i in range(5000)) + b"}",
    "form": b"email=%s&password=b" % C, "ndjson": b'{"email":"a@x.test"}\n{"email":"b@x.test"}', "all bytes": bytes(range(256)),
}


def bodies(request):
    """Yields the request with other bodies."""
    if request.body is None:
        for name in ["all bytes", "truncated", "deep list"]:
            yield with_body(request, BODIES[name], f"unexpected body: {name}", any_status=True)
        return
    fields = json.loads(request.body)
    for name, body in BODIES.items():
        yield with_body(request, body, f"body: {name}")
    for encoding in ["utf-16", "utf-16-le", "utf-32-be", "utf-8-sig"]:
        yield with_body(request, request.body.decode().encode(encoding), f"body in {encoding}")
    for size in [BODY_LIMIT - 1, BODY_LIMIT, BODY_LIMIT + 1, 4 * BODY_LIMIT]:
        yield with_body(request, request.body + b" " * (size - len(request.body)), f"body of {size} bytes")
    yield with_body(request, request.body + b"x", "trailing letter")
    yield with_body(request, b"\0" + request.body, "leading NUL")
    for key in ["__proto__", "constructor", "is_staff", "role", "tenant_id", "a/b~c", "", "\u0000", "k" * 10_000]:
        yield with_body(request, json.dumps(fields | {key: CANARY}).encode(), f"unknown field {key[:20]!r}")
    for name in fields:
        rest = {other: value for other, value in fields.items() if other != name}
        yield with_body(request, json.dumps(rest).encode(), f"without {name}")
        yield with_body(request, json.dumps(rest | {name.upper(): CANARY}).encode(), f"{name} in upper case")
        yield with_body(request, request.body[:-1] + f', "{name}": "{CANARY}"}}'.encode(), f"{name} twice")
        hidden = "".join(f"\\u{ord(letter):04x}" for letter in name)
        yield with_body(request, request.body[:-1] + f', "{hidden}": "{CANARY}"}}'.encode(), f"{name} twice, once escaped")
        for kind, value in VALUES.items():
            marked = json.dumps(rest | {name: "\ue000"}, ensure_ascii=False).encode()
            yield with_body(request, marked.replace('"\ue000"'.encode(), value), f"{name}: {kind}")


def with_body(request, body, note, any_status=False):
    """Returns the request with another body. With `any_status`, it may also be rejected because of its body."""
    mutated = request.copy()
    mutated.body, mutated.note = body, note
    if any_status:
        mutated.statuses |= {400, 413, 415}
    return mutated


def headers(request):
    """Yields the request with other headers."""
    types = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16", "application/json; charset=utf-7",
             "application/json; x=y", "application/problem+json", "application/json,text/plain", "", ";", "a" * 8000]
    for kind in types if request.body is not None else []:
        rest = [(name, value) for name, value in request.headers if name != b"Content-Type"]
        yield with_headers(request, [(b"Content-Type", kind.encode())], f"content type {kind[:40]!r}", rest)
    if request.body is not None:
        yield with_headers(request, [(b"Content-Type", b"text/plain")], "two content types")
    many = b"; ".join(b"c%d=%s" % (i, C) for i in range(300))
    jwts = [jwt({"alg": "none", "typ": "JWT"}, {}), jwt({"alg": "HS256", "kid": NIL, "typ": "at+jwt"}, {"sub": CANARY}), jwt({"alg": "EdDSA", "kid": NIL, "typ": "at+jwt"}, {"exp": 1e308})]
    extra = {
        "request id": [(b"X-Request-Id", value) for value in [b"", b"x" * 10_000, b"\x1b[31m" + C, b"\xff\xfe", b"00000000-0000-0000-0000-000000000000"]],
        "trace": [(b"traceparent", value) for value in [b"00-0-0-0", b"\xff" * 60, b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-zz", C]],
        "forwarded": [(b"X-Forwarded-For", value) for value in [b"1.1.1.1, " * 900, b"[::1", b"\xff", b"unknown", b"::ffff:1.2.3.4%x:99999"]],
        "host": [(b"X-Forwarded-Host", C), (b"Forwarded", b"for=" + C), (b"X-HTTP-Method-Override", b"DELETE"), (b"X-Original-URL", b"/dev/mail")],
        "agent": [(b"User-Agent", value) for value in [b"", b"\xff" * 300, b'{"level":"error"}\t\x1b[2J', "\u202e".encode() * 500]],
        "accept": [(b"Accept", b"application/xml"), (b"Accept", b"\xff"), (b"Accept-Language", b"de;q=nan"), (b"Accept-Encoding", b"br;q=2"), (b"Range", b"bytes=0-1,5-"), (b"If-None-Match", b"*"), (b"Expect", b"200-ok"), (b"Content-Encoding", b"gzip")],
        "cookie": [(b"Cookie", value) for value in [b"", b";;==;", many, b"portico_portal=" + C, b"portico_portal=a; portico_portal=b", b"portico_device=\xff", b"portico_staff_refresh=" + C, b"portico_portal_refresh=" + NIL.replace("-", "").encode() + b".2147483648.AAAA", b"portico_device=a.99999999999999999999.AA", b"portico_device=AAAA.9223372036854775807.AAAA", b"__Host-portico_staff=" + C]],
    }
    for name, pairs in extra.items():
        for pair in pairs:
            yield with_headers(request, [pair], f"{name}: {pair[1][:40]!r}")
    yield with_headers(request, [(b"Cookie", b"portico_staff=a"), (b"Cookie", b"portico_staff=b")], "two cookie headers")
    bare = [pair for pair in request.headers if pair[0] != b"Authorization"]
    yield with_headers(request, [], "anonymous", bare)
    for value in ["", "Bearer", "Bearer ", "Bearer  x", "bearer " + CANARY, "Basic " + CANARY, "Bearer a b", "Bearer " + "a" * 9_000, "Bearer \u00e9", "Bearer ..", "Bearer a.b.c", "Digest x=y"] + ["Bearer " + token for token in jwts]:
        yield with_headers(request, [(b"Authorization", value.encode())], f"authorization {value[:30]!r}", bare)
    yield with_headers(request, [(b"Authorization", b"Bearer x"), (b"Authorization", b"Bearer x")], "two authorizations", bare)


def with_headers(request, more, note, base=None):
    """Returns the request with more headers, added to its own or to those of `base`."""
    mutated = request.copy()
    mutated.headers, mutated.note = [*(request.headers if base is None else base), *more], note
    # An operation without authentication must ignore bad credentials.
    mutated.statuses |= {400} | ({401} if request.operation.realm else set())
    return mutated


def paths(request):
    """Yields the request with other paths, queries and methods."""
    base = request.target
    ids = [b"x", b"%00", b"%2f", b"..", b"%2e%2e", b"%ff", b"%", b"0" * 5_000, NIL.encode(), NIL.upper().encode(), b"{" + NIL.encode() + b"}", b"-1", b"9" * 40, "\u0131".encode(), b"' OR 1=1", C, b"null", b"undefined", b""]
    with_ids = []
    if "{client_id}" in request.operation.path:
        before, after = request.operation.path.encode().split(b"{client_id}")
        with_ids = [before + id.replace(b" ", b"%20") + after for id in ids]
    whole = [base + b"/", base.replace(b"/api", b"//api"), b"/." + base, base + b"/..", base.upper(), base + b"%00", base + b".json", base + b";x=y", base.replace(b"/", b"%2f", 2), b"/" + b"a" * 16_384, b"http://evil.test" + base, base + b"\\..\\", base + b"#x"]
    for target in with_ids + whole:
        mutated = request.copy()
        mutated.target, mutated.note = target, f"path {target[:60]!r}"
        mutated.statuses |= {400, 404, 405, 414}
        yield mutated
    long = b"x" * 15_000
    queries = [b"", b"=", b"&&&", b"a", C + b"=1", b"limit=1&limit=2", b"limit=", b"limit=0", b"limit=-1", b"limit=101", b"limit=1e3", b"limit=18446744073709551616", b"limit=%31", b"limit=%00", b"limit=%ff", b"cursor=", b"cursor=" + C, b"cursor=AAAAAAAAAAAAAAAAAAAAAA", b"cursor=" + long, b"cursor=%F0%9F%98%80", b"action=", b"action=Resend", b"action=resend&action=resend", b"action[]=resend", b"action=resend%00", long, b"%", b"a=%zz", b"access_token=" + C, b"+", b"a=b?c=d"]
    for query in queries:
        mutated = request.copy()
        mutated.target, mutated.note = base + b"?" + query, f"query {query[:40]!r}"
        mutated.statuses |= {400, 422}
        yield mutated
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND", "X" * 100]:
        defined = request.operation.siblings | ({"HEAD"} if "GET" in request.operation.siblings else set())
        if method not in defined or method == "HEAD" and request.method == "GET":
            mutated = request.copy()
            mutated.method, mutated.note = method, f"method {method[:20]}"
            mutated.statuses |= {400, 403, 404, 405, 413, 415, 422}
            yield mutated


# All mutations.
ALL = [bodies, headers, paths]


def raw(request):
    """Yields names and bytes that are not valid HTTP, or unusual HTTP.

    The response is a 4xx, or the response to the valid request, or the connection is closed without one.
    """
    path, body = request.target, request.body or b"{}"
    head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    chunk = b"%x\r\n%s\r\n" % (len(body), body)
    yield "length and chunks", head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n"
    for coding in [b"gzip", b"chunked, chunked", b"identity", b"xchunked", b" chunked", b"chunked;q=1", b"gzip, chunked", b"\x0bchunked"]:
        yield f"coding {coding}", head + b"Transfer-Encoding: " + coding + b"\r\n\r\n" + chunk + b"0\r\n\r\n"
    for length in [b"-1", b"+5", b"0x5", b"5, 5", b"5,6", b"99999999999999999999", b"1e1", b" ", b"5 5"]:
        yield f"length {length}", head + b"Content-Length: " + length + b"\r\n\r\n" + body
    yield "two lengths", head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "
    for size in [b"-1", b"FFFFFFFFFFFFFFFFF", b"0x2", b"2 ", b"g", b"2;" + b"x" * 20_000, b"\n"]:
        yield f"chunk size {size[:20]}", head + b"Transfer-Encoding: chunked\r\n\r\n" + size + b"\r\n{}\r\n0\r\n\r\n"
    yield "trailers", head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\nX-Evil: 1\r\nAuthorization: x\r\n\r\n"
    yield "truncated body", head + b"Content-Length: 50\r\n\r\n{"
    yield "many chunks", head + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 70_000 + b"0\r\n\r\n"
    yield "bare newlines", b"GET /health/live HTTP/1.1\nHost: x\n\n"
    yield "folded header", b"GET /health/live HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"
    yield "space before colon", b"GET /health/live HTTP/1.1\r\nHost : x\r\n\r\n"
    yield "no host", b"GET /health/live HTTP/1.1\r\n\r\n"
    yield "two hosts", b"GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    yield "NUL", b"GET /health/live HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n"
    yield "HTTP/1.0", b"GET /health/live HTTP/1.0\r\n\r\n"
    yield "HTTP/0.9", b"GET /health/live\r\n\r\n"
    yield "HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 100
    yield "asterisk form", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "authority form", b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n"
    yield "upgrade", b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    yield "many headers", b"GET /health/live HTTP/1.1\r\nHost: x\r\n" + b"".join(b"a%d: b\r\n" % i for i in range(500)) + b"\r\n"
    yield "large header", b"GET /health/live HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 1_000_000 + b"\r\n\r\n"
    yield "TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 300
    yield "all bytes", bytes(range(256)) * 4
