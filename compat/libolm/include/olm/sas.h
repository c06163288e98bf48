/* Short authentication strings: two devices agree on a secret and let their users compare a few
 * words or emoji. Conventions: see olm.h. */
#ifndef OLM_SAS_H_
#define OLM_SAS_H_

#include <stddef.h>
#include <stdint.h>

#include "olm/error.h"
#include "olm/olm_export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct OlmSAS OlmSAS;

/* Bytes of memory a SAS object needs. */
OLM_EXPORT size_t olm_sas_size(void);

/* Makes a blank SAS object in that memory. */
OLM_EXPORT OlmSAS *olm_sas(void *memory);

/* The last error, as a static string and as a code. */
OLM_EXPORT const char *olm_sas_last_error(const OlmSAS *sas);
OLM_EXPORT enum OlmErrorCode olm_sas_last_error_code(const OlmSAS *sas);

/* Wipes the object. It is blank afterwards. Returns its size. */
OLM_EXPORT size_t olm_clear_sas(OlmSAS *sas);

/* Random bytes a key needs: 32. */
OLM_EXPORT size_t olm_create_sas_random_length(const OlmSAS *sas);

/* Makes our key; the random bytes are its secret half, and the caller wipes them. Returns 0.
 * Fails with OLM_NOT_ENOUGH_RANDOM. */
OLM_EXPORT size_t olm_create_sas(OlmSAS *sas, void *random, size_t random_length);

/* Writes our public key: 43 characters. Returns 0. Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_sas_pubkey_length(const OlmSAS *sas);
OLM_EXPORT size_t olm_sas_get_pubkey(OlmSAS *sas, void *pubkey, size_t pubkey_length);

/* Sets their public key: 43 characters, or padded base64; give a copy. Returns 0.
 * Fails with OLM_INPUT_BUFFER_TOO_SMALL, OLM_INVALID_BASE64 or OLM_BAD_ACCOUNT_KEY. */
OLM_EXPORT size_t olm_sas_set_their_key(OlmSAS *sas, void *their_key, size_t their_key_length);

/* 1 once their key is set, else 0. */
OLM_EXPORT int olm_sas_is_their_key_set(const OlmSAS *sas);

/* Writes as many bytes as wanted, the same at both ends, to derive the words or emoji from. Returns
 * 0. Fails with OLM_SAS_THEIR_KEY_NOT_SET, OLM_OUTPUT_BUFFER_TOO_SMALL, or, for more than 8,160
 * bytes, OLM_INPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_sas_generate_bytes(
    OlmSAS *sas,
    const void *info, size_t info_length,
    void *output, size_t output_length
);

/* Characters of a MAC: 43. */
OLM_EXPORT size_t olm_sas_mac_length(const OlmSAS *sas);

/* Writes the MAC of an input, in base64: `hkdf-hmac-sha256.v2`, the one to use. Returns 0.
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL or OLM_SAS_THEIR_KEY_NOT_SET. */
OLM_EXPORT size_t olm_sas_calculate_mac_fixed_base64(
    OlmSAS *sas,
    const void *input, size_t input_length,
    const void *info, size_t info_length,
    void *mac, size_t mac_length
);

/* The same MAC in an encoding of its own that is not base64: `hkdf-hmac-sha256`. For peers that
 * know nothing newer. */
OLM_EXPORT size_t olm_sas_calculate_mac(
    OlmSAS *sas,
    const void *input, size_t input_length,
    const void *info, size_t info_length,
    void *mac, size_t mac_length
);

/* As above, with a longer key: `hmac-sha256`. For peers that know nothing newer. */
OLM_EXPORT size_t olm_sas_calculate_mac_long_kdf(
    OlmSAS *sas,
    const void *input, size_t input_length,
    const void *info, size_t info_length,
    void *mac, size_t mac_length
);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* OLM_SAS_H_ */
