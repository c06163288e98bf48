/* What can go wrong. */
#ifndef OLM_ERROR_H_
#define OLM_ERROR_H_

#include "olm/olm_export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The string of each code is its name without `OLM_`; only the last three keep the prefix. */
enum OlmErrorCode {
    /* Nothing failed since the object was made or cleared. */
    OLM_SUCCESS = 0,
    /* Fewer random bytes were given than the matching `_random_length` function asks for. */
    OLM_NOT_ENOUGH_RANDOM = 1,
    /* An output buffer is shorter than the matching `_length` function says. */
    OLM_OUTPUT_BUFFER_TOO_SMALL = 2,
    /* The message has another protocol version. */
    OLM_BAD_MESSAGE_VERSION = 3,
    /* The message cannot be parsed: a field is missing or has the wrong size. */
    OLM_BAD_MESSAGE_FORMAT = 4,
    /* The message or signature does not authenticate, or cannot be decrypted by this object. */
    OLM_BAD_MESSAGE_MAC = 5,
    /* The message names a one-time key that the account does not have, or another identity key. */
    OLM_BAD_MESSAGE_KEY_ID = 6,
    /* An input is not base64 of a possible length. */
    OLM_INVALID_BASE64 = 7,
    /* The pickle was made with another key, or was altered. Also for a Curve25519 key that is
     * refused, and for a blank object asked for what needs a key. */
    OLM_BAD_ACCOUNT_KEY = 8,
    /* The pickle has a version that this library does not know. */
    OLM_UNKNOWN_PICKLE_VERSION = 9,
    /* The pickle decrypts, but its content makes no sense. */
    OLM_CORRUPTED_PICKLE = 10,
    /* The key of a group session has the wrong length or version. Also for a blank session asked
     * for what needs a key. */
    OLM_BAD_SESSION_KEY = 11,
    /* The group message is older than the first one this session can decrypt. Also for a session
     * that has sent the last message it can send. */
    OLM_UNKNOWN_MESSAGE_INDEX = 12,
    /* The pickle is of version 1, whose keys must be taken as compromised. It cannot be loaded. */
    OLM_BAD_LEGACY_ACCOUNT_PICKLE = 13,
    /* The signature of a group message or of a group session key does not hold. */
    OLM_BAD_SIGNATURE = 14,
    /* An input is shorter than it has to be. Also for more bytes than olm_sas_generate_bytes()
     * has. */
    OLM_INPUT_BUFFER_TOO_SMALL = 15,
    /* olm_sas_set_their_key() has to be called first. */
    OLM_SAS_THEIR_KEY_NOT_SET = 16,
    /* The pickle is followed by something else. */
    OLM_PICKLE_EXTRA_DATA = 17
};

/* The string of a code; "UNKNOWN_ERROR" for a number that is none. Static, never NULL. */
OLM_EXPORT const char *_olm_error_to_string(enum OlmErrorCode error);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* OLM_ERROR_H_ */
