-- Up Migration
CREATE TABLE orders (
    id text PRIMARY KEY,
    placed_at timestamptz NOT NULL,
    status text NOT NULL DEFAULT 'open'
);
CREATE TABLE items (
    order_id text NOT NULL REFERENCES orders,
    name text NOT NULL,
    cents integer NOT NULL CHECK (cents >= 0),
    quantity integer NOT NULL CHECK (quantity > 0)
);

-- Down Migration
DROP TABLE items;
DROP TABLE orders;
