/* Olm: accounts and their keys, sessions between two devices, and two utilities.
 *
 * The same conventions hold in every header of this library:
 *
 * Results. A function that returns `size_t` returns olm_error() when it fails, and records why in
 * the object that the function belongs to: ask `olm_X_last_error_code()`. A success does not reset
 * that error.
 *
 * Lengths. A `_length` function says exactly how many bytes the function it is named after will
 * write, for the object as it is now; a `_max_` length is an upper bound. Buffers may be longer;
 * the rest is not touched. Nothing is NUL-terminated unless its description says so. Keys,
 * signatures, messages and pickles are unpadded base64 text: a key takes 43 characters, a signature
 * 86.
 *
 * Memory. The caller supplies the memory: allocate `olm_X_size()` bytes, of any alignment, and turn
 * them into an object with `olm_X(memory)`, which returns the same address. Everything an object
 * holds is inside these bytes; they may be freed or reused at any time, but call `olm_clear_X()`
 * first, which wipes the secrets.
 *
 * Null. A null pointer with length 0 is an empty buffer. A null pointer with a length, or a length
 * that no memory has, is an error: OLM_INPUT_BUFFER_TOO_SMALL for an input,
 * OLM_OUTPUT_BUFFER_TOO_SMALL for an output, OLM_NOT_ENOUGH_RANDOM for random bytes. Without an
 * object, functions return olm_error().
 *
 * Keys. A Curve25519 key that would give away the shared secret (one of low order), or that is not
 * encoded as the standard says, is refused with OLM_BAD_ACCOUNT_KEY. A message with such a key is
 * refused as well.
 *
 * Randomness. It comes from the caller, and everything is derived from it: use a cryptographic
 * generator, and never use the same bytes twice. Buffers declared `void *random` or
 * `uint8_t *random` are wiped once used (but for that of olm_create_sas()).
 *
 * Failures. A call that fails changes the last error of its object, and nothing else but random
 * bytes, and the message index of olm_group_decrypt().
 *
 * Inputs. They are not changed. The interface lets a library overwrite those that are not declared
 * `const`, so a program that is to work with any gives a copy of what it needs again.
 *
 * Threads. One object is for one thread at a time. Nothing is shared between objects.
 */
#ifndef OLM_H_
#define OLM_H_

#include <stddef.h>
#include <stdint.h>

#include "olm/error.h"
#include "olm/inbound_group_session.h"
#include "olm/outbound_group_session.h"
#include "olm/olm_export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A message that also sets up the session at the other end. */
static const size_t OLM_MESSAGE_TYPE_PRE_KEY = 0;
/* Every later message. */
static const size_t OLM_MESSAGE_TYPE_MESSAGE = 1;

typedef struct OlmAccount OlmAccount;
typedef struct OlmSession OlmSession;
typedef struct OlmUtility OlmUtility;

/* ---- Library ---- */

/* The version of the interface: 3, 2, 16. Each pointer may be NULL. */
OLM_EXPORT void olm_get_library_version(uint8_t *major, uint8_t *minor, uint8_t *patch);

/* What functions return when they fail: the greatest `size_t`. */
OLM_EXPORT size_t olm_error(void);

/* ---- Account: the long-term keys of one device, and its one-time keys ---- */

/* Bytes of memory an account needs. Never less than olm_session_size(). */
OLM_EXPORT size_t olm_account_size(void);

/* Makes a blank account in olm_account_size() bytes of memory. */
OLM_EXPORT OlmAccount *olm_account(void *memory);

/* The last error, as a static string and as a code. */
OLM_EXPORT const char *olm_account_last_error(const OlmAccount *account);
OLM_EXPORT enum OlmErrorCode olm_account_last_error_code(const OlmAccount *account);

/* Wipes the account. It is blank afterwards. Returns its size. */
OLM_EXPORT size_t olm_clear_account(OlmAccount *account);

/* Random bytes a new account needs: 64. */
OLM_EXPORT size_t olm_create_account_random_length(const OlmAccount *account);

/* Makes the two identity keys: the Ed25519 seed is the first half of the random bytes, the
 * Curve25519 secret the second. Returns 0. Fails with OLM_NOT_ENOUGH_RANDOM; `random` is wiped even
 * then. */
OLM_EXPORT size_t olm_create_account(OlmAccount *account, void *random, size_t random_length);

/* Writes the public identity keys as JSON, always in this form, and returns the length:
 * {"curve25519":"<43 characters>","ed25519":"<43 characters>"}
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_account_identity_keys_length(const OlmAccount *account);
OLM_EXPORT size_t olm_account_identity_keys(
    OlmAccount *account,
    void *identity_keys, size_t identity_key_length
);

/* Signs a message with the account's Ed25519 key. Writes 86 characters and returns 86.
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_account_signature_length(const OlmAccount *account);
OLM_EXPORT size_t olm_account_sign(
    OlmAccount *account,
    const void *message, size_t message_length,
    void *signature, size_t signature_length
);

/* One-time keys the account can hold: 100. When more are made, the oldest are forgotten. */
OLM_EXPORT size_t olm_account_max_number_of_one_time_keys(const OlmAccount *account);

/* Random bytes needed for that many one-time keys: 32 each. */
OLM_EXPORT size_t olm_account_generate_one_time_keys_random_length(
    const OlmAccount *account,
    size_t number_of_keys
);

/* Makes one-time keys and returns how many. Fails with OLM_NOT_ENOUGH_RANDOM; `random` is wiped
 * even then. */
OLM_EXPORT size_t olm_account_generate_one_time_keys(
    OlmAccount *account,
    size_t number_of_keys,
    void *random, size_t random_length
);

/* Writes the one-time keys not yet marked as published as JSON, newest first, and returns the
 * length: {"curve25519":{"<id, 6 characters>":"<43 characters>", ...}} Fails with
 * OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_account_one_time_keys_length(const OlmAccount *account);
OLM_EXPORT size_t olm_account_one_time_keys(
    OlmAccount *account,
    void *one_time_keys, size_t one_time_keys_length
);

/* Marks all one-time keys and the current fallback key as published. Returns how many one-time keys
 * were not yet. */
OLM_EXPORT size_t olm_account_mark_keys_as_published(OlmAccount *account);

/* Random bytes a fallback key needs: 32. */
OLM_EXPORT size_t olm_account_generate_fallback_key_random_length(const OlmAccount *account);

/* Makes a fallback key, to be used when all one-time keys have been. The current one becomes the
 * previous one, and the one before that is forgotten. Returns 1. Fails with OLM_NOT_ENOUGH_RANDOM;
 * `random` is wiped even then. */
OLM_EXPORT size_t olm_account_generate_fallback_key(OlmAccount *account, void *random, size_t random_length);

/* Writes the current fallback key, in the form of the one-time keys, if it is not yet marked as
 * published; else {"curve25519":{}}. Returns the length. Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_account_unpublished_fallback_key_length(const OlmAccount *account);
OLM_EXPORT size_t olm_account_unpublished_fallback_key(
    OlmAccount *account,
    void *fallback_key, size_t fallback_key_size
);

/* Deprecated: the same, but a published fallback key is written as well.
 * Use olm_account_unpublished_fallback_key(). */
OLM_EXPORT size_t olm_account_fallback_key_length(const OlmAccount *account);
OLM_EXPORT size_t olm_account_fallback_key(
    OlmAccount *account,
    void *fallback_key, size_t fallback_key_size
);

/* Forgets the previous fallback key. To be called once no more messages for it are expected. */
OLM_EXPORT void olm_account_forget_old_fallback_key(OlmAccount *account);

/* Forgets the one-time key that an inbound session was made with, so that it is never used again. A
 * fallback key stays. Returns the key's id, which is not 0. Fails, on the account, with
 * OLM_BAD_MESSAGE_KEY_ID. */
OLM_EXPORT size_t olm_remove_one_time_keys(OlmAccount *account, OlmSession *session);

/* Writes the account, encrypted with a key of any length, as text to be stored. Returns the length.
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_pickle_account_length(const OlmAccount *account);
OLM_EXPORT size_t olm_pickle_account(
    OlmAccount *account,
    const void *key, size_t key_length,
    void *pickled, size_t pickled_length
);

/* Loads a stored account into a blank one. Returns `pickled_length`. Fails with OLM_INVALID_BASE64,
 * OLM_BAD_ACCOUNT_KEY, OLM_UNKNOWN_PICKLE_VERSION, OLM_BAD_LEGACY_ACCOUNT_PICKLE,
 * OLM_CORRUPTED_PICKLE or OLM_PICKLE_EXTRA_DATA. */
OLM_EXPORT size_t olm_unpickle_account(
    OlmAccount *account,
    const void *key, size_t key_length,
    void *pickled, size_t pickled_length
);

/* ---- Session: an encrypted channel between two devices ---- */

/* Bytes of memory a session needs. */
OLM_EXPORT size_t olm_session_size(void);

/* Makes a blank session in olm_session_size() bytes of memory. */
OLM_EXPORT OlmSession *olm_session(void *memory);

/* The last error, as a static string and as a code. */
OLM_EXPORT const char *olm_session_last_error(const OlmSession *session);
OLM_EXPORT enum OlmErrorCode olm_session_last_error_code(const OlmSession *session);

/* Wipes the session. It is blank afterwards. Returns its size. */
OLM_EXPORT size_t olm_clear_session(OlmSession *session);

/* Random bytes a new outbound session needs: 64. */
OLM_EXPORT size_t olm_create_outbound_session_random_length(const OlmSession *session);

/* Starts a session with a device, from its Curve25519 identity key and one of its one-time keys (43
 * characters each). The caller must have verified the signatures of both. Returns 0. Fails with
 * OLM_INVALID_BASE64, OLM_BAD_ACCOUNT_KEY or OLM_NOT_ENOUGH_RANDOM. */
OLM_EXPORT size_t olm_create_outbound_session(
    OlmSession *session,
    const OlmAccount *account,
    const void *their_identity_key, size_t their_identity_key_length,
    const void *their_one_time_key, size_t their_one_time_key_length,
    void *random, size_t random_length
);

/* Makes the session that a received pre-key message belongs to. The message itself is decrypted by
 * olm_decrypt(); only when that succeeds is the message known to be genuine, and the one-time key
 * is to be removed with olm_remove_one_time_keys(). Returns 0. Fails with OLM_INVALID_BASE64,
 * OLM_BAD_MESSAGE_FORMAT or OLM_BAD_MESSAGE_KEY_ID. */
OLM_EXPORT size_t olm_create_inbound_session(
    OlmSession *session,
    OlmAccount *account,
    void *one_time_key_message, size_t message_length
);

/* The same, for a sender whose Curve25519 identity key is known. A message that names another one
 * fails with OLM_BAD_MESSAGE_KEY_ID. */
OLM_EXPORT size_t olm_create_inbound_session_from(
    OlmSession *session,
    OlmAccount *account,
    const void *their_identity_key, size_t their_identity_key_length,
    void *one_time_key_message, size_t message_length
);

/* Writes the id of the session: 43 characters, the same at both ends. Returns 43.
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_session_id_length(const OlmSession *session);
OLM_EXPORT size_t olm_session_id(OlmSession *session, void *id, size_t id_length);

/* 1 once a message was decrypted, else 0. */
OLM_EXPORT int olm_session_has_received_message(const OlmSession *session);

/* Writes the state of the session in words, with no secret in it, for logs; 600 bytes always
 * suffice. The text ends with a NUL, and with "..." before it where it had to be cut. */
OLM_EXPORT void olm_session_describe(OlmSession *session, char *buf, size_t buflen);

/* Whether a pre-key message belongs to this session: 1 or 0. Fails with OLM_INVALID_BASE64. */
OLM_EXPORT size_t olm_matches_inbound_session(
    OlmSession *session,
    void *one_time_key_message, size_t message_length
);

/* The same, and whether the given Curve25519 identity key is the session's. */
OLM_EXPORT size_t olm_matches_inbound_session_from(
    OlmSession *session,
    const void *their_identity_key, size_t their_identity_key_length,
    void *one_time_key_message, size_t message_length
);

/* The type of the next message: OLM_MESSAGE_TYPE_PRE_KEY until one was received, then
 * OLM_MESSAGE_TYPE_MESSAGE. To be asked before olm_encrypt(). */
OLM_EXPORT size_t olm_encrypt_message_type(const OlmSession *session);

/* Random bytes the next message needs: 32 or 0. */
OLM_EXPORT size_t olm_encrypt_random_length(const OlmSession *session);

/* Encrypts a message and returns the length of the text.
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL or OLM_NOT_ENOUGH_RANDOM. */
OLM_EXPORT size_t olm_encrypt_message_length(const OlmSession *session, size_t plaintext_length);
OLM_EXPORT size_t olm_encrypt(
    OlmSession *session,
    const void *plaintext, size_t plaintext_length,
    void *random, size_t random_length,
    void *message, size_t message_length
);

/* The longest plaintext a message can have. Give a copy of the message.
 * Fails with OLM_INVALID_BASE64 or OLM_BAD_MESSAGE_FORMAT. */
OLM_EXPORT size_t olm_decrypt_max_plaintext_length(
    OlmSession *session,
    size_t message_type,
    void *message, size_t message_length
);

/* Decrypts a message and returns the length of the plaintext. A failure does not change the
 * session. Fails with OLM_INVALID_BASE64, OLM_BAD_MESSAGE_VERSION, OLM_BAD_MESSAGE_FORMAT,
 * OLM_OUTPUT_BUFFER_TOO_SMALL or OLM_BAD_MESSAGE_MAC. */
OLM_EXPORT size_t olm_decrypt(
    OlmSession *session,
    size_t message_type,
    void *message, size_t message_length,
    void *plaintext, size_t max_plaintext_length
);

/* Writes the session, encrypted with a key of any length, as text to be stored. Returns the length.
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_pickle_session_length(const OlmSession *session);
OLM_EXPORT size_t olm_pickle_session(
    OlmSession *session,
    const void *key, size_t key_length,
    void *pickled, size_t pickled_length
);

/* Loads a stored session into a blank one. Returns `pickled_length`. Fails with OLM_INVALID_BASE64,
 * OLM_BAD_ACCOUNT_KEY, OLM_UNKNOWN_PICKLE_VERSION, OLM_CORRUPTED_PICKLE or
 * OLM_PICKLE_EXTRA_DATA. */
OLM_EXPORT size_t olm_unpickle_session(
    OlmSession *session,
    const void *key, size_t key_length,
    void *pickled, size_t pickled_length
);

/* ---- Utility: a hash, and the check of a signature ---- */

/* Bytes of memory a utility object needs. It holds nothing but its last error. */
OLM_EXPORT size_t olm_utility_size(void);

/* Makes a utility object in olm_utility_size() bytes of memory. */
OLM_EXPORT OlmUtility *olm_utility(void *memory);

/* The last error, as a static string and as a code. */
OLM_EXPORT const char *olm_utility_last_error(const OlmUtility *utility);
OLM_EXPORT enum OlmErrorCode olm_utility_last_error_code(const OlmUtility *utility);

/* Resets the object. Returns its size. */
OLM_EXPORT size_t olm_clear_utility(OlmUtility *utility);

/* Writes the SHA-256 of the input: 43 characters. Returns 43. Fails with
 * OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_sha256_length(const OlmUtility *utility);
OLM_EXPORT size_t olm_sha256(
    OlmUtility *utility,
    const void *input, size_t input_length,
    void *output, size_t output_length
);

/* Checks a signature made by olm_account_sign() or olm_pk_sign(). Returns 0 when it holds. Fails
 * with OLM_INVALID_BASE64 when key or signature cannot be one, and with OLM_BAD_MESSAGE_MAC when it
 * does not hold. */
OLM_EXPORT size_t olm_ed25519_verify(
    OlmUtility *utility,
    const void *key, size_t key_length,
    const void *message, size_t message_length,
    void *signature, size_t signature_length
);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* OLM_H_ */
