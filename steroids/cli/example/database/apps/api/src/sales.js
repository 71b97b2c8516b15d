// What was sold so far, in cents.
export async function sales(client) {
  const { rows } = await client.query("SELECT sum(cents * quantity)::int AS cents FROM items");
  return rows[0].cents;
}

export async function sell(client, id, item) {
  await client.query("INSERT INTO orders (id, placed_at) VALUES ($1, now())", [id]);
  const values = [id, item.name, item.cents, item.quantity];
  await client.query("INSERT INTO items VALUES ($1, $2, $3, $4)", values);
}
