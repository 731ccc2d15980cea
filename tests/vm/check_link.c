/*
 * check_link.c - tests of vm/link.c: what may stand for an import.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"
#include "vm/instance.h"

#include <check.h>
#include <string.h>

#define NO_MAX MODULE_BUILDER_NO_MAX

static struct vm_world world;

/* Instantiates what the builder holds with one import. */
static enum gvm_status
link_one(struct module_builder *builder, const struct gvm_extern *import,
         struct gvm_error *err)
{
    struct gvm_module *module = vm_world_load(&world, builder,
                                              GVM_FEATURES_DEFAULT);
    struct gvm_instance *instance = NULL;
    enum gvm_status status;

    memset(err, 0, sizeof(*err));
    status = gvm_instance_create(world.store, module, import, 1, &instance,
                                 err);
    ck_assert((instance != NULL) == (status == GVM_OK));
    return status;
}

static struct gvm_limits
limits(uint64_t min, uint64_t max)
{
    struct gvm_limits result = {.min = min, .has_max = max != NO_MAX};

    /* Without a maximum the member stays zero: it must not be looked at. */
    if (result.has_max)
        result.max = max;
    return result;
}

static struct gvm_extern
offer_memory(uint64_t min, uint64_t max)
{
    struct gvm_limits offered = limits(min, max);
    struct gvm_extern external = {.kind = GVM_EXTERN_MEMORY};

    ck_assert_int_eq(gvm_memory_create(world.store, &offered, &external.memory),
                     GVM_OK);
    return external;
}

static struct gvm_extern
offer_table(enum gvm_value_type type, uint64_t min, uint64_t max)
{
    struct gvm_limits offered = limits(min, max);
    struct gvm_extern external = {.kind = GVM_EXTERN_TABLE};

    ck_assert_int_eq(gvm_table_create(world.store, type, &offered,
                                      (union gvm_value){.slot = 0},
                                      &external.table),
                     GVM_OK);
    return external;
}

static struct gvm_extern
offer_global(enum gvm_value_type type, bool mutable_)
{
    struct gvm_extern external = {.kind = GVM_EXTERN_GLOBAL};

    ck_assert_int_eq(gvm_global_create(world.store, type, mutable_,
                                       (union gvm_value){.slot = 0},
                                       &external.global),
                     GVM_OK);
    return external;
}

/* A function (i32) -> (i64). */
static struct gvm_extern
offer_func(void)
{
    return vm_guest_host(&world, "i:l", vm_guest_do_nothing, NULL);
}

/* What is offered, what is asked; the growth happens before linking. */
static const struct limits_case {
    uint64_t min, max, grow;
    uint64_t asked_min, asked_max;
    bool links;
} limits_cases[] = {
    {1, NO_MAX, 0, 0, NO_MAX, true},
    {1, NO_MAX, 0, 1, NO_MAX, true},
    {1, NO_MAX, 0, 2, NO_MAX, false},
    {1, NO_MAX, 1, 2, NO_MAX, true}, /* the present size counts */
    {1, NO_MAX, 0, 1, 5, false},
    {1, 5, 0, 1, NO_MAX, true},
    {1, 5, 0, 1, 5, true},
    {1, 5, 0, 1, 6, true},
    {1, 5, 0, 1, 4, false},
    {0, 0, 0, 0, 0, true},
};
#define LIMITS_CASE_COUNT \
    ((int)(sizeof(limits_cases) / sizeof(limits_cases[0])))

static void
check_outcome(enum gvm_status status, const struct gvm_error *err, bool links)
{
    if (links) {
        ck_assert_msg(status == GVM_OK, "%s", err->message);
        return;
    }
    ck_assert_int_eq(status, GVM_UNLINKABLE);
    ck_assert_int_eq(err->status, GVM_UNLINKABLE);
    ck_assert_msg(
        strncmp(err->message, "incompatible import type \"m\".\"n\"", 32) == 0,
        "%s", err->message);
}

START_TEST(a_memory_fits_when_its_limits_lie_within_those_asked)
{
    const struct limits_case *row = &limits_cases[_i];
    struct module_builder *builder = module_builder_create();
    struct gvm_extern offered;
    enum gvm_status status;
    struct gvm_error err;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    offered = offer_memory(row->min, row->max);
    ck_assert_int_ge(gvm_memory_grow(offered.memory, row->grow), 0);
    module_builder_import_memory(builder, "m", "n", row->asked_min,
                                 row->asked_max);
    status = link_one(builder, &offered, &err);
    check_outcome(status, &err, row->links);
    vm_world_close(&world);
}
END_TEST

START_TEST(a_table_fits_when_its_limits_lie_within_those_asked)
{
    const struct limits_case *row = &limits_cases[_i];
    struct module_builder *builder = module_builder_create();
    struct gvm_extern offered;
    enum gvm_status status;
    struct gvm_error err;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    offered = offer_table(GVM_FUNCREF, row->min, row->max);
    ck_assert_int_ge(
        gvm__table_grow(offered.table, row->grow, (union gvm_value){.slot = 0}),
        0);
    module_builder_import_table(builder, "m", "n", 'r', row->asked_min,
                                row->asked_max);
    status = link_one(builder, &offered, &err);
    check_outcome(status, &err, row->links);
    vm_world_close(&world);
}
END_TEST

START_TEST(a_table_fits_when_its_elements_are_of_the_type_asked)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_extern offered;
    enum gvm_status status;
    struct gvm_error err;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    offered = offer_table(GVM_EXTERNREF, 1, 1);
    module_builder_import_table(builder, "m", "n", _i == 0 ? 'r' : 'x', 1, 1);
    status = link_one(builder, &offered, &err);
    check_outcome(status, &err, _i != 0);
    vm_world_close(&world);
}
END_TEST

static const struct global_case {
    char asked;
    bool asked_mutable;
    enum gvm_value_type offered;
    bool offered_mutable;
    bool links;
} global_cases[] = {
    {'i', false, GVM_I32, false, true},
    {'i', true, GVM_I32, true, true},
    {'i', true, GVM_I32, false, false},
    {'i', false, GVM_I32, true, false},
    {'i', false, GVM_I64, false, false},
    {'f', false, GVM_I32, false, false},
    {'r', false, GVM_EXTERNREF, false, false},
    {'r', true, GVM_FUNCREF, true, true},
};

START_TEST(a_global_fits_when_type_and_mutability_are_those_asked)
{
    const struct global_case *row = &global_cases[_i];
    struct module_builder *builder = module_builder_create();
    struct gvm_extern offered;
    enum gvm_status status;
    struct gvm_error err;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    offered = offer_global(row->offered, row->offered_mutable);
    module_builder_import_global(builder, "m", "n", row->asked,
                                 row->asked_mutable);
    status = link_one(builder, &offered, &err);
    check_outcome(status, &err, row->links);
    vm_world_close(&world);
}
END_TEST

static const struct func_case {
    const char *asked;
    bool links;
} func_cases[] = {
    {"i:l", true}, {"l:i", false},  {"i:", false},
    {":l", false}, {"ii:l", false}, {":", false},
};

START_TEST(a_function_fits_when_its_type_is_the_one_asked)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_extern offered;
    enum gvm_status status;
    struct gvm_error err;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    offered = offer_func();
    module_builder_import_func(builder, "m", "n", func_cases[_i].asked);
    status = link_one(builder, &offered, &err);
    check_outcome(status, &err, func_cases[_i].links);
    vm_world_close(&world);
}
END_TEST

/* Offers the kind `offered` for an import of the kind `asked`. */
static enum gvm_status
link_kinds(enum gvm_extern_kind asked, enum gvm_extern_kind offered,
           struct gvm_error *err)
{
    struct module_builder *builder = module_builder_create();
    const struct gvm_extern offers[] = {
        [GVM_EXTERN_FUNC] = offer_func(),
        [GVM_EXTERN_TABLE] = offer_table(GVM_FUNCREF, 1, 1),
        [GVM_EXTERN_MEMORY] = offer_memory(1, 1),
        [GVM_EXTERN_GLOBAL] = offer_global(GVM_I32, false),
    };

    switch (asked) {
    case GVM_EXTERN_FUNC:
        module_builder_import_func(builder, "m", "n", "i:l");
        break;
    case GVM_EXTERN_TABLE:
        module_builder_import_table(builder, "m", "n", 'r', 1, 1);
        break;
    case GVM_EXTERN_MEMORY:
        module_builder_import_memory(builder, "m", "n", 1, 1);
        break;
    case GVM_EXTERN_GLOBAL:
        module_builder_import_global(builder, "m", "n", 'i', false);
        break;
    }
    return link_one(builder, &offers[offered], err);
}

START_TEST(an_import_takes_its_own_kind_only)
{
    struct gvm_error err;
    int offered;

    for (offered = 0; offered < 4; offered++) {
        enum gvm_status status;

        vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
        status = link_kinds((enum gvm_extern_kind)_i,
                            (enum gvm_extern_kind)offered, &err);
        check_outcome(status, &err, offered == _i);
        vm_world_close(&world);
    }
}
END_TEST

START_TEST(an_import_that_nobody_offers_is_unknown)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_instance *instance = NULL;
    struct gvm_extern imports[2];
    struct gvm_module *module;
    struct gvm_error err;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    module_builder_import_global(builder, "m", "n", 'i', false);
    module_builder_import_func(builder, "env", "missing", "i:l");
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    imports[0] = offer_global(GVM_I32, false);
    /* The second import is missing: no object of whatever kind, or one
     * beyond the number of imports. */
    if (_i < 4)
        imports[1] = (struct gvm_extern){.kind = (enum gvm_extern_kind)_i};
    else
        imports[1] = offer_func();
    ck_assert_int_eq(gvm_instance_create(world.store, module, imports,
                                         _i < 4 ? 2 : 1, &instance, &err),
                     GVM_UNLINKABLE);
    ck_assert_str_eq(err.message,
                     "unknown import \"env\".\"missing\": nothing is offered");
    ck_assert_ptr_null(instance);
    vm_world_close(&world);
}
END_TEST

START_TEST(more_imports_than_asked_for_are_a_bad_argument)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_extern offered;
    struct gvm_error err;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    offered = offer_func();
    ck_assert_int_eq(link_one(builder, &offered, &err), GVM_BAD_ARGUMENT);
    vm_world_close(&world);
}
END_TEST

START_TEST(an_object_of_another_store_is_a_bad_argument)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_store *ours;
    struct gvm_extern offered;
    struct gvm_error err;
    struct gvm_store *other = NULL;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(gvm_store_create(world.engine, NULL, &other), GVM_OK);
    ours = world.store;
    world.store = other;
    offered = _i == 0 ? offer_memory(1, 1) : offer_table(GVM_FUNCREF, 1, 1);
    world.store = ours;
    if (_i == 0)
        module_builder_import_memory(builder, "m", "n", 1, 1);
    else
        module_builder_import_table(builder, "m", "n", 'r', 1, 1);
    ck_assert_int_eq(link_one(builder, &offered, &err), GVM_BAD_ARGUMENT);
    gvm_store_destroy(other);
    vm_world_close(&world);
}
END_TEST

START_TEST(names_in_messages_are_printable_and_not_endless)
{
    /* 63 letters, then a letter of two bytes that 64 bytes would cut. */
    static const char long_name[] =
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567890"
        "\xc3\xa4 and more";
    static const char expected[] = "unknown import \"a?b?\"."
                                   "\"abcdefghijklmnopqrstuvwxyzabcdefghijk"
                                   "lmnopqrstuvwxyz01234567890\""
                                   ": nothing is offered";
    struct module_builder *builder = module_builder_create();
    struct gvm_extern missing = {.kind = GVM_EXTERN_FUNC};
    struct gvm_error err;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    module_builder_import_func(builder, "a\nb\x7f", long_name, ":");
    ck_assert_int_eq(link_one(builder, &missing, &err), GVM_UNLINKABLE);
    ck_assert_str_eq(err.message, expected);
    vm_world_close(&world);
}
END_TEST

static Suite *
link_suite(void)
{
    Suite *suite = suite_create("vm/link");
    TCase *tests = tcase_create("link");

    tcase_add_loop_test(tests,
                        a_memory_fits_when_its_limits_lie_within_those_asked, 0,
                        LIMITS_CASE_COUNT);
    tcase_add_loop_test(tests,
                        a_table_fits_when_its_limits_lie_within_those_asked, 0,
                        LIMITS_CASE_COUNT);
    tcase_add_loop_test(
        tests, a_table_fits_when_its_elements_are_of_the_type_asked, 0, 2);
    tcase_add_loop_test(
        tests, a_global_fits_when_type_and_mutability_are_those_asked, 0, 8);
    tcase_add_loop_test(tests, a_function_fits_when_its_type_is_the_one_asked,
                        0, 6);
    tcase_add_loop_test(tests, an_import_takes_its_own_kind_only, 0, 4);
    tcase_add_loop_test(tests, an_import_that_nobody_offers_is_unknown, 0, 5);
    tcase_add_test(tests, more_imports_than_asked_for_are_a_bad_argument);
    tcase_add_loop_test(tests, an_object_of_another_store_is_a_bad_argument, 0,
                        2);
    tcase_add_test(tests, names_in_messages_are_printable_and_not_endless);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(link_suite());
}
