/*
 * config.h - what a deployment chooses for its function: as a structure in
 * one block, and as JSON. See struct runtime_config.
 */
#ifndef GLASS_RUNTIME_CONFIG_H
#define GLASS_RUNTIME_CONFIG_H

#include "runtime/runtime.h"

#include <jansson.h>

/*
 * Copies a configuration (null: all zero) into one block for free(). Returns
 * RUNTIME_INVALID when a variable's name or value cannot be one,
 * RUNTIME_LIMIT for too many or too long ones, or RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__config_copy(const struct runtime_config *config,
                     struct runtime_config **copy,
                     struct runtime_error *err);

bool
runtime__config_equals(const struct runtime_config *a,
                       const struct runtime_config *b);

/* A new JSON object that runtime__config_from_json reads; NULL: no memory. */
json_t *
runtime__config_to_json(const struct runtime_config *config);

/* See runtime_config_parse. */
enum runtime_status
runtime__config_from_json(const json_t *json, struct runtime_config **config,
                          struct runtime_error *err);

/* The value of a variable, or NULL. The name need not end with a zero. */
const char *
runtime__config_find(const struct runtime_config *config, const char *name,
                     size_t name_bytes);

#endif
