//! A sequence of calls in which every function is called, and succeeds. The fuzzer can begin after
//! any of them.

use calling::functions::{Functions, Kind, Parameter};

use crate::calls::{Argument, Call, Room, Source};

/// Where the keys are in an account's JSON.
const CURVE25519: (u16, u16) = (15, 43);
const ED25519: (u16, u16) = (71, 43);
const ONE_TIME_KEY: (u16, u16) = (25, 43);

pub fn scenario(functions: &Functions) -> Vec<Call> {
    let mut scenario = Scenario { functions, calls: Vec::new(), shelved: 0 };
    for kind in Kind::ALL {
        let name = format!("olm_{}", kind.name());
        scenario.call(&name, [object(0)]);
        scenario.call(&name, [object(1)]);
    }
    scenario.olm();
    scenario.megolm();
    scenario.pk();
    scenario.sas();
    scenario.the_rest();
    scenario.calls
}

struct Scenario<'a> {
    functions: &'a Functions,
    calls: Vec<Call>,
    shelved: u8,
}

impl Scenario<'_> {
    /// Adds a call, and returns where on the shelf the first of its outputs will be.
    fn call(&mut self, name: &str, arguments: impl IntoIterator<Item = Argument>) -> u8 {
        let function = self.functions.number(name);
        let arguments: Vec<_> = arguments.into_iter().collect();
        assert_eq!(arguments.len(), self.functions[function].parameters.len(), "{name}");
        let rooms = arguments.iter().filter(|argument| matches!(argument, Argument::Room { .. }));
        let first = self.shelved;
        self.shelved += rooms.count() as u8;
        self.calls.push(Call { function, arguments });
        first
    }

    fn olm(&mut self) {
        self.call("olm_create_account", [object(0), random(1, 64)]);
        self.call("olm_create_account", [object(1), random(2, 64)]);
        let alice = self.call("olm_account_identity_keys", [object(0), room()]);
        let bob = self.call("olm_account_identity_keys", [object(1), room()]);
        self.call("olm_account_generate_one_time_keys", [object(1), number(2), random(3, 64)]);
        let one_time_keys = self.call("olm_account_one_time_keys", [object(1), room()]);
        self.call("olm_account_mark_keys_as_published", [object(1)]);
        self.call("olm_account_generate_fallback_key", [object(1), random(4, 32)]);
        self.call("olm_account_unpublished_fallback_key", [object(1), room()]);
        self.call("olm_account_fallback_key", [object(1), room()]);
        let signature = self.call("olm_account_sign", [object(0), text(), room()]);
        let alice_signs = part(alice, ED25519);
        self.call("olm_ed25519_verify", [object(0), alice_signs, text(), shelf(signature)]);
        self.call("olm_sha256", [object(0), text(), room()]);

        let (bob_is, one_time_key) = (part(bob, CURVE25519), part(one_time_keys, ONE_TIME_KEY));
        let outbound = [object(0), object(0), bob_is, one_time_key, random(5, 64)];
        self.call("olm_create_outbound_session", outbound);
        let pre_key = self.call("olm_encrypt", [object(0), text(), random(6, 0), room()]);
        self.call("olm_create_inbound_session", [object(1), object(1), shelf(pre_key)]);
        let alice_is = part(alice, CURVE25519);
        let inbound = [object(1), object(1), alice_is.clone(), shelf(pre_key)];
        self.call("olm_create_inbound_session_from", inbound);
        self.call("olm_matches_inbound_session", [object(1), shelf(pre_key)]);
        self.call("olm_matches_inbound_session_from", [object(1), alice_is, shelf(pre_key)]);
        self.call("olm_remove_one_time_keys", [object(1), object(1)]);
        self.call("olm_decrypt_max_plaintext_length", [object(1), number(0), shelf(pre_key)]);
        self.call("olm_decrypt", [object(1), number(0), shelf(pre_key), more_room()]);
        let answer = self.call("olm_encrypt", [object(1), text(), random(7, 32), room()]);
        self.call("olm_decrypt", [object(0), number(1), shelf(answer), more_room()]);
        self.call("olm_encrypt", [object(0), text(), random(8, 32), room()]);
        let late = self.call("olm_encrypt", [object(0), text(), random(9, 0), room()]);
        self.call("olm_decrypt", [object(1), number(1), shelf(late), more_room()]);
        self.call("olm_session_id", [object(0), room()]);
        self.call("olm_session_describe", [object(1), fixed_room(600)]);
        self.pickle("account", 1);
        self.pickle("session", 1);
    }

    fn megolm(&mut self) {
        self.call("olm_init_outbound_group_session", [object(0), random(10, 160)]);
        let key = self.call("olm_outbound_group_session_key", [object(0), room()]);
        self.call("olm_outbound_group_session_id", [object(0), room()]);
        let message = self.call("olm_group_encrypt", [object(0), text(), room()]);
        self.call("olm_init_inbound_group_session", [object(0), shelf(key)]);
        self.call("olm_group_decrypt_max_plaintext_length", [object(0), shelf(message)]);
        let place = Argument::Place { shift: Some(0) };
        self.call("olm_group_decrypt", [object(0), shelf(message), more_room(), place]);
        self.call("olm_inbound_group_session_id", [object(0), room()]);
        let export = [object(0), room(), number(1)];
        let exported = self.call("olm_export_inbound_group_session", export);
        self.call("olm_import_inbound_group_session", [object(1), shelf(exported)]);
        self.pickle("outbound_group_session", 0);
        self.pickle("inbound_group_session", 0);
    }

    fn pk(&mut self) {
        self.call("olm_pk_key_from_private", [object(0), room(), random(11, 32)]);
        let key = self.call("olm_pk_generate_key", [object(0), room(), random(12, 32)]);
        self.call("olm_pk_get_private_key", [object(0), room()]);
        self.call("olm_pk_encryption_set_recipient_key", [object(0), shelf(key)]);
        let encrypt = [object(0), text(), room(), room(), room(), random(13, 32)];
        let ciphertext = self.call("olm_pk_encrypt", encrypt);
        let (mac, ephemeral) = (ciphertext + 1, ciphertext + 2);
        let decrypt = [object(0), shelf(ephemeral), shelf(mac), shelf(ciphertext), more_room()];
        self.call("olm_pk_decrypt", decrypt);
        self.call("olm_pk_max_plaintext_length", [object(0), number(22)]);
        let pickled = self.call("olm_pickle_pk_decryption", [object(0), text(), room()]);
        self.call("olm_unpickle_pk_decryption", [object(1), text(), shelf(pickled), room()]);
        self.call("olm_pk_signing_key_from_seed", [object(0), room(), random(14, 32)]);
        self.call("olm_pk_sign", [object(0), text(), room()]);
    }

    fn sas(&mut self) {
        for slot in [0, 1] {
            self.call("olm_create_sas", [object(slot), random(0x80 + slot as u8, 32)]);
        }
        for slot in [0, 1] {
            let key = self.call("olm_sas_get_pubkey", [object(1 - slot), room()]);
            self.call("olm_sas_set_their_key", [object(slot), shelf(key)]);
        }
        self.call("olm_sas_generate_bytes", [object(0), text(), fixed_room(6)]);
        for form in ["", "_fixed_base64", "_long_kdf"] {
            let mac = [object(0), text(), text(), room()];
            self.call(&format!("olm_sas_calculate_mac{form}"), mac);
        }
    }

    /// Pickles an object, and reads the pickle into the other one.
    fn pickle(&mut self, kind: &str, slot: usize) {
        let pickled = self.call(&format!("olm_pickle_{kind}"), [object(slot), text(), room()]);
        self.call(&format!("olm_unpickle_{kind}"), [object(1 - slot), text(), shelf(pickled)]);
    }

    /// Questions, and then what clears objects.
    fn the_rest(&mut self) {
        let called: Vec<_> = self.calls.iter().map(|call| call.function).collect();
        let left = |function: &usize| !called.contains(function);
        let (clear, ask): (Vec<_>, Vec<_>) = (0..self.functions.len())
            .filter(left)
            .partition(|function| self.functions[*function].name.starts_with("olm_clear_"));
        for function in ask.into_iter().chain(clear) {
            let parameters = self.functions[function].parameters.iter();
            let arguments = parameters.map(|parameter| match parameter {
                Parameter::Object { .. } => object(1),
                Parameter::Number => number(1),
                Parameter::Byte => Argument::Place { shift: Some(0) },
                _ => panic!("{} has no call of its own", self.functions[function].name),
            });
            self.calls.push(Call { function, arguments: arguments.collect() });
        }
    }
}

const fn object(slot: usize) -> Argument {
    Argument::Object { slot: Some(slot), shift: 0 }
}

const fn number(number: u64) -> Argument {
    Argument::Number(number)
}

const fn bytes(source: Source) -> Argument {
    Argument::Bytes { source, shift: 0 }
}

fn text() -> Argument {
    bytes(Source::Literal(b"a text".to_vec()))
}

const fn random(seed: u8, length: u16) -> Argument {
    bytes(Source::Random { seed, length })
}

const fn shelf(entry: u8) -> Argument {
    bytes(Source::Shelf(entry))
}

const fn part(entry: u8, (start, length): (u16, u16)) -> Argument {
    bytes(Source::Part { entry, start, length })
}

const fn room() -> Argument {
    Argument::Room { room: Room::Exact, shift: 0 }
}

/// For plaintexts: the function wants room for their padding.
const fn more_room() -> Argument {
    Argument::Room { room: Room::More(16), shift: 0 }
}

const fn fixed_room(length: u16) -> Argument {
    Argument::Room { room: Room::Fixed(length), shift: 0 }
}
