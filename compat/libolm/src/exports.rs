//! The whole surface: the name and the arguments of every C function, in the order of libolm's
//! headers, and the function that does its work. Nothing here is `unsafe` but saying that no two
//! symbols of a program have one of these names.
//!
//! An argument `(start, length): Input` is two of C's. `Out` is a pointer to one number.

use std::ffi::c_char;

use moceril::{
    backup::{BackupDecryptionKey, BackupEncryptionKey},
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
};

use crate::{
    account, describe,
    export::exports,
    inbound, library,
    memory::{Buffer, Input, Object, Out, Output},
    object, outbound, pickle,
    pk::{self, decryption, encryption, signing, signing::Seed},
    sas::{self, Keys},
    session,
    utility::{self, Utility},
};

exports! {
    olm_get_library_version(major: Out, minor: Out, patch: Out) = library::version;
    olm_error() -> usize = library::failed;
    _olm_error_to_string(error: u32) -> *const c_char = library::error_text;

    olm_account_size() -> usize = object::size::<Account>;
    olm_account(memory: Object<Account>) -> Object<Account> = object::create;
    olm_account_last_error(account: Object<Account>) -> *const c_char = object::last_error;
    olm_account_last_error_code(account: Object<Account>) -> u32 = object::last_error_code;
    olm_clear_account(account: Object<Account>) -> usize = object::clear;
    olm_create_account_random_length(
        account: Object<Account>,
    ) -> usize = account::create_random_length;
    olm_create_account(
        account: Object<Account>,
        (random, random_length): Output,
    ) -> usize = account::create;
    olm_account_identity_keys_length(
        account: Object<Account>,
    ) -> usize = account::identity_keys_length;
    olm_account_identity_keys(
        account: Object<Account>,
        (identity_keys, identity_key_length): Output,
    ) -> usize = account::identity_keys;
    olm_account_signature_length(account: Object<Account>) -> usize = account::signature_length;
    olm_account_sign(
        account: Object<Account>,
        (message, message_length): Input,
        (signature, signature_length): Output,
    ) -> usize = account::sign;
    olm_account_generate_one_time_keys_random_length(
        account: Object<Account>,
        number_of_keys: usize,
    ) -> usize = account::one_time_keys_random_length;
    olm_account_generate_one_time_keys(
        account: Object<Account>,
        number_of_keys: usize,
        (random, random_length): Output,
    ) -> usize = account::generate_one_time_keys;
    olm_account_max_number_of_one_time_keys(
        account: Object<Account>,
    ) -> usize = account::max_one_time_keys;
    olm_account_one_time_keys_length(
        account: Object<Account>,
    ) -> usize = account::one_time_keys_length;
    olm_account_one_time_keys(
        account: Object<Account>,
        (one_time_keys, one_time_keys_length): Output,
    ) -> usize = account::one_time_keys;
    olm_account_mark_keys_as_published(
        account: Object<Account>,
    ) -> usize = account::mark_keys_as_published;
    olm_account_generate_fallback_key_random_length(
        account: Object<Account>,
    ) -> usize = account::fallback_key_random_length;
    olm_account_generate_fallback_key(
        account: Object<Account>,
        (random, random_length): Output,
    ) -> usize = account::generate_fallback_key;
    olm_account_unpublished_fallback_key_length(
        account: Object<Account>,
    ) -> usize = account::fallback_key_length;
    olm_account_unpublished_fallback_key(
        account: Object<Account>,
        (fallback_key, fallback_key_size): Output,
    ) -> usize = account::fallback_key;
    olm_account_fallback_key_length(
        account: Object<Account>,
    ) -> usize = account::current_fallback_key_length;
    olm_account_fallback_key(
        account: Object<Account>,
        (fallback_key, fallback_key_size): Output,
    ) -> usize = account::current_fallback_key;
    olm_account_forget_old_fallback_key(
        account: Object<Account>,
    ) = account::forget_old_fallback_key;
    olm_remove_one_time_keys(
        account: Object<Account>,
        session: Object<Session>,
    ) -> usize = account::remove_one_time_keys;
    olm_pickle_account_length(account: Object<Account>) -> usize = pickle::length;
    olm_pickle_account(
        account: Object<Account>,
        (key, key_length): Input,
        (pickled, pickled_length): Output,
    ) -> usize = pickle::write;
    olm_unpickle_account(
        account: Object<Account>,
        (key, key_length): Input,
        (pickled, pickled_length): Input,
    ) -> usize = pickle::read;

    olm_session_size() -> usize = object::size::<Session>;
    olm_session(memory: Object<Session>) -> Object<Session> = object::create;
    olm_session_last_error(session: Object<Session>) -> *const c_char = object::last_error;
    olm_session_last_error_code(session: Object<Session>) -> u32 = object::last_error_code;
    olm_clear_session(session: Object<Session>) -> usize = object::clear;
    olm_create_outbound_session_random_length(
        session: Object<Session>,
    ) -> usize = session::create_outbound_random_length;
    olm_create_outbound_session(
        session: Object<Session>,
        account: Object<Account>,
        (their_identity_key, their_identity_key_length): Input,
        (their_one_time_key, their_one_time_key_length): Input,
        (random, random_length): Output,
    ) -> usize = session::create_outbound;
    olm_create_inbound_session(
        session: Object<Session>,
        account: Object<Account>,
        (one_time_key_message, message_length): Input,
    ) -> usize = session::create_inbound;
    olm_create_inbound_session_from(
        session: Object<Session>,
        account: Object<Account>,
        (their_identity_key, their_identity_key_length): Input,
        (one_time_key_message, message_length): Input,
    ) -> usize = session::create_inbound_from;
    olm_session_id_length(session: Object<Session>) -> usize = session::id_length;
    olm_session_id(session: Object<Session>, (id, id_length): Output) -> usize = session::id;
    olm_session_has_received_message(
        session: Object<Session>,
    ) -> i32 = session::has_received_message;
    olm_session_describe(session: Object<Session>, (buf, buflen): Output) = describe::describe;
    olm_matches_inbound_session(
        session: Object<Session>,
        (one_time_key_message, message_length): Input,
    ) -> usize = session::matches;
    olm_matches_inbound_session_from(
        session: Object<Session>,
        (their_identity_key, their_identity_key_length): Input,
        (one_time_key_message, message_length): Input,
    ) -> usize = session::matches_from;
    olm_encrypt_message_type(session: Object<Session>) -> usize = session::encrypt_message_type;
    olm_encrypt_random_length(session: Object<Session>) -> usize = session::encrypt_random_length;
    olm_encrypt_message_length(
        session: Object<Session>,
        plaintext_length: usize,
    ) -> usize = session::encrypt_message_length;
    olm_encrypt(
        session: Object<Session>,
        (plaintext, plaintext_length): Input,
        (random, random_length): Output,
        (message, message_length): Output,
    ) -> usize = session::encrypt;
    olm_decrypt_max_plaintext_length(
        session: Object<Session>,
        message_type: usize,
        (message, message_length): Input,
    ) -> usize = session::decrypt_max_plaintext_length;
    olm_decrypt(
        session: Object<Session>,
        message_type: usize,
        (message, message_length): Input,
        (plaintext, max_plaintext_length): Output,
    ) -> usize = session::decrypt;
    olm_pickle_session_length(session: Object<Session>) -> usize = pickle::length;
    olm_pickle_session(
        session: Object<Session>,
        (key, key_length): Input,
        (pickled, pickled_length): Output,
    ) -> usize = pickle::write;
    olm_unpickle_session(
        session: Object<Session>,
        (key, key_length): Input,
        (pickled, pickled_length): Input,
    ) -> usize = pickle::read;

    olm_outbound_group_session_size() -> usize = object::size::<GroupSession>;
    olm_outbound_group_session(
        memory: Object<GroupSession>,
    ) -> Object<GroupSession> = object::create;
    olm_outbound_group_session_last_error(
        session: Object<GroupSession>,
    ) -> *const c_char = object::last_error;
    olm_outbound_group_session_last_error_code(
        session: Object<GroupSession>,
    ) -> u32 = object::last_error_code;
    olm_clear_outbound_group_session(session: Object<GroupSession>) -> usize = object::clear;
    olm_init_outbound_group_session_random_length(
        session: Object<GroupSession>,
    ) -> usize = outbound::init_random_length;
    olm_init_outbound_group_session(
        session: Object<GroupSession>,
        (random, random_length): Output,
    ) -> usize = outbound::init;
    olm_group_encrypt_message_length(
        session: Object<GroupSession>,
        plaintext_length: usize,
    ) -> usize = outbound::encrypt_message_length;
    olm_group_encrypt(
        session: Object<GroupSession>,
        (plaintext, plaintext_length): Input,
        (message, message_length): Output,
    ) -> usize = outbound::encrypt;
    olm_outbound_group_session_id_length(
        session: Object<GroupSession>,
    ) -> usize = outbound::id_length;
    olm_outbound_group_session_id(
        session: Object<GroupSession>,
        (id, id_length): Output,
    ) -> usize = outbound::id;
    olm_outbound_group_session_message_index(
        session: Object<GroupSession>,
    ) -> u32 = outbound::message_index;
    olm_outbound_group_session_key_length(
        session: Object<GroupSession>,
    ) -> usize = outbound::key_length;
    olm_outbound_group_session_key(
        session: Object<GroupSession>,
        (key, key_length): Output,
    ) -> usize = outbound::key;
    olm_pickle_outbound_group_session_length(
        session: Object<GroupSession>,
    ) -> usize = pickle::length;
    olm_pickle_outbound_group_session(
        session: Object<GroupSession>,
        (key, key_length): Input,
        (pickled, pickled_length): Output,
    ) -> usize = pickle::write;
    olm_unpickle_outbound_group_session(
        session: Object<GroupSession>,
        (key, key_length): Input,
        (pickled, pickled_length): Input,
    ) -> usize = pickle::read;

    olm_inbound_group_session_size() -> usize = object::size::<InboundGroupSession>;
    olm_inbound_group_session(
        memory: Object<InboundGroupSession>,
    ) -> Object<InboundGroupSession> = object::create;
    olm_inbound_group_session_last_error(
        session: Object<InboundGroupSession>,
    ) -> *const c_char = object::last_error;
    olm_inbound_group_session_last_error_code(
        session: Object<InboundGroupSession>,
    ) -> u32 = object::last_error_code;
    olm_clear_inbound_group_session(session: Object<InboundGroupSession>) -> usize = object::clear;
    olm_init_inbound_group_session(
        session: Object<InboundGroupSession>,
        (session_key, session_key_length): Input,
    ) -> usize = inbound::init;
    olm_import_inbound_group_session(
        session: Object<InboundGroupSession>,
        (session_key, session_key_length): Input,
    ) -> usize = inbound::import;
    olm_group_decrypt_max_plaintext_length(
        session: Object<InboundGroupSession>,
        (message, message_length): Input,
    ) -> usize = inbound::decrypt_max_plaintext_length;
    olm_group_decrypt(
        session: Object<InboundGroupSession>,
        (message, message_length): Input,
        (plaintext, max_plaintext_length): Output,
        message_index: Out,
    ) -> usize = inbound::decrypt;
    olm_inbound_group_session_id_length(
        session: Object<InboundGroupSession>,
    ) -> usize = inbound::id_length;
    olm_inbound_group_session_id(
        session: Object<InboundGroupSession>,
        (id, id_length): Output,
    ) -> usize = inbound::id;
    olm_inbound_group_session_first_known_index(
        session: Object<InboundGroupSession>,
    ) -> u32 = inbound::first_known_index;
    olm_inbound_group_session_is_verified(
        session: Object<InboundGroupSession>,
    ) -> i32 = inbound::is_verified;
    olm_export_inbound_group_session_length(
        session: Object<InboundGroupSession>,
    ) -> usize = inbound::export_length;
    olm_export_inbound_group_session(
        session: Object<InboundGroupSession>,
        (key, key_length): Output,
        message_index: u32,
    ) -> usize = inbound::export;
    olm_pickle_inbound_group_session_length(
        session: Object<InboundGroupSession>,
    ) -> usize = pickle::length;
    olm_pickle_inbound_group_session(
        session: Object<InboundGroupSession>,
        (key, key_length): Input,
        (pickled, pickled_length): Output,
    ) -> usize = pickle::write;
    olm_unpickle_inbound_group_session(
        session: Object<InboundGroupSession>,
        (key, key_length): Input,
        (pickled, pickled_length): Input,
    ) -> usize = pickle::read;

    olm_utility_size() -> usize = object::size::<Utility>;
    olm_utility(memory: Object<Utility>) -> Object<Utility> = object::create;
    olm_utility_last_error(utility: Object<Utility>) -> *const c_char = object::last_error;
    olm_utility_last_error_code(utility: Object<Utility>) -> u32 = object::last_error_code;
    olm_clear_utility(utility: Object<Utility>) -> usize = object::clear;
    olm_sha256_length(utility: Object<Utility>) -> usize = utility::sha256_length;
    olm_sha256(
        utility: Object<Utility>,
        (input, input_length): Input,
        (output, output_length): Output,
    ) -> usize = utility::sha256;
    olm_ed25519_verify(
        utility: Object<Utility>,
        (key, key_length): Input,
        (message, message_length): Input,
        (signature, signature_length): Input,
    ) -> usize = utility::ed25519_verify;

    olm_pk_encryption_size() -> usize = object::size::<BackupEncryptionKey>;
    olm_pk_encryption(
        memory: Object<BackupEncryptionKey>,
    ) -> Object<BackupEncryptionKey> = object::create;
    olm_pk_encryption_last_error(
        encryption: Object<BackupEncryptionKey>,
    ) -> *const c_char = object::last_error;
    olm_pk_encryption_last_error_code(
        encryption: Object<BackupEncryptionKey>,
    ) -> u32 = object::last_error_code;
    olm_clear_pk_encryption(encryption: Object<BackupEncryptionKey>) -> usize = object::clear;
    olm_pk_key_length() -> usize = pk::key_length;
    olm_pk_encryption_set_recipient_key(
        encryption: Object<BackupEncryptionKey>,
        (public_key, public_key_length): Input,
    ) -> usize = encryption::set_recipient_key;
    olm_pk_ciphertext_length(
        encryption: Object<BackupEncryptionKey>,
        plaintext_length: usize,
    ) -> usize = encryption::ciphertext_length;
    olm_pk_mac_length(encryption: Object<BackupEncryptionKey>) -> usize = encryption::mac_length;
    olm_pk_encrypt_random_length(
        encryption: Object<BackupEncryptionKey>,
    ) -> usize = encryption::random_length;
    olm_pk_encrypt(
        encryption: Object<BackupEncryptionKey>,
        (plaintext, plaintext_length): Input,
        (ciphertext, ciphertext_length): Output,
        (mac, mac_length): Output,
        (ephemeral_key, ephemeral_key_size): Output,
        (random, random_length): Input,
    ) -> usize = encryption::encrypt;

    olm_pk_decryption_size() -> usize = object::size::<BackupDecryptionKey>;
    olm_pk_decryption(
        memory: Object<BackupDecryptionKey>,
    ) -> Object<BackupDecryptionKey> = object::create;
    olm_pk_decryption_last_error(
        decryption: Object<BackupDecryptionKey>,
    ) -> *const c_char = object::last_error;
    olm_pk_decryption_last_error_code(
        decryption: Object<BackupDecryptionKey>,
    ) -> u32 = object::last_error_code;
    olm_clear_pk_decryption(decryption: Object<BackupDecryptionKey>) -> usize = object::clear;
    olm_pk_private_key_length() -> usize = decryption::private_key_length;
    olm_pk_generate_key_random_length() -> usize = decryption::private_key_length;
    olm_pk_key_from_private(
        decryption: Object<BackupDecryptionKey>,
        (pubkey, pubkey_length): Output,
        (privkey, privkey_length): Input,
    ) -> usize = decryption::from_private;
    olm_pk_generate_key(
        decryption: Object<BackupDecryptionKey>,
        (pubkey, pubkey_length): Output,
        (privkey, privkey_length): Input,
    ) -> usize = decryption::from_private;
    olm_pk_get_private_key(
        decryption: Object<BackupDecryptionKey>,
        (private_key, private_key_length): Output,
    ) -> usize = decryption::private_key;
    olm_pk_max_plaintext_length(
        decryption: Object<BackupDecryptionKey>,
        ciphertext_length: usize,
    ) -> usize = decryption::max_plaintext_length;
    olm_pk_decrypt(
        decryption: Object<BackupDecryptionKey>,
        (ephemeral_key, ephemeral_key_length): Input,
        (mac, mac_length): Input,
        (ciphertext, ciphertext_length): Input,
        (plaintext, max_plaintext_length): Output,
    ) -> usize = decryption::decrypt;
    olm_pickle_pk_decryption_length(
        decryption: Object<BackupDecryptionKey>,
    ) -> usize = pickle::length;
    olm_pickle_pk_decryption(
        decryption: Object<BackupDecryptionKey>,
        (key, key_length): Input,
        (pickled, pickled_length): Output,
    ) -> usize = pickle::write;
    olm_unpickle_pk_decryption(
        decryption: Object<BackupDecryptionKey>,
        (key, key_length): Input,
        (pickled, pickled_length): Input,
        (pubkey, pubkey_length): Output,
    ) -> usize = decryption::unpickle;

    olm_pk_signing_size() -> usize = object::size::<Seed>;
    olm_pk_signing(memory: Object<Seed>) -> Object<Seed> = object::create;
    olm_pk_signing_last_error(sign: Object<Seed>) -> *const c_char = object::last_error;
    olm_pk_signing_last_error_code(sign: Object<Seed>) -> u32 = object::last_error_code;
    olm_clear_pk_signing(sign: Object<Seed>) -> usize = object::clear;
    olm_pk_signing_seed_length() -> usize = signing::seed_length;
    olm_pk_signing_public_key_length() -> usize = signing::public_key_length;
    olm_pk_signing_key_from_seed(
        sign: Object<Seed>,
        (pubkey, pubkey_length): Output,
        (seed, seed_length): Input,
    ) -> usize = signing::from_seed;
    olm_pk_signature_length() -> usize = signing::signature_length;
    olm_pk_sign(
        sign: Object<Seed>,
        (message, message_length): Input,
        (signature, signature_length): Output,
    ) -> usize = signing::sign;

    olm_sas_size() -> usize = object::size::<Keys>;
    olm_sas(memory: Object<Keys>) -> Object<Keys> = object::create;
    olm_sas_last_error(sas: Object<Keys>) -> *const c_char = object::last_error;
    olm_sas_last_error_code(sas: Object<Keys>) -> u32 = object::last_error_code;
    olm_clear_sas(sas: Object<Keys>) -> usize = object::clear;
    olm_create_sas_random_length(sas: Object<Keys>) -> usize = sas::create_random_length;
    olm_create_sas(sas: Object<Keys>, (random, random_length): Input) -> usize = sas::create;
    olm_sas_pubkey_length(sas: Object<Keys>) -> usize = sas::public_key_length;
    olm_sas_get_pubkey(
        sas: Object<Keys>,
        (pubkey, pubkey_length): Output,
    ) -> usize = sas::public_key;
    olm_sas_set_their_key(
        sas: Object<Keys>,
        (their_key, their_key_length): Input,
    ) -> usize = sas::set_their_key;
    olm_sas_is_their_key_set(sas: Object<Keys>) -> i32 = sas::is_their_key_set;
    olm_sas_generate_bytes(
        sas: Object<Keys>,
        (info, info_length): Input,
        (output, output_length): Output,
    ) -> usize = sas::generate_bytes;
    olm_sas_mac_length(sas: Object<Keys>) -> usize = sas::mac_length;
    olm_sas_calculate_mac(
        sas: Object<Keys>,
        (input, input_length): Input,
        (info, info_length): Input,
        (mac, mac_length): Output,
    ) -> usize = sas::calculate_mac;
    olm_sas_calculate_mac_fixed_base64(
        sas: Object<Keys>,
        (input, input_length): Input,
        (info, info_length): Input,
        (mac, mac_length): Output,
    ) -> usize = sas::calculate_mac_fixed_base64;
    olm_sas_calculate_mac_long_kdf(
        sas: Object<Keys>,
        (input, input_length): Input,
        (info, info_length): Input,
        (mac, mac_length): Output,
    ) -> usize = sas::calculate_mac_long_kdf;
}
