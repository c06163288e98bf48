//! Calls on the PK objects, the SAS objects and the utility.

use crate::{
    args, base64,
    call::Arg,
    functions::Kind,
    keys, mutate,
    notes::{Sealed, Signed},
    object::Id,
    world::{Step, World},
};

impl World<'_> {
    pub fn on_pk(&mut self) -> Step {
        let (encryption, decryption) = (self.any(Kind::PkEncryption), self.any(Kind::PkDecryption));
        let signing = self.any(Kind::PkSigning);
        for id in [decryption, encryption, signing] {
            self.revive(id)?;
        }
        match self.rng.below(24) {
            0 => self.pk_new_key(decryption),
            1 => self.pk_set_recipient(encryption),
            2..=4 => self.pk_encrypt(encryption),
            5..=9 => self.carefully(|world| world.pk_encrypt(encryption)),
            10..=13 => self.pk_decrypt(),
            14..=17 => self.carefully(Self::pk_decrypt),
            18 => self.pk_ask(decryption),
            19 => self.pk_new_signing_key(signing),
            20..=22 => self.pk_sign(signing),
            _ => self.pickle(decryption),
        }
    }

    pub fn pk_new_key(&mut self, id: Id) -> Step {
        let length = self.length("olm_pk_private_key_length", args![])?;
        self.length("olm_pk_generate_key_random_length", args![])?;
        let private = self.random(length);
        let length = self.length("olm_pk_key_length", args![])?;
        let room = self.room(length);
        let name = match self.rng.percent(50) {
            true => "olm_pk_key_from_private",
            false => "olm_pk_generate_key",
        };
        let answer = self.call(name, args![id, room, private])?;
        if answer.done {
            self.notes.recipients.insert(id, answer.outcome.buffers[1][..43].to_vec());
        }
        Ok(())
    }

    pub fn pk_set_recipient(&mut self, id: Id) -> Step {
        let to = self.any(Kind::PkDecryption);
        let key = self.notes.recipients.get(&to).cloned();
        let key = self.curve25519_text(key);
        if self.call("olm_pk_encryption_set_recipient_key", args![id, key])?.done {
            self.notes.recipient.insert(id, to);
        }
        Ok(())
    }

    fn pk_encrypt(&mut self, id: Id) -> Step {
        let plaintext = self.plaintext();
        let length = plaintext.bytes().len();
        let ciphertext_length = self.length("olm_pk_ciphertext_length", args![id, length])?;
        let mac_length = self.length("olm_pk_mac_length", args![id])?;
        let key_length = self.length("olm_pk_key_length", args![])?;
        let random_length = self.length("olm_pk_encrypt_random_length", args![id])?;
        let (ciphertext, mac) = (self.room(ciphertext_length), self.room(mac_length));
        let (key, random) = (self.room(key_length), self.random(random_length));
        let arguments = args![id, plaintext, ciphertext, mac, key, random];
        let answer = self.call("olm_pk_encrypt", arguments)?;
        if let Some(to) = self.notes.recipient.get(&id).copied()
            && answer.done
        {
            let buffer = |place: usize, length| answer.outcome.buffers[place][..length].to_vec();
            self.notes.sealed.put(Sealed {
                to,
                ciphertext: buffer(2, ciphertext_length),
                mac: buffer(3, mac_length),
                ephemeral_key: buffer(4, key_length),
            });
        }
        Ok(())
    }

    fn pk_decrypt(&mut self) -> Step {
        let Some(mut sealed) = self.notes.sealed.pick(&mut self.rng).cloned() else {
            return Ok(());
        };
        let id = if self.rng.percent(95) { sealed.to } else { self.any(Kind::PkDecryption) };
        match self.rng.below(16) {
            0 => sealed.ephemeral_key = self.curve25519_text(None),
            1 => sealed.mac = mutate::text(&mut self.rng, &sealed.mac),
            2..=4 => sealed.ciphertext = self.damage_blocks(&sealed.ciphertext),
            5 => sealed.ciphertext = mutate::text(&mut self.rng, &sealed.ciphertext),
            6 => sealed.ephemeral_key = mutate::text(&mut self.rng, &sealed.ephemeral_key),
            _ => {}
        }
        let length = sealed.ciphertext.len();
        let answer = self.call("olm_pk_max_plaintext_length", args![id, length])?;
        let room = self.room(if answer.done { answer.number() } else { length });
        let Sealed { ephemeral_key, mac, ciphertext, .. } = sealed;
        self.call("olm_pk_decrypt", args![id, ephemeral_key, mac, ciphertext, room])?;
        Ok(())
    }

    /// Damages a ciphertext, but leaves it whole blocks: its MAC does not cover it.
    fn damage_blocks(&mut self, text: &[u8]) -> Vec<u8> {
        let mut bytes = base64::decode(text).unwrap_or_default();
        match self.rng.below(3) {
            0 if bytes.len() > 16 => bytes.truncate(16 * (1 + self.rng.below(bytes.len() / 16))),
            1 => bytes.extend(self.rng.bytes(16)),
            _ => {
                let place = self.rng.below(bytes.len());
                bytes[place] ^= 1 << self.rng.below(8);
            }
        }
        base64::encode(&bytes)
    }

    fn pk_ask(&mut self, id: Id) -> Step {
        let length = self.length("olm_pk_private_key_length", args![])?;
        let room = self.room(length);
        self.call("olm_pk_get_private_key", args![id, room])?;
        for kind in [Kind::PkDecryption, Kind::PkEncryption, Kind::PkSigning] {
            let (id, name) = (self.any(kind), kind.name());
            self.length(&format!("olm_{name}_last_error_code"), args![id])?;
            self.call(&format!("olm_{name}_last_error"), args![id])?;
        }
        Ok(())
    }

    pub fn pk_new_signing_key(&mut self, id: Id) -> Step {
        let length = self.length("olm_pk_signing_seed_length", args![])?;
        let seed = self.random(length);
        let length = self.length("olm_pk_signing_public_key_length", args![])?;
        let room = self.room(length);
        let answer = self.call("olm_pk_signing_key_from_seed", args![id, room, seed])?;
        if answer.done {
            self.notes.signing_keys.insert(id, answer.outcome.buffers[1][..43].to_vec());
        }
        Ok(())
    }

    fn pk_sign(&mut self, id: Id) -> Step {
        let length = self.length("olm_pk_signature_length", args![])?;
        let (message, room) = (self.plaintext(), self.room(length));
        let answer = self.call("olm_pk_sign", args![id, message.bytes(), room])?;
        if let Some(key) = self.notes.signing_keys.get(&id).cloned()
            && answer.done
        {
            self.note_signature(&key, message.bytes(), answer.written(2));
        }
        Ok(())
    }

    pub fn note_signature(&mut self, key: &[u8], message: &[u8], signature: Vec<u8>) {
        let (key, message) = (key.to_vec(), message.to_vec());
        self.notes.signed.put(Signed { key, message, signature });
    }

    pub fn on_utility(&mut self) -> Step {
        let id = self.any(Kind::Utility);
        match self.rng.below(8) {
            0..=2 => {
                let length = self.length("olm_sha256_length", args![id])?;
                let (input, room) = (self.plaintext(), self.room(length));
                self.call("olm_sha256", args![id, input, room]).map(drop)
            }
            3 => {
                self.length("olm_utility_last_error_code", args![id])?;
                self.call("olm_utility_last_error", args![id]).map(drop)
            }
            _ => self.verify(id),
        }
    }

    fn verify(&mut self, id: Id) -> Step {
        let Some(mut signed) = self.notes.signed.pick(&mut self.rng).cloned() else {
            return Ok(());
        };
        let mut raw = base64::decode(&signed.signature).unwrap_or_default();
        match self.rng.below(12) {
            0 => signed.key = mutate::text(&mut self.rng, &signed.key),
            1 => signed.message.push(0),
            2 => signed.signature = mutate::text(&mut self.rng, &signed.signature),
            3 => {
                if let Some(s) = raw.last_chunk_mut::<32>() {
                    keys::add_order(s);
                }
                signed.signature = base64::encode(&raw);
            }
            4 => {
                // The neutral element as key and R, and S = 0: libolm accepts it for every message.
                let neutral = [&[1][..], &[0; 31]].concat();
                signed.key = base64::encode(&neutral);
                signed.signature = base64::encode(&[neutral, vec![0; 32]].concat());
            }
            5 => raw.extend(self.rng.bytes(3)),
            6 => {
                raw.extend(self.rng.bytes(3));
                signed.signature = base64::encode(&raw);
            }
            _ => {}
        }
        let Signed { key, message, signature } = signed;
        self.call("olm_ed25519_verify", args![id, key, message, signature]).map(drop)
    }

    pub fn on_sas(&mut self) -> Step {
        let id = self.any(Kind::Sas);
        self.revive(id)?;
        match self.rng.below(12) {
            0 => self.sas_create(id),
            1 | 2 => self.sas_set_their_key(id),
            3 => {
                let length = self.length("olm_sas_pubkey_length", args![id])?;
                let room = self.room(length);
                let answer = self.call("olm_sas_get_pubkey", args![id, room])?;
                if answer.done {
                    let key = answer.outcome.buffers[1][..43].to_vec();
                    self.objects[id.0].sas_key = Some(key.clone());
                    self.notes.sas_keys.put(key);
                }
                self.length("olm_sas_last_error_code", args![id])?;
                self.call("olm_sas_last_error", args![id]).map(drop)
            }
            4..=6 => {
                let (info, length) = (self.plaintext(), self.rng.below(100));
                let length = if self.rng.percent(5) { 8162 - self.rng.below(4) } else { length };
                self.call("olm_sas_generate_bytes", args![id, info, Arg::room(length)]).map(drop)
            }
            7 => self.call("olm_sas_is_their_key_set", args![id]).map(drop),
            _ => {
                let length = self.length("olm_sas_mac_length", args![id])?;
                let (input, info, room) = (self.plaintext(), self.plaintext(), self.room(length));
                let end = *self.rng.pick(&["", "_fixed_base64", "_long_kdf"]);
                let name = format!("olm_sas_calculate_mac{end}");
                self.call(&name, args![id, input, info, room]).map(drop)
            }
        }
    }

    pub fn sas_create(&mut self, id: Id) -> Step {
        let length = self.length("olm_create_sas_random_length", args![id])?;
        let random = self.random(length);
        self.call("olm_create_sas", args![id, random]).map(drop)
    }

    fn sas_set_their_key(&mut self, id: Id) -> Step {
        let key = self.notes.sas_keys.pick(&mut self.rng).cloned();
        let key = self.curve25519_text(key);
        self.call("olm_sas_set_their_key", args![id, key]).map(drop)
    }
}
