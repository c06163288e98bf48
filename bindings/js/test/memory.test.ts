// S-51, in a process of its own, whose memory no other test has made larger.
import assert from "node:assert/strict";
import { test } from "node:test";
import { GroupSession, InboundGroupSession } from "moceril";
import "./support.js";

test("what nobody frees is collected", async () => {
  const glue = (await import(new URL("../dist/wasm/moceril_js.js", import.meta.url).href)) as {
    default(): Promise<{ memory: WebAssembly.Memory }>;
  };
  const { memory } = await glue.default();
  const exported = new InboundGroupSession(new GroupSession(1).sessionKey).exportAt();
  const round = async (): Promise<void> => {
    for (let i = 0; i < 10_000; i += 1) InboundGroupSession.import(exported);
    globalThis.gc?.();
    await new Promise((done) => setTimeout(done, 5));
  };
  await round();
  const before = memory.buffer.byteLength;
  for (let i = 0; i < 9; i += 1) await round();
  const grown = memory.buffer.byteLength - before;
  assert.ok(globalThis.gc, "run with --expose-gc");
  assert.ok(grown < 2 * 1024 * 1024, `${grown} bytes more after 90,000 objects`);
});
