/*
 * decode_segments.c - constant expressions, element and data segments.
 *
 * In 1.0 a segment began with the index of its table or memory, which could
 * only be zero; bulk memory and reference types made that number a kind.
 * Which of the two it is depends on the features of the load.
 *
 * What instances evaluate again and again is kept small: an element segment
 * of nothing but functions and nulls, as compilers make them, is an array of
 * indexes.
 */
#include "vm/decode.h"

#include <stdlib.h>

/* ---- Constant expressions -------------------------------------------- */

/* Reads what follows the opcode; gives the type of the value. Slots of
 * 32-bit values have the upper half zero, as everywhere. */
static enum gvm_status
decode_const_value(struct gvm__decoder *decoder, const uint8_t *at,
                   struct gvm__const_expr *expr, enum gvm_value_type *type)
{
    const struct gvm_module *module = decoder->module;
    struct gvm__reader *reader = &decoder->reader;
    uint64_t fixed;
    int32_t i32;
    int64_t i64;

    switch (expr->insn) {
    case GVM__INSN_I32_CONST:
        GVM__TRY(gvm__read_s32(reader, &i32));
        expr->value.slot = (uint32_t)i32;
        *type = GVM_I32;
        return GVM_OK;
    case GVM__INSN_I64_CONST:
        GVM__TRY(gvm__read_s64(reader, &i64));
        expr->value.slot = (uint64_t)i64;
        *type = GVM_I64;
        return GVM_OK;
    case GVM__INSN_F32_CONST:
        GVM__TRY(gvm__read_fixed(reader, 4, &fixed));
        expr->value.slot = fixed;
        *type = GVM_F32;
        return GVM_OK;
    case GVM__INSN_F64_CONST:
        GVM__TRY(gvm__read_fixed(reader, 8, &fixed));
        expr->value.slot = fixed;
        *type = GVM_F64;
        return GVM_OK;
    case GVM__INSN_GLOBAL_GET:
        /* Others are not known yet, or would depend on the order. */
        GVM__TRY(gvm__decode_index(decoder, module->imported_global_count,
                                   "global", &expr->index));
        *type = module->globals[expr->index].type;
        if (module->globals[expr->index].mutable_) {
            break;
        }
        return GVM_OK;
    case GVM__INSN_REF_NULL:
        return gvm__decode_ref_type(decoder, type);
    case GVM__INSN_REF_FUNC:
        GVM__TRY(gvm__decode_index(decoder, module->function_count,
                                   "function", &expr->index));
        *type = GVM_FUNCREF;
        return gvm__decode_declare(decoder, expr->index);
    default:
        break;
    }
    return gvm__read_fail(reader, GVM_INVALID, at,
                          "constant expression required");
}

/* One instruction and its value's type. */
static enum gvm_status
decode_const_insn(struct gvm__decoder *decoder, const uint8_t *at,
                  uint8_t code, struct gvm__const_expr *expr,
                  enum gvm_value_type *type)
{
    const struct gvm__insn_info *info = gvm__insn_info(code);

    /* Prefixed instructions are not constant, whichever follows. */
    if (info == NULL && code != 0xfc) {
        return gvm__read_fail(&decoder->reader, GVM_MALFORMED, at,
                              "illegal opcode 0x%02x", code);
    }
    if (info != NULL && info->feature != 0) {
        GVM__TRY(gvm__decode_feature(decoder, at,
                                     (enum gvm_feature)info->feature,
                                     info->text));
    }
    *expr = (struct gvm__const_expr){.insn = (enum gvm__insn)code};
    return decode_const_value(decoder, at, expr, type);
}

enum gvm_status
gvm__decode_const_expr(struct gvm__decoder *decoder,
                       enum gvm_value_type type,
                       struct gvm__const_expr *expr)
{
    struct gvm__reader *reader = &decoder->reader;
    const uint8_t *start = reader->at;
    enum gvm_value_type found = type;
    uint32_t value_count = 0;
    uint8_t code;

    /* Constant instructions only push, so it is enough to count: at the end
     * one value must be there, and it is the last that was pushed. */
    for (;;) {
        const uint8_t *at = reader->at;

        GVM__TRY(gvm__read_byte(reader, &code));
        if (code == GVM__INSN_END) {
            break;
        }
        GVM__TRY(decode_const_insn(decoder, at, code, expr, &found));
        value_count++;
    }
    if (value_count != 1) {
        return gvm__read_fail(reader, GVM_INVALID, start,
                              "type mismatch: a constant expression gives "
                              "%u values instead of 1", value_count);
    }
    if (found != type) {
        return gvm__read_fail(reader, GVM_INVALID, start,
                              "type mismatch: a constant expression gives "
                              "%s instead of %s", gvm_value_type_name(found),
                              gvm_value_type_name(type));
    }
    return GVM_OK;
}

/* ---- Element segments ------------------------------------------------ */

/* What the bits of an element segment's kind mean. */
enum {
    ELEMENT_NOT_ACTIVE = 1,
    ELEMENT_EXPLICIT = 2, /* table index; or: declarative */
    ELEMENT_EXPRESSIONS = 4,
    ELEMENT_KIND_MAX = 7,
};

/* Without the features that brought kinds, what is there is an index. */
static enum gvm_status
decode_element_kind(struct gvm__decoder *decoder, uint32_t *kind)
{
    static const enum gvm_feature features[ELEMENT_KIND_MAX + 1] = {
        [1] = GVM_FEATURE_BULK_MEMORY,     [2] = GVM_FEATURE_REFERENCE_TYPES,
        [3] = GVM_FEATURE_REFERENCE_TYPES, [4] = GVM_FEATURE_REFERENCE_TYPES,
        [5] = GVM_FEATURE_BULK_MEMORY,     [6] = GVM_FEATURE_REFERENCE_TYPES,
        [7] = GVM_FEATURE_REFERENCE_TYPES,
    };
    struct gvm_module *module = decoder->module;
    const uint8_t *at = decoder->reader.at;

    if (!(module->features &
          (GVM_FEATURE_BULK_MEMORY | GVM_FEATURE_REFERENCE_TYPES))) {
        *kind = 0;
        return GVM_OK;
    }
    GVM__TRY(gvm__read_u32(&decoder->reader, kind));
    if (*kind > ELEMENT_KIND_MAX) {
        return gvm__read_fail(&decoder->reader, GVM_MALFORMED, at,
                              "malformed elements segment kind %u", *kind);
    }
    return *kind == 0 ? GVM_OK
                      : gvm__decode_feature(decoder, at, features[*kind],
                                            "malformed elements segment "
                                            "kind");
}

/* The table and the offset of an active segment. */
static enum gvm_status
decode_element_target(struct gvm__decoder *decoder, uint32_t kind,
                      struct gvm__element_segment *segment)
{
    struct gvm_module *module = decoder->module;
    const uint8_t *at = decoder->reader.at;
    bool is_old = !(module->features & (GVM_FEATURE_BULK_MEMORY |
                                        GVM_FEATURE_REFERENCE_TYPES));

    segment->table = 0;
    if ((kind & ELEMENT_EXPLICIT) || is_old) {
        GVM__TRY(gvm__decode_index(decoder, module->table_count, "table",
                                   &segment->table));
    } else if (module->table_count == 0) {
        return gvm__read_fail(&decoder->reader, GVM_INVALID, at,
                              "unknown table 0");
    }
    return gvm__decode_const_expr(decoder, GVM_I32, &segment->offset);
}

/* The type of the entries; kinds 0 and 4 imply funcref. */
static enum gvm_status
decode_element_type(struct gvm__decoder *decoder, uint32_t kind,
                    struct gvm__element_segment *segment)
{
    const uint8_t *at = decoder->reader.at;
    uint8_t element_kind;

    segment->type = GVM_FUNCREF;
    if (kind & (ELEMENT_NOT_ACTIVE | ELEMENT_EXPLICIT)) {
        if (kind & ELEMENT_EXPRESSIONS) {
            return gvm__decode_ref_type(decoder, &segment->type);
        }
        /* Meant for kinds of things other than functions; there are none. */
        GVM__TRY(gvm__read_byte(&decoder->reader, &element_kind));
        if (element_kind != 0) {
            return gvm__read_fail(&decoder->reader, GVM_MALFORMED, at,
                                  "malformed element kind 0x%02x",
                                  element_kind);
        }
    }
    return GVM_OK;
}

/* Indexes of functions, one byte each at least. */
static enum gvm_status
decode_element_functions(struct gvm__decoder *decoder,
                         struct gvm__element_segment *segment)
{
    struct gvm_module *module = decoder->module;

    for (uint32_t i = 0; i < segment->count; i++) {
        GVM__TRY(gvm__decode_index(decoder, module->function_count,
                                   "function", &segment->functions[i]));
        GVM__TRY(gvm__decode_declare(decoder, segment->functions[i]));
    }
    return GVM_OK;
}

/* Turns the first `count` entries from indexes into expressions. */
static enum gvm_status
expand_elements(struct gvm__decoder *decoder,
                struct gvm__element_segment *segment, uint32_t count)
{
    GVM__TRY(gvm__decode_resize(decoder, &segment->exprs,
                                sizeof(segment->exprs[0]), 0,
                                segment->count));
    for (uint32_t i = 0; i < count; i++) {
        bool is_null = segment->functions[i] == GVM__NULL_FUNCTION;

        segment->exprs[i].insn =
            is_null ? GVM__INSN_REF_NULL : GVM__INSN_REF_FUNC;
        segment->exprs[i].index = is_null ? 0 : segment->functions[i];
    }
    free(segment->functions);
    segment->functions = NULL;
    return GVM_OK;
}

/* Entries stay indexes as long as they are functions and nulls. */
static enum gvm_status
decode_element_exprs(struct gvm__decoder *decoder,
                     struct gvm__element_segment *segment)
{
    struct gvm__const_expr expr;

    for (uint32_t i = 0; i < segment->count; i++) {
        GVM__TRY(gvm__decode_const_expr(decoder, segment->type, &expr));
        if (expr.insn == GVM__INSN_GLOBAL_GET && segment->exprs == NULL) {
            GVM__TRY(expand_elements(decoder, segment, i));
        }
        if (segment->exprs != NULL) {
            segment->exprs[i] = expr;
        } else {
            segment->functions[i] = expr.insn == GVM__INSN_REF_FUNC
                                        ? expr.index
                                        : GVM__NULL_FUNCTION;
        }
    }
    return GVM_OK;
}

/* The vector of entries, in either form. */
static enum gvm_status
decode_element_entries(struct gvm__decoder *decoder, uint32_t kind,
                       struct gvm__element_segment *segment)
{
    struct gvm__reader *reader = &decoder->reader;
    const uint8_t *at = reader->at;

    GVM__TRY(gvm__read_count(reader, kind & ELEMENT_EXPRESSIONS ? 2 : 1,
                             GVM_ELEMENT_ENTRIES_MAX,
                             "GVM_ELEMENT_ENTRIES_MAX", &segment->count));
    decoder->element_entry_count += segment->count;
    if (decoder->element_entry_count > GVM_ELEMENT_ENTRIES_MAX) {
        return gvm__read_fail(reader, GVM_LIMIT, at,
                              "too many entries of element segments, "
                              "GVM_ELEMENT_ENTRIES_MAX is %u",
                              GVM_ELEMENT_ENTRIES_MAX);
    }
    GVM__TRY(gvm__decode_resize(decoder, &segment->functions,
                                sizeof(segment->functions[0]), 0,
                                segment->count));
    return kind & ELEMENT_EXPRESSIONS
               ? decode_element_exprs(decoder, segment)
               : decode_element_functions(decoder, segment);
}

/* One segment, of any of the eight kinds. */
static enum gvm_status
decode_element(struct gvm__decoder *decoder,
               struct gvm__element_segment *segment)
{
    const struct gvm_module *module = decoder->module;
    const uint8_t *at = decoder->reader.at;
    uint32_t kind;

    GVM__TRY(decode_element_kind(decoder, &kind));
    if (!(kind & ELEMENT_NOT_ACTIVE)) {
        segment->mode = GVM__SEGMENT_ACTIVE;
        GVM__TRY(decode_element_target(decoder, kind, segment));
    } else {
        segment->mode = kind & ELEMENT_EXPLICIT ? GVM__SEGMENT_DECLARATIVE
                                                : GVM__SEGMENT_PASSIVE;
    }
    GVM__TRY(decode_element_type(decoder, kind, segment));
    if (segment->mode == GVM__SEGMENT_ACTIVE &&
        module->tables[segment->table].element_type != segment->type) {
        return gvm__read_fail(
            &decoder->reader, GVM_INVALID, at,
            "type mismatch: a segment of %s for a table of %s",
            gvm_value_type_name(segment->type),
            gvm_value_type_name(
                module->tables[segment->table].element_type));
    }
    return decode_element_entries(decoder, kind, segment);
}

enum gvm_status
gvm__decode_elements(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;
    uint32_t count;

    GVM__TRY(gvm__read_count(&decoder->reader, 3, GVM_SEGMENTS_MAX,
                             "GVM_SEGMENTS_MAX", &count));
    GVM__TRY(gvm__decode_resize(decoder, &module->elements,
                                sizeof(module->elements[0]), 0, count));
    /* Counted before it is read: what a broken one holds is freed too. */
    while (module->element_count < count) {
        module->element_count++;
        GVM__TRY(decode_element(
            decoder, &module->elements[module->element_count - 1]));
    }
    return GVM_OK;
}

/* ---- Data segments --------------------------------------------------- */

/* It stands before the code, so that memory.init can be checked in one
 * pass; gvm__decode compares it with the real count. */
enum gvm_status
gvm__decode_data_count(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;

    GVM__TRY(
        gvm__read_u32(&decoder->reader, &module->data_count_declared));
    module->has_data_count = true;
    return GVM_OK;
}

/* One segment. Its bytes stay where they are in the module. */
static enum gvm_status
decode_data(struct gvm__decoder *decoder, struct gvm__data_segment *segment)
{
    struct gvm_module *module = decoder->module;
    struct gvm__reader *reader = &decoder->reader;
    const uint8_t *at = reader->at;
    bool has_kinds = (module->features & GVM_FEATURE_BULK_MEMORY) != 0;
    uint32_t kind = 2; /* active, with the index of the memory */

    if (has_kinds) {
        GVM__TRY(gvm__read_u32(reader, &kind));
    }
    segment->mode = GVM__SEGMENT_ACTIVE;
    if (kind == 1) {
        segment->mode = GVM__SEGMENT_PASSIVE;
    } else if (kind == 2) {
        GVM__TRY(gvm__decode_index(decoder, module->memory_count, "memory",
                                   &segment->memory));
    } else if (kind > 2) {
        return gvm__read_fail(reader, GVM_MALFORMED, at,
                              "malformed data segment kind %u", kind);
    } else if (module->memory_count == 0) {
        return gvm__read_fail(reader, GVM_INVALID, at, "unknown memory 0");
    }
    if (has_kinds && kind > 0) {
        module->features_used |= GVM_FEATURE_BULK_MEMORY;
    }
    if (segment->mode == GVM__SEGMENT_ACTIVE) {
        GVM__TRY(gvm__decode_const_expr(decoder, GVM_I32,
                                        &segment->offset));
    }
    GVM__TRY(gvm__read_u32(reader, &segment->length_bytes));
    return gvm__read_bytes(reader, segment->length_bytes, &segment->bytes);
}

enum gvm_status
gvm__decode_datas(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;
    uint32_t count;

    GVM__TRY(gvm__read_count(&decoder->reader, 2, GVM_SEGMENTS_MAX,
                             "GVM_SEGMENTS_MAX", &count));
    GVM__TRY(gvm__decode_resize(decoder, &module->datas,
                                sizeof(module->datas[0]), 0, count));
    for (; module->data_count < count; module->data_count++) {
        GVM__TRY(
            decode_data(decoder, &module->datas[module->data_count]));
    }
    return GVM_OK;
}
