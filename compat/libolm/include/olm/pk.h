/* Public-key encryption of key backups (`m.megolm_backup.v1.curve25519-aes-sha2`) and the
 * signatures of cross-signing keys. Conventions: see olm.h.
 *
 * The MAC of this scheme does not cover the ciphertext: whoever stores a backup can alter what it
 * decrypts to. Check what was decrypted by other means. */
#ifndef OLM_PK_H_
#define OLM_PK_H_

#include <stddef.h>
#include <stdint.h>

#include "olm/error.h"
#include "olm/olm_export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct OlmPkEncryption OlmPkEncryption;
typedef struct OlmPkDecryption OlmPkDecryption;
typedef struct OlmPkSigning OlmPkSigning;

/* ---- Encryption, with a public key ---- */

/* Bytes of memory an encryption object needs. */
OLM_EXPORT size_t olm_pk_encryption_size(void);

/* Makes a blank encryption object in that memory. */
OLM_EXPORT OlmPkEncryption *olm_pk_encryption(void *memory);

/* The last error, as a static string and as a code. */
OLM_EXPORT const char *olm_pk_encryption_last_error(const OlmPkEncryption *encryption);
OLM_EXPORT enum OlmErrorCode olm_pk_encryption_last_error_code(const OlmPkEncryption *encryption);

/* Wipes the object. It is blank afterwards. Returns its size. */
OLM_EXPORT size_t olm_clear_pk_encryption(OlmPkEncryption *encryption);

/* Characters of a Curve25519 public key: 43. */
OLM_EXPORT size_t olm_pk_key_length(void);

/* Sets the public key to encrypt to; its first 43 characters count. Returns 0.
 * Fails with OLM_INPUT_BUFFER_TOO_SMALL or OLM_BAD_ACCOUNT_KEY. */
OLM_EXPORT size_t olm_pk_encryption_set_recipient_key(
    OlmPkEncryption *encryption,
    const void *public_key, size_t public_key_length
);

/* Lengths of what olm_pk_encrypt() writes, and of the random bytes it needs: 32. */
OLM_EXPORT size_t olm_pk_ciphertext_length(const OlmPkEncryption *encryption, size_t plaintext_length);
OLM_EXPORT size_t olm_pk_mac_length(const OlmPkEncryption *encryption);
OLM_EXPORT size_t olm_pk_encrypt_random_length(const OlmPkEncryption *encryption);

/* Encrypts to the recipient's key. Writes olm_pk_ciphertext_length(), olm_pk_mac_length() and
 * olm_pk_key_length() characters; all three are needed to decrypt. The random bytes are the secret
 * half of the ephemeral key: the caller wipes them. The result on success says nothing more than
 * that it is not olm_error(). Fails with OLM_OUTPUT_BUFFER_TOO_SMALL or OLM_NOT_ENOUGH_RANDOM. */
OLM_EXPORT size_t olm_pk_encrypt(
    OlmPkEncryption *encryption,
    const void *plaintext, size_t plaintext_length,
    void *ciphertext, size_t ciphertext_length,
    void *mac, size_t mac_length,
    void *ephemeral_key, size_t ephemeral_key_size,
    const void *random, size_t random_length
);

/* ---- Decryption, with the private key ---- */

/* Bytes of memory a decryption object needs. */
OLM_EXPORT size_t olm_pk_decryption_size(void);

/* Makes a blank decryption object in that memory. */
OLM_EXPORT OlmPkDecryption *olm_pk_decryption(void *memory);

/* The last error, as a static string and as a code. */
OLM_EXPORT const char *olm_pk_decryption_last_error(const OlmPkDecryption *decryption);
OLM_EXPORT enum OlmErrorCode olm_pk_decryption_last_error_code(const OlmPkDecryption *decryption);

/* Wipes the object. It is blank afterwards. Returns its size. */
OLM_EXPORT size_t olm_clear_pk_decryption(OlmPkDecryption *decryption);

/* Bytes of a private key: 32. Any 32 bytes are one. */
OLM_EXPORT size_t olm_pk_private_key_length(void);

/* Sets the private key and writes its public key: 43 characters. Returns 0.
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL or OLM_INPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_pk_key_from_private(
    OlmPkDecryption *decryption,
    void *pubkey, size_t pubkey_length,
    const void *privkey, size_t privkey_length
);

/* Deprecated: other names of olm_pk_private_key_length() and olm_pk_key_from_private(). */
OLM_EXPORT size_t olm_pk_generate_key_random_length(void);
OLM_EXPORT size_t olm_pk_generate_key(
    OlmPkDecryption *decryption,
    void *pubkey, size_t pubkey_length,
    const void *privkey, size_t privkey_length
);

/* Writes the 32 bytes of the private key, as they were given. Returns 32.
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_pk_get_private_key(
    OlmPkDecryption *decryption,
    void *private_key, size_t private_key_length
);

/* The longest plaintext that so many characters of ciphertext can hold; olm_error() when no
 * ciphertext has that length. */
OLM_EXPORT size_t olm_pk_max_plaintext_length(const OlmPkDecryption *decryption, size_t ciphertext_length);

/* Decrypts what olm_pk_encrypt() wrote and returns the length of the plaintext. Give a copy of the
 * ciphertext. Fails with OLM_OUTPUT_BUFFER_TOO_SMALL, OLM_INVALID_BASE64 or OLM_BAD_MESSAGE_MAC. */
OLM_EXPORT size_t olm_pk_decrypt(
    OlmPkDecryption *decryption,
    const void *ephemeral_key, size_t ephemeral_key_length,
    const void *mac, size_t mac_length,
    void *ciphertext, size_t ciphertext_length,
    void *plaintext, size_t max_plaintext_length
);

/* Writes the key, encrypted with a key of any length, as text to be stored. Returns the length.
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_pickle_pk_decryption_length(const OlmPkDecryption *decryption);
OLM_EXPORT size_t olm_pickle_pk_decryption(
    OlmPkDecryption *decryption,
    const void *key, size_t key_length,
    void *pickled, size_t pickled_length
);

/* Loads a stored key, and writes its public key unless `pubkey` is NULL. Returns `pickled_length`.
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL, OLM_INVALID_BASE64, OLM_BAD_ACCOUNT_KEY,
 * OLM_UNKNOWN_PICKLE_VERSION, OLM_CORRUPTED_PICKLE or OLM_PICKLE_EXTRA_DATA. */
OLM_EXPORT size_t olm_unpickle_pk_decryption(
    OlmPkDecryption *decryption,
    const void *key, size_t key_length,
    void *pickled, size_t pickled_length,
    void *pubkey, size_t pubkey_length
);

/* ---- Signing ---- */

/* Bytes of memory a signing object needs. */
OLM_EXPORT size_t olm_pk_signing_size(void);

/* Makes a blank signing object in that memory. */
OLM_EXPORT OlmPkSigning *olm_pk_signing(void *memory);

/* The last error, as a static string and as a code. */
OLM_EXPORT const char *olm_pk_signing_last_error(const OlmPkSigning *sign);
OLM_EXPORT enum OlmErrorCode olm_pk_signing_last_error_code(const OlmPkSigning *sign);

/* Wipes the object. It is blank afterwards. Returns its size. */
OLM_EXPORT size_t olm_clear_pk_signing(OlmPkSigning *sign);

/* Bytes of a seed: 32. Characters of an Ed25519 public key: 43. */
OLM_EXPORT size_t olm_pk_signing_seed_length(void);
OLM_EXPORT size_t olm_pk_signing_public_key_length(void);

/* Makes the Ed25519 key of a seed and writes its public key. Returns 0.
 * Fails with OLM_OUTPUT_BUFFER_TOO_SMALL or OLM_INPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_pk_signing_key_from_seed(
    OlmPkSigning *sign,
    void *pubkey, size_t pubkey_length,
    const void *seed, size_t seed_length
);

/* Signs a message: 86 characters. Returns 86. Fails with OLM_OUTPUT_BUFFER_TOO_SMALL. */
OLM_EXPORT size_t olm_pk_signature_length(void);
OLM_EXPORT size_t olm_pk_sign(
    OlmPkSigning *sign,
    const uint8_t *message, size_t message_length,
    uint8_t *signature, size_t signature_length
);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* OLM_PK_H_ */
