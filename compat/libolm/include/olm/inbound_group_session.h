/* Megolm, the receivers' end: decrypts a sender's messages to a room, from one index on.
 * Conventions: see olm.h. */
#ifndef OLM_INBOUND_GROUP_SESSION_H_
#define OLM_INBOUND_GROUP_SESSION_H_

#include <stddef.h>
#include <stdint.h>

#include "olm/error.h"
#include "olm/olm_export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct OlmInboundGroupSession OlmInboundGroupSession;

/* Bytes of memory an inbound group session needs. */
OLM_EXPORT size_t olm_inbound_group_session_size(void);

/* Makes a blank session in that memory. */
OLM_EXPORT OlmInboundGroupSession *olm_inbound_group_session(void *memory);

/* The last error, as a static string and as a code. */
OLM_EXPORT const char *olm_inbound_group_session_last_error(const OlmInboundGroupSession *session);
OLM_EXPORT enum OlmErrorCode olm_inbound_group_session_last_error_code(const OlmInboundGroupSession *session);

/* Wipes the session. It is blank afterwards. Returns its size. */
OLM_EXPORT size_t olm_clear_inbound_group_session(OlmInboundGroupSession *session);

/* Makes a session from a signed session key, as olm_outbound_group_session_key() gives it. Returns
 * 0. Fails with OLM_INVALID_BASE64, OLM_BAD_SESSION_KEY or OLM_BAD_SIGNATURE. */
OLM_EXPORT size_t olm_init_inbound_group_session(
    OlmInboundGroupSession *session,
    const uint8_t *session_key, size_t session_key_length
);

/* Makes a session from an exported key, as olm_export_inbound_group_session() gives it. Such a key
 * is not signed: whoever made it could have made up the session. Returns 0. Fails with
 * OLM_INVALID_BASE64 or OLM_BAD_SESSION_KEY. */
OLM_EXPORT size_t olm_import_inbound_group_session(
    OlmInboundGroupSession *session,
    const uint8_t *session_key, size_t session_key_length
);

/* The longest plaintext a message can have. Give a copy of the message.
 * Fails with OLM_INVALID_BASE64, OLM_BAD_MESSAGE_VERSION or OLM_BAD_MESSAGE_FORMAT. */
OLM_EXPORT size_t olm_group_decrypt_max_plaintext_length(
    OlmInboundGroupSession *session,
    uint8_t *message, size_t message_length
);

/* Decrypts a message, any number of times, and returns the length of the plaintext. `message_index`
 * (may be NULL) receives the message's index: the caller must check that no other message had the
 * same one. Fails with OLM_INVALID_BASE64, OLM_BAD_MESSAGE_VERSION, OLM_BAD_MESSAGE_FORMAT,
 * OLM_BAD_SIGNATURE, OLM_OUTPUT_BUFFER_TOO_SMALL, OLM_UNKNOWN_MESSAGE_INDEX or
 * OLM_BAD_MESSAGE_MAC. */
OLM_EXPORT size_t olm_group_decrypt(
    OlmInboundGroupSession *session,
    uint8_t *message, size_t message_length,
    uint8_t *plaintext, size_t max_plaintext_length,
    uint32_t *message_index
);

/* Writes the id of the session, which is the sender's Ed25519 public key for it: 43 characters.
 * Returns 43. Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_inbound_group_session_id_length(const OlmInboundGroupSession *session);
OLM_EXPORT size_t olm_inbound_group_session_id(OlmInboundGroupSession *session, uint8_t *id, size_t id_length);

/* The index of the first message that can be decrypted. */
OLM_EXPORT uint32_t olm_inbound_group_session_first_known_index(const OlmInboundGroupSession *session);

/* 1 when the session was made from a signed key or a message was decrypted, else 0. */
OLM_EXPORT int olm_inbound_group_session_is_verified(const OlmInboundGroupSession *session);

/* Writes a key for olm_import_inbound_group_session() that reads all messages from an index on,
 * which may lie in the future: 220 characters, secret. Returns 220. Fails with
 * OLM_OUTPUT_BUFFER_TOO_SMALL or OLM_UNKNOWN_MESSAGE_INDEX. */
OLM_EXPORT size_t olm_export_inbound_group_session_length(const OlmInboundGroupSession *session);
OLM_EXPORT size_t olm_export_inbound_group_session(
    OlmInboundGroupSession *session,
    uint8_t *key, size_t key_length,
    uint32_t message_index
);

/* Writes the session, encrypted with a key of any length, as text to be stored. Returns the length.
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_pickle_inbound_group_session_length(const OlmInboundGroupSession *session);
OLM_EXPORT size_t olm_pickle_inbound_group_session(
    OlmInboundGroupSession *session,
    const void *key, size_t key_length,
    void *pickled, size_t pickled_length
);

/* Loads a stored session. Returns `pickled_length`. Fails with OLM_INVALID_BASE64,
 * OLM_BAD_ACCOUNT_KEY, OLM_UNKNOWN_PICKLE_VERSION, OLM_CORRUPTED_PICKLE or
 * OLM_PICKLE_EXTRA_DATA. */
OLM_EXPORT size_t olm_unpickle_inbound_group_session(
    OlmInboundGroupSession *session,
    const void *key, size_t key_length,
    void *pickled, size_t pickled_length
);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* OLM_INBOUND_GROUP_SESSION_H_ */
