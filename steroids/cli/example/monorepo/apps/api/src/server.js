import { createServer } from "node:http";
import { answer } from "./routes.js";

createServer((request, response) => {
  const { status, body } = answer(request.method, request.url);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}).listen(process.env.PORT ?? 3000);
