// A front-end developer who has read nothing but openapi/openapi.json: signs in, finds a plan that waits for approval and
// approves it. Every type below comes from the document (schema.d.ts is generated from it), none is written by hand.
//   PINGYI_URL       where the demo listens
//   PINGYI_ACCOUNTS  its accounts file
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Plan = components["schemas"]["PlanView"];
type Problem = components["schemas"]["Problem"];
type Account = { login: string; password: string; role: string; unit_code: string };

function setting(name: string): string {
  const value = process.env[name];
  assert(value !== undefined, `${name} is not set`);
  return value;
}

function isAccount(row: unknown): row is Account {
  const fields = ["login", "password", "role", "unit_code"];
  return typeof row === "object" && row !== null && fields.every((f) => typeof Reflect.get(row, f) === "string");
}

/** The head of the leading group at the root of province 53: official codes are padded with zeros on the right. */
function groupHead(): Account {
  const rows: unknown = JSON.parse(readFileSync(setting("PINGYI_ACCOUNTS"), "utf8"));
  assert(Array.isArray(rows));
  const heads = rows.filter(isAccount).filter((a) => a.role === "group_head" && a.unit_code.replace(/0+$/, "") === "53");
  const [head] = heads;
  assert(head !== undefined, "the accounts file has no group_head at the root of province 53");
  return head;
}

/** Answers are either data or a problem; a client that does not expect the problem stops with what it says. */
function expected<T>(answer: { data?: T; error?: Problem }): T {
  const { data, error } = answer;
  assert(data !== undefined, `${error?.status} ${error?.code}: ${error?.detail} (${error?.request_id})`);
  return data;
}

// Lists are given as files too; here everything is JSON.
const api = createClient<paths, "application/json" | "application/problem+json">({ baseUrl: `${setting("PINGYI_URL")}/api/v1` });

const { login, password } = groupHead();
const tokens = expected(await api.POST("/auth/login", { body: { login, password } }));
const bearer: Middleware = {
  onRequest({ request }) {
    request.headers.set("Authorization", `${tokens.token_type} ${tokens.access_token}`);
    return request;
  },
};
api.use(bearer);

const waiting = expected(await api.GET("/plans", { params: { query: { state: ["submitted"], limit: 200 } } }));
const chosen = waiting.items.find((plan) => plan.allowed_actions.includes("approve"));
assert(chosen !== undefined, "no submitted plan may be approved by this head");

const path = { plan_id: chosen.id };
const read = await api.GET("/plans/{plan_id}", { params: { path } });
assert.equal(expected(read).state, "submitted");
const etag = read.response.headers.get("ETag");
assert(etag !== null, "a plan comes with an ETag");

const approve = () => {
  const header = { "If-Match": etag, "Idempotency-Key": randomUUID() };
  return api.POST("/plans/{plan_id}/approve", { params: { path, header }, body: { comment: "同意" } });
};
const approved: Plan = expected(await approve());
assert.equal(approved.id, chosen.id);
assert.equal(approved.state, "approved");
assert(!approved.allowed_actions.includes("approve"), "what is approved cannot be approved again");

// The version read before is stale by now, and a problem is as typed as an answer.
const stale = await approve();
const staleProblem: Problem | undefined = stale.error;
assert.equal(stale.response.status, 412);
assert.equal(staleProblem?.status, 412);

// Without it the state decides.
const again = await api.POST("/plans/{plan_id}/approve", {
  params: { path, header: { "Idempotency-Key": randomUUID() } },
  body: {},
});
const problem: Problem | undefined = again.error;
assert(problem !== undefined && again.data === undefined);
assert.equal(again.response.status, 409);
assert.equal(again.response.headers.get("Content-Type"), "application/problem+json");
assert.equal(problem.status, 409);
assert.match(problem.code, /^[a-z_]+$/);
assert.equal(problem.type, `/problems/${problem.code.replaceAll("_", "-")}`);

console.log(`approved ${chosen.id}; approving it again: ${problem.status} ${problem.code}`);
