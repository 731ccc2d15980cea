/*
 * check_upload.c - tests of http/upload.c: a module and its configuration in
 * one form.
 */
#include "http/upload.h"
#include "tests/http/one_world.h"
#include "tests/support/http_client.h"
#include "tests/support/module_builder.h"
#include "tests/support/suite.h"

#include <check.h>
#include <jansson.h>
#include <string.h>

/* A body that is put together; no test comes near its end. */
struct form {
    char bytes[65536];
    size_t length;
};

static void
add_text(struct form *form, const char *text)
{
    size_t length = strlen(text);

    ck_assert_uint_lt(form->length + length, sizeof(form->bytes));
    memcpy(form->bytes + form->length, text, length);
    form->length += length;
}

/* Adds a part of a form whose boundary is `bb`. */
static void
add_part(struct form *form, const char *name, const void *bytes, size_t length)
{
    add_text(form, "--bb\r\nContent-Disposition: form-data; name=\"");
    add_text(form, name);
    add_text(form, "\"\r\n\r\n");
    ck_assert_uint_lt(form->length + length, sizeof(form->bytes));
    memcpy(form->bytes + form->length, bytes, length);
    form->length += length;
    add_text(form, "\r\n");
}

/* Adds the module `math` as a part. */
static void
add_module(struct form *form, const char *name)
{
    struct module_builder *builder = http_world_build_math();
    size_t length;
    const uint8_t *bytes = module_builder_finish(builder, &length);

    add_part(form, name, bytes, length);
    module_builder_destroy(builder);
}

static void
add_config(struct form *form, const char *config)
{
    add_part(form, "config", config, strlen(config));
}

#define TYPE "Content-Type: multipart/form-data; boundary=bb\r\n"

static void
put(const struct form *form, const char *type, int status,
    struct http_answer *answer)
{
    http_client_ask(world.port, "PUT", "/v1/functions/math", type,
                    form->bytes, form->length, answer);
    ck_assert_msg(answer->status == status, "%d, not %d: %s", answer->status,
                  status, answer->body);
}

static void
expect(const struct form *form, const char *type, int status)
{
    struct http_answer answer;

    put(form, type, status, &answer);
    http_answer_deinit(&answer);
}

static struct form form;

START_TEST(a_form_deploys_a_module_with_its_configuration)
{
    struct http_answer answer;

    if (_i == 0)
        add_module(&form, "module");
    add_config(&form, "{\"fuel\":100000,\"env\":{\"A\":\"b\"}}");
    if (_i == 1)
        add_module(&form, "module");
    add_text(&form, "--bb--\r\n");
    put(&form, TYPE, 201, &answer);
    json_t *document = json_loadb(answer.body, answer.body_length, 0, NULL);
    json_t *config = json_object_get(document, "config");
    ck_assert_int_eq(json_integer_value(json_object_get(config, "fuel")),
                     100000);
    ck_assert_str_eq(json_string_value(json_object_get(
                         json_object_get(config, "env"), "A")),
                     "b");
    json_decref(document);
    http_answer_deinit(&answer);
    /* And it counts. */
    ck_assert_int_eq(
        http_client_status(world.port, "POST",
                           "/v1/functions/math/invoke?export=add&args=1,2",
                           "", ""),
        200);
    ck_assert_int_eq(
        http_client_status(world.port, "POST",
                           "/v1/functions/math/invoke?export=spin", "", ""),
        504);
}
END_TEST

START_TEST(a_module_alone_keeps_the_configuration_that_was_there)
{
    struct http_answer answer;
    struct module_builder *builder = http_world_build_math();
    size_t length;

    add_module(&form, "module");
    add_config(&form, "{\"fuel\":123456}");
    add_text(&form, "--bb--\r\n");
    expect(&form, TYPE, 201);
    module_builder_memory(builder, 1, 1);
    const uint8_t *bytes = module_builder_finish(builder, &length);
    http_client_ask(world.port, "PUT", "/v1/functions/math", "", bytes, length,
                    &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_msg(strstr(answer.body, "123456") != NULL, "%s", answer.body);
    http_answer_deinit(&answer);
    module_builder_destroy(builder);
}
END_TEST

static const struct {
    const char *config;
    int status;
} configs[] = {
    {"{}", 201},
    {"{\"timeout_ms\":5,\"memory_bytes\":65536}", 201},
    {"", 400},
    {"{", 400},
    {"[]", 400},
    {"{\"fule\":5}", 400},
    {"{\"fuel\":-5}", 400},
    {"{\"fuel\":\"5\"}", 400},
    {"{\"env\":{\"a=b\":\"c\"}}", 400},
};

START_TEST(a_configuration_is_checked)
{
    add_module(&form, "module");
    add_config(&form, configs[_i].config);
    add_text(&form, "--bb--\r\n");
    expect(&form, TYPE, configs[_i].status);
}
END_TEST

START_TEST(a_form_that_is_none_is_refused)
{
    expect(&form, TYPE, 400);
    add_text(&form, "no form at all");
    expect(&form, TYPE, 400);

    form.length = 0;
    add_module(&form, "module");
    expect(&form, TYPE, 400); /* without its last boundary */
    add_text(&form, "--bb--\r\n");
    expect(&form, "Content-Type: multipart/form-data\r\n", 400);
    expect(&form, "Content-Type: multipart/form-data; boundary=\r\n", 400);
    expect(&form, "Content-Type: multipart/form-data; boundary=cc\r\n", 400);
    expect(&form, "Content-Type: multipart/mixed; boundary=bb\r\n", 415);
    expect(&form, TYPE, 201);

    form.length = 0;
    add_config(&form, "{}");
    add_text(&form, "--bb--\r\n");
    expect(&form, TYPE, 400); /* no module */

    form.length = 0;
    add_module(&form, "modul");
    add_text(&form, "--bb--\r\n");
    expect(&form, TYPE, 400); /* an unknown part */

    form.length = 0;
    add_module(&form, "module");
    add_module(&form, "module");
    add_text(&form, "--bb--\r\n");
    expect(&form, TYPE, 400); /* twice */
}
END_TEST

START_TEST(a_large_module_comes_through_a_form_byte_for_byte)
{
    /* Its data looks like boundaries, and has every byte. */
    struct module_builder *builder = http_world_build_math();
    struct http_answer answer;
    static char data[30000];
    size_t length;

    for (size_t index = 0; index < sizeof(data); index++)
        data[index] = (char)(index * 7 + index / 256);
    for (size_t index = 1000; index < sizeof(data) - 8; index += 1000)
        memcpy(data + index, "\r\n--\r\n-b", 8);
    module_builder_memory(builder, 1, 1);
    module_builder_data(builder, 0, data, sizeof(data));
    const uint8_t *bytes = module_builder_finish(builder, &length);
    add_part(&form, "module", bytes, length);
    add_text(&form, "--bb--\r\n");
    expect(&form, TYPE, 201);
    http_client_ask(world.port, "GET", "/v1/functions/math/module", "", NULL,
                    0, &answer);
    ck_assert_uint_eq(answer.body_length, length);
    ck_assert_mem_eq(answer.body, bytes, length);
    http_answer_deinit(&answer);
    module_builder_destroy(builder);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/upload");
    TCase *tests = tcase_create("upload");

    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_loop_test(tests, a_form_deploys_a_module_with_its_configuration,
                        0, 2);
    tcase_add_test(tests,
                   a_module_alone_keeps_the_configuration_that_was_there);
    tcase_add_loop_test(tests, a_configuration_is_checked, 0, COUNT(configs));
    tcase_add_test(tests, a_form_that_is_none_is_refused);
    tcase_add_test(tests, a_large_module_comes_through_a_form_byte_for_byte);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
