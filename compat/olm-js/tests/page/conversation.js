// A conversation, in whichever place has `Olm`. A script without a module, so that all places can
// load it.
globalThis.conversation = async (Olm) => {
  await Olm.init();
  const [alice, bob] = [new Olm.Account(), new Olm.Account()];
  alice.create();
  bob.create();
  bob.generate_one_time_keys(1);
  const [key] = Object.values(JSON.parse(bob.one_time_keys()).curve25519);
  const [ours, theirs] = [new Olm.Session(), new Olm.Session()];
  ours.create_outbound(alice, JSON.parse(bob.identity_keys()).curve25519, key);
  const { body } = ours.encrypt("Grüße");
  theirs.create_inbound(bob, body);
  const text = theirs.decrypt(0, body);
  let error;
  try {
    theirs.decrypt(0, body);
  } catch ({ message }) {
    error = message;
  }
  return `${text} ${error}`;
};

// What a page says about its conversation. The policy forbids that a test asks a page.
globalThis.report = async (outcome) => console.log(`outcome: ${await outcome.catch(String)}`);
