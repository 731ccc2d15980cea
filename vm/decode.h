/*
 * decode.h - what the files that decode a module share.
 *
 * A module is decoded in one pass, section by section. What can be checked
 * where it is read is checked there, validity included, because there the
 * offset is known; the order of sections makes that possible for all but
 * function bodies. Those are only located here and read by validate.c.
 *
 * Nothing is allocated for a count before the bytes that are left could hold
 * as many items. Whatever is allocated hangs from the module at once, and
 * gvm_module_destroy frees it when a later step fails. A decoder lives for
 * one gvm__decode, on one thread.
 */
#ifndef GLASS_VM_DECODE_H
#define GLASS_VM_DECODE_H

#include "vm/module.h"
#include "vm/reader.h"

enum gvm__section {
    GVM__SECTION_CUSTOM = 0,
    GVM__SECTION_TYPE = 1,
    GVM__SECTION_IMPORT = 2,
    GVM__SECTION_FUNCTION = 3,
    GVM__SECTION_TABLE = 4,
    GVM__SECTION_MEMORY = 5,
    GVM__SECTION_GLOBAL = 6,
    GVM__SECTION_EXPORT = 7,
    GVM__SECTION_START = 8,
    GVM__SECTION_ELEMENT = 9,
    GVM__SECTION_CODE = 10,
    GVM__SECTION_DATA = 11,
    GVM__SECTION_DATA_COUNT = 12,
    GVM__SECTION_COUNT = 13,
};

struct gvm__decoder {
    struct gvm_module *module;
    /* The section being read; a function takes what it reads from here. */
    struct gvm__reader reader;
    uint32_t code_count;
    uint64_t element_entry_count; /* of all segments so far */
    /* The first custom section called "name", behind that name. */
    struct gvm__reader names;
    bool has_names;
};

/* One function for each section; all read decoder->reader to its end. */
typedef enum gvm_status gvm__decode_section(struct gvm__decoder *decoder);

gvm__decode_section gvm__decode_types;
gvm__decode_section gvm__decode_imports;
gvm__decode_section gvm__decode_functions;
gvm__decode_section gvm__decode_tables;
gvm__decode_section gvm__decode_memories;
gvm__decode_section gvm__decode_globals;
gvm__decode_section gvm__decode_exports;
gvm__decode_section gvm__decode_start;
gvm__decode_section gvm__decode_elements;
gvm__decode_section gvm__decode_data_count;
gvm__decode_section gvm__decode_code;
gvm__decode_section gvm__decode_datas;

/* decode_names.c: a broken name section is as good as none. Fails only with
 * GVM_NO_MEMORY. */
enum gvm_status gvm__decode_names(struct gvm__decoder *decoder);

/*
 * decode_segments.c: a constant expression that gives `type`. It may refer
 * to imported immutable globals.
 */
enum gvm_status gvm__decode_const_expr(struct gvm__decoder *decoder,
                                       enum gvm_value_type type,
                                       struct gvm__const_expr *expr);

/* ---- Shared by the sections (decode.c) ------------------------------- */

/* gvm__read_feature for the module being decoded. */
enum gvm_status gvm__decode_feature(struct gvm__decoder *decoder,
                                    const uint8_t *at,
                                    enum gvm_feature feature,
                                    const char *what);
enum gvm_status gvm__decode_value_type(struct gvm__decoder *decoder,
                                       enum gvm_value_type *type);
enum gvm_status gvm__decode_ref_type(struct gvm__decoder *decoder,
                                     enum gvm_value_type *type);
/* An index below `count`; else GVM_INVALID, "unknown <what> <index>". */
enum gvm_status gvm__decode_index(struct gvm__decoder *decoder,
                                  uint32_t count, const char *what,
                                  uint32_t *index);
/* ref.func may name the function from now on. */
enum gvm_status gvm__decode_declare(struct gvm__decoder *decoder,
                                    uint32_t function);
/*
 * Makes `*array` one of `count` items of `item_bytes` bytes; what it held is
 * kept, items from `kept_count` on are zero. On failure it stays as it was.
 */
enum gvm_status gvm__decode_resize(struct gvm__decoder *decoder,
                                   void *array, size_t item_bytes,
                                   size_t kept_count, size_t count);

#endif
