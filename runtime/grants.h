/*
 * grants.h - what a function may touch beyond itself: a part of its
 * configuration (struct runtime_grants), and whether it holds for an access.
 *
 * A configuration is one block; its grants are copied into it in two parts,
 * pointers and texts. Nothing here has a state; any thread may call it.
 */
#ifndef GLASS_RUNTIME_GRANTS_H
#define GLASS_RUNTIME_GRANTS_H

#include "runtime/runtime.h"

#include <jansson.h>

struct runtime_call;

/* RUNTIME_INVALID or RUNTIME_LIMIT when the lists cannot be ones. */
enum runtime_status
runtime__grants_check(const struct runtime_grants *grants,
                      struct runtime_error *err);

/* What a copy needs: a multiple of a pointer's size, and bytes. The lists
 * have been checked. */
void
runtime__grants_measure(const struct runtime_grants *grants,
                        size_t *pointer_bytes, size_t *text_bytes);

/* Copies into as much as that; returns where texts after its own go. */
char *
runtime__grants_copy(const struct runtime_grants *grants, void *pointers,
                     char *text, struct runtime_grants *copy);

bool
runtime__grants_equal(const struct runtime_grants *a,
                      const struct runtime_grants *b);

/* A new JSON object; NULL: no memory. */
json_t *
runtime__grants_to_json(const struct runtime_grants *grants);

/* Where lists are put while they are read, until they are copied. */
#define RUNTIME__GRANTS_LISTS 4
struct runtime__grants_room {
    struct runtime_names lists[RUNTIME__GRANTS_LISTS];
    const char *names[RUNTIME__GRANTS_LISTS][RUNTIME_GRANTS_MAX];
};

/* Reads an object, whose texts have to stay. Of two members of a name the
 * last one counts, so the caller refuses them. RUNTIME_INVALID or LIMIT. */
enum runtime_status
runtime__grants_from_json(const json_t *json, struct runtime_grants *grants,
                          struct runtime__grants_room *room,
                          struct runtime_error *err);

/* ---- Accesses ----------------------------------------------------------- */

enum {
    RUNTIME__READ = 1,
    RUNTIME__WRITE = 2,
};

/* Whether all that `access` says may be done with keys that begin so. */
bool
runtime__grants_allow_state(const struct runtime_grants *grants,
                            unsigned access, const void *key,
                            size_t key_bytes);

/* Whether the list has the name; NULL has none. */
bool
runtime__grants_has(const struct runtime_names *list, const void *name,
                    size_t name_bytes);

/*
 * Counts an access that was refused, and tells it in the call's log: what
 * was to be done, and with what. What does not print is shown as '?'.
 */
void
runtime__grants_deny(struct runtime_call *call, const char *what,
                     const void *name, size_t name_bytes);

#endif
