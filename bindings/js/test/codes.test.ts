// Every code is a variant of the library's errors, and every variant is a code.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ERROR_CODES } from "moceril";
import "./support.js";

test("the codes are the variants of the errors that can be thrown", () => {
  const api = new URL("../../../assurance/api/public.txt", import.meta.url);
  // The errors of what the package does not have, and one that is only the cause of others.
  const absent = new RegExp(
    "::(hpke|ecies|secret_storage|vodozemac|cross_signing|qr_code)::|TooManyBytes|" +
      "(Dehydrated\\w+|Base64|Conversion|Passphrase)Error::",
  );
  const found = new Set(["Argument", "Freed", "NotInitialized", "Internal"]);
  // Errors without variants.
  for (const code of ["CreationTime", "Random", "Signature"]) found.add(code);
  for (const line of readFileSync(api, "utf8").split("\n")) {
    const variant = /^pub moceril::(?:\w+::)*(\w+Error)::(\w+)(?:\(.*\))?$/.exec(line);
    if (variant && !absent.test(line)) found.add(variant[2]!);
  }
  assert.deepEqual([...ERROR_CODES].sort(), [...found].sort());
});
