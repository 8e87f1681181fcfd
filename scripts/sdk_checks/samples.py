"""Runs the code samples of the served document as a reader would, in curl, Python and JavaScript: the main
flow of payments, customers and methods. Each language works on objects of its own."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

url, key = sys.argv[1:]
with urllib.request.urlopen(url + "/openapi.json") as served:
    document = json.load(served)
operations = {
    operation["operationId"]: operation
    for item in document["paths"].values()
    for operation in item.values()
}
programs = {"curl": (["bash"], "sh"), "Python": ([sys.executable], "py"), "JavaScript": (["node"], "mjs")}
ids = re.compile(r"(pay|re|cus|pm)_01k4c8wz3sexgtr0c9v9vd0000")


def run(language, operation, known, changed=()):
    """What a sample was answered; `known` are the ids of the objects that it is about."""
    samples = operations[operation]["x-codeSamples"]
    source = next(sample["source"] for sample in samples if sample["label"] == language)
    source = source.replace("http://127.0.0.1:8000", url)
    source = ids.sub(lambda found: known[found[1]], source)
    for old, new in changed:
        assert old in source, (language, operation, old)
        source = source.replace(old, new)
    arguments, ending = programs[language]
    with tempfile.NamedTemporaryFile("w", suffix="." + ending) as file:
        file.write(source)
        file.flush()
        environment = {**os.environ, "API_KEY": key}
        done = subprocess.run(
            [*arguments, file.name], env=environment, capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 0 and "not found" not in done.stderr, (language, operation, done.stderr)
    status, brace, body = done.stdout.partition("{")
    answer = json.loads(brace + body)
    # What was refused says so in its `status`; curl prints no other.
    assert not isinstance(answer.get("status"), int), (language, operation, answer)
    assert language == "curl" or status.strip() in ("200", "201"), (language, operation, status)
    return answer


for language in programs:
    known = {}
    customer = run(language, "create_customer", known, [("cust_7", "reader-" + language)])
    known["cus"] = customer["id"]
    assert run(language, "get_customer", known)["id"] == known["cus"]
    method = run(language, "tokenize_payment_method", known)
    assert method["id"].startswith("pm_"), method
    known["pm"] = method["id"]
    assert run(language, "get_payment_method", known)["id"] == known["pm"]
    paid = run(language, "create_payment", known)
    assert paid["status"] == "paid", paid
    known["pay"] = paid["id"]
    assert run(language, "get_payment", known)["id"] == known["pay"]
    assert run(language, "update_payment", known)["id"] == known["pay"]
    refund = run(language, "refund_payment", known)
    assert refund["payment_id"] == known["pay"] and refund["amount"] == 400, refund
    known["re"] = refund["id"]
    assert run(language, "get_refund", known)["id"] == known["re"]
    assert run(language, "create_refund", known)["payment_id"] == known["pay"]
    # Lists by status may be a second behind.
    for _ in range(30):
        listed = run(language, "list_payments", known)["data"]
        if len(listed) == 1:
            break
        time.sleep(0.2)
    assert len(listed) == 1, listed
    assert run(language, "get_payment_timeline", known)["data"]
    assert run(language, "delete_customer", known)["deleted"] is True
    assert run(language, "get_health", known)["status"] == "healthy"
    print(f"{language}: the samples of the document were run")
