import { type Account, PreKeyBundle, readOlmMessage, type OlmMessage } from "../moceril/index.js";
import { button, h, key, news, show } from "./dom.js";
import { beginSession, giveOneTimeKeys, inspect, newAccount, short } from "./inspect.js";
import { hex, text, Transcript, utf8 } from "./log.js";

interface Step {
  title: string;
  body: (Node | string)[];
  action: string;
  done: string;
}

/** Section 1: Bob leaves keys, Alice makes a session with them, Bob makes his end. */
export async function meet(): Promise<void> {
  const [{ account: alice, random: aliceRandom }, { account: bob, random: bobRandom }] = [
    newAccount(),
    newAccount(),
  ];
  const oneTimeRandom = giveOneTimeKeys(bob, 3);
  const identity = { alice: alice.identityKeys.curve25519, bob: bob.identityKeys.curve25519 };
  const published = bob.signedOneTimeKeys();
  const chosen = published[0]!;
  bob.markAsPublished(published.map(({ key }) => key));

  let at = 0;
  let message: OlmMessage | undefined;
  let transcript: Transcript | undefined;
  let roots: string[] = [];
  let base = "";
  const stock = (): HTMLElement =>
    h(
      "p",
      { class: "inline" },
      ...published.map((one) =>
        one === chosen && at === 4 ? key(short(one.key), "gone") : key(short(one.key), "public"),
      ),
    );

  const agreement = (name: string, ours: string, theirs: string): HTMLElement =>
    h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, ours), h("td", {}, theirs));

  const steps = (): Step[] => [
    {
      title: "Bob leaves keys with the server.",
      action: "Leave the keys",
      done: "The server has Bob's identity key and three one-time keys, each signed by his phone.",
      body: [
        h("p", {}, "His identity key ", key(short(identity.bob), "public"), " and one-time keys:"),
        stock(),
      ],
    },
    {
      title: "Alice takes one of them and checks Bob's signature.",
      action: "Take one and check it",
      done: `Alice has verified that Bob's phone signed the one-time key ${short(chosen.key)}`,
      body: [
        h(
          "p",
          {},
          "She takes ",
          key(short(chosen.key), "public"),
          ". A key that the server made up would be refused here.",
        ),
      ],
    },
    {
      title: "Alice agrees with Bob's keys, three times.",
      action: "Agree and write",
      done: "Alice has a secret root key, and has written her first message with it.",
      body: [
        h(
          "div",
          { class: "scroll", tabindex: 0, role: "region", "aria-label": "The three agreements" },
          h(
            "table",
            { class: "agree" },
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                ...["agreement", "Alice's key", "Bob's key"].map((name) =>
                  h("th", { scope: "col" }, name),
                ),
              ),
            ),
            h(
              "tbody",
              {},
              agreement(
                "proves it is Alice",
                `identity ${short(identity.alice)}`,
                `one-time ${short(chosen.key)}`,
              ),
              agreement(
                "only Bob can read it",
                `new base key ${base}`,
                `identity ${short(identity.bob)}`,
              ),
              agreement(
                "fresh on both sides",
                `new base key ${base}`,
                `one-time ${short(chosen.key)}`,
              ),
            ),
          ),
        ),
        h(
          "p",
          {},
          "The three results are hashed together into the root key ",
          key(roots[0] ?? "", "fresh"),
          ".",
        ),
      ],
    },
    {
      title: "Bob wakes up, and gets the same secret from her first message.",
      action: "Wake Bob",
      done:
        "Both have the same root key, which never went over the network. The one-time key is " +
        "deleted.",
      body: [
        h(
          "p",
          {},
          "The message names the three public keys. Bob has the private halves of his, so he " +
            "computes ",
          key(roots[1] ?? "", roots[1] === roots[0] ? "fresh" : "risk"),
          " too, reads “",
          h("span", { class: "yes" }, "Hello Bob, are you there?"),
          "”, and deletes the one-time key, so that nobody can ever do it again:",
        ),
        stock(),
      ],
    },
  ];

  const act = async (): Promise<void> => {
    at += 1;
    if (at === 3) {
      const bundle = PreKeyBundle.verify(bob.identityKeys, chosen);
      const { session, random } = beginSession(alice, bundle);
      roots = [(await inspect(session)).root!];
      const hello = utf8("Hello Bob, are you there?");
      message = session.encrypt(hello);
      base = short(readOlmMessage(message).sessionKeys!.baseKey);
      transcript = new Transcript("olm-transcript", "meet", {
        "alice-random": aliceRandom,
        "bob-random": bobRandom,
        "bob-one-time-random": oneTimeRandom,
        uses: "one-time-key 0",
        "session-random": random,
        "session-id": session.sessionId,
      });
      transcript.send("alice", "send", "-", hex(hello), message.type, message.body);
    }
    if (at === 4) {
      const before = await rootOf(bob, identity.alice, message!);
      if (before.read !== "Hello Bob, are you there?") throw new Error("the message changed");
      roots = [roots[0]!, before.root];
      transcript!.step("bob", "receive", 0);
    }
    render();
    news(steps()[at - 1]!.done);
  };

  const render = (): void => {
    const all = steps();
    const items = all
      .slice(0, at + 1)
      .map((step, index) =>
        h(
          "li",
          {},
          h("h3", {}, step.title),
          ...(index < at ? step.body : []),
          ...(index === at
            ? [button(step.action, () => void act(), { main: true, next: true })]
            : []),
        ),
      );
    const end =
      at === all.length
        ? [
            h(
              "p",
              { class: "verdict" },
              "Same secret at both ends: ",
              key(roots[0]!, "live"),
              " = ",
              key(roots[1]!, "live"),
            ),
            button("Begin again", () => void meet().then(() => news("Two new strangers.")), {
              next: true,
            }),
          ]
        : [];
    show("meet", h("div", { class: "card narrow" }, h("ol", { class: "steps" }, ...items), ...end));
  };
  render();
}

/** Bob's end of the session, and the root key from which Alice wrote. */
async function rootOf(
  bob: Account,
  sender: string,
  message: OlmMessage,
): Promise<{ root: string; read: string }> {
  const { session, message: decrypted } = bob.createInboundSession(sender, message);
  return { root: (await inspect(session)).root!, read: text(decrypted.plaintext) };
}
