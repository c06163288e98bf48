//! Every text that the API takes, with every ending that programs give it: padding, a NUL that was
//! counted, a line end (S-44). Not random, but each of them once, so that none is missed.

use std::collections::HashSet;

use crate::{
    args,
    call::Arg,
    functions::{Functions, Kind, Parameter},
    notes::Sealed,
    object::{Id, Libraries, Side},
    pickle::{self, STATE_KEY},
    tally::Tally,
    world::{Step, Stop, World},
};

pub const ENDINGS: &[&str] = &[
    "", "=", "==", "===", "====", "\0", "\n", "\r\n", " ", "\0\0", "\n\n", "  ", "   ", " \n",
    "=\0", "==\0", "==\n", "=\r\n", "\0\0\0\0",
];

/// Lengths of plaintexts: with these, the number of digits in a last group of four is 0, 2 and 3
/// for each kind of message and for the ciphertext of a backup.
const LENGTHS: &[usize] = &[0, 5, 20, 37, 53, 70, 86, 200, 216, 232];

/// Input that is no text: plaintexts and whatever else is signed, hashed or derived from, keys of
/// pickles, and private keys. By function and place.
const NOT_TEXTS: &[(&str, &[usize])] = &[
    ("olm_pickle_account", &[1]),
    ("olm_unpickle_account", &[1]),
    ("olm_account_sign", &[1]),
    ("olm_pickle_session", &[1]),
    ("olm_unpickle_session", &[1]),
    ("olm_encrypt", &[1]),
    ("olm_pickle_outbound_group_session", &[1]),
    ("olm_unpickle_outbound_group_session", &[1]),
    ("olm_group_encrypt", &[1]),
    ("olm_pickle_inbound_group_session", &[1]),
    ("olm_unpickle_inbound_group_session", &[1]),
    ("olm_sha256", &[1]),
    ("olm_ed25519_verify", &[2]),
    ("olm_pk_encrypt", &[1]),
    ("olm_pk_key_from_private", &[2]),
    ("olm_pk_generate_key", &[2]),
    ("olm_pickle_pk_decryption", &[1]),
    ("olm_unpickle_pk_decryption", &[1]),
    ("olm_pk_signing_key_from_seed", &[2]),
    ("olm_pk_sign", &[1]),
    ("olm_sas_generate_bytes", &[1]),
    ("olm_sas_calculate_mac", &[1, 2]),
    ("olm_sas_calculate_mac_fixed_base64", &[1, 2]),
    ("olm_sas_calculate_mac_long_kdf", &[1, 2]),
];

const PICKLE_KEY: &[u8] = b"key";

/// A call that succeeds, and which of its arguments are texts.
struct Entry {
    function: &'static str,
    args: Vec<Arg>,
    texts: &'static [usize],
}

const fn entry(function: &'static str, args: Vec<Arg>, texts: &'static [usize]) -> Entry {
    Entry { function, args, texts }
}

/// Makes all calls. The error is the report of a difference, or says that a text is missing here.
pub fn run(libraries: &Libraries, tally: &mut Tally) -> Result<(), String> {
    let mut given = HashSet::new();
    for length in LENGTHS {
        let mut world = World::new(libraries, tally, (0, u64::MAX), false);
        world.is_careful = true;
        if let Err(Stop::Difference(report)) = world.with_endings(*length, &mut given) {
            return Err(format!("endings, {length} bytes of plaintext: {report}"));
        }
    }
    missing(&libraries.functions, &given).map_or(Ok(()), Err)
}

/// An input that no call gave an ending to, though it is a text.
fn missing(functions: &Functions, given: &HashSet<(&str, usize)>) -> Option<String> {
    functions.iter().find_map(|function| {
        let name = &*function.name;
        let not_texts = NOT_TEXTS.iter().find(|(of, _)| *of == name);
        let not_texts = not_texts.map_or(&[][..], |(_, places)| *places);
        let is_missing = |(place, parameter): (usize, &Parameter)| {
            let is_text = matches!(parameter, Parameter::In | Parameter::Scratch)
                && !not_texts.contains(&place);
            is_text != given.contains(&(name, place))
        };
        let place = function.parameters.iter().enumerate().position(is_missing)?;
        Some(format!("endings: argument {place} of {name} is a text without endings, or none"))
    })
}

impl World<'_> {
    /// Makes each call with each ending at each of its texts.
    fn with_endings(&mut self, length: usize, given: &mut HashSet<(&'static str, usize)>) -> Step {
        for Entry { function, args, texts } in self.entries(length)? {
            let Arg::Object(id) = args[0] else { panic!("{function} has no object") };
            let state =
                self.objects[id.0].kind.can_be_pickled().then(|| self.state(id, Side::Ours));
            for place in texts {
                for ending in ENDINGS {
                    let mut args = args.clone();
                    args[*place] = Arg::Bytes([args[*place].bytes(), ending.as_bytes()].concat());
                    let done = self.call(function, args)?.done;
                    if ending.is_empty() && !done {
                        let report = format!("{function} failed without an ending");
                        return Err(Stop::Difference(report));
                    }
                    self.tally.count("situation", "", "text with every ending");
                    if let Some(state) = &state {
                        self.put_back(id, state)?;
                    }
                }
                given.insert((function, *place));
            }
        }
        Ok(())
    }

    /// Gives an object the state that it had before a call.
    fn put_back(&mut self, id: Id, state: &[u8]) -> Step {
        let was_blank = {
            let content = pickle::open(state, STATE_KEY);
            content.is_some_and(|content| pickle::is_blank(self.objects[id.0].kind, &content))
        };
        self.make_blank(id)?;
        if was_blank { Ok(()) } else { self.unpickle(id, STATE_KEY, state) }
    }

    /// Calls a function that succeeds, and returns what it wrote to a buffer of this length.
    fn output(&mut self, function: &str, mut args: Vec<Arg>, length: usize) -> Step<Vec<u8>> {
        let place = args.len();
        args.push(Arg::room(length));
        let mut answer = self.call(function, args)?;
        assert!(answer.done, "{function} failed");
        Ok(answer.outcome.buffers.swap_remove(place))
    }

    fn pickle_of(&mut self, id: Id) -> Step<Vec<u8>> {
        let kind = self.objects[id.0].kind.name();
        let length = self.length(&format!("olm_pickle_{kind}_length"), args![id])?;
        self.output(&format!("olm_pickle_{kind}"), args![id, PICKLE_KEY], length)
    }

    fn entries(&mut self, length: usize) -> Step<Vec<Entry>> {
        let mut entries = self.olm_entries(length)?;
        entries.extend(self.megolm_entries(length)?);
        entries.extend(self.small_entries(length)?);
        Ok(entries)
    }

    /// Accounts, sessions and their messages.
    fn olm_entries(&mut self, length: usize) -> Step<Vec<Entry>> {
        let plaintext = self.rng.bytes(length);
        let room = Arg::room(length + 300);
        let (alice, bob) = (self.new_object(Kind::Account)?, self.new_object(Kind::Account)?);
        let mut keys = Vec::new();
        for account in [alice, bob] {
            let random = self.rng.bytes(64);
            self.call("olm_create_account", args![account, random])?;
            keys.push(self.output("olm_account_identity_keys", args![account], 116)?);
        }
        let [alices_key, bobs_key] = [0, 1].map(|of| keys[of][15..][..43].to_vec());
        let signing_key = keys[0][71..][..43].to_vec();
        let random = self.rng.bytes(32);
        self.call("olm_account_generate_one_time_keys", args![bob, 1_usize, random])?;
        let one_time_keys = self.output("olm_account_one_time_keys", args![bob], 71)?;
        let one_time_key = one_time_keys[25..][..43].to_vec();
        let signature = self.output("olm_account_sign", args![alice, plaintext.clone()], 86)?;

        let new = self.new_object(Kind::Session)?;
        let (alices, bobs) = (self.new_object(Kind::Session)?, self.new_object(Kind::Session)?);
        let random = self.rng.bytes(64);
        let outbound = args![alices, alice, bobs_key, one_time_key, random];
        self.call("olm_create_outbound_session", outbound.clone())?;
        let needed = self.length("olm_encrypt_message_length", args![alices, length])?;
        let pre_key = args![alices, plaintext.clone(), Arg::Null];
        let pre_key = self.output("olm_encrypt", pre_key, needed)?;
        self.call("olm_create_inbound_session", args![bobs, bob, pre_key.clone()])?;
        // Bob answers from a session that goes on, and another one has yet to decrypt.
        let answering = self.new_object(Kind::Session)?;
        self.call("olm_create_inbound_session", args![answering, bob, pre_key.clone()])?;
        let first = args![answering, 0_u64, pre_key.clone(), room.clone()];
        self.call("olm_decrypt", first)?;
        let needed = self.length("olm_encrypt_message_length", args![answering, length])?;
        let normal = args![answering, plaintext.clone(), self.rng.bytes(32)];
        let normal = self.output("olm_encrypt", normal, needed)?;

        let mut outbound = outbound;
        outbound[0] = Arg::from(new);
        let (utility, account) = (self.new_object(Kind::Utility)?, self.new_object(Kind::Account)?);
        let (account_pickle, session_pickle) = (self.pickle_of(bob)?, self.pickle_of(alices)?);
        let (pre_key, normal, key) = (&*pre_key, &*normal, &*alices_key);
        Ok(vec![
            entry("olm_create_outbound_session", outbound, &[2, 3]),
            entry("olm_create_inbound_session", args![new, bob, pre_key], &[2]),
            entry("olm_create_inbound_session_from", args![new, bob, key, pre_key], &[2, 3]),
            entry("olm_matches_inbound_session", args![bobs, pre_key], &[1]),
            entry("olm_matches_inbound_session_from", args![bobs, key, pre_key], &[1, 2]),
            entry("olm_decrypt_max_plaintext_length", args![bobs, 0_u64, pre_key], &[2]),
            entry("olm_decrypt", args![bobs, 0_u64, pre_key, room.clone()], &[2]),
            entry("olm_decrypt_max_plaintext_length", args![alices, 1_u64, normal], &[2]),
            entry("olm_decrypt", args![alices, 1_u64, normal, room], &[2]),
            entry("olm_ed25519_verify", args![utility, signing_key, plaintext, signature], &[1, 3]),
            entry("olm_unpickle_account", args![account, PICKLE_KEY, account_pickle], &[2]),
            entry("olm_unpickle_session", args![new, PICKLE_KEY, session_pickle], &[2]),
        ])
    }

    /// Group sessions and their messages.
    fn megolm_entries(&mut self, length: usize) -> Step<Vec<Entry>> {
        let plaintext = self.rng.bytes(length);
        let sender = self.new_object(Kind::Outbound)?;
        let random = self.rng.bytes(160);
        self.call("olm_init_outbound_group_session", args![sender, random])?;
        let key = self.output("olm_outbound_group_session_key", args![sender], 306)?;
        let needed = self.length("olm_group_encrypt_message_length", args![sender, length])?;
        let message = self.output("olm_group_encrypt", args![sender, plaintext], needed)?;
        let receiver = self.new_object(Kind::Inbound)?;
        self.call("olm_init_inbound_group_session", args![receiver, key.clone()])?;
        let answer =
            self.call("olm_export_inbound_group_session", args![receiver, Arg::room(220), 0_u64])?;
        let exported = answer.written(1);
        let (new, new_sender) = (self.new_object(Kind::Inbound)?, self.new_object(Kind::Outbound)?);
        let (pickle, senders_pickle) = (self.pickle_of(receiver)?, self.pickle_of(sender)?);
        let (message, room, index) = (&*message, Arg::room(length + 300), Arg::room(4));
        let most = "olm_group_decrypt_max_plaintext_length";
        Ok(vec![
            entry("olm_init_inbound_group_session", args![new, key], &[1]),
            entry("olm_import_inbound_group_session", args![new, exported], &[1]),
            entry(most, args![receiver, message], &[1]),
            entry("olm_group_decrypt", args![receiver, message, room, index], &[1]),
            entry("olm_unpickle_inbound_group_session", args![new, PICKLE_KEY, pickle], &[2]),
            entry(
                "olm_unpickle_outbound_group_session",
                args![new_sender, PICKLE_KEY, senders_pickle],
                &[2],
            ),
        ])
    }

    /// Backups and verifications.
    fn small_entries(&mut self, length: usize) -> Step<Vec<Entry>> {
        let plaintext = self.rng.bytes(length);
        let to = self.new_object(Kind::PkDecryption)?;
        let random = self.rng.bytes(32);
        let answer = self.call("olm_pk_key_from_private", args![to, Arg::room(43), random])?;
        let key = answer.outcome.buffers[1].clone();
        let recipient = self.new_object(Kind::PkEncryption)?;
        self.call("olm_pk_encryption_set_recipient_key", args![recipient, key.clone()])?;
        let needed = self.length("olm_pk_ciphertext_length", args![recipient, length])?;
        let (ciphertext, mac, ephemeral_key) = (Arg::room(needed), Arg::room(11), Arg::room(43));
        let random = self.rng.bytes(32);
        let arguments = args![recipient, plaintext, ciphertext, mac, ephemeral_key, random];
        let buffers = self.call("olm_pk_encrypt", arguments)?.outcome.buffers;
        let [ciphertext, mac, ephemeral_key] = [2, 3, 4].map(|place: usize| buffers[place].clone());
        self.notes.sealed.put(Sealed {
            to,
            ciphertext: ciphertext.clone(),
            mac: mac.clone(),
            ephemeral_key: ephemeral_key.clone(),
        });
        let sas = self.new_object(Kind::Sas)?;
        let random = self.rng.bytes(32);
        self.call("olm_create_sas", args![sas, random])?;
        let (new, pickle) = (self.new_object(Kind::PkDecryption)?, self.pickle_of(to)?);
        let unpickle = args![new, PICKLE_KEY, pickle, Arg::room(43)];
        let decrypt = args![to, ephemeral_key, mac, ciphertext, Arg::room(length + 300)];
        Ok(vec![
            entry("olm_pk_encryption_set_recipient_key", args![recipient, key.clone()], &[1]),
            entry("olm_pk_decrypt", decrypt, &[1, 2, 3]),
            entry("olm_unpickle_pk_decryption", unpickle, &[2]),
            entry("olm_sas_set_their_key", args![sas, key], &[1]),
        ])
    }
}
