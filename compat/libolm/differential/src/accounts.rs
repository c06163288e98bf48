//! Calls on accounts.

use crate::{
    args,
    functions::Kind,
    object::Id,
    world::{Step, World},
};

impl World<'_> {
    /// A new account with some keys.
    pub fn found_account(&mut self, id: Id) -> Step {
        let length = self.length("olm_create_account_random_length", args![id])?;
        let random = self.random(length);
        self.call("olm_create_account", args![id, random])?;
        self.identity_keys(id)?;
        self.generate_one_time_keys(id)
    }

    pub fn on_account(&mut self) -> Step {
        let id = self.any(Kind::Account);
        self.revive(id)?;
        match self.rng.below(24) {
            0 if self.rng.percent(10) => self.found_account(id),
            0..=2 => self.identity_keys(id),
            3..=5 => self.sign(id),
            6..=8 => self.generate_one_time_keys(id),
            9..=11 => self.show_one_time_keys(id),
            12..=14 => self.generate_fallback_key(id),
            15..=17 => self.show_fallback_key(id),
            18 => self.call("olm_account_forget_old_fallback_key", args![id]).map(drop),
            19 => self.call("olm_account_mark_keys_as_published", args![id]).map(drop),
            20 => {
                let session = self.any(Kind::Session);
                self.call("olm_remove_one_time_keys", args![id, session]).map(drop)
            }
            21 => {
                self.length("olm_account_max_number_of_one_time_keys", args![id])?;
                self.length("olm_account_last_error_code", args![id])?;
                self.call("olm_account_last_error", args![id]).map(drop)
            }
            _ => self.pickle(id),
        }
    }

    fn identity_keys(&mut self, id: Id) -> Step {
        let length = self.length("olm_account_identity_keys_length", args![id])?;
        let room = self.room(length);
        let answer = self.call("olm_account_identity_keys", args![id, room])?;
        if answer.done {
            let text = answer.written(1);
            let keys = (text[15..][..43].to_vec(), text[71..][..43].to_vec());
            self.notes.identity_keys.insert(id, keys);
        }
        Ok(())
    }

    fn sign(&mut self, id: Id) -> Step {
        let length = self.length("olm_account_signature_length", args![id])?;
        let (message, room) = (self.plaintext(), self.room(length));
        let answer = self.call("olm_account_sign", args![id, message.bytes(), room])?;
        if answer.done
            && let Some((_, key)) = self.notes.identity_keys.get(&id).cloned()
        {
            self.note_signature(&key, message.bytes(), answer.written(2));
        }
        Ok(())
    }

    fn generate_one_time_keys(&mut self, id: Id) -> Step {
        let number = match self.rng.below(40) {
            0 => 0,
            1 => 100,
            2 => 101 + self.rng.below(20),
            3..=5 => 10 + self.rng.below(60),
            _ => 1 + self.rng.below(5),
        };
        let name = "olm_account_generate_one_time_keys_random_length";
        let length = self.length(name, args![id, number])?;
        let random = self.random(length);
        self.call("olm_account_generate_one_time_keys", args![id, number, random])?;
        self.show_one_time_keys(id)
    }

    fn show_one_time_keys(&mut self, id: Id) -> Step {
        let length = self.length("olm_account_one_time_keys_length", args![id])?;
        let room = self.room(length);
        let answer = self.call("olm_account_one_time_keys", args![id, room])?;
        if answer.done {
            self.note_keys(id, &answer.written(1));
        }
        if self.rng.percent(30) {
            self.call("olm_account_mark_keys_as_published", args![id])?;
        }
        Ok(())
    }

    fn generate_fallback_key(&mut self, id: Id) -> Step {
        let length = self.length("olm_account_generate_fallback_key_random_length", args![id])?;
        let random = self.random(length);
        self.call("olm_account_generate_fallback_key", args![id, random])?;
        self.show_fallback_key(id)
    }

    fn show_fallback_key(&mut self, id: Id) -> Step {
        for name in ["olm_account_unpublished_fallback_key", "olm_account_fallback_key"] {
            let length = self.length(&format!("{name}_length"), args![id])?;
            let room = self.room(length);
            let answer = self.call(name, args![id, room])?;
            if answer.done {
                self.note_keys(id, &answer.written(1));
            }
        }
        Ok(())
    }

    /// Keeps the newest keys of `{"curve25519":{"<6>":"<43>",...}}`.
    fn note_keys(&mut self, id: Id, text: &[u8]) {
        let entries = text.get(15..).unwrap_or_default().chunks_exact(55).take(3);
        for entry in entries.filter(|entry| entry.len() == 55) {
            self.notes.one_time_keys.put((id, entry[10..53].to_vec()));
        }
    }
}
