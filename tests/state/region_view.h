/*
 * For tests of regions: values that are mapped into this process, of a store in
 * memory (0) or on a disk (1). The store is the test's own.
 */
#ifndef GLASS_TESTS_STATE_REGION_VIEW_H
#define GLASS_TESTS_STATE_REGION_VIEW_H

#include "state/region.h"
#include "tests/state/await.h"
#include "tests/state/suite.h"

#define PAGE ((size_t)STATE_REGION_PAGE_BYTES)

extern struct state_store *store;

/* Opens and closes the store. */
void
begin(int backend);

void
finish(void);

/* Closes and opens it again. */
void
reopen(void);

/* A key's part in this process's addresses. */
struct view {
    struct state_mapping *mapping;
    uint8_t *bytes;
    size_t length;
    bool writes;
};

struct state_mapping_options
options_of(const char *key, uint64_t offset, uint64_t length);

/* Maps and unmaps again; returns how that ended. */
enum state_status
try_map(const char *key, uint64_t offset, uint64_t length);

/* From an offset to the end. */
struct view
view(const char *key, uint64_t offset, bool writes);

void
end_view(struct view *view);

/* Puts `length` bytes, all of them `byte`; returns the version. */
uint64_t
put(const char *key, uint8_t byte, size_t length);

/* Submits a write with a string for a value. */
enum state_status
change(enum state_kind kind, const char *key, const char *value,
       uint64_t offset, struct state_operation *operation);

/* The value has that length, and that text at an offset. */
void
expect_value(const char *key, size_t length, size_t offset,
             const char *string);

/* As run_suite, but each test runs from `first` up to `end`. */
int
run_loops(const char *name, const TTest *const *tests, int first, int end);

#endif
