import { Order } from "@corner-shop/shared-types";

export function orderRow(raw) {
  const order = Order.parse(raw);
  return { id: order.id, title: order.items.map((item) => item.name).join(", ") };
}
