/*
 * actions.c - what a script does with an instance; see actions.h.
 */
#include "spec-tests/actions.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Says why the action was not tried, and returns false. */
static bool
refuse(struct spec_outcome *outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool
refuse(struct spec_outcome *outcome, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(outcome->message, sizeof outcome->message, format, arguments);
    va_end(arguments);
    return false;
}

/* Puts the values of `types` that are in `slots` into the outcome. */
static bool
set_values(struct spec_outcome *outcome, const uint8_t *types, size_t count,
           const union gvm_value *slots)
{
    outcome->values = calloc(count + 1, sizeof *outcome->values);
    if (outcome->values == NULL)
        return refuse(outcome, "out of memory");
    outcome->value_count = count;
    for (size_t i = 0; i < count; i++) {
        outcome->values[i].type = (enum gvm_value_type)types[i];
        outcome->values[i].slot = slots[i];
    }
    return true;
}

/* The interface of the engine has no slots for vectors. */
static bool
has_v128(const uint8_t *types, uint32_t count)
{
    return count != 0 && memchr(types, GVM_V128, count) != NULL;
}

/*
 * Reads the arguments into `slots`, which has room for the parameters. The
 * engine trusts the types, so they are compared here.
 */
static bool
read_arguments(struct spec_outcome *outcome, const json_t *arguments,
               const struct gvm_func_type *type, union gvm_value *slots)
{
    if (json_array_size(arguments) != type->parameter_count) {
        return refuse(outcome, "%s: %zu arguments, %" PRIu32 " parameters",
                      outcome->name, json_array_size(arguments),
                      type->parameter_count);
    }
    for (uint32_t i = 0; i < type->parameter_count; i++) {
        const json_t *argument = json_array_get(arguments, i);
        struct spec_value value;
        char text[SPEC_VALUE_TEXT_BYTES];

        if (spec_values_parse(argument, &value) &&
            value.type == (enum gvm_value_type)type->parameters[i]) {
            slots[i] = value.slot;
            continue;
        }
        spec_values_format_expected(argument, text, sizeof text);
        return refuse(
            outcome, "%s: %s is no argument for a parameter of type %s",
            outcome->name, text,
            gvm_value_type_name((enum gvm_value_type)type->parameters[i]));
    }
    return true;
}

static bool
invoke(struct spec_world *world, struct gvm_func *func,
       const json_t *arguments, struct spec_outcome *outcome)
{
    const union gvm_value *results = NULL;
    struct gvm_func_type type;
    union gvm_value *slots;
    bool was_tried = false;

    gvm_func_type(func, &type);
    if (has_v128(type.parameters, type.parameter_count) ||
        has_v128(type.results, type.result_count)) {
        return refuse(outcome, "%s: v128 cannot be passed to the engine yet",
                      outcome->name);
    }
    slots = calloc((size_t)type.parameter_count + 1, sizeof *slots);
    if (slots == NULL)
        return refuse(outcome, "out of memory");
    if (read_arguments(outcome, arguments, &type, slots)) {
        outcome->status =
            spec_world_call(world, func, slots, &results, &outcome->err);
        was_tried =
            outcome->status != GVM_OK ||
            set_values(outcome, type.results, type.result_count, results);
    }
    free(slots);
    return was_tried;
}

static bool
get(const struct gvm_extern *external, struct spec_outcome *outcome)
{
    union gvm_value value = gvm_global_get(external->global);
    struct gvm_extern_type type;
    uint8_t value_type;

    gvm_extern_type(external, &type);
    value_type = (uint8_t)type.value_type;
    return set_values(outcome, &value_type, 1, &value);
}

static bool
try(struct spec_world *world, struct gvm_instance *instance,
    const json_t *action, struct spec_outcome *outcome)
{
    const char *type = json_string_value(json_object_get(action, "type"));
    const json_t *field = json_object_get(action, "field");
    const json_t *name = json_object_get(action, "module");
    struct gvm_extern external;

    if (type == NULL || !json_is_string(field))
        return refuse(outcome, "there is no action");
    snprintf(outcome->name, sizeof outcome->name, "%s %s", type,
             json_string_value(field));
    if (json_is_string(name)) {
        struct spec_name bytes = {json_string_value(name),
                                  json_string_length(name)};

        instance = spec_world_find(world, SPEC_BINDING_INSTANCE, bytes);
    }
    if (instance == NULL)
        return refuse(outcome, "%s: no such instance", outcome->name);
    if (!gvm_instance_export(instance, json_string_value(field),
                             json_string_length(field), &external))
        return refuse(outcome, "%s: no such export", outcome->name);
    if (strcmp(type, "invoke") == 0 && external.kind == GVM_EXTERN_FUNC) {
        return invoke(world, external.func, json_object_get(action, "args"),
                      outcome);
    }
    if (strcmp(type, "get") == 0 && external.kind == GVM_EXTERN_GLOBAL)
        return get(&external, outcome);
    return refuse(outcome, "%s: an export of another kind", outcome->name);
}

void
spec_actions_run(struct spec_world *world, struct gvm_instance *instance,
                 const json_t *action, struct spec_outcome *outcome)
{
    memset(outcome, 0, sizeof *outcome);
    outcome->was_tried = try(world, instance, action, outcome);
}

void
spec_actions_deinit(struct spec_outcome *outcome)
{
    free(outcome->values);
    outcome->values = NULL;
}
