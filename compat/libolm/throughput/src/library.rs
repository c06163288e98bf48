//! The only unsafe code of this crate: a libolm loaded at run time, and its functions.

use std::mem::transmute;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

/// An argument of a C function, in one machine word: a length or an address.
pub enum Word<'a> {
    Number(usize),
    In(&'a [u8]),
    Out(&'a mut [u8]),
}

type W = usize;
type Entry = unsafe extern "C" fn();

#[derive(Clone, Copy)]
pub struct Function(Entry);

impl Function {
    /// Calls the function; the words must be its parameters. The callers are the few lines of `object.rs`,
    /// which name the function beside its parameters.
    pub fn call<const N: usize>(self, words: [Word<'_>; N]) -> usize {
        let words = words.map(|word| match word {
            Word::Number(number) => number,
            Word::In(bytes) => bytes.as_ptr() as usize,
            Word::Out(bytes) => bytes.as_mut_ptr() as usize,
        });
        // SAFETY: every parameter of the functions used here is a pointer, a size_t or a uint32_t, and every
        // result a size_t or a pointer; the C calling convention of 64-bit platforms passes each of them in one
        // integer register or one slot of 8 bytes. The addresses are those of borrowed slices, and
        // their true lengths stand beside them.
        unsafe {
            match *words.as_slice() {
                [] => transmute::<Entry, extern "C" fn() -> W>(self.0)(),
                [a] => transmute::<Entry, extern "C" fn(W) -> W>(self.0)(a),
                [a, b] => transmute::<Entry, extern "C" fn(W, W) -> W>(self.0)(a, b),
                [a, b, c] => transmute::<Entry, extern "C" fn(W, W, W) -> W>(self.0)(a, b, c),
                [a, b, c, d] => transmute::<Entry, F4>(self.0)(a, b, c, d),
                [a, b, c, d, e] => transmute::<Entry, F5>(self.0)(a, b, c, d, e),
                [a, b, c, d, e, f] => transmute::<Entry, F6>(self.0)(a, b, c, d, e, f),
                [a, b, c, d, e, f, g] => transmute::<Entry, F7>(self.0)(a, b, c, d, e, f, g),
                [a, b, c, d, e, f, g, h, i] => {
                    transmute::<Entry, F9>(self.0)(a, b, c, d, e, f, g, h, i)
                }
                _ => panic!("no function used here has {N} parameters"),
            }
        }
    }
}

type F4 = extern "C" fn(W, W, W, W) -> W;
type F5 = extern "C" fn(W, W, W, W, W) -> W;
type F6 = extern "C" fn(W, W, W, W, W, W) -> W;
type F7 = extern "C" fn(W, W, W, W, W, W, W) -> W;
type F9 = extern "C" fn(W, W, W, W, W, W, W, W, W) -> W;

macro_rules! functions {
    ($($name:ident)+) => {
        /// The functions of one library, which stays loaded.
        pub struct Libolm {
            $(pub $name: Function,)+
        }

        impl Libolm {
            pub fn open(path: &str) -> &'static Self {
                // SAFETY: the caller of this program names two builds of libolm; loading one runs no more
                // than the initialisers of the C++ runtime. RTLD_LOCAL keeps the two apart.
                let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.unwrap();
                let function = |name: &str| {
                    // SAFETY: the symbol is a C function of libolm's interface, only called by `call`.
                    Function(*unsafe { library.get::<Entry>(name.as_bytes()) }.unwrap())
                };
                let functions = Self { $($name: function(stringify!($name)),)+ };
                std::mem::forget(library);
                Box::leak(Box::new(functions))
            }
        }
    };
}

functions! {
    olm_account_size olm_account olm_create_account_random_length olm_create_account
    olm_account_identity_keys_length olm_account_identity_keys
    olm_account_generate_one_time_keys_random_length olm_account_generate_one_time_keys
    olm_account_one_time_keys_length olm_account_one_time_keys
    olm_pickle_account_length olm_pickle_account olm_unpickle_account
    olm_remove_one_time_keys
    olm_session_size olm_session
    olm_create_outbound_session_random_length olm_create_outbound_session
    olm_create_inbound_session
    olm_encrypt_random_length olm_encrypt_message_length olm_encrypt_message_type olm_encrypt
    olm_decrypt_max_plaintext_length olm_decrypt
    olm_pickle_session_length olm_pickle_session olm_unpickle_session
    olm_outbound_group_session_size olm_outbound_group_session
    olm_init_outbound_group_session_random_length olm_init_outbound_group_session
    olm_group_encrypt_message_length olm_group_encrypt
    olm_outbound_group_session_key_length olm_outbound_group_session_key
    olm_inbound_group_session_size olm_inbound_group_session olm_init_inbound_group_session
    olm_import_inbound_group_session
    olm_export_inbound_group_session_length olm_export_inbound_group_session
    olm_group_decrypt_max_plaintext_length olm_group_decrypt
    olm_pickle_inbound_group_session_length olm_pickle_inbound_group_session
    olm_unpickle_inbound_group_session
}
