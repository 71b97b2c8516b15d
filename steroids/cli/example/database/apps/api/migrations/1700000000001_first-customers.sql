-- Up Migration
INSERT INTO orders (id, placed_at) VALUES ('tea', '2026-01-02 09:00Z'), ('jam', '2026-01-02 09:30Z');
INSERT INTO items VALUES ('tea', 'Tea', 420, 2), ('jam', 'Jam', 310, 1);

-- Down Migration
DELETE FROM items;
DELETE FROM orders;
