import assert from "node:assert/strict";
import { test } from "node:test";
import { orderRow } from "../src/order-row.js";

test("a row is titled by what was ordered", () => {
  const row = orderRow({
    id: "o1",
    placedAt: "2025-05-01T09:00:00Z",
    status: "open",
    items: [
      { name: "Tea", cents: 420, quantity: 2 },
      { name: "Jam", cents: 310, quantity: 1 },
    ],
  });
  assert.equal(row.title, "Tea, Jam");
});
