// Creates, captures, refunds and lists through the client that openapi-typescript and openapi-fetch make.
import createClient from "openapi-fetch";
import type { paths } from "./florin.js";

declare const process: { argv: string[] };
const [, , baseUrl, key] = process.argv;
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(what);
  return value;
}

const created = await client.POST("/api/v1/payments", {
  params: { header: { "Idempotency-Key": "typescript-1" } },
  body: {
    amount: 1000,
    currency: "EUR",
    capture_method: "manual",
    payment_method: {
      type: "card",
      card_number: "4242424242424242",
      exp_month: 12,
      exp_year: 2037,
      cvc: "123",
    },
  },
});
const payment = must(created.data, `create: ${JSON.stringify(created.error)}`);
if (payment.status !== "authorized") throw new Error(`authorized, not ${payment.status}`);

const path = { id: payment.id };
const captured = await client.POST("/api/v1/payments/{id}/capture", { params: { path }, body: { amount: 700 } });
if (must(captured.data, "capture").amount_captured !== 700) throw new Error("700 captured");

const refunded = await client.POST("/api/v1/payments/{id}/refund", { params: { path }, body: { amount: 200 } });
if (must(refunded.data, "refund").object !== "refund") throw new Error("a refund");

const listed = await client.GET("/api/v1/payments", { params: { query: { limit: 1, currency: "EUR" } } });
must(listed.data, "list").data.forEach((each) => {
  if (each.currency !== "EUR") throw new Error("only euros");
});

const refused = await client.GET("/api/v1/payments/{id}", { params: { path: { id: "pay_none" } } });
if (refused.error?.code !== "not_found") throw new Error("a typed problem");
console.log("TypeScript: created, captured, refunded, listed");
