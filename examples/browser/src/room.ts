import { InboundGroupSession, MocerilError } from "../moceril/index.js";
import { button, h, key, news, show } from "./dom.js";
import { newGroup, parts } from "./inspect.js";
import { hex, text, Transcript, utf8 } from "./log.js";

interface Said {
  index: number;
  message: string;
  plaintext: string;
}

/** Section 4: a room, a key of four parts, and somebody who joins late. */
export async function room(): Promise<void> {
  const { group: sender, random } = newGroup();
  const bob = new InboundGroupSession(sender.sessionKey);
  const transcript = new Transcript("megolm-transcript", "room", {
    "group-random": random,
    "session-id": sender.sessionId,
    "session-key": sender.sessionKey,
  });
  const said: Said[] = [];
  let dora: InboundGroupSession | undefined;
  let joined = false;
  let shareFrom = 0;
  let current = await parts(sender.sessionKey);
  let turned = [false, false, false, false];

  const say = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) {
      const index = sender.messageIndex;
      const plaintext = `message ${index}`;
      const message = sender.encrypt(utf8(plaintext));
      transcript.send("send", hex(utf8(plaintext)), message);
      said.push({ index, message, plaintext });
    }
    const now = await parts(sender.sessionKey);
    turned = now.map((part, i) => part !== current[i]);
    current = now;
    render();
    const names = turned.flatMap((yes, i) => (yes ? [`R${i}`] : []));
    news(
      `${count === 1 ? "One message" : `${count} messages`} for everybody, encrypted once each. ` +
        `Turned: ${names.join(", ")}.`,
    );
  };

  const join = (): void => {
    const given = new InboundGroupSession(sender.sessionKey);
    transcript.step("session-key", sender.sessionKey);
    dora = (dora && given.merge(dora)) ?? given;
    joined = true;
    render();
    news(
      "Dora joins. Alice gives her the key as it is now: it reads from message " +
        `${given.firstKnownIndex} on.`,
    );
  };

  const share = (): void => {
    const index = Math.min(shareFrom, said.length);
    const exported = bob.exportAt(index);
    transcript.step("export", index, exported);
    const older = InboundGroupSession.import(exported);
    dora = dora?.merge(older) ?? older;
    render();
    news(
      `Bob turned his own key to message ${index} and gave it to Dora. If she has the key from ` +
        "Alice, her phone checks that the one leads to the other.",
    );
  };

  const reads = (session: InboundGroupSession, { message, plaintext }: Said): HTMLElement => {
    try {
      const decrypted = session.decrypt(message);
      if (text(decrypted.plaintext) !== plaintext) throw new Error("the message changed");
      const word = decrypted.provenance === "signed" ? "reads it" : "reads it, from Bob's export";
      return h("td", { class: "yes" }, word);
    } catch (error) {
      if (!(error instanceof MocerilError)) throw error;
      return h("td", { class: "no" }, `cannot (${error.code})`);
    }
  };

  const render = (): void => {
    const shown = said.length <= 6 ? said : [...said.slice(0, 2), ...said.slice(-4)];
    const rows = shown.map((one) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, `${one.index}`),
        reads(bob, one),
        dora ? reads(dora, one) : h("td", { class: "no" }, "not here yet"),
      ),
    );
    const from = h("input", {
      type: "number",
      id: "share-from",
      "data-focus": "share-from",
      min: 0,
      max: Math.max(said.length, 0),
      value: shareFrom,
    });
    from.addEventListener("input", () => {
      shareFrom = Math.max(0, Math.floor(from.valueAsNumber || 0));
    });
    show(
      "room",
      h(
        "div",
        { class: "card" },
        h("h3", {}, `Alice's key for message ${sender.messageIndex}`),
        h(
          "div",
          { class: "parts" },
          ...current.map((part, i) =>
            h(
              "div",
              { class: turned[i] ? "part turned" : "part" },
              h("b", {}, `R${"₀₁₂₃"[i]}`),
              key(part, turned[i] ? "fresh" : "live"),
            ),
          ),
        ),
        h(
          "div",
          { class: "row" },
          button("Send a message", () => void say(1), { main: true }),
          button("Send 250 more", () => void say(250)),
          button("Dora joins", join, { disabled: joined }),
        ),
        h(
          "div",
          { class: "row" },
          h("label", { for: "share-from" }, "Bob gives Dora the history from message"),
          from,
          button("Share", share, { disabled: said.length === 0 }),
        ),
        said.length === 0
          ? h("p", { class: "hint" }, "Send some messages, then let Dora join. Which can she read?")
          : h(
              "div",
              {
                class: "scroll",
                tabindex: 0,
                role: "region",
                "aria-label": "Who can read which message",
              },
              h(
                "table",
                { class: "agree" },
                h(
                  "thead",
                  {},
                  h(
                    "tr",
                    {},
                    ...["message", "Bob, from the start", "Dora"].map((name) =>
                      h("th", { scope: "col" }, name),
                    ),
                  ),
                ),
                h("tbody", {}, ...rows),
              ),
            ),
      ),
    );
  };
  render();
}
