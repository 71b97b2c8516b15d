import assert from "node:assert/strict";
import { test } from "node:test";
import { place } from "../src/orders.js";
import { answer } from "../src/routes.js";

test("GET /orders lists every order", () => {
  for (const name of ["Tea", "Jam"]) place([{ name, cents: 420, quantity: 1 }]);
  const { body } = answer("GET", "/orders");
  assert.equal(body.map((order) => order.items[0].name).join(", "), "Tea, Jam");
});

test("what nobody answers is not found", () => {
  assert.equal(answer("GET", "/nowhere").status, 404);
});
