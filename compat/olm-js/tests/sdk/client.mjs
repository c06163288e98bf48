// A client on matrix-js-sdk's encryption in JavaScript, for scenario.py:
//
//   node client.mjs FOLDER_OF_MATRIX_JS_SDK PACKAGE STORE HOMESERVER USER DEVICE TOKEN
//
// Reads commands, one a line in JSON, and answers each with a line. The store is a file.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [, , sdkFolder, olmFolder, file, baseUrl, userId, deviceId, accessToken] = process.argv;

globalThis.Olm = createRequire(import.meta.url)(olmFolder);
await Olm.init();

const sdk = await import(pathToFileURL(`${sdkFolder}/lib/index.js`));
const { logger } = await import(pathToFileURL(`${sdkFolder}/lib/logger.js`));
logger.setLevel?.("error");

/** What the SDK knows of the browser's localStorage. */
class Storage {
  #items = new Map(existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : []);

  get length() {
    return this.#items.size;
  }
  key(number) {
    return [...this.#items.keys()][number] ?? null;
  }
  getItem(name) {
    return this.#items.get(name) ?? null;
  }
  setItem(name, value) {
    this.#items.set(name, String(value));
    this.save();
  }
  removeItem(name) {
    this.#items.delete(name);
    this.save();
  }
  save() {
    writeFileSync(file, JSON.stringify([...this.#items]));
  }
}

const client = sdk.createClient({
  baseUrl,
  userId,
  deviceId,
  accessToken,
  cryptoStore: new sdk.LocalStorageCryptoStore(new Storage()),
  pickleKey: "key of the store",
});
await client.initCrypto();
client.setGlobalErrorOnUnknownDevices(false);
client.on("RoomMember.membership", (_, member) => {
  if (member.userId === userId && member.membership === "invite") client.joinRoom(member.roomId);
});
await client.startClient({ initialSyncLimit: 100 });

const commands = {
  /** The version of the C functions tells the two packages apart. */
  version: () => Olm.get_library_version().join("."),
  create: async (invited) => {
    const state = {
      type: "m.room.encryption",
      state_key: "",
      content: { algorithm: "m.megolm.v1.aes-sha2" },
    };
    const { room_id } = await client.createRoom({
      preset: "private_chat",
      invite: invited,
      initial_state: [state],
    });
    return room_id;
  },
  members: (room) =>
    client
      .getRoom(room)
      ?.getJoinedMembers()
      .map((member) => member.userId) ?? [],
  send: (room, text) => client.sendTextMessage(room, text),
  /** What a user of this client sees. */
  shown: async (room) => {
    const events = client.getRoom(room)?.getLiveTimeline().getEvents() ?? [];
    await Promise.all(events.map((event) => client.decryptEventIfNeeded(event)));
    return events
      .filter((event) => event.isEncrypted() && !event.isDecryptionFailure())
      .map((event) => event.getContent().body);
  },
  backup: async () => {
    const prepared = await client.prepareKeyBackupVersion();
    await client.createKeyBackupVersion(prepared);
    await client.scheduleAllGroupSessionsForBackup();
    return prepared.recovery_key;
  },
  waiting: () => client.countSessionsNeedingBackup(),
  restore: async (key) => {
    const { backupInfo } = (await client.checkKeyBackup()) ?? {};
    return client.restoreKeyBackupWithRecoveryKey(
      key,
      undefined,
      undefined,
      backupInfo ?? (await client.getKeyBackupVersion()),
    );
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...values] = JSON.parse(line);
  let answer;
  try {
    answer = { result: (await commands[name](...values)) ?? null };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`answer ${JSON.stringify(answer)}\n`);
}
client.stopClient();
process.exit(0);
