import { Order } from "@corner-shop/shared-types";
import { nanoid } from "nanoid";

const orders = new Map();

export function place(items, placedAt = new Date().toISOString()) {
  const order = Order.parse({ id: nanoid(), placedAt, status: "open", items });
  orders.set(order.id, order);
  return order;
}

export function list() {
  return [...orders.values()];
}
