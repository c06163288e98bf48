//! The only unsafe code of this crate: a libolm loaded at run time, and its functions.

use std::ptr;

use calling::Entry;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

/// An argument of a C function, in one machine word: a length or an address.
pub enum Word<'a> {
    Number(usize),
    In(&'a [u8]),
    Out(&'a mut [u8]),
}

#[derive(Clone, Copy)]
pub struct Function(Entry);

impl Function {
    /// Calls the function; the words must be its parameters. The callers are the few lines of
    /// `object.rs`, which name the function beside its parameters.
    pub fn call<const N: usize>(self, words: [Word<'_>; N]) -> usize {
        let words = words.map(|word| match word {
            Word::Number(number) => ptr::without_provenance_mut(number),
            Word::In(bytes) => bytes.as_ptr().cast_mut().cast(),
            Word::Out(bytes) => bytes.as_mut_ptr().cast(),
        });
        // SAFETY: every parameter of the functions used here is a pointer, a size_t or a uint32_t,
        // and every result a size_t or a pointer, or there is none. The pointers are those of
        // borrowed slices, and their true lengths stand beside them.
        unsafe { calling::call(self.0, &words) }.addr()
    }
}

macro_rules! functions {
    ($($name:ident)+) => {
        /// The functions of one library, which stays loaded.
        pub struct Libolm {
            $(pub $name: Function,)+
        }

        impl Libolm {
            pub fn open(path: &str) -> &'static Self {
                // SAFETY: the caller of this program names two builds of libolm; loading one runs
                // no more than the initialisers of the C++ runtime. RTLD_LOCAL keeps the two apart.
                let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.unwrap();
                let function = |name: &str| {
                    // SAFETY: the symbol is a C function of libolm's interface, only called by
                    // `call`.
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
    olm_get_library_version
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
