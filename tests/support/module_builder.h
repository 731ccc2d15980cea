/*
 * module_builder.h - WebAssembly modules for tests, from C.
 *
 *     struct module_builder *builder = module_builder_create();
 *     uint32_t add = module_builder_func(builder, "ii:i", "",
 *         BYTES(0x20, 0, 0x20, 1, 0x6a, 0x0b));
 *     module_builder_export(builder, "add", GVM_EXTERN_FUNC, add);
 *     size_t length_bytes;
 *     const uint8_t *bytes = module_builder_finish(builder, &length_bytes);
 *     ...
 *     module_builder_destroy(builder);
 *
 * Nothing is checked: broken modules are what tests are made of. Only the
 * order counts: imports come before definitions of the same kind. Types are
 * letters: i = i32, l = i64, f = f32, d = f64, r = funcref, x = externref,
 * v = v128; a signature is parameters, a colon, results ("il:f", ":").
 * A builder is used by one thread and aborts when memory runs out.
 */
#ifndef GLASS_TESTS_SUPPORT_MODULE_BUILDER_H
#define GLASS_TESTS_SUPPORT_MODULE_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/byte_buffer.h"
#include "vm/vm.h"

/* ---- Modules --------------------------------------------------------- */

#define MODULE_BUILDER_NO_MAX UINT64_MAX

struct module_builder;

struct module_builder *module_builder_create(void);
void module_builder_destroy(struct module_builder *builder);

/* Adds a type, or finds it when the builder has it already. */
uint32_t module_builder_type(struct module_builder *builder,
                             const char *signature);

/* Imports; each returns the index in the index space of its kind. */
uint32_t module_builder_import_func(struct module_builder *builder,
                                    const char *module, const char *name,
                                    const char *signature);
uint32_t module_builder_import_table(struct module_builder *builder,
                                     const char *module, const char *name,
                                     char type, uint64_t min, uint64_t max);
uint32_t module_builder_import_memory(struct module_builder *builder,
                                      const char *module, const char *name,
                                      uint64_t min, uint64_t max);
uint32_t module_builder_import_global(struct module_builder *builder,
                                      const char *module, const char *name,
                                      char type, bool mutable_);

/*
 * Definitions; each returns the index. `locals` are letters, one for each
 * local ("iid"). `body` holds the instructions, the last `end` included;
 * `init` a constant expression, its `end` included.
 */
uint32_t module_builder_func(struct module_builder *builder,
                             const char *signature, const char *locals,
                             const uint8_t *body, size_t body_bytes);
/* The same with the declarations of locals as raw bytes in front. */
uint32_t module_builder_func_raw(struct module_builder *builder,
                                 const char *signature, const uint8_t *body,
                                 size_t body_bytes);
uint32_t module_builder_table(struct module_builder *builder, char type,
                              uint64_t min, uint64_t max);
uint32_t module_builder_memory(struct module_builder *builder, uint64_t min,
                               uint64_t max);
uint32_t module_builder_global(struct module_builder *builder, char type,
                               bool mutable_, const uint8_t *init,
                               size_t init_bytes);

void module_builder_export(struct module_builder *builder, const char *name,
                           enum gvm_extern_kind kind, uint32_t index);
void module_builder_start(struct module_builder *builder, uint32_t function);

/* An active segment of functions in table 0. */
uint32_t module_builder_elements(struct module_builder *builder,
                                 int32_t offset, const uint32_t *functions,
                                 uint32_t count);
/* Any segment: `bytes` begins with the segment's kind. */
uint32_t module_builder_elements_raw(struct module_builder *builder,
                                     const uint8_t *bytes,
                                     size_t length_bytes);
/* An active segment of memory 0. */
uint32_t module_builder_data(struct module_builder *builder, int32_t offset,
                             const void *bytes, size_t length_bytes);
/* The builder adds a data count section when a segment is passive. */
uint32_t module_builder_data_passive(struct module_builder *builder,
                                     const void *bytes, size_t length_bytes);
uint32_t module_builder_data_raw(struct module_builder *builder,
                                 const uint8_t *bytes, size_t length_bytes);
void module_builder_data_count(struct module_builder *builder);

/* A custom section before the section `before` (its id; 0: at the end). */
void module_builder_custom(struct module_builder *builder, uint8_t before,
                           const char *name, const uint8_t *bytes,
                           size_t length_bytes);
/* A function's entry in the name section; call in order of indexes. */
void module_builder_name(struct module_builder *builder, uint32_t function,
                         const char *name);
/*
 * Another count than the number of items that the section `id` really has,
 * or raw bytes in place of the whole content of the section.
 */
void module_builder_set_count(struct module_builder *builder, uint8_t id,
                              uint32_t count);
void module_builder_set_content(struct module_builder *builder, uint8_t id,
                                const uint8_t *bytes, size_t length_bytes);

/*
 * The binary, valid until the builder is changed or destroyed. May be
 * called again after more was added.
 */
const uint8_t *module_builder_finish(struct module_builder *builder,
                                     size_t *length_bytes);

#endif
