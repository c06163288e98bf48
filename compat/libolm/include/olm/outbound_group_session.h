/* Megolm, the sender's end: one key encrypts messages to everybody in a room. Conventions: see
 * olm.h. */
#ifndef OLM_OUTBOUND_GROUP_SESSION_H_
#define OLM_OUTBOUND_GROUP_SESSION_H_

#include <stddef.h>
#include <stdint.h>

#include "olm/error.h"
#include "olm/olm_export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct OlmOutboundGroupSession OlmOutboundGroupSession;

/* Bytes of memory an outbound group session needs. */
OLM_EXPORT size_t olm_outbound_group_session_size(void);

/* Makes a blank session in that memory. */
OLM_EXPORT OlmOutboundGroupSession *olm_outbound_group_session(void *memory);

/* The last error, as a static string and as a code. */
OLM_EXPORT const char *olm_outbound_group_session_last_error(const OlmOutboundGroupSession *session);
OLM_EXPORT enum OlmErrorCode olm_outbound_group_session_last_error_code(const OlmOutboundGroupSession *session);

/* Wipes the session. It is blank afterwards. Returns its size. */
OLM_EXPORT size_t olm_clear_outbound_group_session(OlmOutboundGroupSession *session);

/* Random bytes a new session needs: 160. */
OLM_EXPORT size_t olm_init_outbound_group_session_random_length(const OlmOutboundGroupSession *session);

/* Makes a session at index 0: the ratchet is the first 128 random bytes, the Ed25519 seed the last
 * 32. Returns 0. Fails with OLM_NOT_ENOUGH_RANDOM. */
OLM_EXPORT size_t olm_init_outbound_group_session(
    OlmOutboundGroupSession *session,
    uint8_t *random, size_t random_length
);

/* Encrypts a message, signs it, and moves the session to the next index. Returns the length of the
 * text. Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_group_encrypt_message_length(OlmOutboundGroupSession *session, size_t plaintext_length);
OLM_EXPORT size_t olm_group_encrypt(
    OlmOutboundGroupSession *session,
    const uint8_t *plaintext, size_t plaintext_length,
    uint8_t *message, size_t message_length
);

/* Writes the id of the session, which is its Ed25519 public key: 43 characters. Returns 43.
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_outbound_group_session_id_length(const OlmOutboundGroupSession *session);
OLM_EXPORT size_t olm_outbound_group_session_id(OlmOutboundGroupSession *session, uint8_t *id, size_t id_length);

/* The index that the next message will have. */
OLM_EXPORT uint32_t olm_outbound_group_session_message_index(OlmOutboundGroupSession *session);

/* Writes the signed session key, with which olm_init_inbound_group_session() reads all messages
 * from the next one on: 306 characters, secret. Returns 306. Fails with
 * OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_outbound_group_session_key_length(const OlmOutboundGroupSession *session);
OLM_EXPORT size_t olm_outbound_group_session_key(OlmOutboundGroupSession *session, uint8_t *key, size_t key_length);

/* Writes the session, encrypted with a key of any length, as text to be stored. Returns the length.
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_pickle_outbound_group_session_length(const OlmOutboundGroupSession *session);
OLM_EXPORT size_t olm_pickle_outbound_group_session(
    OlmOutboundGroupSession *session,
    const void *key, size_t key_length,
    void *pickled, size_t pickled_length
);

/* Loads a stored session. Returns `pickled_length`. Fails with OLM_INVALID_BASE64,
 * OLM_BAD_ACCOUNT_KEY, OLM_UNKNOWN_PICKLE_VERSION, OLM_CORRUPTED_PICKLE or
 * OLM_PICKLE_EXTRA_DATA. */
OLM_EXPORT size_t olm_unpickle_outbound_group_session(
    OlmOutboundGroupSession *session,
    const void *key, size_t key_length,
    void *pickled, size_t pickled_length
);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* OLM_OUTBOUND_GROUP_SESSION_H_ */
