/* check_module.c - tests of runtime/module.c. */
#include "runtime/module.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct gvm_engine *engine;

static void
create_engine(void)
{
    ck_assert_int_eq(gvm_engine_create(NULL, &engine), GVM_OK);
}

static void
destroy_engine(void)
{
    gvm_engine_destroy(engine);
}

/* A module that exports functions of those names and signatures. */
static struct runtime__module *
load(const char *const *names, const char *const *signatures, size_t count,
     struct runtime_error *err)
{
    struct module_builder *builder = module_builder_create();
    struct runtime__module *module = NULL;
    size_t length_bytes;

    for (size_t i = 0; i < count; i++) {
        uint32_t index = module_builder_func(builder, signatures[i], "",
                                             BYTES(0x00, 0x0b));
        module_builder_export(builder, names[i], GVM_EXTERN_FUNC, index);
    }
    const uint8_t *bytes = module_builder_finish(builder, &length_bytes);
    uint8_t *copy = malloc(length_bytes);
    memcpy(copy, bytes, length_bytes);
    ck_assert_int_eq(runtime__module_load(engine, copy, length_bytes, true,
                                          0, NULL, &module, err),
                     RUNTIME_OK);
    module_builder_destroy(builder);
    return module;
}

static const struct {
    const char *names[3];
    const char *signatures[3];
    enum runtime_status status;
    enum runtime_kind kind;
    const char *message;
} kinds[] = {
    {{"glass_handle"}, {":i"}, RUNTIME_OK, RUNTIME_FAASLET, NULL},
    {{"_start"}, {":"}, RUNTIME_OK, RUNTIME_COMMAND, NULL},
    {{"add"}, {"ii:i"}, RUNTIME_OK, RUNTIME_EXPORTS, NULL},
    {{"add", "_start", "glass_handle"},
     {"ii:i", ":", ":i"},
     RUNTIME_OK,
     RUNTIME_FAASLET,
     NULL},
    {{"add", "_start"}, {"ii:i", ":"}, RUNTIME_OK, RUNTIME_COMMAND, NULL},
    {{NULL}, {NULL}, RUNTIME_INVALID, RUNTIME_EXPORTS,
     "exports no function"},
    {{"glass_handle"}, {":"}, RUNTIME_INVALID, RUNTIME_EXPORTS,
     "'glass_handle' has the type () -> (), not () -> (i32)"},
    {{"glass_handle"}, {"il:fd"}, RUNTIME_INVALID, RUNTIME_EXPORTS,
     "(i32, i64) -> (f32, f64)"},
    {{"glass_handle"}, {":l"}, RUNTIME_INVALID, RUNTIME_EXPORTS,
     "() -> (i64)"},
    {{"_start"}, {":i"}, RUNTIME_INVALID, RUNTIME_EXPORTS,
     "'_start' has the type () -> (i32), not () -> ()"},
    {{"add", "_initialize"}, {":", "i:"}, RUNTIME_INVALID, RUNTIME_EXPORTS,
     "'_initialize' has the type (i32) -> ()"},
    {{"add", "glass_init"}, {":", ":"}, RUNTIME_OK, RUNTIME_EXPORTS, NULL},
    {{"add", "glass_init"}, {":", ":i"}, RUNTIME_OK, RUNTIME_EXPORTS, NULL},
    {{"add", "glass_init"}, {":", ":l"}, RUNTIME_INVALID, RUNTIME_EXPORTS,
     "() -> () or () -> (i32)"},
    {{"add", "_faasm_zygote"}, {":", ":i"}, RUNTIME_OK, RUNTIME_EXPORTS,
     NULL},
};

START_TEST(the_exports_decide_the_kind)
{
    struct runtime_error err;
    size_t count = 0;

    while (count < 3 && kinds[_i].names[count])
        count++;
    struct runtime__module *module =
        load(kinds[_i].names, kinds[_i].signatures, count, &err);
    ck_assert_msg(runtime__module_classify(module, &err) == kinds[_i].status,
                  "%s", err.message);
    if (kinds[_i].status == RUNTIME_OK)
        ck_assert_int_eq(module->kind, kinds[_i].kind);
    else
        ck_assert_msg(strstr(err.message, kinds[_i].message) != NULL, "%s",
                      err.message);
    runtime__module_put(module);
}
END_TEST

START_TEST(a_long_type_is_cut_in_the_message)
{
    static const char *const name = "_start";
    char signature[202];
    const char *signatures[] = {signature};
    struct runtime_error err;

    memset(signature, 'i', 200);
    strcpy(signature + 200, ":");
    struct runtime__module *module = load(&name, signatures, 1, &err);
    ck_assert_int_eq(runtime__module_classify(module, &err),
                     RUNTIME_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "(i32, i32, "));
    ck_assert_ptr_nonnull(strstr(err.message, ", not () -> ()"));
    runtime__module_put(module);
}
END_TEST

START_TEST(an_export_of_a_function_is_found_and_others_are_not)
{
    struct module_builder *builder = module_builder_create();
    struct runtime__module *module;
    struct gvm_func_type type;
    size_t length_bytes;

    uint32_t index =
        module_builder_func(builder, "i:l", "", BYTES(0x00, 0x0b));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, index);
    uint32_t memory = module_builder_memory(builder, 1, 1);
    module_builder_export(builder, "memory", GVM_EXTERN_MEMORY, memory);
    const uint8_t *bytes = module_builder_finish(builder, &length_bytes);
    ck_assert_int_eq(runtime__module_load(engine, bytes, length_bytes, false,
                                          0, NULL, &module, NULL),
                     RUNTIME_OK);
    ck_assert(runtime__module_find(module, "f", &type));
    ck_assert_uint_eq(type.parameter_count, 1);
    ck_assert_int_eq(type.results[0], GVM_I64);
    ck_assert(!runtime__module_find(module, "memory", &type));
    ck_assert(!runtime__module_find(module, "g", &type));
    runtime__module_put(module);
    module_builder_destroy(builder);
}
END_TEST

START_TEST(what_is_no_module_is_malformed_at_its_byte)
{
    static const struct {
        uint8_t bytes[16];
        size_t length_bytes;
        uint64_t offset_max;
    } broken[] = {
        {{0}, 0, 0},
        {{0x00, 0x61, 0x73, 0x6d, 0x02, 0, 0, 0}, 8, 8},
        {{0x00, 0x61, 0x73, 0x6d, 0x01, 0, 0, 0, 0x01, 0x05, 0x01}, 11, 11},
    };

    for (size_t i = 0; i < 3; i++) {
        struct runtime__module *module = NULL;
        struct runtime_error err;
        uint8_t *copy = malloc(16);
        memcpy(copy, broken[i].bytes, 16);
        ck_assert_int_eq(runtime__module_load(engine, copy,
                                              broken[i].length_bytes, true, 0,
                                              NULL, &module, &err),
                         RUNTIME_MALFORMED);
        ck_assert_ptr_null(module);
        ck_assert_uint_le(err.offset, broken[i].offset_max);
        ck_assert_uint_gt(strlen(err.message), 0);
    }
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, create_engine, destroy_engine);
    tcase_add_loop_test(tests, the_exports_decide_the_kind, 0,
                        sizeof(kinds) / sizeof(kinds[0]));
    tcase_add_test(tests, a_long_type_is_cut_in_the_message);
    tcase_add_test(tests,
                   an_export_of_a_function_is_found_and_others_are_not);
    tcase_add_test(tests, what_is_no_module_is_malformed_at_its_byte);
}

WORLD_MAIN("module", add_tests)
