import { MocerilError, type OlmMessage, PreKeyBundle } from "../moceril/index.js";
import { button, h, key, news, show } from "./dom.js";
import { beginSession, giveFallbackKey, newAccount, short } from "./inspect.js";
import { hex, text, Transcript, utf8 } from "./log.js";

const ORDER = "Please send ten tulips";

/** Section 6: a first message to a fallback key, and the same message once more. */
export function again(): void {
  const [{ account: alice, random: aliceRandom }, { account: bob, random: bobRandom }] = [
    newAccount(),
    newAccount(),
  ];
  const fallbackRandom = giveFallbackKey(bob);
  const fallback = bob.signedFallbackKey()!;
  bob.markAsPublished([fallback.key]);
  let message: OlmMessage | undefined;
  let transcript: Transcript | undefined;
  const answers: { text: string; ok: boolean }[] = [];

  const write = (): void => {
    const bundle = PreKeyBundle.verify(bob.identityKeys, fallback);
    const { session, random } = beginSession(alice, bundle);
    message = session.encrypt(utf8(ORDER));
    transcript = new Transcript("olm-transcript", "again", {
      "alice-random": aliceRandom,
      "bob-random": bobRandom,
      "bob-one-time-random": "",
      "bob-fallback-random": fallbackRandom,
      uses: "fallback-key",
      "session-random": random,
      "session-id": session.sessionId,
    });
    transcript.send("alice", "send", "-", hex(utf8(ORDER)), message.type, message.body);
    render();
    news("Alice has written her first message, with Bob's fallback key.");
  };

  const deliver = (): void => {
    const sent = message!;
    const before = bob.generation;
    try {
      const made = bob.createInboundSession(alice.identityKeys.curve25519, sent);
      transcript!.step("bob", "receive", 0);
      answers.push({ text: `Bob reads “${text(made.message.plaintext)}”.`, ok: true });
    } catch (error) {
      if (!(error instanceof MocerilError)) throw error;
      transcript!.refuse("bob", error.code, sent.type, sent.body);
      const same = bob.generation === before ? " Nothing changed." : "";
      answers.push({ text: `Bob refuses it: ${error.code}.${same}`, ok: false });
    }
    render();
    news(answers.at(-1)!.text);
  };

  const render = (): void => {
    show(
      "again",
      h(
        "div",
        { class: "card narrow" },
        h(
          "p",
          {},
          "Bob's fallback key is ",
          key(short(fallback.key), "public"),
          ". It stays when it was used.",
        ),
        h(
          "div",
          { class: "row" },
          button("Alice writes an order", write, {
            main: !message,
            disabled: message !== undefined,
          }),
          button("Deliver it", deliver, {
            main: message !== undefined && answers.length === 0,
            disabled: !message || answers.length > 0,
            next: true,
          }),
          button("Deliver the same letter again", deliver, {
            disabled: answers.length === 0,
            next: true,
          }),
        ),
        h(
          "ol",
          { class: "list" },
          ...answers.map(({ text: said, ok }) => h("li", { class: ok ? "yes" : "no" }, said)),
        ),
        ...(answers.length > 1
          ? [
              h(
                "p",
                { class: "verdict" },
                "Ten tulips, not twenty. The account remembers which sessions a fallback key has " +
                  "begun.",
              ),
            ]
          : []),
      ),
    );
  };
  render();
}
