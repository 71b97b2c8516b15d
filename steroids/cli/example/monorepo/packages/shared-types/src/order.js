import { z } from "zod";

export const Item = z.object({
  name: z.string().min(1),
  cents: z.number().int().nonnegative(),
  quantity: z.number().int().positive(),
});

export const Order = z.object({
  id: z.string().min(1),
  placedAt: z.string().datetime(),
  status: z.enum(["open", "packed", "sent"]),
  items: z.array(Item).nonempty(),
});
