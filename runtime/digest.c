/* digest.c - SHA-256 by OpenSSL's libcrypto. Any thread may call it. */
#include "runtime/digest.h"

#include <openssl/evp.h>
#include <string.h>

enum { sha256_bytes = 32 };

_Static_assert(RUNTIME_DIGEST_SIZE == 2 * sha256_bytes + 1,
               "two digits for each byte, and the final zero");

void
runtime__digest_to_hex(const uint8_t *bytes, size_t length_bytes, char *text)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < length_bytes; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * length_bytes] = '\0';
}

bool
runtime__digest(const void *bytes, size_t length_bytes,
                char digest[RUNTIME_DIGEST_SIZE])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned hash_bytes;

    if (!EVP_Digest(bytes, length_bytes, hash, &hash_bytes, EVP_sha256(),
                    NULL) ||
        hash_bytes != sha256_bytes)
        return false;
    runtime__digest_to_hex(hash, sha256_bytes, digest);
    return true;
}

bool
runtime__digest_is_valid(const char *digest)
{
    return digest && strlen(digest) == RUNTIME_DIGEST_SIZE - 1 &&
           strspn(digest, "0123456789abcdef") == RUNTIME_DIGEST_SIZE - 1;
}
