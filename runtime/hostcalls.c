/*
 * hostcalls.c - what a module may import, and how its imports are found.
 *
 * The idea: names and types are looked up once, when a function is deployed,
 * and what is found is kept with the module. A call then makes its imports
 * from that list without comparing anything.
 *
 * Nothing here has a state; any thread may call it.
 */
#include "runtime/hostcalls.h"

#include "runtime/error.h"

#include <stdlib.h>
#include <string.h>

const struct runtime__hostcall *
runtime__hostcalls_row(size_t index)
{
    return index < runtime__hostcalls_count ? &runtime__hostcalls_rows[index]
                                            : NULL;
}

static enum gvm_value_type
type_of_letter(char letter)
{
    return letter == 'i' ? GVM_I32 : GVM_I64;
}

void
runtime__hostcalls_type(const char *signature, uint8_t *types,
                        struct gvm_func_type *type)
{
    uint32_t count = 0;

    *type = (struct gvm_func_type){
        .results = types,
        .result_count = signature[0] == 'v' ? 0 : 1,
    };
    if (type->result_count > 0)
        types[count++] = (uint8_t)type_of_letter(signature[0]);
    type->parameters = types + count;
    for (const char *letter = signature + 2; *letter != ')'; letter++) {
        types[count++] = (uint8_t)type_of_letter(*letter);
        type->parameter_count++;
    }
}

static bool
type_matches(const char *signature, const struct gvm_func_type *wanted)
{
    uint8_t types[RUNTIME__SIGNATURE_TYPES_MAX];
    struct gvm_func_type type;

    runtime__hostcalls_type(signature, types, &type);
    return type.parameter_count == wanted->parameter_count &&
           type.result_count == wanted->result_count &&
           (type.parameter_count == 0 ||
            !memcmp(type.parameters, wanted->parameters,
                    type.parameter_count)) &&
           (type.result_count == 0 ||
            !memcmp(type.results, wanted->results, type.result_count));
}

static bool
text_equals(const char *text, const char *bytes, size_t length_bytes)
{
    return strlen(text) == length_bytes && !memcmp(text, bytes, length_bytes);
}

static const struct runtime__hostcall *
find_row(const struct gvm_import_info *import)
{
    for (size_t i = 0; i < runtime__hostcalls_count; i++) {
        const struct runtime__hostcall *row = &runtime__hostcalls_rows[i];
        if (text_equals(row->name, import->name, import->name_bytes) &&
            text_equals(row->module, import->module, import->module_bytes))
            return row;
    }
    return NULL;
}

static enum runtime_status
refuse(const struct gvm_import_info *import, const char *why,
       const char *detail, struct runtime_error *err)
{
    /* Names may be long, and may hold anything that is UTF-8. */
    return runtime__error_set(
        err, RUNTIME_UNLINKABLE, "import '%.*s.%.*s' %s%s",
        (int)(import->module_bytes < 100 ? import->module_bytes : 100),
        import->module,
        (int)(import->name_bytes < 100 ? import->name_bytes : 100),
        import->name, why, detail);
}

/* Whether there is a module of that name to import from at all. */
static bool
is_module_known(const struct gvm_import_info *import)
{
    return text_equals("glass", import->module, import->module_bytes) ||
           text_equals("env", import->module, import->module_bytes) ||
           text_equals("wasi_snapshot_preview1", import->module,
                       import->module_bytes);
}

static enum runtime_status
link_import(const struct gvm_import_info *import, unsigned groups,
            const struct runtime__hostcall **row, struct runtime_error *err)
{
    const struct runtime__hostcall *found = find_row(import);

    if (import->type.kind != GVM_EXTERN_FUNC)
        return refuse(import, "is no function, and only functions can be ",
                      "imported", err);
    if (!is_module_known(import))
        return refuse(import, "is of neither 'glass' nor ",
                      "'wasi_snapshot_preview1'", err);
    /* Who runs WASI alone may have linked a list of nothing else. */
    if (groups == RUNTIME__GROUP_wasi &&
        !text_equals("wasi_snapshot_preview1", import->module,
                     import->module_bytes))
        return refuse(import, "is not to be had here", ": only WASI is", err);
    if (!found)
        return refuse(import, "is no function of this version", "", err);
    if (!((unsigned)found->group & groups))
        return refuse(import, "is not to be had here",
                      found->group == RUNTIME__GROUP_state ? ": no state"
                                                           : "",
                      err);
    if (!type_matches(found->signature, &import->type.func))
        return refuse(import, "has another type than ", found->signature,
                      err);
    *row = found;
    return RUNTIME_OK;
}

enum runtime_status
runtime__hostcalls_link(const struct gvm_module *module, unsigned groups,
                        const struct runtime__hostcall ***rows,
                        struct runtime_error *err)
{
    uint32_t count = gvm_module_import_count(module);
    const struct runtime__hostcall **found =
        calloc((size_t)count + 1, sizeof(struct runtime__hostcall *));

    if (!found)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for %u imports", count);
    for (uint32_t i = 0; i < count; i++) {
        struct gvm_import_info import;
        gvm_module_import(module, i, &import);
        enum runtime_status status =
            link_import(&import, groups, &found[i], err);
        if (status != RUNTIME_OK) {
            free(found);
            return status;
        }
    }
    *rows = found;
    return RUNTIME_OK;
}
