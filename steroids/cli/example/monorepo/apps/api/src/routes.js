import { list } from "./orders.js";

export const routes = {
  "GET /orders": () => list(),
};

export function answer(method, target) {
  const url = new URL(target, "http://shop");
  const route = routes[`${method} ${url.pathname}`];
  return route
    ? { status: 200, body: route(url.searchParams) }
    : { status: 404, body: { error: "not found" } };
}
