//! Pickles: taken, read back, damaged, and sealed again with another content.

use curve25519_dalek::MontgomeryPoint;

use crate::{
    args, base64,
    call::Arg,
    functions::Kind,
    mutate,
    notes::Pickled,
    object::Id,
    oddities::{Oddity, oddities},
    pickle,
    world::{Step, World},
};

impl World<'_> {
    pub fn pickle(&mut self, id: Id) -> Step {
        let kind = self.objects[id.0].kind;
        let length = self.length(&format!("olm_pickle_{}_length", kind.name()), args![id])?;
        let (key, room) = (self.pickle_key(), self.room(length));
        let name = format!("olm_pickle_{}", kind.name());
        let answer = self.call(&name, args![id, key.clone(), room])?;
        if !answer.done {
            return Ok(());
        }
        let text = answer.written(2);
        if self.rng.percent(40) {
            // The same object goes on from its pickle.
            self.call(&format!("olm_clear_{}", kind.name()), args![id])?;
            self.unpickle(id, &key, &text)?;
        }
        self.notes.pickles.put(Pickled { kind, key, text });
        Ok(())
    }

    pub fn unpickle(&mut self, id: Id, key: &[u8], text: &[u8]) -> Step {
        let kind = self.objects[id.0].kind;
        let mut arguments = args![id, key, text];
        if kind == Kind::PkDecryption {
            let room = self.room(43);
            arguments.push(if self.rng.percent(60) { room } else { Arg::Null });
        }
        self.call(&format!("olm_unpickle_{}", kind.name()), arguments).map(drop)
    }

    /// Reads a pickle with something changed, into an object that may hold something else.
    pub fn on_pickles(&mut self) -> Step {
        let Some(Pickled { kind, key, mut text }) = self.notes.pickles.pick(&mut self.rng).cloned()
        else {
            return Ok(());
        };
        // Pickles of another kind have the wrong length, if anything.
        let into = if self.rng.percent(98) { kind } else { Kind::Outbound };
        let id = self.target(into);
        let mut key_given = key.clone();
        match self.rng.below(10) {
            0 => text = mutate::text(&mut self.rng, &text),
            1 => key_given = self.pickle_key(),
            2 => {
                let length = self.rng.below(60);
                text = base64::encode(&self.rng.bytes(length));
            }
            3 => {}
            _ => text = self.seal_changed(kind, &key, &text),
        }
        if self.rng.percent(60) {
            self.call(&format!("olm_clear_{}", into.name()), args![id])?;
        }
        self.unpickle(id, &key_given, &text)
    }

    /// The pickle with another content.
    fn seal_changed(&mut self, kind: Kind, key: &[u8], text: &[u8]) -> Vec<u8> {
        let Some(padded) = pickle::open(text, key) else { return text.to_vec() };
        let Some(content) = pickle::unpad(&padded) else { return text.to_vec() };
        let mut content = content.to_vec();
        match self.rng.below(12) {
            0 => self.change_version(&mut content),
            1 => content.truncate(self.rng.below(content.len() + 1)),
            2 => content.extend(vec![0; 1 + self.rng.below(20)]),
            3 => return self.seal_with_odd_padding(&content, key),
            4 => mutate::bytes(&mut self.rng, &mut content),
            5 | 6 => self.change_index(kind, &mut content),
            _ => self.change_lists(kind, &mut content),
        }
        pickle::seal(&pickle::pad(&content), key)
    }

    fn change_version(&mut self, content: &mut [u8]) {
        let version = *self.rng.pick(&[0, 1, 2, 3, 4, 5, 0x8000_0001, 0x8000_0002, u32::MAX]);
        if let Some(place) = content.first_chunk_mut() {
            *place = version.to_be_bytes();
        }
    }

    fn seal_with_odd_padding(&mut self, content: &[u8], key: &[u8]) -> Vec<u8> {
        let mut padded = pickle::pad(content);
        let last = padded.len() - 1;
        if self.rng.percent(50) {
            padded[last] = self.rng.byte();
        } else {
            padded[last - self.rng.below(16).min(last)] ^= 1;
        }
        pickle::seal(&padded, key)
    }

    /// Another message index: near the ends of its parts of eight bits, and of its range.
    fn change_index(&mut self, kind: Kind, content: &mut [u8]) {
        let places: &[usize] = match kind {
            Kind::Outbound => &[4 + 128],
            Kind::Inbound => &[4 + 128, 4 + 132 + 128],
            _ => return mutate_flag(kind, content),
        };
        let index = match self.rng.below(6) {
            0 => u32::MAX,
            1 => u32::MAX - self.rng.below(4) as u32,
            2 => (1 << self.rng.below(32)) - 1,
            3 => 1 << self.rng.below(32),
            4 => self.rng.number() as u32,
            _ => 0x00ff_fffe,
        };
        let place = *self.rng.pick(places);
        if let Some(bytes) = content.get_mut(place..place + 4) {
            bytes.copy_from_slice(&index.to_be_bytes());
        }
    }

    /// Accounts and sessions: lists that are longer or shorter, old versions.
    fn change_lists(&mut self, kind: Kind, content: &mut Vec<u8>) {
        if oddities(kind, content).contains(&Oddity::Length) {
            return;
        }
        match kind {
            Kind::Account => self.change_account(content),
            Kind::Session => self.change_session(content),
            Kind::Inbound => {
                // Version 1: without the flag at the end.
                content[3] = 1;
                content.pop();
            }
            _ => mutate::bytes(&mut self.rng, content),
        }
    }

    fn change_account(&mut self, content: &mut Vec<u8>) {
        const KEYS: usize = 4 + 160 + 4;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |n, byte| n << 8 | usize::from(*byte));
        if content[3] != 4 {
            return;
        }
        let count = number(&content[KEYS - 4..KEYS]);
        let end = KEYS + 69 * count;
        if content[end] > 2 {
            return;
        }
        match self.rng.below(6) {
            5 => {
                // More keys than fit, as vodozemac writes them: each is another one.
                let more = 101_usize.saturating_sub(count) + self.rng.below(20);
                let last_id = content.len() - 4;
                let first_id = number(&content[last_id..]);
                if first_id + more > u32::MAX as usize {
                    return;
                }
                set_number(content, last_id, first_id + more);
                let mut keys: Vec<_> = content[KEYS..end].chunks(69).map(<[u8]>::to_vec).collect();
                for id in first_id + 1..=first_id + more {
                    keys.insert(0, self.stored_key(id as u32));
                }
                // libolm writes the newest first, and vodozemac the oldest.
                if self.rng.percent(50) {
                    keys.reverse();
                }
                content.splice(KEYS..end, keys.concat());
                set_number(content, KEYS - 4, count + more);
            }
            0 if count > 0 => {
                // More keys than fit.
                let more = self.rng.below(120);
                let key = content[KEYS..KEYS + 69].to_vec();
                content.splice(end..end, key.repeat(more));
                set_number(content, KEYS - 4, count + more);
            }
            1 => {
                // A version from before fallback keys.
                let fallback = 1 + 69 * usize::from(content[end]);
                content.drain(end..end + fallback);
                content[3] = 2;
            }
            2 => {
                // The version of two places, whose flag tells how many are there.
                let fallback = usize::from(content[end]);
                content.remove(end);
                let rest = content.split_off(end + 69 * fallback);
                content.resize(end + 69 * 2, 0);
                content[end + 4] = u8::from(fallback > 0);
                content[end + 69 + 4] = u8::from(fallback > 1);
                content.extend(rest);
                content[3] = 3;
            }
            3 => content[end] = self.rng.below(5) as u8,
            _ => {
                let place = content.len() - 1 - self.rng.below(4);
                content[place] = self.rng.byte();
            }
        }
    }

    /// A one-time key as an account's pickle has it.
    fn stored_key(&mut self, id: u32) -> Vec<u8> {
        let private = self.rng.bytes(32);
        let scalar = *private.first_chunk().expect("32 bytes");
        let public = MontgomeryPoint::mul_base_clamped(scalar).to_bytes();
        [&id.to_be_bytes()[..], &[0], &public, &private].concat()
    }

    fn change_session(&mut self, content: &mut Vec<u8>) {
        const CHAINS: usize = 4 + 1 + 96 + 32;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |n, byte| n << 8 | usize::from(*byte));
        let receivers = CHAINS + 4 + 100 * number(&content[CHAINS..CHAINS + 4]);
        let receiver_count = number(&content[receivers..receivers + 4]);
        let skipped = receivers + 4 + 68 * receiver_count;
        let skipped_count = number(&content[skipped..skipped + 4]);
        match self.rng.below(7) {
            5 if receivers > CHAINS + 4 => {
                let last = u32::MAX as usize - self.rng.below(2);
                set_number(content, receivers - 4, last);
            }
            0 => {
                content[..4].copy_from_slice(&0x8000_0001_u32.to_be_bytes());
                content.extend(self.rng.bytes(4));
            }
            1 if receiver_count > 0 => {
                let more = self.rng.below(8);
                let chain = content[receivers + 4..receivers + 72].to_vec();
                content.splice(skipped..skipped, chain.repeat(more));
                set_number(content, receivers, receiver_count + more);
            }
            2 if skipped_count > 0 => {
                let more = self.rng.below(60);
                let key = content[skipped + 4..skipped + 72].to_vec();
                content.extend(key.repeat(more));
                set_number(content, skipped, skipped_count + more);
            }
            3 => content[4] = self.rng.byte(),
            4 => {
                let place = *self.rng.pick(&[CHAINS, receivers, skipped]);
                let count = self.rng.below(7);
                set_number(content, place, count);
            }
            _ if receiver_count > 0 => {
                // A chain far advanced: its index, without its key.
                let far = *self.rng.pick(&[5, 2000, 0x7fff_ffff, u32::MAX as usize]);
                set_number(content, receivers + 4 + 64, far);
            }
            _ => {}
        }
    }
}

fn mutate_flag(kind: Kind, content: &mut [u8]) {
    // The flags of a session and of the first one-time key.
    let place = if kind == Kind::Session { 4 } else { 4 + 160 + 4 + 4 };
    if let Some(flag) = content.get_mut(place) {
        *flag = flag.wrapping_add(1);
    }
}

fn set_number(content: &mut [u8], place: usize, number: usize) {
    let number = u32::try_from(number).expect("a small count");
    content[place..place + 4].copy_from_slice(&number.to_be_bytes());
}
