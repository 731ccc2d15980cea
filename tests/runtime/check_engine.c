/* check_engine.c - tests of runtime/engine.c. */
#include "runtime/engine.h"
#include "tests/runtime/world.h"

#include <check.h>

START_TEST(the_bounds_are_those_asked_for)
{
    struct gvm_engine *engine = NULL;
    struct runtime_error err;
    bool supported = gvm_guard_install() == GVM_OK;
    bool guard = true;

    ck_assert_int_eq(runtime__engine_create(RUNTIME_BOUNDS_EXPLICIT, &engine,
                                            &guard, &err),
                     RUNTIME_OK);
    ck_assert(!guard);
    gvm_engine_destroy(engine);
    ck_assert_int_eq(runtime__engine_create(RUNTIME_BOUNDS_DEFAULT, &engine,
                                            &guard, &err),
                     RUNTIME_OK);
    ck_assert_int_eq(guard, supported);
    gvm_engine_destroy(engine);
    engine = NULL;
    ck_assert_int_eq(runtime__engine_create(RUNTIME_BOUNDS_GUARD, &engine,
                                            &guard, &err),
                     supported ? RUNTIME_OK : RUNTIME_INVALID);
    ck_assert_int_eq(engine != NULL, supported);
    gvm_engine_destroy(engine);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_test(tests, the_bounds_are_those_asked_for);
}

WORLD_MAIN("engine", add_tests)
