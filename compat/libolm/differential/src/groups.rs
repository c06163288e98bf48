//! Calls on group sessions.

use crate::{
    args,
    call::Arg,
    functions::Kind,
    mutate,
    object::Id,
    world::{Step, World},
};

impl World<'_> {
    pub fn on_outbound_group_session(&mut self) -> Step {
        let id = self.any(Kind::Outbound);
        self.revive(id)?;
        match self.rng.below(20) {
            0 => {
                let id = self.target(Kind::Outbound);
                self.init_outbound(id)
            }
            1..=4 => self.group_encrypt(id),
            5..=10 => self.carefully(|world| world.group_encrypt(id)),
            11..=13 => self.share_key(id),
            14 | 15 => {
                let length = self.length("olm_outbound_group_session_id_length", args![id])?;
                let room = self.room(length);
                self.call("olm_outbound_group_session_id", args![id, room])?;
                self.length("olm_outbound_group_session_last_error_code", args![id])?;
                self.call("olm_outbound_group_session_last_error", args![id]).map(drop)
            }
            16 | 17 => self.call("olm_outbound_group_session_message_index", args![id]).map(drop),
            _ => self.pickle(id),
        }
    }

    pub fn init_outbound(&mut self, id: Id) -> Step {
        let length = self.length("olm_init_outbound_group_session_random_length", args![id])?;
        let random = self.random(length);
        self.call("olm_init_outbound_group_session", args![id, random])?;
        self.share_key(id)
    }

    fn share_key(&mut self, id: Id) -> Step {
        let length = self.length("olm_outbound_group_session_key_length", args![id])?;
        let room = self.room(length);
        let answer = self.call("olm_outbound_group_session_key", args![id, room])?;
        if answer.done {
            self.notes.session_keys.put((id, answer.written(1)));
        }
        Ok(())
    }

    fn group_encrypt(&mut self, id: Id) -> Step {
        let times = if self.rng.percent(2) { self.rng.below(300) } else { 1 };
        for time in 0..times {
            let plaintext = self.plaintext();
            let length = plaintext.bytes().len();
            let length = self.length("olm_group_encrypt_message_length", args![id, length])?;
            let room = self.room(length);
            let answer = self.call("olm_group_encrypt", args![id, plaintext, room])?;
            if answer.done && (time % 64 == 0 || time + 1 == times) {
                self.notes.room_messages.put((id, answer.written(2)));
            }
        }
        Ok(())
    }

    pub fn on_inbound_group_session(&mut self) -> Step {
        let id = self.any(Kind::Inbound);
        self.revive(id)?;
        match self.rng.below(24) {
            0 => {
                let id = self.target(Kind::Inbound);
                self.init_inbound(id)
            }
            1 => {
                let id = self.target(Kind::Inbound);
                self.import_inbound(id)
            }
            2 => {
                let id = self.target(Kind::Inbound);
                self.damaged_group_key(id)
            }
            3..=5 => self.group_receive(id),
            6..=12 => self.carefully(|world| world.group_receive(id)),
            13 | 14 => self.group_receive_damaged(id),
            15..=18 => self.export(id),
            19..=21 => self.ask_inbound(id),
            _ => self.pickle(id),
        }
    }

    pub fn init_inbound(&mut self, id: Id) -> Step {
        let Some((room, key)) = self.notes.session_keys.pick(&mut self.rng).cloned() else {
            return Ok(());
        };
        if self.call("olm_init_inbound_group_session", args![id, key])?.done {
            self.notes.room.insert(id, room);
        }
        Ok(())
    }

    fn import_inbound(&mut self, id: Id) -> Step {
        let Some(key) = self.notes.exported_keys.pick(&mut self.rng).cloned() else {
            return Ok(());
        };
        self.call("olm_import_inbound_group_session", args![id, key]).map(drop)
    }

    fn damaged_group_key(&mut self, id: Id) -> Step {
        let shared = self.notes.session_keys.pick(&mut self.rng).map(|(_, key)| key.clone());
        let exported = self.notes.exported_keys.pick(&mut self.rng).cloned();
        let is_shared = self.rng.percent(50);
        let Some(key) = (if is_shared { shared } else { exported }) else { return Ok(()) };
        let key = mutate::text(&mut self.rng, &key);
        // A key of the other kind, or of its own.
        let name = match is_shared ^ self.rng.percent(5) {
            true => "olm_init_inbound_group_session",
            false => "olm_import_inbound_group_session",
        };
        self.call(name, args![id, key]).map(drop)
    }

    fn group_receive(&mut self, id: Id) -> Step {
        let room = self.notes.room.get(&id).copied();
        let message = match self.rng.percent(95) {
            true => {
                self.notes.room_messages.pick_if(&mut self.rng, |(from, _)| Some(*from) == room)
            }
            false => self.notes.room_messages.pick(&mut self.rng),
        };
        let Some((_, text)) = message.cloned() else { return Ok(()) };
        self.group_deliver(id, text)?;
        if self.notes.room.contains_key(&id) || self.rng.percent(80) {
            return Ok(());
        }
        self.init_inbound(id)
    }

    fn group_receive_damaged(&mut self, id: Id) -> Step {
        let Some((_, text)) = self.notes.room_messages.pick(&mut self.rng).cloned() else {
            return Ok(());
        };
        let text = self.damage(&text, 72);
        self.group_deliver(id, text)
    }

    fn group_deliver(&mut self, id: Id, text: Vec<u8>) -> Step {
        let name = "olm_group_decrypt_max_plaintext_length";
        let answer = self.call(name, args![id, text.clone()])?;
        let length = if answer.done { answer.number() } else { text.len() };
        let room = self.room(length);
        let index = if self.rng.percent(90) { Arg::room(4) } else { Arg::Null };
        let answer = self.call("olm_group_decrypt", args![id, text, room, index])?;
        if answer.done {
            self.tally.count("situation", "", "Megolm message decrypted");
        } else if answer.outcome.error() == "BAD_SIGNATURE" && self.rng.percent(30) {
            // Perhaps the other end was made again.
            self.notes.room.remove(&id);
        }
        Ok(())
    }

    fn export(&mut self, id: Id) -> Step {
        let length = self.length("olm_export_inbound_group_session_length", args![id])?;
        let room = self.room(length);
        let first = self.length("olm_inbound_group_session_first_known_index", args![id])? as u32;
        let index = match self.rng.below(10) {
            0 => first.wrapping_sub(1),
            1 => self.rng.number() as u32,
            2 => first.wrapping_add(1 << self.rng.below(32)),
            3 => first | 0xff_ffff,
            _ => first.wrapping_add(self.rng.below(300) as u32),
        };
        let arguments = args![id, room, u64::from(index)];
        let answer = self.call("olm_export_inbound_group_session", arguments)?;
        if answer.done {
            self.notes.exported_keys.put(answer.written(1));
        }
        Ok(())
    }

    fn ask_inbound(&mut self, id: Id) -> Step {
        let length = self.length("olm_inbound_group_session_id_length", args![id])?;
        let room = self.room(length);
        self.call("olm_inbound_group_session_id", args![id, room])?;
        self.call("olm_inbound_group_session_is_verified", args![id])?;
        self.length("olm_inbound_group_session_last_error_code", args![id])?;
        self.call("olm_inbound_group_session_last_error", args![id]).map(drop)
    }
}
