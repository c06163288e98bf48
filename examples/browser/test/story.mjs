// Clicks through the page as a reader would, and fails if anything is not as the text says.
//
//   node story.mjs FILE [FOLDER]     with screenshots in a folder
//
// Writes into the file what the page saves, for `transcripts.py`.

import assert from "node:assert/strict";
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright-core";

const [, , file, shots] = process.argv;
const dist = new URL("../dist/", import.meta.url).pathname;
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

const server = createServer(async (request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname));
  const file = join(dist, path === "/" ? "index.html" : path);
  try {
    response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
    response.end(await readFile(file));
  } catch {
    response.statusCode = 404;
    response.end();
  }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const origin = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox"],
});

/** A fresh page; `problems` collects errors and requests that leave the page. */
async function open(options) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  // Only what hangs ends with it, on a busy machine, too.
  page.setDefaultTimeout(60_000);
  const problems = [];
  page.on("pageerror", (error) => problems.push(`error: ${error}`));
  page.on("console", (line) => line.type() === "error" && problems.push(`console: ${line.text()}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith("blob:")) problems.push(`request: ${url}`);
  });
  await page.goto(origin);
  await page.locator("main").waitFor({ state: "visible" });
  return { page, problems, close: () => context.close() };
}

const press = (page, name, exact = true) =>
  page.getByRole("button", { name, exact }).first().click();
// Not `waitForFunction`: it evaluates text, which the policy of the page forbids.
const news = (page, pattern) => page.locator("#news").filter({ hasText: pattern }).waitFor();
const inner = (page, selector) => page.locator(selector).innerText();
const shot = async (page, name) => {
  if (!shots) return;
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
};

async function meet(page) {
  await press(page, "Leave the keys");
  await press(page, "Take one and check it");
  await press(page, "Agree and write");
  await press(page, "Wake Bob");
  await news(page, /Both have the same root key/);
  const [ours, theirs] = await page.locator("#meet .verdict .key").allInnerTexts();
  assert.match(ours, /^[0-9a-f]{4} [0-9a-f]{4}$/);
  assert.equal(ours, theirs);
  assert.equal(await page.locator("#meet .stage p").last().locator(".key.gone").count(), 0);
  assert.equal(
    (await page.locator("#meet .key.gone").count()) > 0,
    true,
    "the one-time key is gone",
  );
}

const send = async (page, name, said) => {
  await page.fill(`#draft-${name}`, said);
  await page
    .locator(`article[aria-label="${name}'s phone"]`)
    .getByRole("button", { name: "Send" })
    .click();
  await news(page, /waits in the network/);
};
const bobKeeps = (page) =>
  page.locator(`article[aria-label="Bob's phone"] dt`, { hasText: "kept for late" }).count();

async function talk(page) {
  for (const said of ["one", "two", "three"]) await send(page, "Alice", said);
  await press(page, "Forge a byte of message 3");
  await news(page, /was altered on the way. Nothing has changed/);
  await press(page, "Deliver message 3");
  await news(page, /reads message 3 and deletes its key. It kept 2 keys/);
  assert.equal(await bobKeeps(page), 2);
  await press(page, "Deliver message 1");
  await news(page, /reads message 1/);
  assert.equal(await bobKeeps(page), 1);
  await press(page, "Replay message 3");
  await news(page, /key of this message was used and deleted/);
  await press(page, "Drop message 2");
  await news(page, /Message 2 is lost/);
  assert.equal(await bobKeeps(page), 1);
  // The key that waits on Bob's phone is that of the lost message, and those of the others are
  // gone from both phones.
  const prints = (selector) =>
    page.locator(selector).evaluateAll((all) => all.map((one) => one.lastChild.textContent));
  const [third, second, first] = await prints("#talk .packet .key");
  const phone = (name, kind) => prints(`article[aria-label="${name}'s phone"] .key${kind}`);
  assert.ok((await phone("Bob", ":not(.gone)")).includes(second));
  for (const print of [first, third]) {
    assert.ok((await phone("Alice", ".gone")).includes(print));
    assert.ok((await phone("Bob", ".gone")).includes(print));
  }
  const bob = await inner(page, `article[aria-label="Bob's phone"]`);
  for (const said of ["three", "one"]) assert.ok(bob.includes(said), bob);
  assert.ok(!bob.includes("two"), bob);
}

const stolen = (page) =>
  page
    .locator("#thief tbody tr")
    .evaluateAll((rows) => rows.map((row) => row.lastElementChild.className === "stolen"));

async function thief(page) {
  await press(page, "Copy Bob's phone now");
  await news(page, /The thief has copied/);
  // Message 2 is lost, and its key is on the phone: the thief has both.
  assert.deepEqual(await stolen(page), [false, true, false]);
  await send(page, "Alice", "four");
  await press(page, "Deliver message 4");
  await news(page, /reads message 4/);
  await send(page, "Bob", "five");
  await press(page, "Deliver message 5");
  await news(page, /reads message 5/);
  await send(page, "Alice", "six");
  await press(page, "Deliver message 6");
  await news(page, /reads message 6/);
  assert.equal(await stolen(page).then((all) => all[3]), true, "the chain that was copied goes on");
  await send(page, "Bob", "seven");
  await press(page, "Deliver message 7");
  await news(page, /reads message 7/);
  await send(page, "Alice", "eight");
  const all = await stolen(page);
  assert.deepEqual(all.slice(0, 4), [false, true, false, true]);
  assert.deepEqual(all.slice(-1), [false]);
  assert.match(await inner(page, "#thief .verdict"), /Healed/);

  // Who copies the phone that writes reads what it writes next, but not what it has written.
  await press(page, "Copy Alice's phone now");
  await news(page, /copied all keys of Alice/);
  await send(page, "Alice", "nine");
  assert.deepEqual((await stolen(page)).slice(-2), [false, true]);
  assert.match(await inner(page, "#thief .verdict"), /still listens/);
}

async function room(page) {
  const part = (i) => page.locator("#room .part .key").nth(i).innerText();
  const before = await Promise.all([0, 1, 2, 3].map(part));
  await press(page, "Send a message");
  await news(page, /Turned: R3\./);
  const after = await Promise.all([0, 1, 2, 3].map(part));
  assert.deepEqual(after.slice(0, 3), before.slice(0, 3));
  assert.notEqual(after[3].replace("new: ", ""), before[3]);
  await press(page, "Dora joins");
  await news(page, /it reads from message 1 on/);
  await press(page, "Send a message");
  await news(page, /One message for everybody/);
  const dora = () => page.locator("#room tbody tr td:last-child").allInnerTexts();
  assert.deepEqual(await dora(), ["cannot (UnknownIndex)", "reads it"]);
  await press(page, "Share");
  await news(page, /Bob turned his own key/);
  assert.deepEqual(await dora(), ["reads it", "reads it"]);
  await press(page, "Send 250 more");
  await news(page, /250 messages for everybody/);
  await press(page, "Send 250 more");
  await news(page, /Turned: R2, R3/);
}

async function check(page) {
  const seen = () =>
    page
      .locator("#check article")
      .evaluateAll((screens) =>
        screens.map((screen) =>
          [...screen.querySelectorAll("li")].map((li) => li.textContent).join(),
        ),
      );
  await press(page, "Compare");
  const [alice, bob] = await seen();
  assert.equal(alice, bob);
  assert.equal(alice.split(",").length, 7);
  await press(page, "They match");
  await news(page, /Nobody is in between/);
  await press(page, "Compare, with Mallory in between");
  const [a, b] = await seen();
  assert.notEqual(a, b);
  await press(page, "They differ");
  await news(page, /gave her away/);
}

async function again(page) {
  await press(page, "Alice writes an order");
  await press(page, "Deliver it");
  await news(page, /Bob reads “Please send ten tulips”/);
  await press(page, "Deliver the same letter again");
  await news(page, /Bob refuses it: Replayed. Nothing changed/);
}

async function take(page) {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    press(page, "Save what happened as JSON"),
  ]);
  await copyFile(await download.path(), file);
  const saved = JSON.parse(await readFile(file, "utf8"));
  const steps = (path) => saved[path].step.map((step) => step.split(" ").slice(0, 3).join(" "));
  assert.deepEqual(Object.keys(saved).sort(), [
    "megolm-transcript/room-1.txt",
    "olm-transcript/again-1.txt",
    "olm-transcript/meet-1.txt",
    "olm-transcript/talk-1.txt",
  ]);
  const again = steps("olm-transcript/again-1.txt");
  assert.deepEqual(again.slice(1), ["bob receive 0", "bob refuse replay"]);
  const talk = steps("olm-transcript/talk-1.txt");
  for (const step of ["bob refuse mac", "bob receive 4", "bob receive 2", "bob refuse replay"]) {
    assert.ok(talk.includes(step), step);
  }
  const room = steps("megolm-transcript/room-1.txt");
  assert.equal(room.filter((step) => step.startsWith("send ")).length, 502);
}

/** WCAG AA: texts have a contrast of 4.5 to what is behind them. */
async function contrast(page) {
  const low = await page.evaluate(() => {
    const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = (colour) => {
      const [r, g, b] = numbers(colour)
        .slice(0, 3)
        .map((value) => {
          const part = value / 255;
          return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
      for (let e = element; e; e = e.parentElement) {
        const { backgroundColor } = getComputedStyle(e);
        if (numbers(backgroundColor)[3] !== 0) return backgroundColor;
      }
      return "rgb(255, 255, 255)";
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let texts = 0;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || !element.checkVisibility()) continue;
      texts += 1;
      const pair = [light(getComputedStyle(element).color), light(behind(element))];
      const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
      if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${element.className} ${node.data.trim()}`);
    }
    return { found, texts };
  });
  assert.ok(low.texts > 100, String(low.texts));
  assert.deepEqual(low.found, []);
}

/** Nothing is wider than the screen, and every control can be hit with a finger. */
async function fits(page) {
  const { wide, small } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    small: [...document.querySelectorAll("button, input")]
      .filter((control) => control.checkVisibility() && control.getBoundingClientRect().height < 24)
      .map((control) => control.outerHTML),
  }));
  assert.equal(wide, 0);
  assert.deepEqual(small, []);
}

/** Every control has a name, ids are not used twice, and headings go down one level at a time. */
async function names(page) {
  const wrong = await page.evaluate(() => {
    const found = [];
    for (const control of document.querySelectorAll("button, input")) {
      const name = control.getAttribute("aria-label") ?? control.labels?.[0]?.textContent ?? "";
      if (!(name || control.textContent).trim()) found.push(control.outerHTML);
    }
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    found.push(...ids.filter((id, i) => ids.indexOf(id) !== i));
    let level = 0;
    for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
      const now = Number(heading.tagName[1]);
      if (now > level + 1 && !heading.closest("article")) found.push(heading.outerHTML);
      level = now;
    }
    return found;
  });
  assert.deepEqual(wrong, []);
}

/** Presses Tab until a control has this name, then the key. */
async function byKeyboard(page, name, keyName = "Enter") {
  for (let i = 0; i < 120; i += 1) {
    const focused = await page.evaluate(() => {
      const { activeElement: e } = document;
      return e.getAttribute("aria-label") ?? e.textContent.trim();
    });
    if (focused === name) return page.keyboard.press(keyName);
    await page.keyboard.press("Tab");
  }
  throw new Error(`no way to ${name} with the keyboard`);
}

const modes = [
  { name: "desktop-light", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  {
    name: "phone-dark",
    viewport: { width: 360, height: 740 },
    colorScheme: "dark",
    hasTouch: true,
  },
];

try {
  for (const { name, ...options } of modes) {
    const { page, problems, close } = await open(options);
    await fits(page);
    await shot(page, `${name}-before`);
    await meet(page);
    await talk(page);
    if (shots) await page.locator("#talk").screenshot({ path: join(shots, `${name}-talk.png`) });
    await thief(page);
    await room(page);
    await check(page);
    await again(page);
    await take(page);
    await fits(page);
    await names(page);
    await contrast(page);
    await shot(page, `${name}-after`);
    // The other colours, on the same page.
    await page.emulateMedia({ colorScheme: options.colorScheme === "dark" ? "light" : "dark" });
    await contrast(page);
    assert.deepEqual(problems, []);
    await close();
    console.log(`${name}: the story holds`);
  }

  const { page, problems, close } = await open({ viewport: { width: 1280, height: 900 } });
  // The focus goes on to the next step by itself, so one key is enough.
  await byKeyboard(page, "Leave the keys");
  for (const step of ["Take one and check it", "Agree and write", "Wake Bob", "Begin again"]) {
    await page.locator("button:focus").filter({ hasText: step }).waitFor();
    if (step !== "Begin again") await page.keyboard.press("Enter");
  }
  await byKeyboard(page, "Send");
  await news(page, /Message 1 waits/);
  await page.keyboard.press("Enter");
  await news(page, /Message 2 waits/);
  await byKeyboard(page, "Deliver message 2");
  await news(page, /reads message 2/);
  await page.locator("button:focus[aria-label='Deliver message 1']").waitFor();
  // Enter in the field sends, and the field keeps the focus.
  await page.locator("#draft-Bob").focus();
  await page.keyboard.press("Enter");
  await news(page, /Message 3 waits/);
  assert.equal(await page.evaluate(() => document.activeElement.id), "draft-Bob");
  await byKeyboard(page, "Alice writes an order", "Space");
  await byKeyboard(page, "Deliver it", "Space");
  await news(page, /Bob reads/);
  // A key that only Bob vouches for is shown as his.
  await byKeyboard(page, "Send a message");
  await news(page, /One message for everybody/);
  await byKeyboard(page, "Share");
  await news(page, /Bob turned his own key to message 0/);
  assert.match(await inner(page, "#room tbody"), /reads it, from Bob's export/);
  assert.deepEqual(problems, []);
  await close();
  console.log("keyboard: the story holds");
} finally {
  await browser.close();
  server.close();
}
