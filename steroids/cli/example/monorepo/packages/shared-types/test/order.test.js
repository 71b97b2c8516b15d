import assert from "node:assert/strict";
import { test } from "node:test";
import { Order } from "../src/index.js";

const order = {
  id: "o1",
  placedAt: "2025-05-01T09:00:00Z",
  status: "open",
  items: [{ name: "Tea", cents: 420, quantity: 2 }],
};

test("an order is valid", () => {
  assert.deepEqual(Order.parse(order), order);
});

test("an order without items is refused", () => {
  assert.equal(Order.safeParse({ ...order, items: [] }).success, false);
});
