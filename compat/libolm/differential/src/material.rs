//! Arguments: buffers of the right and the wrong length, texts, random bytes.

use std::mem::replace;

use crate::{
    base64,
    call::Arg,
    functions::Kind,
    keys::BAD_CURVE25519,
    mutate,
    object::Id,
    world::{Step, World},
};

impl World<'_> {
    /// A buffer to write `length` bytes to: mostly of that length, else one too short, empty, or
    /// longer.
    pub fn room(&mut self, length: usize) -> Arg {
        if self.is_careful {
            return Arg::room(length);
        }
        let length = match self.rng.below(20) {
            0 | 1 => length.saturating_sub(1),
            2 => return self.no_room(),
            3 => self.rng.below(length),
            4 | 5 => length + 1 + self.rng.below(40),
            _ => length,
        };
        Arg::room(length)
    }

    fn no_room(&mut self) -> Arg {
        if self.rng.percent(50) { Arg::Null } else { Arg::room(0) }
    }

    /// Random bytes for a function that needs so many: mostly that many, else fewer or more.
    pub fn random(&mut self, length: usize) -> Arg {
        if self.is_careful {
            return Arg::Bytes(self.rng.bytes(length));
        }
        let length = match self.rng.below(20) {
            0 => length.saturating_sub(1),
            1 => self.rng.below(length),
            2 | 3 => length + self.rng.below(40),
            _ => length,
        };
        self.input(length)
    }

    /// So many bytes of input; none of them sometimes at address zero.
    pub fn input(&mut self, length: usize) -> Arg {
        if length == 0 && self.rng.percent(50) {
            return Arg::Null;
        }
        Arg::Bytes(self.rng.bytes(length))
    }

    /// A plaintext, or something else to sign or to hash.
    pub fn plaintext(&mut self) -> Arg {
        let length = match self.rng.below(20) {
            0 => 0,
            1..=12 => self.rng.below(40),
            13..=16 => *self.rng.pick(&[15, 16, 17, 31, 32, 33, 55, 56, 63, 64, 65, 127, 128, 129]),
            17 | 18 => self.rng.below(300),
            _ => self.rng.below(3000),
        };
        self.input(length)
    }

    /// A key to pickle with.
    pub fn pickle_key(&mut self) -> Vec<u8> {
        let length = *self.rng.pick(&[0, 1, 16, 32, 32, 32, 63, 64, 65, 100]);
        self.rng.bytes(length)
    }

    /// A Curve25519 key as text: a good one, a refused one, a damaged one, or garbage.
    pub fn curve25519_text(&mut self, good: Option<Vec<u8>>) -> Vec<u8> {
        let random = base64::encode(&self.rng.bytes(32));
        let good = good.unwrap_or(random);
        if self.is_careful {
            return good;
        }
        match self.rng.below(40) {
            // A length that no base64 has.
            4 => [good, b"AA".to_vec()].concat(),
            0 => base64::encode(self.rng.pick::<[u8; 32]>(&BAD_CURVE25519)),
            1 => mutate::text(&mut self.rng, &good),
            2 => self.rng.bytes(43),
            3 => {
                let length = self.rng.below(60);
                self.rng.bytes(length)
            }
            5 => [good, b"=".to_vec()].concat(),
            _ => good,
        }
    }

    /// Runs steps with arguments that are all in order.
    pub fn carefully(&mut self, steps: impl FnOnce(&mut Self) -> Step) -> Step {
        let before = replace(&mut self.is_careful, true);
        let result = steps(self);
        self.is_careful = before;
        result
    }

    /// Gives a blank object keys again, in most cases.
    pub fn revive(&mut self, id: Id) -> Step {
        if !self.objects[id.0].is_blank || self.rng.percent(30) {
            return Ok(());
        }
        self.carefully(|world| match world.objects[id.0].kind {
            Kind::Account => world.found_account(id),
            Kind::Outbound => world.init_outbound(id),
            Kind::Inbound => world.init_inbound(id),
            Kind::PkDecryption => world.pk_new_key(id),
            Kind::PkEncryption => world.pk_set_recipient(id),
            Kind::PkSigning => world.pk_new_signing_key(id),
            Kind::Sas => world.sas_create(id),
            Kind::Session | Kind::Utility => Ok(()),
        })
    }

    /// The objects of a kind that pickles and keys of others are read into: the last one in most
    /// cases, so that the others live on.
    pub fn target(&mut self, kind: Kind) -> Id {
        let ids = self.of_kind(kind);
        let last = ids[ids.len() - 1];
        if self.rng.percent(85) { last } else { *self.rng.pick(&ids) }
    }

    /// Two different objects of a kind.
    pub fn two(&mut self, kind: Kind) -> (Id, Id) {
        let mut ids = self.of_kind(kind);
        let first = ids.swap_remove(self.rng.below(ids.len()));
        (first, *self.rng.pick(&ids))
    }
}
