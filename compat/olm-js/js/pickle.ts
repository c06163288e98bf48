// What every object has that can be stored.

import { call, secret, type Text, text } from "./memory";
import type { Kind, Native } from "./object";

export function pickle(object: Native, kind: Kind, key: Text): string {
  return call(() =>
    secret(key, (key) => {
      const length = kind.ask(object, `pickle_${kind.name}_length`);
      return kind.write(object, length, `pickle_${kind.name}`, key);
    }),
  );
}

export function unpickle(object: Native, kind: Kind, key: Text, stored: Text): void {
  call(() =>
    secret(key, (key) => {
      kind.ask(object, `unpickle_${kind.name}`, key, text(stored));
    }),
  );
}
