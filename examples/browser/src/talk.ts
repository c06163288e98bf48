import {
  MocerilError,
  type OlmMessage,
  type OlmMessageHeader,
  PreKeyBundle,
  readOlmMessage,
  type Session,
} from "../moceril/index.js";
import { button, h, key, keys, news, show } from "./dom.js";
import {
  beginSession,
  encryptShowingKey,
  giveOneTimeKeys,
  inspect,
  type Keys,
  newAccount,
  short,
} from "./inspect.js";
import { hex, text, Transcript, utf8 } from "./log.js";

export type Name = "Alice" | "Bob";
export const other = (name: Name): Name => (name === "Alice" ? "Bob" : "Alice");

/** A message that went over the network. Whoever listens has it for ever. */
export interface Packet {
  number: number;
  from: Name;
  /** Its place among all that were sent in this conversation. */
  place: number;
  message: OlmMessage;
  header: OlmMessageHeader;
  /** The fingerprint of its key. */
  key: string;
  state: "waiting" | "delivered" | "dropped";
  /** How often somebody tried something else with it, and what came of it. */
  note: string;
}

interface Phone {
  session: Session;
  conversation: { text: string; own: boolean }[];
  keys: Keys;
  fresh: Set<string>;
  gone: string[];
}

export interface Lab {
  phones: Record<Name, Phone>;
  packets: Packet[];
  transcript: Transcript;
}

/** The codes of errors that the page's buttons can lead to, in words. */
const REFUSED: Partial<Record<string, string>> = {
  AlreadyUsed: "the key of this message was used and deleted",
  Authentication: "the message was altered on the way",
  Evicted: "the key of this message was deleted to make room",
  Format: "the message was altered on the way",
};

/** What the two could write, for readers who do not want to think of something. */
const IDEAS: Record<Name, string[]> = {
  Alice: ["Shall we meet?", "At the old bridge", "Bring a lamp", "And do not tell Mallory"],
  Bob: ["Yes, at eight", "Which bridge?", "I have a lamp", "I never do"],
};

const prints = (found: Keys): string[] => [
  ...(found.root ? [found.root] : []),
  ...(found.sending ? [found.sending.fingerprint] : []),
  ...found.receiving.map((chain) => chain.fingerprint),
  ...found.late.map((late) => late.fingerprint),
];

/** Looks at the keys again. `used` is the key of a message, which was made and deleted. */
async function look(phone: Phone, used: string): Promise<void> {
  const before = new Set(prints(phone.keys));
  phone.keys = await inspect(phone.session);
  const now = new Set(prints(phone.keys));
  phone.fresh = new Set([...now].filter((print) => !before.has(print)));
  const gone = [used, ...before].filter((print) => !now.has(print));
  phone.gone = [...new Set([...gone, ...phone.gone])].slice(0, 8);
}

/** A new conversation, in which both ends have read one message of the other. */
export async function newLab(): Promise<Lab> {
  const [{ account: alice, random: aliceRandom }, { account: bob, random: bobRandom }] = [
    newAccount(),
    newAccount(),
  ];
  const oneTimeRandom = giveOneTimeKeys(bob, 1);
  const bundle = PreKeyBundle.verify(bob.identityKeys, bob.signedOneTimeKeys()[0]!);
  const { session: toBob, random: sessionRandom } = beginSession(alice, bundle);
  const [hello, answer] = [utf8("Hello Bob"), utf8("Hello Alice")];
  const first = toBob.encrypt(hello);
  const { session: toAlice } = bob.createInboundSession(alice.identityKeys.curve25519, first);
  const { message: second, random } = await encryptShowingKey(toAlice, answer);
  toBob.decrypt(second);
  const transcript = new Transcript("olm-transcript", "talk", {
    "alice-random": aliceRandom,
    "bob-random": bobRandom,
    "bob-one-time-random": oneTimeRandom,
    uses: "one-time-key 0",
    "session-random": sessionRandom,
    "session-id": toBob.sessionId,
  });
  transcript.send("alice", "send", "-", hex(hello), first.type, first.body);
  transcript.step("bob", "receive", 0);
  transcript.send("bob", "send", random, hex(answer), second.type, second.body);
  transcript.step("alice", "receive", 1);
  const phone = async (session: Session): Promise<Phone> => ({
    session,
    conversation: [],
    keys: await inspect(session),
    fresh: new Set(),
    gone: [],
  });
  const phones = { Alice: await phone(toBob), Bob: await phone(toAlice) };
  return { phones, packets: [], transcript };
}

/** Section 2: two phones, and a network that the reader is. */
export function talk(lab: Lab, changed: () => void): void {
  const drafts: Record<Name, string> = { Alice: IDEAS.Alice[0]!, Bob: IDEAS.Bob[0]! };
  const again = (): void => {
    render();
    changed();
  };

  const send = async (from: Name, plaintext: string): Promise<void> => {
    if (plaintext === "") return;
    const phone = lab.phones[from];
    const bytes = utf8(plaintext);
    const { message, key: used, random } = await encryptShowingKey(phone.session, bytes);
    const { type, body } = message;
    const place = lab.transcript.send(from.toLowerCase(), "send", random, hex(bytes), type, body);
    const header = readOlmMessage(message);
    const number = lab.packets.length + 1;
    const state = "waiting";
    lab.packets.push({ number, from, place, message, header, key: used, state, note: "" });
    phone.conversation.push({ text: plaintext, own: true });
    const written = lab.packets.filter((packet) => packet.from === from).length;
    drafts[from] = IDEAS[from][written % IDEAS[from].length]!;
    await look(phone, used);
    again();
    news(
      `Message ${number} waits in the network. ${from} has moved the chain one step on, and cannot ` +
        "read the message any more.",
    );
  };

  const attempt = async (packet: Packet, message: OlmMessage, what: string): Promise<void> => {
    const to = other(packet.from);
    const phone = lab.phones[to];
    const before = phone.session.generation;
    try {
      const read = text(phone.session.decrypt(message).plaintext);
      packet.state = "delivered";
      phone.conversation.push({ text: read, own: false });
      lab.transcript.step(to.toLowerCase(), "receive", packet.place);
      const late = phone.keys.late.length;
      await look(phone, packet.key);
      const stored = phone.keys.late.length - late;
      const more =
        stored > 0
          ? ` It kept ${stored} key${stored > 1 ? "s" : ""} for messages that have not come yet.`
          : "";
      news(`${to} reads message ${packet.number} and deletes its key.${more}`);
    } catch (error) {
      if (!(error instanceof MocerilError)) throw error;
      lab.transcript.refuse(to.toLowerCase(), error.code, message.type, message.body);
      const unchanged =
        phone.session.generation === before ? " Nothing has changed on the phone." : "";
      packet.note = `${what}: refused, ${error.code}`;
      news(`${to} refuses it: ${REFUSED[error.code] ?? error.message}.${unchanged}`);
    }
    again();
  };

  const forged = ({ type, body }: OlmMessage): OlmMessage => {
    const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
    bytes[bytes.length - 12]! ^= 1; // within the ciphertext, before the authentication code
    return { type, body: btoa(String.fromCharCode(...bytes)).replace(/=+$/, "") };
  };

  const packetItem = (packet: Packet): HTMLElement => {
    const { number, from, header, state, note } = packet;
    const about = `message ${number}`;
    const actions =
      state === "waiting"
        ? [
            button("Deliver", () => void attempt(packet, packet.message, "delivered"), {
              slim: true,
              next: true,
              label: `Deliver ${about}`,
            }),
            button("Forge a byte", () => void attempt(packet, forged(packet.message), "forged"), {
              slim: true,
              label: `Forge a byte of ${about}`,
            }),
            button("Drop", () => drop(packet), { slim: true, label: `Drop ${about}` }),
          ]
        : state === "dropped"
          ? [
              button("Deliver late", () => void attempt(packet, packet.message, "late"), {
                slim: true,
                label: `Deliver ${about} late`,
              }),
            ]
          : [
              button("Replay", () => void attempt(packet, packet.message, "replayed"), {
                slim: true,
                label: `Replay ${about}`,
              }),
            ];
    const tag = note !== "" ? note : state;
    return h(
      "li",
      { class: "packet" },
      h(
        "div",
        { class: "head" },
        h(
          "span",
          {},
          h("strong", {}, `${number}. ${from} → ${other(from)}`),
          `, number ${header.chainIndex} of chain ${short(header.ratchetKey)}`,
        ),
        h("span", { class: `tag ${state === "delivered" && note === "" ? "ok" : "bad"}` }, tag),
      ),
      h(
        "p",
        { class: "lock" },
        state === "delivered" ? "was locked with " : "locked with ",
        key(packet.key, state === "delivered" ? "gone" : "live"),
      ),
      // The beginning is the same for all messages of a chain.
      h("span", { class: "cipher" }, `…${packet.message.body.slice(-44)}`),
      h("div", { class: "row" }, ...actions),
    );
  };

  const drop = (packet: Packet): void => {
    packet.state = "dropped";
    again();
    news(
      `Message ${packet.number} is lost. Once a later one has arrived, its key is kept for a while, ` +
        "in case it comes after all.",
    );
  };

  const phoneCard = (name: Name): HTMLElement => {
    const { conversation, keys: held, fresh, gone } = lab.phones[name];
    const show_ = (print: string): HTMLElement => key(print, fresh.has(print) ? "fresh" : "live");
    const input = h("input", {
      type: "text",
      id: `draft-${name}`,
      "data-focus": `draft-${name}`,
      value: drafts[name],
      maxlength: 60,
      autocomplete: "off",
    });
    input.addEventListener("input", () => (drafts[name] = input.value));
    const form = h(
      "form",
      { class: "row", "aria-label": `Write as ${name}` },
      h("label", { for: `draft-${name}`, class: "hidden" }, `${name} writes`),
      input,
      h("button", { type: "submit", class: "main", "data-focus": `send-${name}` }, "Send"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void send(name, input.value.trim());
    });
    const sending: [string, (Node | string)[]] = held.sending
      ? [`sending chain, at number ${held.sending.next}`, [show_(held.sending.fingerprint)]]
      : ["sending chain", ["not begun"]];
    return h(
      "article",
      { class: "card", "aria-label": `${name}'s phone` },
      h("h3", {}, `${name}'s phone`),
      h(
        "div",
        {},
        ...(conversation.length === 0 ? [h("p", { class: "hint" }, "Nothing written yet.")] : []),
        ...conversation
          .slice(-5)
          .map(({ text: said, own }) => h("p", { class: own ? "said own" : "said" }, said)),
      ),
      form,
      h("h4", {}, "Keys it holds now"),
      keys([
        ["root key", [held.root ? show_(held.root) : "none"]],
        sending,
        ...held.receiving
          .slice(0, 2)
          .map((chain): [string, (Node | string)[]] => [
            `receiving chain ${chain.name}, at number ${chain.next}`,
            [show_(chain.fingerprint)],
          ]),
        ...held.late.map((late): [string, (Node | string)[]] => [
          `kept for late number ${late.number} of ${late.chain}`,
          [show_(late.fingerprint)],
        ]),
      ]),
      h("h4", {}, "Deleted, last first"),
      gone.length === 0
        ? h("p", { class: "hint" }, "Nothing yet.")
        : h("p", { class: "inline" }, ...gone.map((print) => key(print, "gone"))),
    );
  };

  const render = (): void => {
    const waiting = lab.packets.filter((packet) => packet.state === "waiting").length;
    const network = h(
      "article",
      { class: "card network", "aria-label": "The network" },
      h("h3", {}, `The network, where you are${waiting > 0 ? `: ${waiting} waiting` : ""}`),
      lab.packets.length === 0
        ? h(
            "p",
            { class: "hint" },
            "Let Alice send two or three messages. Then deliver the last one first, and see which " +
              "keys Bob keeps for the others.",
          )
        : h("ol", { class: "list" }, ...lab.packets.map(packetItem).reverse()),
    );
    show("talk", h("div", { class: "grid three" }, phoneCard("Alice"), network, phoneCard("Bob")));
  };
  render();
}
