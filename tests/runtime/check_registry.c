/* check_registry.c - tests of runtime/registry.c. */
#include "runtime/registry.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A function that is nothing but its name, with a module that is a digest. */
static struct runtime_function *
make(const char *namespace_, const char *name, const char *digest)
{
    struct runtime__module *module = calloc(1, sizeof(*module));

    atomic_init(&module->references, 1);
    strcpy(module->digest, digest);
    return runtime__function_create(namespace_, name, module, NULL);
}

static void
publish(struct runtime__registry *registry, const char *namespace_,
        const char *name, const char *digest)
{
    ck_assert_int_eq(runtime__registry_reserve(registry, NULL), RUNTIME_OK);
    runtime__registry_publish(registry, make(namespace_, name, digest));
}

START_TEST(a_function_is_found_by_namespace_and_name)
{
    struct runtime__registry registry;

    runtime__registry_init(&registry);
    publish(&registry, "b", "two", "2");
    publish(&registry, "a", "one", "1");
    publish(&registry, "b", "one", "3");
    struct runtime_function *found =
        runtime__registry_find(&registry, "b", "one");
    ck_assert_ptr_nonnull(found);
    ck_assert_str_eq(found->module->digest, "3");
    runtime_function_put(found);
    ck_assert_ptr_null(runtime__registry_find(&registry, "a", "two"));
    ck_assert_ptr_null(runtime__registry_find(&registry, "c", "one"));
    ck_assert_uint_eq(runtime__registry_count(&registry), 3);
    runtime__registry_deinit(&registry);
}
END_TEST

START_TEST(who_has_a_function_keeps_it_when_another_is_published)
{
    struct runtime__registry registry;

    runtime__registry_init(&registry);
    publish(&registry, "a", "f", "old");
    struct runtime_function *kept =
        runtime__registry_find(&registry, "a", "f");
    publish(&registry, "a", "f", "new");
    ck_assert_uint_eq(runtime__registry_count(&registry), 1);
    ck_assert_str_eq(kept->module->digest, "old");
    struct runtime_function *found =
        runtime__registry_find(&registry, "a", "f");
    ck_assert_str_eq(found->module->digest, "new");
    runtime__registry_remove(&registry, "a", "f");
    ck_assert_ptr_null(runtime__registry_find(&registry, "a", "f"));
    ck_assert_str_eq(found->module->digest, "new");
    runtime_function_put(found);
    runtime_function_put(kept);
    runtime__registry_remove(&registry, "a", "f");
    runtime__registry_deinit(&registry);
}
END_TEST

START_TEST(a_module_is_found_by_its_digest)
{
    struct runtime__registry registry;

    runtime__registry_init(&registry);
    publish(&registry, "a", "f", "x");
    struct runtime__module *module =
        runtime__registry_find_module(&registry, "x");
    ck_assert_ptr_nonnull(module);
    runtime__module_put(module);
    ck_assert_ptr_null(runtime__registry_find_module(&registry, "y"));
    runtime__registry_deinit(&registry);
}
END_TEST

/* The names that a page has, with a comma behind each. */
static const char *
list(struct runtime__registry *registry, const char *namespace_,
     const char *prefix, const char *cursor, size_t count_max, bool *more)
{
    static char names[256];
    struct runtime_function *functions[16];
    size_t count =
        runtime__registry_list(registry, namespace_, prefix, cursor,
                               functions, count_max, more);

    names[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        strcat(names, functions[i]->name);
        strcat(names, ",");
        runtime_function_put(functions[i]);
    }
    return names;
}

static const struct {
    const char *prefix, *cursor;
    size_t count_max;
    const char *names;
    bool more;
} pages[] = {
    {"", "", 16, "a,aa,ab,b,ba,", false},
    {"", "", 5, "a,aa,ab,b,ba,", false},
    {"", "", 4, "a,aa,ab,b,", true},
    {"", "", 1, "a,", true},
    {"", "a", 2, "aa,ab,", true},
    {"", "ab", 16, "b,ba,", false},
    {"", "ac", 16, "b,ba,", false},
    {"", "ba", 16, "", false},
    {"a", "", 16, "a,aa,ab,", false},
    {"a", "", 3, "a,aa,ab,", false},
    {"a", "", 2, "a,aa,", true},
    {"a", "aa", 16, "ab,", false},
    {"a", "0", 16, "a,aa,ab,", false},
    {"a", "b", 16, "", false},
    {"aa", "a", 16, "aa,", false},
    {"b", "b", 16, "ba,", false},
    {"b", "", 16, "b,ba,", false},
    {"b", "a", 16, "b,ba,", false},
    {"c", "", 16, "", false},
};

START_TEST(a_listing_has_a_prefix_and_goes_on_after_its_cursor)
{
    static const char *const names[] = {"ba", "a", "ab", "b", "aa"};
    struct runtime__registry registry;
    bool more;

    runtime__registry_init(&registry);
    publish(&registry, "m", "aaa", "0");
    publish(&registry, "o", "aaa", "0");
    for (size_t i = 0; i < 5; i++)
        publish(&registry, "n", names[i], "0");
    ck_assert_str_eq(list(&registry, "n", pages[_i].prefix, pages[_i].cursor,
                          pages[_i].count_max, &more),
                     pages[_i].names);
    ck_assert_int_eq(more, pages[_i].more);
    runtime__registry_deinit(&registry);
}
END_TEST

START_TEST(there_are_as_many_functions_as_the_limit)
{
    struct runtime__registry registry;
    char name[16];

    runtime__registry_init(&registry);
    for (int i = 0; i < RUNTIME_FUNCTIONS_MAX; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        publish(&registry, "n", name, "0");
    }
    ck_assert_int_eq(runtime__registry_reserve(&registry, NULL),
                     RUNTIME_LIMIT);
    ck_assert_uint_eq(runtime__registry_count(&registry),
                      RUNTIME_FUNCTIONS_MAX);
    runtime__registry_remove(&registry, "n", "f17");
    ck_assert_int_eq(runtime__registry_reserve(&registry, NULL), RUNTIME_OK);
    runtime__registry_deinit(&registry);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_test(tests, a_function_is_found_by_namespace_and_name);
    tcase_add_test(tests,
                   who_has_a_function_keeps_it_when_another_is_published);
    tcase_add_test(tests, a_module_is_found_by_its_digest);
    tcase_add_loop_test(tests,
                        a_listing_has_a_prefix_and_goes_on_after_its_cursor,
                        0, sizeof(pages) / sizeof(pages[0]));
    tcase_add_test(tests, there_are_as_many_functions_as_the_limit);
}

WORLD_MAIN("registry", add_tests)
