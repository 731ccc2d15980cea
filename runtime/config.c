/*
 * config.c - what a deployment chooses for its function.
 *
 * The idea: a configuration is one block of memory, first the structure,
 * then the variables, directories and lists, then their texts. Nothing of it
 * changes once it is made, so it is shared without a lock and freed by one
 * free().
 *
 * Nothing here has a state; any thread may call it.
 */
#include "runtime/config.h"

#include "runtime/error.h"
#include "runtime/grants.h"
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

static bool
is_directory_name(const char *name)
{
    return name && *name && runtime__text_is_utf8(name);
}

static enum runtime_status
check_directories(const struct runtime_config *config,
                  struct runtime_error *err)
{
    if (config->directory_count > RUNTIME_DIRECTORIES_MAX)
        return runtime__error_set(err, RUNTIME_LIMIT,
                                  "%zu directories are more than %d",
                                  config->directory_count,
                                  RUNTIME_DIRECTORIES_MAX);
    for (size_t i = 0; i < config->directory_count; i++) {
        const struct runtime_directory *directory = &config->directories[i];
        if (!is_directory_name(directory->guest) ||
            !is_directory_name(directory->host))
            return runtime__error_set(
                err, RUNTIME_INVALID,
                "a directory's name is empty or not UTF-8");
        if (strlen(directory->guest) > RUNTIME_DIRECTORY_NAME_BYTES_MAX ||
            strlen(directory->host) > RUNTIME_DIRECTORY_NAME_BYTES_MAX)
            return runtime__error_set(
                err, RUNTIME_LIMIT,
                "a directory's name is longer than %d bytes",
                RUNTIME_DIRECTORY_NAME_BYTES_MAX);
        if (!directory->read_only)
            return runtime__error_set(
                err, RUNTIME_INVALID,
                "functions only read their directories");
        for (size_t j = 0; j < i; j++) {
            if (!strcmp(directory->guest, config->directories[j].guest))
                return runtime__error_set(
                    err, RUNTIME_INVALID,
                    "the directory '%.100s' is there twice",
                    directory->guest);
        }
    }
    return RUNTIME_OK;
}

/* Copies two texts behind each other; returns where the next one goes. */
static char *
copy_pair(char *text, const char *first, const char *second,
          const char **first_copy, const char **second_copy)
{
    *first_copy = text;
    text = stpcpy(text, first) + 1;
    *second_copy = text;
    return stpcpy(text, second) + 1;
}

static size_t
texts_bytes_of(const struct runtime_config *config)
{
    size_t sum = 0;

    for (size_t i = 0; i < config->variable_count; i++)
        sum += strlen(config->variables[i].name) +
               strlen(config->variables[i].value) + 2;
    for (size_t i = 0; i < config->directory_count; i++)
        sum += strlen(config->directories[i].host) +
               strlen(config->directories[i].guest) + 2;
    return sum;
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

    status = check_directories(config, err);
    if (status == RUNTIME_OK)
        status = runtime__grants_check(&config->grants, err);
    if (status != RUNTIME_OK)
        return status;

    size_t grants_pointer_bytes, grants_text_bytes;
    runtime__grants_measure(&config->grants, &grants_pointer_bytes,
                            &grants_text_bytes);
    /* The checks bound the sum to a few megabytes. */
    struct runtime_config *block = malloc(
        sizeof(*block) +
        config->variable_count * sizeof(struct runtime_variable) +
        config->directory_count * sizeof(struct runtime_directory) +
        grants_pointer_bytes + grants_text_bytes + texts_bytes_of(config));
    if (!block)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a configuration");
    struct runtime_variable *variables =
        (struct runtime_variable *)(void *)(block + 1);
    struct runtime_directory *directories =
        (struct runtime_directory *)(void *)(variables +
                                             config->variable_count);
    char *lists = (char *)(directories + config->directory_count);
    char *text = lists + grants_pointer_bytes;
    *block = *config;
    block->variables = variables;
    block->directories = directories;
    text = runtime__grants_copy(&config->grants, lists, text, &block->grants);
    for (size_t i = 0; i < config->variable_count; i++)
        text = copy_pair(text, config->variables[i].name,
                         config->variables[i].value, &variables[i].name,
                         &variables[i].value);
    for (size_t i = 0; i < config->directory_count; i++) {
        directories[i].read_only = true;
        text = copy_pair(text, config->directories[i].host,
                         config->directories[i].guest, &directories[i].host,
                         &directories[i].guest);
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
#define DIFFERS(name) a->name != b->name ||
    if (RUNTIME_CONFIG_NUMBERS(DIFFERS) a->reuse != b->reuse ||
        a->variable_count != b->variable_count ||
        a->directory_count != b->directory_count ||
        !runtime__grants_equal(&a->grants, &b->grants))
        return false;
#undef DIFFERS
    for (size_t i = 0; i < a->directory_count; i++) {
        if (strcmp(a->directories[i].host, b->directories[i].host) != 0 ||
            strcmp(a->directories[i].guest, b->directories[i].guest) != 0)
            return false;
    }
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
    json_t *directories = json_object();

    for (size_t i = 0; i < config->directory_count; i++) {
        if (json_object_set_new(directories, config->directories[i].guest,
                                json_string(config->directories[i].host)))
            goto fail;
    }
    for (size_t i = 0; i < config->variable_count; i++) {
        if (json_object_set_new(variables, config->variables[i].name,
                                json_string(config->variables[i].value)))
            goto fail;
    }
    /* The limits are below the ceilings, far inside a signed number. */
    json_t *json = json_pack(
        "{ss sO sO so}", "reuse", runtime_reuse_name(config->reuse), "env",
        variables, "dirs", directories, "grants",
        runtime__grants_to_json(&config->grants));
#define WRITE(name)                                                           \
    json_object_set_new(json, #name, json_integer((json_int_t)config->name)) ||
    if (RUNTIME_CONFIG_NUMBERS(WRITE) false) {
        json_decref(json);
        json = NULL;
    }
#undef WRITE
    json_decref(directories);
    json_decref(variables);
    return json;
fail:
    json_decref(directories);
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

/* Where what is read is put, until it is copied into one block. */
struct room {
    struct runtime_variable variables[RUNTIME_VARIABLES_MAX];
    struct runtime_directory directories[RUNTIME_DIRECTORIES_MAX];
    struct runtime__grants_room grants;
};

/* Checks an object of strings; `one` and `several` say what they are. */
static enum runtime_status
check_strings(json_t *json, const char *member, const char *one,
              const char *several, size_t count_max,
              struct runtime_error *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(json))
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "'%s' of the configuration is no object",
                                  member);
    if (json_object_size(json) > count_max)
        return runtime__error_set(err, RUNTIME_LIMIT,
                                  "%zu %s are more than %zu",
                                  json_object_size(json), several, count_max);
    json_object_foreach(json, name, value) {
        if (!json_is_string(value))
            return runtime__error_set(err, RUNTIME_INVALID,
                                      "the %s '%.64s' is no string", one,
                                      name);
    }
    return RUNTIME_OK;
}

static enum runtime_status
variables_from_json(json_t *json, struct runtime_config *config,
                    struct runtime_variable *variables,
                    struct runtime_error *err)
{
    const char *name;
    json_t *value;
    enum runtime_status status =
        check_strings(json, "env", "variable", "variables",
                      RUNTIME_VARIABLES_MAX, err);

    if (status != RUNTIME_OK)
        return status;
    config->variables = variables;
    json_object_foreach(json, name, value) {
        variables[config->variable_count++] = (struct runtime_variable){
            .name = name,
            .value = json_string_value(value),
        };
    }
    return RUNTIME_OK;
}

/* The same for directories. */
static enum runtime_status
directories_from_json(json_t *json, struct runtime_config *config,
                      struct runtime_directory *directories,
                      struct runtime_error *err)
{
    const char *guest;
    json_t *host;
    enum runtime_status status =
        check_strings(json, "dirs", "directory", "directories",
                      RUNTIME_DIRECTORIES_MAX, err);

    if (status != RUNTIME_OK)
        return status;
    config->directories = directories;
    json_object_foreach(json, guest, host) {
        directories[config->directory_count++] = (struct runtime_directory){
            json_string_value(host), guest, true};
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
                 struct runtime_config *config, struct room *room,
                 struct runtime_error *err)
{
    const struct {
        const char *name;
        uint64_t *number;
    } numbers[] = {
#define NUMBER(name) {#name, &config->name},
        RUNTIME_CONFIG_NUMBERS(NUMBER)
#undef NUMBER
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (!strcmp(name, numbers[i].name))
            return number_from_json(name, json, numbers[i].number, err);
    if (!strcmp(name, "reuse"))
        return reuse_from_json(json, &config->reuse, err);
    if (!strcmp(name, "env"))
        return variables_from_json(json, config, room->variables, err);
    if (!strcmp(name, "dirs"))
        return directories_from_json(json, config, room->directories, err);
    if (!strcmp(name, "grants"))
        return runtime__grants_from_json(json, &config->grants,
                                         &room->grants, err);
    return runtime__error_set(err, RUNTIME_INVALID,
                              "a configuration has no member '%.64s'", name);
}

enum runtime_status
runtime__config_from_json(const json_t *json, struct runtime_config **config,
                          struct runtime_error *err)
{
    struct runtime_config read = {0};
    struct room room;
    const char *name;
    json_t *value;

    if (!json_is_object(json))
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "the configuration is no JSON object");
    /* Jansson's iteration wants to be able to write, and does not. */
    json_object_foreach((json_t *)(uintptr_t)json, name, value) {
        enum runtime_status status =
            member_from_json(name, value, &read, &room, err);
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
