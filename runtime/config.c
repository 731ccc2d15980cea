/*
 * config.c - what a deployment chooses for its function.
 *
 * The idea: a configuration is one block of memory, first the structure, then
 * the variables, then their texts. Nothing of it changes once it is made, so
 * it is shared without a lock and freed by one free().
 *
 * Nothing here has a state; any thread may call it.
 */
#include "runtime/config.h"

#include "runtime/error.h"
#include "runtime/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum runtime_status
check_variable(const struct runtime_variable *variable,
               struct runtime_error *err)
{
    const char *name = variable->name;

    if (!name || !*name || strchr(name, '=') ||
        !runtime__text_is_utf8(name))
        return runtime__error_set(
            err, RUNTIME_INVALID,
            "a variable's name is empty, not UTF-8 or has a '='");
    if (strlen(name) > RUNTIME_VARIABLE_NAME_BYTES_MAX)
        return runtime__error_set(
            err, RUNTIME_LIMIT, "a variable's name is longer than %d bytes",
            RUNTIME_VARIABLE_NAME_BYTES_MAX);
    if (!variable->value || !runtime__text_is_utf8(variable->value))
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "the variable '%s' is not UTF-8", name);
    if (strlen(variable->value) > RUNTIME_VARIABLE_VALUE_BYTES_MAX)
        return runtime__error_set(err, RUNTIME_LIMIT,
                                  "the variable '%s' is longer than %d bytes",
                                  name, RUNTIME_VARIABLE_VALUE_BYTES_MAX);
    return RUNTIME_OK;
}

static enum runtime_status
check_variables(const struct runtime_config *config,
                struct runtime_error *err)
{
    if (config->variable_count > RUNTIME_VARIABLES_MAX)
        return runtime__error_set(err, RUNTIME_LIMIT,
                                  "%zu variables are more than %d",
                                  config->variable_count,
                                  RUNTIME_VARIABLES_MAX);
    for (size_t i = 0; i < config->variable_count; i++) {
        enum runtime_status status =
            check_variable(&config->variables[i], err);
        if (status != RUNTIME_OK)
            return status;
        for (size_t j = 0; j < i; j++) {
            if (!strcmp(config->variables[i].name, config->variables[j].name))
                return runtime__error_set(err, RUNTIME_INVALID,
                                          "the variable '%s' is there twice",
                                          config->variables[i].name);
        }
    }
    return RUNTIME_OK;
}

enum runtime_status
runtime__config_copy(const struct runtime_config *config,
                     struct runtime_config **copy, struct runtime_error *err)
{
    static const struct runtime_config nothing;

    if (!config)
        config = &nothing;
    if (config->reuse != RUNTIME_REUSE_FRESH &&
        config->reuse != RUNTIME_REUSE_WARM)
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "'reuse' of the configuration is %d",
                                  (int)config->reuse);
    enum runtime_status status = check_variables(config, err);
    if (status != RUNTIME_OK)
        return status;

    /* The checks bound the sum to a few megabytes. */
    size_t count = config->variable_count;
    size_t texts_bytes = 0;
    for (size_t i = 0; i < count; i++)
        texts_bytes += strlen(config->variables[i].name) + 1 +
                       strlen(config->variables[i].value) + 1;
    struct runtime_config *block =
        malloc(sizeof(*block) + count * sizeof(struct runtime_variable) +
               texts_bytes);
    if (!block)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a configuration");
    struct runtime_variable *variables =
        (struct runtime_variable *)(void *)(block + 1);
    char *text = (char *)(variables + count);
    *block = *config;
    block->variables = variables;
    for (size_t i = 0; i < count; i++) {
        variables[i].name = text;
        text = stpcpy(text, config->variables[i].name) + 1;
        variables[i].value = text;
        text = stpcpy(text, config->variables[i].value) + 1;
    }
    *copy = block;
    return RUNTIME_OK;
}

const char *
runtime_reuse_name(enum runtime_reuse reuse)
{
    return reuse == RUNTIME_REUSE_WARM ? "warm" : "fresh";
}

bool
runtime__config_equals(const struct runtime_config *a,
                       const struct runtime_config *b)
{
    if (a->timeout_ms != b->timeout_ms || a->fuel != b->fuel ||
        a->memory_bytes != b->memory_bytes || a->reuse != b->reuse ||
        a->variable_count != b->variable_count)
        return false;
    for (size_t i = 0; i < a->variable_count; i++) {
        if (strcmp(a->variables[i].name, b->variables[i].name) != 0 ||
            strcmp(a->variables[i].value, b->variables[i].value) != 0)
            return false;
    }
    return true;
}

const char *
runtime__config_find(const struct runtime_config *config, const char *name,
                     size_t name_bytes)
{
    for (size_t i = 0; i < config->variable_count; i++) {
        const struct runtime_variable *variable = &config->variables[i];
        if (strlen(variable->name) == name_bytes &&
            !memcmp(variable->name, name, name_bytes))
            return variable->value;
    }
    return NULL;
}

json_t *
runtime__config_to_json(const struct runtime_config *config)
{
    json_t *variables = json_object();

    for (size_t i = 0; i < config->variable_count; i++) {
        if (json_object_set_new(variables, config->variables[i].name,
                                json_string(config->variables[i].value)))
            goto fail;
    }
    /* The limits are below the ceilings, far inside a signed number. */
    json_t *json = json_pack(
        "{sI sI sI ss sO}", "timeout_ms", (json_int_t)config->timeout_ms,
        "fuel", (json_int_t)config->fuel, "memory_bytes",
        (json_int_t)config->memory_bytes, "reuse",
        runtime_reuse_name(config->reuse), "env", variables);
    json_decref(variables);
    return json;
fail:
    json_decref(variables);
    return NULL;
}

static enum runtime_status
number_from_json(const char *name, const json_t *json, uint64_t *number,
                 struct runtime_error *err)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0)
        return runtime__error_set(
            err, RUNTIME_INVALID,
            "'%s' of the configuration is not a whole number from 0", name);
    *number = (uint64_t)json_integer_value(json);
    return RUNTIME_OK;
}

/* `variables` has room for all of them. */
static enum runtime_status
variables_from_json(json_t *json, struct runtime_config *config,
                    struct runtime_variable *variables,
                    struct runtime_error *err)
{
    const char *name;
    json_t *value;

    config->variables = variables;
    json_object_foreach(json, name, value) {
        if (!json_is_string(value))
            return runtime__error_set(err, RUNTIME_INVALID,
                                      "the variable '%.64s' is no string",
                                      name);
        variables[config->variable_count++] = (struct runtime_variable){
            .name = name,
            .value = json_string_value(value),
        };
    }
    return RUNTIME_OK;
}

static enum runtime_status
reuse_from_json(const json_t *json, enum runtime_reuse *reuse,
                struct runtime_error *err)
{
    static const enum runtime_reuse all[] = {RUNTIME_REUSE_FRESH,
                                             RUNTIME_REUSE_WARM};
    const char *text = json_string_value(json);

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (text && !strcmp(text, runtime_reuse_name(all[i]))) {
            *reuse = all[i];
            return RUNTIME_OK;
        }
    }
    return runtime__error_set(
        err, RUNTIME_INVALID,
        "'reuse' of the configuration is neither \"fresh\" nor \"warm\"");
}

static enum runtime_status
member_from_json(const char *name, json_t *json,
                 struct runtime_config *config,
                 struct runtime_variable *variables,
                 struct runtime_error *err)
{
    if (!strcmp(name, "timeout_ms"))
        return number_from_json(name, json, &config->timeout_ms, err);
    if (!strcmp(name, "fuel"))
        return number_from_json(name, json, &config->fuel, err);
    if (!strcmp(name, "memory_bytes"))
        return number_from_json(name, json, &config->memory_bytes, err);
    if (!strcmp(name, "reuse"))
        return reuse_from_json(json, &config->reuse, err);
    if (strcmp(name, "env") != 0)
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "a configuration has no member '%.64s'",
                                  name);
    if (!json_is_object(json))
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "'env' of the configuration is no object");
    if (json_object_size(json) > RUNTIME_VARIABLES_MAX)
        return runtime__error_set(err, RUNTIME_LIMIT,
                                  "%zu variables are more than %d",
                                  json_object_size(json),
                                  RUNTIME_VARIABLES_MAX);
    return variables_from_json(json, config, variables, err);
}

enum runtime_status
runtime__config_from_json(const json_t *json, struct runtime_config **config,
                          struct runtime_error *err)
{
    struct runtime_config read = {0};
    struct runtime_variable variables[RUNTIME_VARIABLES_MAX];
    const char *name;
    json_t *value;

    if (!json_is_object(json))
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "the configuration is no JSON object");
    /* Jansson's iteration wants to be able to write, and does not. */
    json_object_foreach((json_t *)(uintptr_t)json, name, value) {
        enum runtime_status status =
            member_from_json(name, value, &read, variables, err);
        if (status != RUNTIME_OK)
            return status;
    }
    return runtime__config_copy(&read, config, err);
}

enum runtime_status
runtime_config_parse(const char *json, size_t length_bytes,
                     struct runtime_config **config,
                     struct runtime_error *err)
{
    json_error_t json_error;

    if (length_bytes > RUNTIME_CONFIG_BYTES_MAX)
        return runtime__error_set(err, RUNTIME_TOO_BIG,
                                  "a configuration has at most %d bytes",
                                  RUNTIME_CONFIG_BYTES_MAX);
    json_t *root = json_loadb(json, length_bytes, JSON_REJECT_DUPLICATES,
                              &json_error);
    if (!root && json_error_code(&json_error) == json_error_out_of_memory)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a configuration");
    if (!root)
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "the configuration is no JSON: %s (line %d)",
                                  json_error.text, json_error.line);
    enum runtime_status status = runtime__config_from_json(root, config, err);
    json_decref(root);
    return status;
}
