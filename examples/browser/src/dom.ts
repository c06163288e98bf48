/** An element with attributes, listeners (`onClick`) and children. Text is always text. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | boolean | number | (() => void)> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2).toLowerCase(), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/** Says what happened, to everybody: on the screen, and to a screen reader. */
export function news(text: string): void {
  document.querySelector("#news")!.textContent = text;
}

/**
 * Shows a section anew. The focus stays on the control that had it, known by its `data-focus`; if
 * that control is gone or cannot be pressed any more, it goes to the next one that can.
 */
export function show(section: string, ...children: (Node | string)[]): void {
  const stage = document.querySelector(`#${section} .stage`)!;
  const focused = document.activeElement;
  const within = focused instanceof HTMLElement && stage.contains(focused);
  const name = within ? focused.dataset["focus"] : undefined;
  stage.replaceChildren(...children);
  if (!within) return;
  const controls = [...stage.querySelectorAll<HTMLElement>("button:enabled, input, select")];
  const same = controls.find((control) => name !== undefined && control.dataset["focus"] === name);
  (
    same ??
    controls.find((control) => control.dataset["next"] !== undefined) ??
    controls[0]
  )?.focus();
}

/** A button. `next` marks the one to which the focus goes when the pressed one is gone. */
export function button(
  text: string,
  onClick: () => void,
  options: {
    main?: boolean;
    slim?: boolean;
    disabled?: boolean;
    label?: string;
    next?: boolean;
  } = {},
): HTMLButtonElement {
  const element = h(
    "button",
    { type: "button", onClick, "data-focus": options.label ?? text },
    text,
  );
  element.className = options.main ? "main" : options.slim ? "slim" : "";
  if (options.label) element.setAttribute("aria-label", options.label);
  if (options.next) element.dataset["next"] = "";
  element.disabled = options.disabled ?? false;
  return element;
}

export type KeyState = "live" | "fresh" | "gone" | "risk" | "public";

const MEANING: Record<KeyState, string> = {
  live: "",
  fresh: "new: ",
  gone: "deleted: ",
  risk: "stolen: ",
  public: "",
};

/** The fingerprint of a key, or the beginning of a public key. */
export function key(text: string, state: KeyState): HTMLElement {
  const meaning = MEANING[state];
  const before = meaning ? [h("span", { class: "hidden" }, meaning)] : [];
  return h("span", { class: `key ${state}` }, ...before, text);
}

/** Rows of names and keys. */
export function keys(rows: [string, (Node | string)[]][]): HTMLElement {
  const cells = rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, ...value)]);
  return h("dl", { class: "keys" }, ...cells);
}
