// The types of this package are the original's, and the code has them.

import type * as Original from "original/index";
import type * as Code from "../js/olm";
import type * as Ours from "../index";

type Classes = Exclude<keyof typeof Ours, "init" | "get_library_version" | "PRIVATE_KEY_LENGTH">;
type Object<Package, Name extends keyof Package> = Package[Name] extends new () => infer O
  ? O
  : never;

// Each in place of the other.
const both = (original: typeof Original, ours: typeof Ours): [typeof Ours, typeof Original] => [
  original,
  ours,
];

// The code in place of what the types say. Two functions return nothing, although the types say
// that they return a string.
type Said<Name extends Classes> = Name extends "InboundGroupSession"
  ? Omit<Ours.InboundGroupSession, "create" | "import_session">
  : Object<typeof Ours, Name>;
type Written = { [Name in Classes]: Object<typeof Code, Name> extends Said<Name> ? true : Name };
const written: { [Name in Classes]: true } = null as unknown as Written;
const rest: Pick<typeof Ours, "get_library_version" | "PRIVATE_KEY_LENGTH"> =
  null as unknown as typeof Code;

// No member more or less.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Members = {
  [Name in Classes]: Same<keyof Object<typeof Ours, Name>, keyof Object<typeof Original, Name>>;
};
const members: { [Name in Classes]: true } = null as unknown as Members;
const names: Same<keyof typeof Ours, keyof typeof Original> = true;

export { both, members, names, rest, written };
