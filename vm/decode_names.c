/*
 * decode_names.c - the function names of the custom section "name".
 *
 * The section is a courtesy of the compiler's and means nothing to the
 * program, so one that is broken is ignored as a whole instead of being an
 * error. Other subsections than that of function names are passed over.
 */
#include <stdlib.h>

#include "vm/decode.h"

enum {
    SUBSECTION_FUNCTIONS = 1,
};

/* Finds the subsection; false when it is not there. */
static bool
find_functions(struct gvm__reader *section, struct gvm__reader *functions)
{
    uint8_t id;
    uint32_t length_bytes;

    while (gvm__read_byte(section, &id) == GVM_OK &&
           gvm__read_u32(section, &length_bytes) == GVM_OK &&
           gvm__read_part(section, length_bytes, functions) == GVM_OK) {
        if (id == SUBSECTION_FUNCTIONS) {
            return true;
        }
    }
    return false;
}

/* Fills `names` by index; false when an entry is broken. Entries come by
 * ascending index, so none is there twice. */
static bool
read_names(struct gvm__reader *reader, uint32_t count,
           struct gvm__name *names, uint32_t function_count)
{
    uint64_t next_index = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t index;
        const char *name;
        size_t name_bytes;

        if (gvm__read_u32(reader, &index) != GVM_OK ||
            gvm__read_name(reader, &name, &name_bytes) != GVM_OK ||
            index < next_index || index >= function_count) {
            return false;
        }
        next_index = (uint64_t)index + 1;
        names[index].offset =
            (uint32_t)((const uint8_t *)name - reader->start);
        names[index].length_bytes = (uint32_t)name_bytes;
    }
    return true;
}

enum gvm_status
gvm__decode_names(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;
    struct gvm__reader section = decoder->names;
    struct gvm__reader functions;
    uint32_t count;

    /* Nothing in here is an error, a limit that is passed included. */
    section.err = NULL;
    if (!find_functions(&section, &functions) ||
        gvm__read_count(&functions, 2, GVM_ITEMS_MAX, "GVM_ITEMS_MAX",
                        &count) != GVM_OK ||
        count == 0) {
        return GVM_OK;
    }
    GVM__TRY(gvm__decode_resize(decoder, &module->function_names,
                                sizeof(module->function_names[0]), 0,
                                module->function_count));
    if (!read_names(&functions, count, module->function_names,
                    module->function_count)) {
        free(module->function_names);
        module->function_names = NULL;
    }
    return GVM_OK;
}
