/* The library leaves nothing on the heap: no block outlives the call that allocated it, so nothing
 * leaks when the caller frees an object without clearing it; and no block that is freed still holds
 * a secret or a plaintext (S-25, S-40). After olm_clear_X() the object's own memory holds none
 * either.
 *
 * This program brings its own malloc and free, which the library uses as well, and looks at every
 * block that is freed during a call. Secrets are what the caller knows to be one: random bytes,
 * pickle keys, plaintexts, session keys. */
#define _GNU_SOURCE
#include <olm/olm.h>
#include <olm/pk.h>
#include <olm/sas.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Secrets ---- */

enum { WINDOW = 8 }; /* so many bytes in a row are no coincidence */
static uint8_t secrets[400][WINDOW];
static size_t secret_count, found;
static const char *doing;

static int holds_secret(const void *memory, size_t size) {
    for (size_t i = 0; i < secret_count; i++) {
        if (size && memmem(memory, size, secrets[i], WINDOW)) return 1;
    }
    return 0;
}

/* Every part of these bytes is a secret from now on. */
static void *secret(const void *bytes, size_t size) {
    for (size_t i = 0; i + WINDOW <= size; i += WINDOW) {
        if (secret_count == sizeof secrets / sizeof secrets[0]) abort();
        memcpy(secrets[secret_count++], (const uint8_t *)bytes + i, WINDOW);
    }
    return (void *)bytes;
}

/* ---- The heap ---- */

extern void *__libc_malloc(size_t), *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);
static int watching;
static long alive;
static unsigned long looked_at;

/* A block for the library holds nothing of whoever had it before. */
static void *handed_out(void *block) {
    if (watching && block) {
        alive++;
        memset(block, 0xDD, malloc_usable_size(block));
    }
    return block;
}

void *memalign(size_t alignment, size_t size) { return handed_out(__libc_memalign(alignment, size)); }

void *malloc(size_t size) { return handed_out(__libc_malloc(size)); }

void free(void *block) {
    if (watching && block) {
        alive--;
        looked_at++;
        if (holds_secret(block, malloc_usable_size(block))) {
            found++;
            watching = 0;
            if (doing) fprintf(stderr, "a block freed by %s holds a secret\n", doing);
            watching = 1;
        }
    }
    __libc_free(block);
}

void *calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    void *block = malloc(bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

void *realloc(void *old, size_t size) {
    void *block = malloc(size);
    if (block && old) {
        size_t kept = malloc_usable_size(old);
        memcpy(block, old, kept < size ? kept : size);
        free(old);
    }
    return block;
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = memalign(alignment, size);
    return *block ? 0 : 12;
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

/* Fills the stack that the next call will use with a secret: what a call finds there it must not
 * carry to the heap, not even in bytes of a structure that nobody writes. */
static const char STALE[] = "\1\2\3\4\5\6\7";
static void soil_stack(void) {
    volatile char stack[64 * 1024];
    for (size_t i = 0; i < sizeof stack; i++) stack[i] = STALE[i % WINDOW];
}

/* One call of the library, watched. It must succeed, and leave no block. */
#define CALL(call)                                                                 \
    __extension__({                                                                \
        doing = #call;                                                             \
        long before = alive;                                                       \
        soil_stack();                                                              \
        watching = 1;                                                              \
        size_t result = (size_t)(call);                                            \
        watching = 0;                                                              \
        if (result == olm_error()) fprintf(stderr, "failed: %s\n", doing), exit(1); \
        left_behind(before);                                                       \
        result;                                                                    \
    })
#define FAILS(call) CALL(((call) == olm_error()) ? 0 : olm_error())

static void left_behind(long before) {
    if (alive != before) fprintf(stderr, "%ld blocks left by %s\n", alive - before, doing), found++;
    alive = before;
}

/* Clears an object that is known to hold secrets. */
#define CLEAR(type, object, size)                                                                              \
    do {                                                                                                       \
        CALL(olm_clear_##type(object));                                                                        \
        if (holds_secret(object, size)) fprintf(stderr, "a cleared %s holds a secret\n", #type), found++;      \
    } while (0)

/* Random bytes, in a place that the next call reuses. */
static void *fresh(size_t size) {
    static uint32_t state = 7;
    static uint8_t bytes[160];
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
    return secret(bytes, size);
}

/* ---- The story ---- */

static const char KEY[] = "the key of all the pickles", PLAINTEXT[] = "a plaintext that nobody else may read";
static char text[20000], copy[20000], plaintext[2000];

static void the_watch_works(void) {
    uint8_t *bytes = (uint8_t *)fresh(32);
    long before = alive;
    watching = 1;
    uint8_t *holder = (uint8_t *)malloc(100), *grown = (uint8_t *)malloc(40), *left = (uint8_t *)malloc(10);
    memcpy(holder + 13, bytes + 16, 16), memcpy(grown, bytes, 16);
    free(holder);
    grown = (uint8_t *)realloc(grown, 4000);
    watching = 0;
    if (found != 2 || alive != before + 2) fprintf(stderr, "the watch does not work\n"), exit(1);
    found = 0, alive = before;
    free(grown), free(left);
}

static OlmAccount *account_of_the_story(void) {
    OlmAccount *account = olm_account(malloc(olm_account_size()));
    CALL(olm_create_account(account, fresh(64), 64));
    CALL(olm_account_generate_one_time_keys(account, 2, fresh(64), 64));
    CALL(olm_account_generate_fallback_key(account, fresh(32), 32));
    CALL(olm_account_sign(account, secret(PLAINTEXT, sizeof PLAINTEXT - 1), sizeof PLAINTEXT - 1, text, 86));
    return account;
}

static void olm(void) {
    OlmAccount *alice = account_of_the_story(), *bob = account_of_the_story();
    OlmSession *to_bob = olm_session(malloc(olm_session_size())), *to_alice = olm_session(malloc(olm_session_size()));
    static char identity_keys[116], one_time_keys[200];
    CALL(olm_account_identity_keys(bob, identity_keys, sizeof identity_keys));
    CALL(olm_account_one_time_keys(bob, one_time_keys, sizeof one_time_keys));
    CALL(olm_create_outbound_session(to_bob, alice, identity_keys + 15, 43, one_time_keys + 25, 43, fresh(64), 64));
    size_t length = CALL(olm_encrypt(to_bob, PLAINTEXT, sizeof PLAINTEXT, NULL, 0, text, sizeof text));
    memcpy(copy, text, length);
    CALL(olm_create_inbound_session(to_alice, bob, copy, length));
    memcpy(copy, text, length);
    copy[length - 1] ^= 1, copy[length - 5] ^= 1;
    FAILS(olm_decrypt(to_alice, 0, copy, length, plaintext, sizeof plaintext));
    memcpy(copy, text, length);
    FAILS(olm_decrypt(to_alice, 0, copy, length, plaintext, 3));
    CALL(olm_decrypt(to_alice, 0, text, length, plaintext, sizeof plaintext));
    CALL(olm_remove_one_time_keys(bob, to_alice));
    for (int turn = 0; turn < 3; turn++) {
        length = CALL(olm_encrypt(to_alice, PLAINTEXT, sizeof PLAINTEXT, fresh(32), 32, text, sizeof text));
        CALL(olm_decrypt(to_bob, 1, text, length, plaintext, sizeof plaintext));
        CALL(olm_encrypt(to_bob, PLAINTEXT, sizeof PLAINTEXT, fresh(32), 32, text, sizeof text));
        length = CALL(olm_encrypt(to_bob, PLAINTEXT, sizeof PLAINTEXT, NULL, 0, text, sizeof text));
        CALL(olm_decrypt(to_alice, 1, text, length, plaintext, sizeof plaintext));
    }
    OlmAccount *account = olm_account(malloc(olm_account_size()));
    length = CALL(olm_pickle_account(alice, KEY, sizeof KEY, text, sizeof text));
    memcpy(copy, text, length);
    FAILS(olm_unpickle_account(account, "another", 7, copy, length));
    CALL(olm_unpickle_account(account, KEY, sizeof KEY, text, length));
    OlmSession *session = olm_session(malloc(olm_session_size()));
    length = CALL(olm_pickle_session(to_alice, KEY, sizeof KEY, text, sizeof text));
    FAILS(olm_pickle_session(to_alice, KEY, sizeof KEY, copy, length - 1));
    CALL(olm_unpickle_session(session, KEY, sizeof KEY, text, length));
    CLEAR(account, alice, olm_account_size());
    CLEAR(account, account, olm_account_size());
    CLEAR(session, to_alice, olm_session_size());
    CLEAR(session, session, olm_session_size());
    free(alice), free(bob), free(account), free(to_bob), free(to_alice), free(session);
}

static void megolm(void) {
    OlmOutboundGroupSession *room = olm_outbound_group_session(malloc(olm_outbound_group_session_size()));
    OlmInboundGroupSession *member = olm_inbound_group_session(malloc(olm_inbound_group_session_size()));
    static uint8_t key[306], exported[220], event[500];
    CALL(olm_init_outbound_group_session(room, (uint8_t *)fresh(160), 160));
    CALL(olm_outbound_group_session_key(room, key, sizeof key));
    secret(key + 8, 160);
    CALL(olm_init_inbound_group_session(member, key, sizeof key));
    for (uint32_t index = 0; index < 3; index++) {
        const uint8_t *bytes = (const uint8_t *)PLAINTEXT;
        size_t length = CALL(olm_group_encrypt(room, bytes, sizeof PLAINTEXT, event, sizeof event));
        CALL(olm_group_decrypt(member, event, length, (uint8_t *)plaintext, sizeof plaintext, NULL));
    }
    CALL(olm_export_inbound_group_session(member, exported, sizeof exported, 2));
    secret(exported + 8, 160);
    CALL(olm_import_inbound_group_session(member, exported, sizeof exported));
    size_t length = CALL(olm_pickle_inbound_group_session(member, KEY, sizeof KEY, text, sizeof text));
    CALL(olm_unpickle_inbound_group_session(member, KEY, sizeof KEY, text, length));
    length = CALL(olm_pickle_outbound_group_session(room, KEY, sizeof KEY, text, sizeof text));
    CALL(olm_unpickle_outbound_group_session(room, KEY, sizeof KEY, text, length));
    CLEAR(outbound_group_session, room, olm_outbound_group_session_size());
    CLEAR(inbound_group_session, member, olm_inbound_group_session_size());
    free(room), free(member);
}

static void backup_and_verification(void) {
    OlmPkDecryption *backup = olm_pk_decryption(malloc(olm_pk_decryption_size()));
    OlmPkEncryption *device = olm_pk_encryption(malloc(olm_pk_encryption_size()));
    OlmPkSigning *signer = olm_pk_signing(malloc(olm_pk_signing_size()));
    static char key[43], mac[11], ephemeral[43], ours[43], bytes[100];
    CALL(olm_pk_key_from_private(backup, key, 43, fresh(32), 32));
    CALL(olm_pk_encryption_set_recipient_key(device, key, 43));
    size_t length = olm_pk_ciphertext_length(device, sizeof PLAINTEXT);
    CALL(olm_pk_encrypt(device, PLAINTEXT, sizeof PLAINTEXT, text, length, mac, 11, ephemeral, 43, fresh(32), 32));
    CALL(olm_pk_decrypt(backup, ephemeral, 43, mac, 11, text, length, plaintext, sizeof plaintext));
    length = CALL(olm_pickle_pk_decryption(backup, KEY, sizeof KEY, text, sizeof text));
    CALL(olm_unpickle_pk_decryption(backup, KEY, sizeof KEY, text, length, NULL, 0));
    CALL(olm_pk_signing_key_from_seed(signer, ours, 43, fresh(32), 32));
    CALL(olm_pk_sign(signer, (const uint8_t *)PLAINTEXT, sizeof PLAINTEXT, (uint8_t *)text, 86));
    OlmSAS *sas = olm_sas(malloc(olm_sas_size()));
    CALL(olm_create_sas(sas, fresh(32), 32));
    CALL(olm_sas_set_their_key(sas, key, 43));
    CALL(olm_sas_generate_bytes(sas, "info", 4, bytes, sizeof bytes));
    secret(bytes, sizeof bytes);
    CALL(olm_sas_generate_bytes(sas, "info", 4, bytes, sizeof bytes));
    CALL(olm_sas_calculate_mac_fixed_base64(sas, PLAINTEXT, sizeof PLAINTEXT, "info", 4, text, 43));
    CLEAR(pk_decryption, backup, olm_pk_decryption_size());
    CLEAR(pk_signing, signer, olm_pk_signing_size());
    CLEAR(sas, sas, olm_sas_size());
    free(backup), free(device), free(signer), free(sas);
}

int main(void) {
    the_watch_works();
    looked_at = 0;
    secret(STALE, WINDOW);
    secret(KEY, sizeof KEY - 1);
    olm();
    megolm();
    backup_and_verification();
    printf("%lu freed blocks looked at\n", looked_at);
    return found != 0 || looked_at < 100;
}
