// A conversation in Chromium, under the strictest policy that allows WebAssembly:
//
//   node browser.mjs FOLDER_OF_PLAYWRIGHT FOLDER...
//
// Each folder has pages. A page writes to the console what came of its conversation.

import { createServer } from "node:http";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, join } from "node:path";

const [, , playwright, ...folders] = process.argv;
const { chromium } = createRequire(import.meta.url)(playwright);

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
const STRICT =
  "default-src 'none'; connect-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";
const NONE = STRICT.replace(" 'wasm-unsafe-eval'", "");
const EXPECTED = "Grüße OLM.BAD_MESSAGE_MAC";

let policy;
let folder;
const server = createServer(async ({ url }, response) => {
  try {
    const { pathname } = new URL(url, "http://localhost");
    const content = await readFile(join(folder, pathname));
    response.setHeader("Content-Security-Policy", policy);
    response.setHeader("Content-Type", `${TYPES[extname(pathname)]}; charset=utf-8`);
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const outcome = async (name, withPolicy) => {
  policy = withPolicy;
  const page = await browser.newPage();
  // Only what hangs ends with it, on a busy machine, too.
  page.setDefaultTimeout(120_000);
  const said = page.waitForEvent("console", (message) =>
    message.text().startsWith("outcome: "),
  );
  await page.goto(`http://127.0.0.1:${server.address().port}/${name}`);
  const text = (await said).text().slice("outcome: ".length);
  await page.close();
  return text;
};

let failed = false;
for (folder of folders) {
  for (const name of (await readdir(folder)).filter((name) => name.endsWith(".html"))) {
    const text = await outcome(name, STRICT);
    if (text !== EXPECTED) failed = true;
    // The policy is in force: without the exception, it forbids WebAssembly.
    const without = await outcome(name, NONE);
    if (!/Content Security Policy/i.test(without)) failed = true;
    console.log(`${name}: ${text} (without the exception: ${without.slice(0, 60)})`);
  }
}
await browser.close();
server.close();
if (failed) process.exit(1);
