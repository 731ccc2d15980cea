/*
 * check_module.c - tests of vm/module.c: loading and asking modules.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/module_builder.h"
#include "tests/support/suite.h"
#include "vm/module.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define NO_MAX MODULE_BUILDER_NO_MAX

static struct gvm_engine *engine;
static struct module_builder *builder;

static void
open_world(void)
{
    ck_assert_int_eq(gvm_engine_create(NULL, &engine), GVM_OK);
    builder = module_builder_create();
}

static void
close_world(void)
{
    module_builder_destroy(builder);
    gvm_engine_destroy(engine);
}

/* Loads what the builder holds now. */
static enum gvm_status
load(const struct gvm_module_options *options, struct gvm_module **module,
     struct gvm_error *err)
{
    size_t length_bytes;
    const uint8_t *bytes = module_builder_finish(builder, &length_bytes);

    *module = NULL;
    return gvm_module_load(engine, options, bytes, length_bytes, module,
                           err);
}

/* ---- Options --------------------------------------------------------- */

START_TEST(bytes_are_borrowed_unless_a_copy_is_asked_for)
{
    struct gvm_module_options options = {.copy_bytes = _i == 1};
    struct gvm_module *module;
    struct gvm_export_info info;
    size_t length_bytes;
    const uint8_t *bytes;

    module_builder_memory(builder, 1, 1);
    module_builder_export(builder, "memory", GVM_EXTERN_MEMORY, 0);
    ck_assert_int_eq(load(&options, &module, NULL), GVM_OK);
    gvm_module_export(module, 0, &info);
    bytes = module_builder_finish(builder, &length_bytes);
    ck_assert(((const uint8_t *)info.name >= bytes &&
               (const uint8_t *)info.name < bytes + length_bytes) ==
              (_i == 0));
    ck_assert(memcmp(info.name, "memory", 6) == 0);
    gvm_module_destroy(module);
}
END_TEST

START_TEST(today_s_features_are_the_default)
{
    struct gvm_module_options options = {.features = GVM_FEATURES_MVP};
    struct gvm_module *module;

    module_builder_func(builder, "i:i", "",
                        BYTES(0x20, 0, 0xc0, 0x0b)); /* i32.extend8_s */
    ck_assert_int_eq(load(NULL, &module, NULL), GVM_OK);
    gvm_module_destroy(module);
    /* `features` counts only when it is said to be set. */
    ck_assert_int_eq(load(&options, &module, NULL), GVM_OK);
    gvm_module_destroy(module);
    options.features_set = true;
    ck_assert_int_eq(load(&options, &module, NULL), GVM_MALFORMED);
    ck_assert_ptr_null(module);
    options.features = GVM_FEATURE_SIGN_EXTENSION;
    ck_assert_int_eq(load(&options, &module, NULL), GVM_OK);
    gvm_module_destroy(module);
}
END_TEST

START_TEST(unknown_features_are_a_bad_argument)
{
    struct gvm_module_options options = {
        .features = GVM_FEATURES_2_0 | 1u << 31,
        .features_set = true,
    };
    struct gvm_module *module;
    struct gvm_error err;

    ck_assert_int_eq(load(&options, &module, &err), GVM_BAD_ARGUMENT);
    ck_assert_str_eq(err.message, "unknown features 0x80000000");
    ck_assert_uint_eq(err.offset, GVM_NO_OFFSET);
}
END_TEST

START_TEST(a_module_may_be_as_long_as_the_options_say)
{
    struct gvm_module_options options = {0};
    struct gvm_module *module;
    struct gvm_error err;
    size_t length_bytes;

    module_builder_memory(builder, 1, 1);
    module_builder_finish(builder, &length_bytes);
    options.module_bytes_max = length_bytes;
    ck_assert_int_eq(load(&options, &module, &err), GVM_OK);
    gvm_module_destroy(module);
    options.module_bytes_max = length_bytes - 1;
    ck_assert_int_eq(load(&options, &module, &err), GVM_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.message, "module_bytes_max is 13"));
}
END_TEST

START_TEST(a_module_has_128_mib_at_most)
{
    size_t length_bytes = (size_t)GVM_MODULE_BYTES_MAX + (size_t)_i;
    uint8_t *bytes = calloc(length_bytes, 1);
    struct gvm_module *module = NULL;
    struct gvm_error err;

    ck_assert_ptr_nonnull(bytes);
    /* One custom section; its size is a padded number. */
    memcpy(bytes, (const uint8_t[]){0, 'a', 's', 'm', 1, 0, 0, 0}, 8);
    for (unsigned i = 0; i < 5; i++) {
        bytes[9 + i] = (uint8_t)((length_bytes - 14) >> (7 * i) & 0x7f) |
                       (i < 4 ? 0x80 : 0);
    }
    ck_assert_int_eq(gvm_module_load(engine, NULL, bytes, length_bytes,
                                     &module, &err),
                     _i == 0 ? GVM_OK : GVM_LIMIT);
    if (_i == 1) {
        ck_assert_str_eq(err.message, "a module of 134217729 bytes, "
                                      "GVM_MODULE_BYTES_MAX is 134217728");
    }
    gvm_module_destroy(module);
    free(bytes);
}
END_TEST

START_TEST(no_option_allows_offsets_of_more_than_32_bits)
{
    struct gvm_module_options options = {.module_bytes_max = UINT64_MAX};
    struct gvm_module *module = NULL;
    static const uint8_t bytes[8];

    /* Refused before the first byte is read: there are no more than these. */
    ck_assert_int_eq(gvm_module_load(engine, &options, bytes,
                                     (size_t)UINT32_MAX + 1, &module, NULL),
                     GVM_LIMIT);
    ck_assert_ptr_null(module);
}
END_TEST

START_TEST(nothing_is_not_a_module)
{
    struct gvm_module *module = NULL;
    struct gvm_error err;

    ck_assert_int_eq(gvm_module_load(engine, NULL, NULL, 0, &module, &err),
                     GVM_MALFORMED);
    ck_assert_str_eq(err.message, "unexpected end");
    ck_assert_uint_eq(err.offset, 0);
    ck_assert_ptr_null(module);
    gvm_module_destroy(NULL);
}
END_TEST

START_TEST(nobody_has_to_want_the_error)
{
    struct gvm_module *module;

    module_builder_func(builder, ":i", "", BYTES(0x0b));
    ck_assert_int_eq(load(NULL, &module, NULL), GVM_INVALID);
    ck_assert_ptr_null(module);
}
END_TEST

START_TEST(a_refused_module_leaves_no_types_behind)
{
    static const struct gvm_func_type nothing;
    struct gvm_module *module;
    uint32_t before;
    uint32_t after;

    ck_assert_int_eq(gvm__engine_type_acquire(engine, &nothing, &before),
                     GVM_OK);
    gvm__engine_type_release(engine, before);
    module_builder_type(builder, "ilfd:i");
    module_builder_set_content(builder, 4, BYTES(1, 0x70, 7));
    ck_assert_int_eq(load(NULL, &module, NULL), GVM_MALFORMED);
    /* The number that was free before is free again. */
    ck_assert_int_eq(gvm__engine_type_acquire(engine, &nothing, &after),
                     GVM_OK);
    ck_assert_uint_eq(after, before);
}
END_TEST

/* ---- Asking ---------------------------------------------------------- */

START_TEST(imports_come_in_the_module_s_order)
{
    struct gvm_module *module;
    struct gvm_import_info info;

    module_builder_import_func(builder, "env", "call", "il:d");
    module_builder_import_memory(builder, "env", "mem", 1, 3);
    module_builder_import_table(builder, "", "tab", 'x', 2, NO_MAX);
    module_builder_import_global(builder, "host", "", 'f', true);
    module_builder_func(builder, ":", "", BYTES(0x0b));
    ck_assert_int_eq(load(NULL, &module, NULL), GVM_OK);
    ck_assert_uint_eq(gvm_module_import_count(module), 4);
    ck_assert_uint_eq(gvm_module_function_count(module), 2);

    gvm_module_import(module, 0, &info);
    ck_assert_uint_eq(info.module_bytes, 3);
    ck_assert(memcmp(info.module, "env", 3) == 0);
    ck_assert_uint_eq(info.name_bytes, 4);
    ck_assert(memcmp(info.name, "call", 4) == 0);
    ck_assert_int_eq(info.type.kind, GVM_EXTERN_FUNC);
    ck_assert_uint_eq(info.type.func.parameter_count, 2);
    ck_assert_uint_eq(info.type.func.parameters[1], GVM_I64);
    ck_assert_uint_eq(info.type.func.result_count, 1);
    ck_assert_uint_eq(info.type.func.results[0], GVM_F64);

    gvm_module_import(module, 1, &info);
    ck_assert_int_eq(info.type.kind, GVM_EXTERN_MEMORY);
    ck_assert_uint_eq(info.type.limits.min, 1);
    ck_assert(info.type.limits.has_max);
    ck_assert_uint_eq(info.type.limits.max, 3);

    gvm_module_import(module, 2, &info);
    ck_assert_uint_eq(info.module_bytes, 0);
    ck_assert_int_eq(info.type.kind, GVM_EXTERN_TABLE);
    ck_assert_int_eq(info.type.value_type, GVM_EXTERNREF);
    ck_assert(!info.type.limits.has_max);

    gvm_module_import(module, 3, &info);
    ck_assert_uint_eq(info.name_bytes, 0);
    ck_assert_int_eq(info.type.kind, GVM_EXTERN_GLOBAL);
    ck_assert_int_eq(info.type.value_type, GVM_F32);
    ck_assert(info.type.mutable_);
    gvm_module_destroy(module);
}
END_TEST

START_TEST(exports_come_in_the_module_s_order_with_their_types)
{
    struct gvm_module *module;
    struct gvm_export_info info;

    module_builder_import_func(builder, "env", "f", ":");
    module_builder_func(builder, "i:", "", BYTES(0x0b));
    module_builder_global(builder, 'l', false, BYTES(0x42, 0, 0x0b));
    module_builder_export(builder, "z", GVM_EXTERN_FUNC, 1);
    module_builder_export(builder, "a", GVM_EXTERN_GLOBAL, 0);
    ck_assert_int_eq(load(NULL, &module, NULL), GVM_OK);
    ck_assert_uint_eq(gvm_module_export_count(module), 2);
    gvm_module_export(module, 0, &info);
    ck_assert(info.name_bytes == 1 && info.name[0] == 'z');
    ck_assert_uint_eq(info.index, 1);
    ck_assert_uint_eq(info.type.func.parameter_count, 1);
    gvm_module_export(module, 1, &info);
    ck_assert(info.name_bytes == 1 && info.name[0] == 'a');
    ck_assert_int_eq(info.type.value_type, GVM_I64);
    ck_assert(!info.type.mutable_);
    ck_assert(gvm_module_export_find(module, "z", 1, &info));
    ck_assert_uint_eq(info.index, 1);
    ck_assert(!gvm_module_export_find(module, "b", 1, &info));
    gvm_module_destroy(module);
}
END_TEST

/* Each adds one thing that needs one feature at most. */
static void
add_nothing(void)
{
    module_builder_func(builder, ":", "", BYTES(0x0b));
}

static void
add_sign_extension(void)
{
    module_builder_func(builder, "i:i", "", BYTES(0x20, 0, 0xc0, 0x0b));
}

static void
add_saturation(void)
{
    module_builder_func(builder, "f:i", "", BYTES(0x20, 0, 0xfc, 0, 0x0b));
}

static void
add_two_results(void)
{
    module_builder_type(builder, ":ii");
}

static void
add_block_with_parameter(void)
{
    uint32_t type = module_builder_type(builder, "i:i");

    ck_assert_uint_eq(type, 0);
    module_builder_func(builder, "i:i", "",
                        BYTES(0x20, 0, 0x02, 0, 0x0b, 0x0b));
}

static void
add_data_count(void)
{
    module_builder_data_count(builder);
}

static void
add_passive_elements(void)
{
    module_builder_elements_raw(builder, BYTES(1, 0, 0));
}

static void
add_reference_local(void)
{
    module_builder_func(builder, ":", "x", BYTES(0x0b));
}

static void
add_second_table(void)
{
    module_builder_table(builder, 'r', 0, NO_MAX);
    module_builder_table(builder, 'r', 0, NO_MAX);
}

static void
add_padded_table_index(void)
{
    module_builder_table(builder, 'r', 0, NO_MAX);
    module_builder_func(builder, ":", "",
                        BYTES(0x41, 0, 0x11, 0, 0x80, 0x80, 0x80, 0x80, 0,
                              0x0b));
}

static const struct {
    void (*add)(void);
    uint32_t features_used;
} uses[] = {
    {add_nothing, 0},
    {add_sign_extension, GVM_FEATURE_SIGN_EXTENSION},
    {add_saturation, GVM_FEATURE_SATURATING_TRUNCATION},
    {add_two_results, GVM_FEATURE_MULTI_VALUE},
    {add_block_with_parameter, GVM_FEATURE_MULTI_VALUE},
    {add_data_count, GVM_FEATURE_BULK_MEMORY},
    {add_passive_elements, GVM_FEATURE_BULK_MEMORY},
    {add_reference_local, GVM_FEATURE_REFERENCE_TYPES},
    {add_second_table, GVM_FEATURE_REFERENCE_TYPES},
    {add_padded_table_index, GVM_FEATURE_REFERENCE_TYPES},
};

START_TEST(a_module_says_which_features_it_needs)
{
    uint32_t used = uses[_i].features_used;
    struct gvm_module_options options = {
        .features = used,
        .features_set = true,
    };
    struct gvm_module *module;

    uses[_i].add();
    ck_assert_int_eq(load(NULL, &module, NULL), GVM_OK);
    ck_assert_uint_eq(gvm_module_features_used(module), used);
    gvm_module_destroy(module);
    /* They are enough, and they are needed. */
    ck_assert_int_eq(load(&options, &module, NULL), GVM_OK);
    gvm_module_destroy(module);
    if (used != 0) {
        options.features = GVM_FEATURES_2_0 & ~used;
        ck_assert_int_ne(load(&options, &module, NULL), GVM_OK);
    }
}
END_TEST

static Suite *
module_suite(void)
{
    Suite *suite = suite_create("vm/module");
    TCase *tests = tcase_create("module");

    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_loop_test(
        tests, bytes_are_borrowed_unless_a_copy_is_asked_for, 0, 2);
    tcase_add_test(tests, today_s_features_are_the_default);
    tcase_add_test(tests, unknown_features_are_a_bad_argument);
    tcase_add_test(tests, a_module_may_be_as_long_as_the_options_say);
    tcase_add_loop_test(tests, a_module_has_128_mib_at_most, 0, 2);
    tcase_add_test(tests, no_option_allows_offsets_of_more_than_32_bits);
    tcase_add_test(tests, nothing_is_not_a_module);
    tcase_add_test(tests, nobody_has_to_want_the_error);
    tcase_add_test(tests, a_refused_module_leaves_no_types_behind);
    tcase_add_test(tests, imports_come_in_the_module_s_order);
    tcase_add_test(tests,
                   exports_come_in_the_module_s_order_with_their_types);
    tcase_add_loop_test(tests, a_module_says_which_features_it_needs, 0,
                        (int)COUNT_OF(uses));
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(module_suite());
}
