/*
 * decode.c - the frame of a module: header, sections, their order.
 *
 * See decode.h. The sections themselves are in decode_items.c, export.c and
 * decode_segments.c; each reads a cursor that ends where its section does,
 * and having left bytes unread is as malformed as wanting more.
 */
#include "vm/decode.h"

#include <stdlib.h>
#include <string.h>

/* The magic number and version 1. */
static const char header[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};

static const struct section_rule {
    /* Non-custom sections come once and by ascending rank. */
    unsigned rank;
    gvm__decode_section *decode;
} section_rules[GVM__SECTION_COUNT] = {
    [GVM__SECTION_TYPE] = {1, gvm__decode_types},
    [GVM__SECTION_IMPORT] = {2, gvm__decode_imports},
    [GVM__SECTION_FUNCTION] = {3, gvm__decode_functions},
    [GVM__SECTION_TABLE] = {4, gvm__decode_tables},
    [GVM__SECTION_MEMORY] = {5, gvm__decode_memories},
    [GVM__SECTION_GLOBAL] = {6, gvm__decode_globals},
    [GVM__SECTION_EXPORT] = {7, gvm__decode_exports},
    [GVM__SECTION_START] = {8, gvm__decode_start},
    [GVM__SECTION_ELEMENT] = {9, gvm__decode_elements},
    [GVM__SECTION_DATA_COUNT] = {10, gvm__decode_data_count},
    [GVM__SECTION_CODE] = {11, gvm__decode_code},
    [GVM__SECTION_DATA] = {12, gvm__decode_datas},
};

/* ---- Shared by the sections ------------------------------------------ */

enum gvm_status
gvm__decode_feature(struct gvm__decoder *decoder, const uint8_t *at,
                    enum gvm_feature feature, const char *what)
{
    return gvm__read_feature(&decoder->reader, decoder->module, at, feature,
                             what);
}

enum gvm_status
gvm__decode_value_type(struct gvm__decoder *decoder,
                       enum gvm_value_type *type)
{
    const uint8_t *at = decoder->reader.at;
    uint8_t code;

    GVM__TRY(gvm__read_byte(&decoder->reader, &code));
    switch (code) {
    case GVM_I32:
    case GVM_I64:
    case GVM_F32:
    case GVM_F64:
        break;
    case GVM_FUNCREF:
    case GVM_EXTERNREF:
        GVM__TRY(gvm__decode_feature(decoder, at,
                                     GVM_FEATURE_REFERENCE_TYPES,
                                     "malformed value type"));
        break;
    default:
        return gvm__read_fail(&decoder->reader, GVM_MALFORMED, at,
                              "malformed value type 0x%02x", code);
    }
    *type = (enum gvm_value_type)code;
    return GVM_OK;
}

enum gvm_status
gvm__decode_ref_type(struct gvm__decoder *decoder,
                     enum gvm_value_type *type)
{
    const uint8_t *at = decoder->reader.at;
    uint8_t code;

    GVM__TRY(gvm__read_byte(&decoder->reader, &code));
    if (code == GVM_EXTERNREF) {
        GVM__TRY(gvm__decode_feature(decoder, at,
                                     GVM_FEATURE_REFERENCE_TYPES,
                                     "malformed reference type"));
    } else if (code != GVM_FUNCREF) {
        return gvm__read_fail(&decoder->reader, GVM_MALFORMED, at,
                              "malformed reference type 0x%02x", code);
    }
    *type = (enum gvm_value_type)code;
    return GVM_OK;
}

enum gvm_status
gvm__decode_index(struct gvm__decoder *decoder, uint32_t count,
                  const char *what, uint32_t *index)
{
    const uint8_t *at = decoder->reader.at;
    uint32_t result;

    GVM__TRY(gvm__read_u32(&decoder->reader, &result));
    if (result >= count) {
        return gvm__read_fail(&decoder->reader, GVM_INVALID, at,
                              "unknown %s %u", what, result);
    }
    *index = result;
    return GVM_OK;
}

enum gvm_status
gvm__decode_declare(struct gvm__decoder *decoder, uint32_t function)
{
    struct gvm_module *module = decoder->module;

    /* Made at the first use: most modules have an export or an element. All
     * functions are known by then. */
    if (module->declared_functions == NULL) {
        GVM__TRY(gvm__decode_resize(decoder, &module->declared_functions, 1,
                                    0,
                                    gvm__bits_bytes(module->function_count)));
    }
    gvm__bits_add(module->declared_functions, function);
    return GVM_OK;
}

enum gvm_status
gvm__decode_resize(struct gvm__decoder *decoder, void *array,
                   size_t item_bytes, size_t kept_count, size_t count)
{
    char *old;
    char *resized;

    /* `array` is the address of a pointer, whatever it points to. */
    memcpy(&old, array, sizeof(old));
    /* One more, as no bytes at all may be a null pointer. The product fits:
     * counts are limited, and so are the bytes that stand for them. */
    resized = realloc(old, count * item_bytes + 1);
    if (resized == NULL) {
        return gvm__error_set(decoder->reader.err, GVM_NO_MEMORY,
                              GVM_NO_OFFSET, "no memory for %zu bytes",
                              count * item_bytes);
    }
    if (count > kept_count) {
        memset(resized + kept_count * item_bytes, 0,
               (count - kept_count) * item_bytes);
    }
    memcpy(array, &resized, sizeof(resized));
    return GVM_OK;
}

/* ---- The frame ------------------------------------------------------- */

/* Eight bytes; a file that is too short is told from one that is not
 * WebAssembly, and that from one of another version. */
static enum gvm_status
decode_header(struct gvm__reader *reader)
{
    size_t left_bytes = gvm__reader_left(reader);

    if (left_bytes < 4) {
        return gvm__read_fail(reader, GVM_MALFORMED, reader->end,
                              "unexpected end");
    }
    if (memcmp(reader->at, header, 4) != 0) {
        return gvm__read_fail(reader, GVM_MALFORMED, reader->at,
                              "magic header not detected");
    }
    if (left_bytes < sizeof(header)) {
        return gvm__read_fail(reader, GVM_MALFORMED, reader->end,
                              "unexpected end");
    }
    if (memcmp(reader->at + 4, header + 4, 4) != 0) {
        return gvm__read_fail(reader, GVM_MALFORMED, reader->at + 4,
                              "unknown binary version");
    }
    reader->at += sizeof(header);
    return GVM_OK;
}

/*
 * Only the name counts, and that it is one: what follows it is the business
 * of tools. The names of functions are read at the end, when it is known
 * how many there are; the section may stand anywhere.
 */
static enum gvm_status
decode_custom(struct gvm__decoder *decoder)
{
    const char *name;
    size_t name_bytes;

    GVM__TRY(gvm__read_name(&decoder->reader, &name, &name_bytes));
    if (!decoder->has_names && name_bytes == 4 &&
        memcmp(name, "name", 4) == 0) {
        decoder->names = decoder->reader;
        decoder->has_names = true;
    }
    return GVM_OK;
}

/* One section, custom or not. `last_rank` is that of the last which was
 * not. */
static enum gvm_status
decode_section(struct gvm__decoder *decoder, struct gvm__reader *module,
               unsigned *last_rank)
{
    const uint8_t *at = module->at;
    uint8_t id;
    uint32_t length_bytes;

    GVM__TRY(gvm__read_byte(module, &id));
    if (id >= GVM__SECTION_COUNT) {
        return gvm__read_fail(module, GVM_MALFORMED, at,
                              "malformed section id %u", id);
    }
    /* In 1.0 there is no such section. */
    if (id == GVM__SECTION_DATA_COUNT) {
        GVM__TRY(gvm__decode_feature(decoder, at, GVM_FEATURE_BULK_MEMORY,
                                     "malformed section id 12"));
    }
    GVM__TRY(gvm__read_u32(module, &length_bytes));
    GVM__TRY(gvm__read_part(module, length_bytes, &decoder->reader));
    if (id == GVM__SECTION_CUSTOM) {
        return decode_custom(decoder);
    }

    if (section_rules[id].rank <= *last_rank) {
        return gvm__read_fail(module, GVM_MALFORMED, at,
                              "unexpected content after last section: "
                              "section %u is out of order or twice there",
                              id);
    }
    *last_rank = section_rules[id].rank;
    GVM__TRY(section_rules[id].decode(decoder));
    if (decoder->reader.at != decoder->reader.end) {
        return gvm__read_fail(&decoder->reader, GVM_MALFORMED,
                              decoder->reader.at,
                              "section size mismatch: section %u has %zu "
                              "bytes too many", id,
                              gvm__reader_left(&decoder->reader));
    }
    return GVM_OK;
}

enum gvm_status
gvm__decode(struct gvm_module *module, struct gvm_error *err)
{
    struct gvm__reader reader = {
        .start = module->bytes,
        .at = module->bytes,
        .end = module->bytes + module->length_bytes,
        .err = err,
    };
    struct gvm__decoder decoder = {.module = module, .reader = reader};
    unsigned last_rank = 0;

    module->start_function = GVM_NO_FUNCTION;
    GVM__TRY(decode_header(&reader));
    while (reader.at != reader.end) {
        GVM__TRY(decode_section(&decoder, &reader, &last_rank));
    }

    /* Sections that are missing count as empty ones. */
    if (decoder.code_count !=
        module->function_count - module->imported_function_count) {
        return gvm__read_fail(&reader, GVM_MALFORMED, reader.at,
                              "function and code section have inconsistent "
                              "lengths");
    }
    if (module->has_data_count &&
        module->data_count_declared != module->data_count) {
        return gvm__read_fail(&reader, GVM_MALFORMED, reader.at,
                              "data count and data section have "
                              "inconsistent lengths");
    }
    return decoder.has_names ? gvm__decode_names(&decoder) : GVM_OK;
}
