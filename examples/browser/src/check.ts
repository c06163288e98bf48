import { type Emoji, Sas } from "../moceril/index.js";
import { button, h, news, show } from "./dom.js";
import { utf8 } from "./log.js";

const INFO = utf8("MATRIX_KEY_VERIFICATION_SAS|@alice:example.org|A|@bob:example.org|B|page");

/** What each end sees: with nobody in between, or with Mallory, who agrees with both. */
function screens(mallory: boolean): [Emoji[], Emoji[]] {
  const [alice, bob] = [new Sas(), new Sas()];
  const [aliceKey, bobKey] = [alice.publicKey, bob.publicKey];
  if (!mallory) {
    const [a, b] = [alice.diffieHellman(bobKey), bob.diffieHellman(aliceKey)];
    return [a.emoji(INFO), b.emoji(INFO)];
  }
  const [toAlice, toBob] = [new Sas(), new Sas()];
  const a = alice.diffieHellman(toAlice.publicKey);
  const b = bob.diffieHellman(toBob.publicKey);
  return [a.emoji(INFO), b.emoji(INFO)];
}

/** Section 5: seven pictures on two screens, and the reader decides. */
export function check(): void {
  let mallory = false;
  let pictures: [Emoji[], Emoji[]] | undefined;
  let answer: "match" | "differ" | undefined;

  const compare = (between: boolean): void => {
    mallory = between;
    pictures = screens(between);
    answer = undefined;
    render();
    news("Both phones show seven pictures. Compare them.");
  };

  const decide = (says: "match" | "differ"): void => {
    answer = says;
    render();
    news(outcome());
  };

  const outcome = (): string => {
    const right = (answer === "differ") === mallory;
    if (mallory) {
      return right
        ? "Right. Mallory sat in between and had a different secret with each of them. The pictures " +
            "gave her away."
        : "Look again: Mallory is in between, and now both would trust her keys.";
    }
    return right
      ? "Right. Nobody is in between, and each phone now vouches for its long-term keys."
      : "They are the same. Nobody is in between; a careful no costs only another try.";
  };

  const screen = (name: string, emoji: Emoji[]): HTMLElement =>
    h(
      "article",
      { class: "card", "aria-label": `${name}'s screen` },
      h("h3", {}, `${name}'s screen`),
      h(
        "ol",
        { class: "emoji" },
        ...emoji.map(({ symbol, description }) =>
          h("li", {}, h("span", { "aria-hidden": "true" }, symbol), description),
        ),
      ),
    );

  const render = (): void => {
    show(
      "check",
      h(
        "div",
        { class: "row" },
        button("Compare", () => compare(false), { main: true }),
        button("Compare, with Mallory in between", () => compare(true)),
      ),
      ...(pictures
        ? [
            h(
              "div",
              { class: "grid two" },
              screen("Alice", pictures[0]),
              screen("Bob", pictures[1]),
            ),
            h(
              "div",
              { class: "row" },
              button("They match", () => decide("match"), { next: true }),
              button("They differ", () => decide("differ")),
            ),
          ]
        : []),
      ...(answer ? [h("p", { class: "verdict" }, outcome())] : []),
    );
  };
  render();
}
