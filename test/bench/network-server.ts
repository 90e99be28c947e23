/** A server of static files, on loopback, in a process of its own. Prints its ports. */
const [folder = "", cert = "", key = ""] = process.argv.slice(2);
const answer = (request: Request) =>
  new Response(Bun.file(`${folder}${new URL(request.url).pathname}`));
const common = { port: 0, hostname: "127.0.0.1", fetch: answer };
const plain = Bun.serve(common);
const safe = Bun.serve({ ...common, tls: { cert: Bun.file(cert), key: Bun.file(key) } });
console.log(JSON.stringify({ http: plain.port, https: safe.port }));
