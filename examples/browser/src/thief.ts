import { MocerilError, Session } from "../moceril/index.js";
import { button, h, key, news, show } from "./dom.js";
import { inspect, readOwn } from "./inspect.js";
import { text } from "./log.js";
import { type Lab, type Name, other, type Packet } from "./talk.js";

interface Theft {
  victim: Name;
  /** The stolen session, as text: each attempt begins with it anew. */
  copy: string;
  /** How many messages there were when it was stolen. */
  before: number;
}

const KEY = crypto.getRandomValues(new Uint8Array(32));
const PLACE = new TextEncoder().encode("the thief's disk");

/** What the thief reads, by the number of the message: a real attempt with the stolen keys. */
export function attempts(theft: Theft, packets: Packet[]): Map<number, string> {
  const read = new Map<number, string>();
  const restored = (): Session => Session.fromPickle(theft.copy, KEY, PLACE);
  const [listening, still] = [restored(), restored()];
  for (const packet of packets) {
    if (packet.from === theft.victim) {
      const plaintext = readOwn(still, packet.message);
      if (plaintext) read.set(packet.number, text(plaintext));
      continue;
    }
    try {
      read.set(packet.number, text(listening.decrypt(packet.message).plaintext));
    } catch (error) {
      if (!(error instanceof MocerilError)) throw error;
    }
  }
  listening.free();
  still.free();
  return read;
}

let theft: Theft | undefined;

/** Section 3: the conversation of section 2, with a copy of one phone in wrong hands. */
export async function thief(lab: Lab): Promise<void> {
  const steal = async (victim: Name): Promise<void> => {
    const copy = lab.phones[victim].session.pickle(KEY, PLACE);
    theft = { victim, copy, before: lab.packets.length };
    await thief(lab);
    news(
      `The thief has copied all keys of ${victim}'s phone. Go on writing in section 2, and come ` +
        "back.",
    );
  };

  const choose = h(
    "div",
    { class: "row" },
    ...(["Bob", "Alice"] as const).map((name) =>
      button(`Copy ${name}'s phone now`, () => void steal(name), {
        main: name === "Bob" && !theft,
      }),
    ),
  );
  if (!theft) {
    const hint =
      lab.packets.length === 0
        ? "First write a few messages in section 2 and deliver some of them."
        : "Choose the moment.";
    return show(
      "thief",
      h("div", { class: "card narrow" }, choose, h("p", { class: "hint" }, hint)),
    );
  }

  const { victim, before } = theft;
  const session = Session.fromPickle(theft.copy, KEY, PLACE);
  const stolen = await inspect(session);
  session.free();
  const read = attempts(theft, lab.packets);
  const rows = lab.packets.map((packet) => {
    const plaintext = read.get(packet.number);
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, `${packet.number}. from ${packet.from}`),
      h("td", {}, packet.number <= before ? "before" : "after"),
      plaintext === undefined
        ? h("td", { class: "no" }, "cannot read it")
        : h("td", { class: "stolen" }, `reads “${plaintext}”`),
    );
  });
  const last = lab.packets.at(-1);
  const after = lab.packets.slice(before);
  const healed = last !== undefined && last.number > before && !read.has(last.number);
  const past = lab.packets
    .slice(0, before)
    .filter((packet) => packet.state === "delivered" && read.has(packet.number));
  const verdict = healed
    ? "Healed: the thief is locked out again."
    : after.length === 0
      ? past.length === 0
        ? "Nothing that was delivered before can be read: its keys are gone."
        : "The thief reads what was written from the chain that it has."
      : "The thief still listens.";
  const advice = healed
    ? `A reply of ${victim} was made with a new secret number, drawn after the theft. The thief ` +
      "cannot compute what follows from it."
    : `To heal, each end must answer the other: let ${other(victim)} write and deliver it to ` +
      `${victim}, and then let ${victim} answer. The answer begins a chain with a new secret number.`;
  const copied = [
    ...(stolen.root ? [stolen.root] : []),
    ...(stolen.sending ? [stolen.sending.fingerprint] : []),
    ...stolen.receiving.map((chain) => chain.fingerprint),
    ...stolen.late.map((late) => late.fingerprint),
  ];
  show(
    "thief",
    h(
      "div",
      { class: "card" },
      choose,
      h("h3", {}, `Stolen from ${victim}'s phone, after message ${before}`),
      h("p", { class: "inline" }, ...copied.map((print) => key(print, "risk"))),
      rows.length === 0
        ? h(
            "p",
            { class: "hint" },
            "No message went over the network yet. Write some in section 2.",
          )
        : h(
            "div",
            { class: "scroll", tabindex: 0, role: "region", "aria-label": "What the thief reads" },
            h(
              "table",
              { class: "agree" },
              h(
                "thead",
                {},
                h(
                  "tr",
                  {},
                  ...["message", "theft", "the thief"].map((name) =>
                    h("th", { scope: "col" }, name),
                  ),
                ),
              ),
              h("tbody", {}, ...rows),
            ),
          ),
      h(
        "p",
        { class: healed || (after.length === 0 && past.length === 0) ? "verdict" : "verdict risk" },
        verdict,
      ),
      h("p", { class: "hint narrow" }, advice),
    ),
  );
}
