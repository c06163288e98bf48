//! Calls on Olm sessions: conversations that go both ways, with loss and reordering.

use std::mem::replace;

use crate::{
    args, base64,
    call::Arg,
    functions::Kind,
    mutate,
    notes::Letter,
    object::Id,
    world::{Step, World},
};

impl World<'_> {
    pub fn on_session(&mut self) -> Step {
        let id = self.any(Kind::Session);
        if self.is_alone(id) && self.rng.percent(50) {
            return self.carefully(|world| world.connect(id));
        }
        if self.rng.percent(60) {
            return self.carefully(|world| world.converse(id));
        }
        match self.rng.below(40) {
            0 | 1 => {
                let id = self.target(Kind::Session);
                self.create_outbound_session(id)
            }
            2 | 3 => {
                let id = self.target(Kind::Session);
                self.create_inbound_session(id)
            }
            4..=7 => {
                let id = self.target(Kind::Session);
                self.damaged_inbound_session(id)
            }
            8..=17 => self.converse(id),
            18..=22 => self.receive_damaged(id),
            23..=28 => self.matches(id),
            29..=32 => self.ask_session(id),
            33 | 34 => {
                let account = self.any(Kind::Account);
                self.call("olm_remove_one_time_keys", args![account, id]).map(drop)
            }
            _ => self.pickle(id),
        }
    }

    /// Opens a session to another account, and there the other end.
    pub fn connect(&mut self, id: Id) -> Step {
        self.create_outbound_session(id)?;
        self.encrypt(id, 1)?;
        let mut free = self.of_kind(Kind::Session);
        free.retain(|other| *other != id && self.is_alone(*other));
        let free = if free.is_empty() { self.any(Kind::Session) } else { *self.rng.pick(&free) };
        let letter = self.notes.letters.pick_if(&mut self.rng, |letter| letter.from == id);
        match letter.cloned() {
            Some(letter) if free != id => self.accept(free, &letter),
            _ => Ok(()),
        }
    }

    fn is_alone(&self, id: Id) -> bool {
        self.objects[id.0].is_blank || !self.notes.peer.contains_key(&id)
    }

    /// A message sent, or some, or one received.
    fn converse(&mut self, id: Id) -> Step {
        match self.rng.below(100) {
            0 | 1 => self.burst(id),
            2..=5 => self.dialogue(id),
            6..=49 => self.encrypt(id, 1),
            _ => self.receive(id),
        }
    }

    /// Many turns, of which each begins a new chain. Some messages are lost, some arrive late.
    fn dialogue(&mut self, id: Id) -> Step {
        let Some(peer) = self.notes.peer.get(&id).copied() else { return Ok(()) };
        for _ in 0..2 + self.rng.below(8) {
            for (from, to) in [(id, peer), (peer, id)] {
                let times = 1 + self.rng.below(9);
                self.encrypt(from, times)?;
                self.receive(to)?;
                if self.rng.percent(50) {
                    self.receive(to)?;
                }
            }
        }
        Ok(())
    }

    fn create_outbound_session(&mut self, id: Id) -> Step {
        let (from, to) = self.two(Kind::Account);
        let key = self.notes.one_time_keys.pick_if(&mut self.rng, |(of, _)| *of == to);
        let (identity_key, key) =
            (self.notes.identity_keys.get(&to).map(|keys| keys.0.clone()), key.cloned());
        let identity_key = self.curve25519_text(identity_key);
        let mut key = self.curve25519_text(key.map(|(_, key)| key));
        if !self.is_careful && self.rng.percent(5) {
            key.clone_from(&identity_key);
        }
        let length = self.length("olm_create_outbound_session_random_length", args![id])?;
        let random = self.random(length);
        let arguments = args![id, from, identity_key, key, random];
        if self.call("olm_create_outbound_session", arguments)?.done {
            self.forget_letters(id);
            self.notes.account.insert(id, from);
            self.notes.peer_account.insert(id, to);
            self.notes.peer.remove(&id);
        }
        Ok(())
    }

    fn create_inbound_session(&mut self, id: Id) -> Step {
        let letter = self.notes.letters.pick_if(&mut self.rng, |letter| letter.message_type == 0);
        match letter.cloned() {
            Some(letter) => self.accept(id, &letter),
            None => Ok(()),
        }
    }

    /// Makes the other end of a session.
    fn accept(&mut self, id: Id, letter: &Letter) -> Step {
        let account = if self.rng.percent(95) { letter.to } else { self.any(Kind::Account) };
        let done = if self.rng.percent(50) {
            self.call("olm_create_inbound_session", args![id, account, letter.text.clone()])?.done
        } else {
            let key = self.identity_key_in(letter);
            let key = self.curve25519_text(key);
            let arguments = args![id, account, key, letter.text.clone()];
            self.call("olm_create_inbound_session_from", arguments)?.done
        };
        if !done {
            self.forget_one_time_key(letter);
            return Ok(());
        }
        self.forget_letters(id);
        self.tally.count("situation", "", "inbound session created");
        self.notes.peer.insert(id, letter.from);
        self.notes.peer.insert(letter.from, id);
        self.notes.account.insert(id, account);
        if let Some(theirs) = self.notes.account.get(&letter.from).copied() {
            self.notes.peer_account.insert(id, theirs);
        }
        if self.rng.percent(80) {
            self.deliver(id, letter)?;
        }
        if self.rng.percent(60) {
            self.call("olm_remove_one_time_keys", args![account, id])?;
            self.forget_one_time_key(letter);
        }
        Ok(())
    }

    /// The session begins again: what it sent before is mostly thrown away.
    fn forget_letters(&mut self, id: Id) {
        if self.rng.percent(80) {
            self.notes.letters.take_away(|letter| letter.from == id);
        }
    }

    /// The one-time key of a pre-key message is used up, as a rule.
    fn forget_one_time_key(&mut self, letter: &Letter) {
        let bytes = base64::decode(&letter.text).unwrap_or_default();
        if let Some(used) = bytes.get(3..3 + 32).map(base64::encode)
            && self.rng.percent(90)
        {
            self.notes.one_time_keys.take_away(|(_, key)| *key == used);
            self.notes.letters.take_away(|kept| kept.text == letter.text);
        }
    }

    /// The identity key in a pre-key message: after the version and two keys with their two bytes.
    fn identity_key_in(&self, letter: &Letter) -> Option<Vec<u8>> {
        let bytes = base64::decode(&letter.text)?;
        bytes.get(1 + 34 + 34 + 2..)?.get(..32).map(base64::encode)
    }

    fn damaged_inbound_session(&mut self, id: Id) -> Step {
        let account = self.any(Kind::Account);
        let letter = self.notes.letters.pick_if(&mut self.rng, |letter| letter.message_type == 0);
        let Some(letter) = letter.cloned() else { return Ok(()) };
        let text = self.damage(&letter.text, 0);
        if self.rng.percent(50) {
            return self.call("olm_create_inbound_session", args![id, account, text]).map(drop);
        }
        let key = self.identity_key_in(&letter);
        let key = self.curve25519_text(key);
        self.call("olm_create_inbound_session_from", args![id, account, key, text]).map(drop)
    }

    /// A damaged message: text, bytes, or fields; of a pre-key message also those of the message
    /// within.
    pub fn damage(&mut self, text: &[u8], trailer: usize) -> Vec<u8> {
        let raw = base64::decode(text).unwrap_or_default();
        // Three keys with their two bytes each, then the tag and two digits of length.
        const INNER: usize = 1 + 3 * 34 + 3;
        match self.rng.below(10) {
            0..=4 => mutate::text(&mut self.rng, text),
            5 | 6 if trailer == 0 && raw.len() > INNER + 60 => {
                let (outer, inner) = raw.split_at(INNER);
                let inner = mutate::fields(&mut self.rng, inner, 8);
                let length = inner.len();
                let digits = [length as u8 & 0x7f | 0x80, (length >> 7) as u8];
                base64::encode(&[&outer[..INNER - 2], &digits, &inner].concat())
            }
            _ => base64::encode(&mutate::fields(&mut self.rng, &raw, trailer)),
        }
    }

    /// Encrypts so many messages; the last one is posted.
    fn encrypt(&mut self, id: Id, times: usize) -> Step {
        let (mut message_type, mut random, mut plaintext) = (0, Arg::Null, Arg::Null);
        for time in 1..=times {
            // Of many, all but the first are like it.
            if time == 1 || time == times || self.rng.percent(3) {
                message_type = self.length("olm_encrypt_message_type", args![id])? as u64;
                let length = self.length("olm_encrypt_random_length", args![id])?;
                random = if time == 1 { self.random(length) } else { Arg::Null };
                plaintext = self.plaintext();
            }
            let length = plaintext.bytes().len();
            let length = self.length("olm_encrypt_message_length", args![id, length])?;
            let room = if times == 1 { self.room(length) } else { Arg::room(length) };
            let (plaintext, random) = (plaintext.clone(), replace(&mut random, Arg::Null));
            let answer = self.call("olm_encrypt", args![id, plaintext, random, room])?;
            let keep = time == times || self.rng.percent(15);
            if let Some(to) = self.notes.peer_account.get(&id).copied()
                && answer.done
                && keep
            {
                let text = answer.written(3);
                self.notes.letters.put(Letter { from: id, to, message_type, text });
            }
        }
        Ok(())
    }

    /// Many messages of which the most are lost.
    fn burst(&mut self, id: Id) -> Step {
        let times = match self.rng.below(50) {
            0 => 1999 + self.rng.below(4),
            1..=5 => 100 + self.rng.below(300),
            _ => 2 + self.rng.below(60),
        };
        self.tally.count("situation", "", "many messages lost in a row");
        self.encrypt(id, times)?;
        match self.notes.peer.get(&id).copied() {
            Some(peer) => self.receive(peer),
            None => Ok(()),
        }
    }

    /// Decrypts a message, mostly one that was sent to this session.
    fn receive(&mut self, id: Id) -> Step {
        let peer = self.notes.peer.get(&id).copied();
        let for_us = |letter: &Letter| Some(letter.from) == peer;
        let letter = match self.rng.percent(95) {
            true => self.notes.letters.pick_if(&mut self.rng, for_us),
            false => self.notes.letters.pick(&mut self.rng),
        };
        let Some(letter) = letter.cloned() else { return Ok(()) };
        self.deliver(id, &letter)
    }

    fn receive_damaged(&mut self, id: Id) -> Step {
        let peer = self.notes.peer.get(&id).copied();
        let for_us = |letter: &Letter| Some(letter.from) == peer;
        let Some(mut letter) = self.notes.letters.pick_if(&mut self.rng, for_us).cloned() else {
            return Ok(());
        };
        match self.rng.below(10) {
            0 => letter.message_type = 1 - letter.message_type,
            1 => letter.message_type = 2 + self.rng.below(3) as u64,
            _ => {
                let trailer = if letter.message_type == 1 { 8 } else { 0 };
                letter.text = self.damage(&letter.text, trailer);
            }
        }
        self.deliver(id, &letter)
    }

    fn deliver(&mut self, id: Id, letter: &Letter) -> Step {
        let Letter { message_type, text, .. } = letter;
        let arguments = args![id, *message_type, text.clone()];
        let answer = self.call("olm_decrypt_max_plaintext_length", arguments)?;
        let length = if answer.done { answer.number() } else { text.len() };
        let room = self.room(length);
        let answer = self.call("olm_decrypt", args![id, *message_type, text.clone(), room])?;
        if answer.done {
            self.tally.count("situation", "", "Olm message decrypted");
            if self.rng.percent(10) {
                self.look_at_chains(id)?;
            }
            if self.rng.percent(90) {
                self.notes.letters.take_away(|kept| kept.text == *text);
            }
        } else if self.is_careful && self.rng.percent(20) {
            // The two have lost each other: one of them was made again.
            self.notes.letters.take_away(|kept| kept.text == *text);
            self.notes.peer.remove(&id);
            self.notes.peer.remove(&letter.from);
        }
        Ok(())
    }

    /// Counts how far conversations get.
    fn look_at_chains(&mut self, id: Id) -> Step {
        let answer = self.call("olm_session_describe", args![id, Arg::room(600)])?;
        let text = String::from_utf8_lossy(&answer.outcome.buffers[1]).into_owned();
        let text = text.split('\0').next().unwrap_or_default();
        let Some((chains, skipped)) = text.split_once(" skipped message keys:") else {
            return Ok(());
        };
        let chains =
            chains.split_once("indices:").map_or(0, |(_, list)| list.split(' ').count() - 1);
        let skipped = skipped.split(' ').count() - 1;
        let mut note = |is_so, what| {
            if is_so {
                self.tally.count("situation", "", what);
            }
        };
        note(chains == 5, "a session with all five receiver chains (of those looked at)");
        note(skipped > 0, "a session with skipped keys (of those looked at)");
        note(skipped == 40, "a session with all forty skipped keys (of those looked at)");
        Ok(())
    }

    fn matches(&mut self, id: Id) -> Step {
        let peer = self.notes.peer.get(&id).copied();
        let is_pre_key = |letter: &Letter| letter.message_type == 0;
        let right = |letter: &Letter| {
            is_pre_key(letter) && (Some(letter.from) == peer || letter.from == id)
        };
        let letter = match self.rng.percent(80) {
            true => self.notes.letters.pick_if(&mut self.rng, right),
            false => self.notes.letters.pick(&mut self.rng),
        };
        let Some(letter) = letter.cloned() else { return Ok(()) };
        let text = match self.rng.percent(40) {
            true => self.damage(&letter.text, 0),
            false => letter.text.clone(),
        };
        if self.rng.percent(50) {
            return self.call("olm_matches_inbound_session", args![id, text]).map(drop);
        }
        let key = self.identity_key_in(&letter);
        let key = self.curve25519_text(key);
        self.call("olm_matches_inbound_session_from", args![id, key, text]).map(drop)
    }

    fn ask_session(&mut self, id: Id) -> Step {
        let length = self.length("olm_session_id_length", args![id])?;
        let room = self.room(length);
        self.call("olm_session_id", args![id, room])?;
        self.call("olm_session_has_received_message", args![id])?;
        self.length("olm_session_last_error_code", args![id])?;
        self.call("olm_session_last_error", args![id])?;
        let length = match self.rng.below(3) {
            0 => self.rng.below(120),
            1 => 600,
            _ => self.rng.below(30),
        };
        let full = self.call("olm_session_describe", args![id, Arg::room(length)])?;
        let written = full.outcome.buffers[1].iter().position(|byte| *byte == 0);
        if let Some(exact) = written {
            let length = (exact + 2).saturating_sub(self.rng.below(5));
            self.call("olm_session_describe", args![id, Arg::room(length)])?;
        }
        Ok(())
    }
}
