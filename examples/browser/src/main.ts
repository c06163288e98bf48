import { init } from "../moceril/index.js";
import { again } from "./again.js";
import { check } from "./check.js";
import { button, h, news, show } from "./dom.js";
import { transcripts } from "./log.js";
import { meet } from "./meet.js";
import { room } from "./room.js";
import { newLab, talk } from "./talk.js";
import { thief } from "./thief.js";

function save(): void {
  const address = URL.createObjectURL(new Blob([transcripts()], { type: "application/json" }));
  const link = h("a", { href: address, download: "ratchets.json" });
  link.click();
  URL.revokeObjectURL(address);
  news("Saved ratchets.json.");
}

try {
  await init();
  const lab = await newLab();
  talk(lab, () => void thief(lab));
  await Promise.all([meet(), thief(lab), room()]);
  check();
  again();
  show("take", button("Save what happened as JSON", save));
  document.querySelector("main")!.hidden = false;
  document.querySelector("#loading")!.remove();
} catch (error) {
  document.querySelector("#loading")!.textContent =
    "The library could not be loaded. It needs WebAssembly, and a page that is served over HTTPS " +
    "or from this machine.";
  throw error;
}
