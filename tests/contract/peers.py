"""Two provinces ask for each other's objects: who they are, and whether they have really been asked.

    peers.py write ACCOUNTS ROLE FILE   the holders of a role in provinces 53 and 50, as Schemathesis signs them in
    peers.py asked REPORT LEAST         fails unless at least so many operations refused (404) province 50 what 53 has
"""

import json
import sys

OTHER = "50"


def write(accounts, role, file):
    token = {
        "extractFrom": "body",
        "extractSelector": "/access_token",
        "sendIn": "header",
        "sendName": "Authorization",
        "sendTemplate": "Bearer {token}",
    }
    with open(accounts, encoding="utf-8") as text:
        holders = {row["unit_code"]: row for row in json.load(text) if row["role"] == role}
    auth = []
    for province in ("53", OTHER):
        credentials = {name: holders[province][name] for name in ("login", "password")}
        login = {
            "verb": "POST",
            "endpoint": "/api/v1/auth/login",
            "contentType": "application/json",
            "payloadRaw": json.dumps(credentials),
            "token": token,
        }
        auth.append({"name": province, "loginEndpointAuth": login})
    with open(file, "w", encoding="utf-8") as out:
        json.dump({"auth": auth}, out)


def asked(report, least):
    refused = set()
    with open(report, encoding="utf-8") as lines:
        for line in lines:
            recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
            answers = recorder.get("interactions", {})
            for key, case in recorder.get("cases", {}).items():
                case = case["value"]
                answer = answers.get(key, {}).get("response") or {}
                if case.get("auth_identity") == OTHER and answer.get("status_code") == 404:
                    refused.add(case["path"])
    print(f"province {OTHER} was refused what province 53 has at {len(refused)} operations")
    for path in sorted(refused):
        print(f"  {path}")
    if len(refused) < int(least):
        sys.exit(f"peers.py: at least {least} were expected: the check has not been put to the test")


{"write": write, "asked": asked}[sys.argv[1]](*sys.argv[2:])
