/* check_call_wait.c - tests of runtime/call_wait.c. */
#include "tests/runtime/one_world.h"
#include "tests/support/idle_guest.h"

#include <check.h>

/* A loop of so many rounds: what it is asked for and no more. */
static struct module_builder *
counting(void)
{
    struct module_builder *builder = module_builder_create();

    idle_guest_count(builder);
    return builder;
}

/* Within a slice, and over many. */
static const char *const rounds[] = {"1", "1000", "3000000"};

START_TEST(who_waits_gets_the_end_whenever_that_is)
{
    world_deploy_built(&world, "f", counting());
    ck_assert_str_eq(world_ask(&world, "f", "count", rounds[_i], RUNTIME_OK),
                     "0");
}
END_TEST

START_TEST(a_deployment_waits_for_what_initialises)
{
    struct module_builder *builder = counting();
    /* A loop in glass_init that goes over many slices. */
    uint32_t index = module_builder_func(
        builder, ":", "",
        BYTES(0x41, 0x80, 0x80, 0xc0, 1, 0x10, 0, 0x1a, 0x0b));

    module_builder_export(builder, "glass_init", GVM_EXTERN_FUNC, index);
    world_deploy_built(&world, "f", builder);
    ck_assert_str_eq(world_ask(&world, "f", "count", "5", RUNTIME_OK), "0");
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_loop_test(tests, who_waits_gets_the_end_whenever_that_is, 0,
                        sizeof(rounds) / sizeof(rounds[0]));
    tcase_add_test(tests, a_deployment_waits_for_what_initialises);
}

WORLD_MAIN("call_wait", add_tests)
