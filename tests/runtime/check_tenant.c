/* check_tenant.c - tests of runtime/tenant.c. */
#include "runtime/tenant.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdio.h>

static struct runtime__queue_node root;
static struct runtime__tenants tenants;

static void
set_up(void)
{
    runtime__tenants_init(&tenants, &root);
}

static void
tear_down(void)
{
    runtime__tenants_deinit(&tenants);
}

START_TEST(a_namespace_has_one_tenant_as_long_as_somebody_holds_it)
{
    struct runtime__tenant *a = runtime__tenant_get(&tenants, "a");
    struct runtime__tenant *b = runtime__tenant_get(&tenants, "b");

    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_ne(a, b);
    ck_assert_ptr_eq(a->node.parent, &root);
    ck_assert_ptr_eq(runtime__tenant_get(&tenants, "a"), a);
    runtime__tenant_put(a);
    ck_assert_ptr_eq(runtime__tenant_get(&tenants, "a"), a);
    runtime__tenant_put(a);
    runtime__tenant_put(a);
    runtime__tenant_put(b);
    runtime__tenant_put(NULL);
}
END_TEST

/* More than there are lists, so that some are in one. */
START_TEST(tenants_of_one_list_are_told_apart)
{
    enum { count = 4 * runtime__tenants_buckets };
    static struct runtime__tenant *all[count];
    char name[16];

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < count; i++) {
            snprintf(name, sizeof(name), "tenant-%d", i);
            struct runtime__tenant *tenant =
                runtime__tenant_get(&tenants, name);
            ck_assert_str_eq(tenant->namespace_, name);
            if (round > 0)
                ck_assert_ptr_eq(tenant, all[i]);
            all[i] = tenant;
        }
    }
    /* From the middle of the lists as well. */
    for (int i = 0; i < 2 * count; i++)
        runtime__tenant_put(all[i * 7 % count]);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests,
                   a_namespace_has_one_tenant_as_long_as_somebody_holds_it);
    tcase_add_test(tests, tenants_of_one_list_are_told_apart);
}

WORLD_MAIN("tenant", add_tests)
