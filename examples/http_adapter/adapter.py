"""A whole adapter for Florin's `http` provider, over a provider that lives in a dictionary.

usage: adapter.py SIGNING_SECRET WEBHOOK_SECRET [PORT]

It prints its address. The protocol is docs/providers/http.md. A real one calls its provider where `Bank` only
counts, keeps `answers` in a database, and tells Florin of what its provider tells it.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SIGNING_SECRET, WEBHOOK_SECRET = sys.argv[1].encode(), sys.argv[2]
TOLERANCE_SECONDS = 300
COVERED = ["@method", "@path", "content-digest", "idempotency-key"]
CAPABILITIES = ["manual_capture", "partial_capture", "void", "refund", "partial_refund"]
DECLINED = {"4000000000009995": "insufficient_funds", "4000000000000002": "generic_decline"}


class Refused(Exception):
    """Nothing was done."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.body = status, {"error": {"code": code, "message": message}}


def verify(method, path, headers, body):
    """The HTTP Message Signature of a request (RFC 9421, hmac-sha256)."""
    digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"
    parameters = headers.get("signature-input", "")
    signature = re.fullmatch(r"sig=:(.+):", headers.get("signature", ""))
    created = re.search(r";created=(\d+);", parameters)
    names = re.match(r"sig=\(([^)]*)\)", parameters)
    if not signature or not created or not names or headers.get("content-digest") != digest:
        raise Refused(401, "signature", "the request is not signed")
    covered = [name.strip('"') for name in names.group(1).split()]
    if covered != COVERED or 'alg="hmac-sha256"' not in parameters:
        raise Refused(401, "signature", "something else is signed")
    values = {"@method": method, "@path": path}
    lines = [f'"{name}": {values.get(name) or headers.get(name, "")}' for name in covered]
    base = "\n".join([*lines, f'"@signature-params": {parameters.removeprefix("sig=")}'])
    expected = base64.b64encode(hmac.new(SIGNING_SECRET, base.encode(), hashlib.sha256).digest()).decode()
    if not hmac.compare_digest(expected, signature.group(1)):
        raise Refused(401, "signature", "the signature is wrong")
    if abs(time.time() - int(created.group(1))) > TOLERANCE_SECONDS:
        raise Refused(401, "signature", "the signature is too old")


class Bank:
    """What a real provider would do. Our own answers are kept by our key, which is Florin's reference."""

    def __init__(self):
        self.lock, self.tokens, self.charges, self.answers = threading.Lock(), {}, {}, {}

    def token(self, card):
        token = "tok_" + secrets.token_hex(8)
        self.tokens[token] = DECLINED.get(card["number"])
        facts = {"last4": card["number"][-4:], "exp_month": card["exp_month"], "exp_year": card["exp_year"]}
        return {"object": "token", "id": token, "card": facts}

    def charge(self, asked):
        token = asked["source"].get("token")
        if token not in self.tokens:
            raise Refused(422, "no_such_token", "nobody knows this token")
        charge = {"object": "charge", "id": "ch_" + secrets.token_hex(8), "amount": asked["amount"],
                  "currency": asked["currency"], "reference": asked["reference"]}
        if self.tokens[token]:
            return charge | {"status": "declined", "decline": {"code": self.tokens[token]}}
        taken = asked["amount"] if asked["capture"] else 0
        state = {"held": asked["amount"] - taken, "taken": taken, "returned": 0, "charge": charge}
        self.charges[charge["id"]] = self.charges[asked["reference"]] = state
        status = "captured" if asked["capture"] else "authorized"
        return charge | {"status": status, "amount_approved": asked["amount"]}

    def effect(self, name, kind, asked):
        state, amount = self.charges.get(name), asked.get("amount", 0)
        if state is None:
            raise Refused(404, "no_such_charge", "there is no such charge")
        left = {"capture": state["held"], "void": state["held"],
                "refund": state["taken"] - state["returned"]}.get(kind, -1)
        if amount > left:
            raise Refused(422, "too_much", f"at most {left} are left")
        if kind == "refund":
            state["returned"] += amount
        else:
            state["taken"] += amount if kind == "capture" else 0
            state["held"] = 0 if kind == "void" or asked.get("final") else state["held"] - amount
        return {"object": kind, "id": kind[:2] + "_" + secrets.token_hex(8), "status": "succeeded",
                "amount": amount, "currency": state["charge"]["currency"], "reference": asked["reference"],
                "charge": state["charge"]["id"], "charge_reference": state["charge"]["reference"]}

    def once(self, key, body, work):
        """The same key gets the first answer again, and does nothing a second time."""
        with self.lock:
            if key in self.answers:
                known, answer = self.answers[key]
                if known != body:
                    raise Refused(409, "key_reused", "the key stands for another request")
                return answer
            answer = work()
            self.answers[key] = (body, answer)
            return answer


BANK = Bank()


class Adapter(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass  # Requests carry card numbers.

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.path == "/dashboard" and self.command == "POST":
            return self.dashboard(json.loads(body))
        verify(self.command, self.path, headers, body)
        key = headers["idempotency-key"]
        if (self.command, self.path) == ("GET", "/capabilities"):
            return {"protocol": "1", "name": "The example adapter", "methods": ["card"],
                    "currencies": ["EUR", "USD"], "capabilities": CAPABILITIES}
        if found := re.fullmatch(r"/operations/([0-9A-Za-z]+)", self.path):
            if found.group(1) not in BANK.answers:
                raise Refused(404, "no_such_operation", "nothing was done under this reference")
            return BANK.answers[found.group(1)][1]
        if self.path == "/tokens":
            return BANK.token(json.loads(body))
        asked = json.loads(body)
        if asked.get("reference") != key:
            raise Refused(400, "key", "the key is not the reference")
        if self.path == "/charges":
            return BANK.once(key, body, lambda: BANK.charge(asked))
        if found := re.fullmatch(r"/charges/([0-9A-Za-z_]+)/(capture|void|refund)s", self.path):
            return BANK.once(key, body, lambda: BANK.effect(found.group(1), found.group(2), asked))
        raise Refused(404, "no_such_path", "nothing is here")

    def dashboard(self, asked):
        """A refund that people make at the provider's own dashboard, told by a notice."""
        charge = BANK.charges[asked["charge"]]["charge"]
        refund = {"object": "refund", "id": "re_" + secrets.token_hex(8), "status": "succeeded",
                  "amount": asked["amount"], "currency": charge["currency"], "charge": charge["id"],
                  "charge_reference": charge["reference"]}
        BANK.charges[charge["id"]]["returned"] += asked["amount"]
        return {"status": notify(asked["url"], "refund.updated", refund)}

    def do_GET(self):
        try:
            status, answer = 200, self.answer()
        except Refused as refused:
            status, answer = refused.status, refused.body
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET


def notify(url, kind, data):
    """Tells Florin, signed as Standard Webhooks has it. A real adapter repeats it until it is answered 200."""
    body = json.dumps({"type": kind, "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "data": data})
    name, now = "msg_" + secrets.token_hex(12), str(int(time.time()))
    key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
    mac = hmac.new(key, f"{name}.{now}.{body}".encode(), hashlib.sha256).digest()
    headers = {"content-type": "application/json", "webhook-id": name, "webhook-timestamp": now,
               "webhook-signature": "v1," + base64.b64encode(mac).decode()}
    return urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers)).status


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[3]) if len(sys.argv) > 3 else 0), Adapter)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
