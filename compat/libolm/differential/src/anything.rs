//! Any function with arguments that only have the right types; and, for our library alone,
//! arguments that libolm does not survive.

use crate::{
    call::Arg,
    functions::{Kind, Parameter, Returns},
    world::{Step, World},
};

impl World<'_> {
    /// Any of the 150.
    pub fn on_anything(&mut self) -> Step {
        let libraries = self.libraries;
        let functions = &libraries.functions;
        let function = &functions[self.rng.below(functions.len())];
        let begins_again = function.parameters.first() == Some(&Parameter::Memory)
            || function.name.starts_with("olm_clear_");
        if begins_again && self.rng.percent(70) {
            return Ok(());
        }
        let mut made = Kind::ALL.into_iter().filter(|kind| function.makes(*kind));
        let args = match made.next() {
            Some(kind) => vec![Arg::Object(self.any(kind))],
            None => self.arguments(&function.parameters),
        };
        self.call(&function.name, args).map(drop)
    }

    /// Our library alone: null pointers that have a length, and lengths that overflow.
    pub fn on_hostile(&mut self) -> Step {
        let libraries = self.libraries;
        let functions = &libraries.functions;
        let function = &functions[self.rng.below(functions.len())];
        let places = function.parameters.iter().enumerate().filter(|(_, parameter)| {
            use Parameter::{In, Number, Out, Random, Scratch};
            match function.returns {
                Returns::Result => matches!(parameter, In | Random | Out | Scratch),
                Returns::Size => matches!(parameter, Number),
                _ => false,
            }
        });
        let places: Vec<_> = places.map(|(place, _)| place).collect();
        if places.is_empty() {
            return Ok(());
        }
        let mut args = self.arguments(&function.parameters);
        let place = *self.rng.pick(&places);
        args[place] = match function.parameters[place] {
            Parameter::Number => Arg::Number(u64::MAX - self.rng.below(40) as u64),
            _ => Arg::NullWithLength(1 + self.rng.below(400) as u64),
        };
        self.call(&function.name, args).map(drop)
    }

    fn arguments(&mut self, parameters: &[Parameter]) -> Vec<Arg> {
        parameters.iter().map(|parameter| self.argument(*parameter)).collect()
    }

    fn argument(&mut self, parameter: Parameter) -> Arg {
        match parameter {
            Parameter::Object { kind, .. } => Arg::Object(self.any(kind)),
            Parameter::Memory => unreachable!("the caller knows what a constructor makes"),
            Parameter::In | Parameter::Scratch | Parameter::Random => {
                let length =
                    *self.rng.pick(&[0, 1, 11, 31, 32, 43, 43, 64, 86, 100, 160, 220, 306]);
                self.input(length)
            }
            Parameter::Out => {
                let length = *self.rng.pick(&[0, 1, 8, 11, 12, 32, 43, 44, 86, 116, 300, 1000]);
                Arg::room(length)
            }
            Parameter::Index => Arg::room(4),
            Parameter::Byte => Arg::room(1),
            Parameter::Number => Arg::Number(match self.rng.below(4) {
                0 => self.rng.below(20) as u64,
                1 => u64::from(self.rng.number() as u32),
                2 => 1 << self.rng.below(33),
                _ => self.rng.below(300) as u64,
            }),
        }
    }
}
