/* The good call of every function: what each buffer and number is, in the order of the parameters.
 * Objects, lengths and single values that are written are left out, because their types say enough.
 * Included inside a function of sweep.cpp, which knows `m`, the material, and `o`, the objects in
 * their used state. */

/* Makers take memory that is still nothing. */
ROW(olm_account, memory(olm_account_size()));
ROW(olm_session, memory(olm_session_size()));
ROW(olm_outbound_group_session, memory(olm_outbound_group_session_size()));
ROW(olm_inbound_group_session, memory(olm_inbound_group_session_size()));
ROW(olm_utility, memory(olm_utility_size()));
ROW(olm_pk_encryption, memory(olm_pk_encryption_size()));
ROW(olm_pk_decryption, memory(olm_pk_decryption_size()));
ROW(olm_pk_signing, memory(olm_pk_signing_size()));
ROW(olm_sas, memory(olm_sas_size()));

/* Library. */
ROW(olm_get_library_version);
ROW(olm_error);
ROW(_olm_error_to_string, number(OLM_BAD_MESSAGE_MAC));

/* Account. */
ROW(olm_account_size);
ROW(olm_account_last_error);
ROW(olm_account_last_error_code);
ROW(olm_clear_account);
ROW(olm_create_account_random_length);
ROW(olm_create_account, random(64));
ROW(olm_account_identity_keys_length);
ROW(olm_account_identity_keys, out(olm_account_identity_keys_length(o.get<OlmAccount>(ACCOUNT))));
ROW(olm_account_signature_length);
ROW(olm_account_sign, in(m.plaintext), out(86));
ROW(olm_account_max_number_of_one_time_keys);
ROW(olm_account_generate_one_time_keys_random_length, number(5));
ROW(olm_account_generate_one_time_keys, number(3), random(96));
ROW(olm_account_one_time_keys_length);
ROW(olm_account_one_time_keys, out(olm_account_one_time_keys_length(o.get<OlmAccount>(ACCOUNT))));
ROW(olm_account_mark_keys_as_published);
ROW(olm_account_generate_fallback_key_random_length);
ROW(olm_account_generate_fallback_key, random(32));
ROW(olm_account_unpublished_fallback_key_length);
ROW(olm_account_unpublished_fallback_key, out(71));
ROW(olm_account_fallback_key_length);
ROW(olm_account_fallback_key, out(71));
ROW(olm_account_forget_old_fallback_key);
ROW(olm_remove_one_time_keys);
ROW(olm_pickle_account_length);
ROW(olm_pickle_account, in(m.pickle_key), out(m.account_pickle.size()));
ROW(olm_unpickle_account, in(m.pickle_key), in(m.account_pickle));

/* Session. */
ROW(olm_session_size);
ROW(olm_session_last_error);
ROW(olm_session_last_error_code);
ROW(olm_clear_session);
ROW(olm_create_outbound_session_random_length);
ROW(olm_create_outbound_session, in(m.their_identity_key), in(m.one_time_key), random(64));
ROW(olm_create_inbound_session, in(m.pre_key_message));
ROW(olm_create_inbound_session_from, in(m.their_identity_key), in(m.pre_key_message));
ROW(olm_session_id_length);
ROW(olm_session_id, out(43));
ROW(olm_session_has_received_message);
ROW(olm_session_describe, out_of_any_length(600));
ROW(olm_matches_inbound_session, in(m.pre_key_message));
ROW(olm_matches_inbound_session_from, in(m.their_identity_key), in(m.pre_key_message));
ROW(olm_encrypt_message_type);
ROW(olm_encrypt_random_length);
ROW(olm_encrypt_message_length, number(20));
ROW(olm_encrypt, in(m.plaintext), random(olm_encrypt_random_length(o.get<OlmSession>(SESSION))),
    out(olm_encrypt_message_length(o.get<OlmSession>(SESSION), m.plaintext.size())));
ROW(olm_decrypt_max_plaintext_length, number(1), in(m.message));
ROW(olm_decrypt, number(1), in(m.message), out(48));
ROW(olm_pickle_session_length);
ROW(olm_pickle_session, in(m.pickle_key), out(m.session_pickle.size()));
ROW(olm_unpickle_session, in(m.pickle_key), in(m.session_pickle));

/* Outbound group session. */
ROW(olm_outbound_group_session_size);
ROW(olm_outbound_group_session_last_error);
ROW(olm_outbound_group_session_last_error_code);
ROW(olm_clear_outbound_group_session);
ROW(olm_init_outbound_group_session_random_length);
ROW(olm_init_outbound_group_session, random(160));
ROW(olm_group_encrypt_message_length, number(20));
ROW(olm_group_encrypt, in(m.plaintext), out(m.event.size()));
ROW(olm_outbound_group_session_id_length);
ROW(olm_outbound_group_session_id, out(43));
ROW(olm_outbound_group_session_message_index);
ROW(olm_outbound_group_session_key_length);
ROW(olm_outbound_group_session_key, out(306));
ROW(olm_pickle_outbound_group_session_length);
ROW(olm_pickle_outbound_group_session, in(m.pickle_key), out(m.outbound_pickle.size()));
ROW(olm_unpickle_outbound_group_session, in(m.pickle_key), in(m.outbound_pickle));

/* Inbound group session. */
ROW(olm_inbound_group_session_size);
ROW(olm_inbound_group_session_last_error);
ROW(olm_inbound_group_session_last_error_code);
ROW(olm_clear_inbound_group_session);
ROW(olm_init_inbound_group_session, in(m.session_key));
ROW(olm_import_inbound_group_session, in(m.exported_key));
ROW(olm_group_decrypt_max_plaintext_length, in(m.event));
ROW(olm_group_decrypt, in(m.event), out(48));
ROW(olm_inbound_group_session_id_length);
ROW(olm_inbound_group_session_id, out(43));
ROW(olm_inbound_group_session_first_known_index);
ROW(olm_inbound_group_session_is_verified);
ROW(olm_export_inbound_group_session_length);
ROW(olm_export_inbound_group_session, out(220), number(7));
ROW(olm_pickle_inbound_group_session_length);
ROW(olm_pickle_inbound_group_session, in(m.pickle_key), out(m.inbound_pickle.size()));
ROW(olm_unpickle_inbound_group_session, in(m.pickle_key), in(m.inbound_pickle));

/* Utility. */
ROW(olm_utility_size);
ROW(olm_utility_last_error);
ROW(olm_utility_last_error_code);
ROW(olm_clear_utility);
ROW(olm_sha256_length);
ROW(olm_sha256, in(m.plaintext), out(43));
ROW(olm_ed25519_verify, in(m.signing_key), in(m.signed_text), in(m.signature));

/* PK. */
ROW(olm_pk_encryption_size);
ROW(olm_pk_encryption_last_error);
ROW(olm_pk_encryption_last_error_code);
ROW(olm_clear_pk_encryption);
ROW(olm_pk_key_length);
ROW(olm_pk_encryption_set_recipient_key, in(m.their_identity_key));
ROW(olm_pk_ciphertext_length, number(20));
ROW(olm_pk_mac_length);
ROW(olm_pk_encrypt_random_length);
ROW(olm_pk_encrypt, in(m.plaintext), out(m.ciphertext.size()), out(11), out(43), random(32));
ROW(olm_pk_decryption_size);
ROW(olm_pk_decryption_last_error);
ROW(olm_pk_decryption_last_error_code);
ROW(olm_clear_pk_decryption);
ROW(olm_pk_private_key_length);
ROW(olm_pk_key_from_private, out(43), random(32));
ROW(olm_pk_generate_key_random_length);
ROW(olm_pk_generate_key, out(43), random(32));
ROW(olm_pk_get_private_key, out(32));
ROW(olm_pk_max_plaintext_length, number(64));
ROW(olm_pk_decrypt, in(m.ephemeral_key), in(m.mac), in(m.ciphertext), out(48));
ROW(olm_pickle_pk_decryption_length);
ROW(olm_pickle_pk_decryption, in(m.pickle_key), out(m.pk_pickle.size()));
ROW(olm_unpickle_pk_decryption, in(m.pickle_key), in(m.pk_pickle), optional(43));
ROW(olm_pk_signing_size);
ROW(olm_pk_signing_last_error);
ROW(olm_pk_signing_last_error_code);
ROW(olm_clear_pk_signing);
ROW(olm_pk_signing_seed_length);
ROW(olm_pk_signing_public_key_length);
ROW(olm_pk_signing_key_from_seed, out(43), random(32));
ROW(olm_pk_signature_length);
ROW(olm_pk_sign, in(m.plaintext), out(86));

/* SAS. */
ROW(olm_sas_size);
ROW(olm_sas_last_error);
ROW(olm_sas_last_error_code);
ROW(olm_clear_sas);
ROW(olm_create_sas_random_length);
ROW(olm_create_sas, random(32));
ROW(olm_sas_pubkey_length);
ROW(olm_sas_get_pubkey, out(43));
ROW(olm_sas_set_their_key, in(m.identity_key));
ROW(olm_sas_is_their_key_set);
ROW(olm_sas_generate_bytes, in(m.plaintext), out_of_any_length(100));
ROW(olm_sas_mac_length);
ROW(olm_sas_calculate_mac, in(m.plaintext), in(m.signed_text), out(43));
ROW(olm_sas_calculate_mac_fixed_base64, in(m.plaintext), in(m.signed_text), out(43));
ROW(olm_sas_calculate_mac_long_kdf, in(m.plaintext), in(m.signed_text), out(43));
