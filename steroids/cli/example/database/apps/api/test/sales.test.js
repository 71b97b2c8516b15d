import assert from "node:assert/strict";
import { test } from "node:test";
import { sales, sell } from "../src/sales.js";

const url = process.env.DATABASE_URL;

// It may write as it likes: the database is this run's own, and as the migrations left it.
test("what is sold counts", { skip: url ? false : "no DATABASE_URL" }, async () => {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    assert.equal(await sales(client), 1150);
    await sell(client, "rye", { name: "Rye", cents: 500, quantity: 1 });
    assert.equal(await sales(client), 1650);
  } finally {
    await client.end();
  }
});
