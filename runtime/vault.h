/*
 * vault.h - the secrets that functions can be granted, from one file that is
 * read when the runtime is created. They are in no answer, no log and no
 * error, and in no snapshot: a function that is being initialised gets none.
 *
 * A vault does not change; any thread may ask it.
 */
#ifndef GLASS_RUNTIME_VAULT_H
#define GLASS_RUNTIME_VAULT_H

#include "runtime/runtime.h"

struct runtime__vault;

/*
 * Reads the file. `notice` (may be NULL) is told when others than its owner
 * can read it. RUNTIME_NOT_FOUND, RUNTIME_TOO_BIG, RUNTIME_SYSTEM,
 * RUNTIME_INVALID (err says which line or which name, and nothing of what is
 * there), RUNTIME_LIMIT or RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__vault_open(const char *path,
                    void (*notice)(void *notice_data, const char *message),
                    void *notice_data, struct runtime__vault **vault,
                    struct runtime_error *err);
/* NULL is fine. */
void
runtime__vault_close(struct runtime__vault *vault);

/* The secret, with a final zero, as long as the vault; NULL: there is none.
 * The name need not end with a zero. A vault that is NULL has none. */
const char *
runtime__vault_find(const struct runtime__vault *vault,
                    const char *namespace_, const void *name,
                    size_t name_bytes);

#endif
