/* The contract of LIST, and the model check: see check_backend_contract.c. */
#include "tests/state/contract.h"

#include "tests/state/await.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* In the order of their bytes; some are no text. */
static const struct state_bytes keys[] = {
    {"\0", 1},      {"\0\0", 2},     {"A", 1},        {"a", 1},
    {"a\0", 2},     {"a\0b", 3},     {"a/", 2},       {"a/1", 3},
    {"a/10", 4},    {"a/2", 3},      {"a0", 2},       {"aa", 2},
    {"b", 1},       {"{b}:k:", 6},   {"\x7f", 1},     {"\x80", 1},
    {"\xff", 1},    {"\xff\xfe", 2}, {"\xff\xff", 2}, {"\xff\xff\x01", 3},
};
#define KEY_COUNT (sizeof keys / sizeof *keys)

static void
put_keys(struct state_store *store, const char *namespace_)
{
    struct state_operation put = {.namespace_ = namespace_,
                                  .kind = STATE_PUT,
                                  .value = {"xxxxxxxxxxxxxxxxxxxxxxxx", 0}};

    /* In an order that is neither of theirs nor the opposite one. */
    for (size_t i = 0; i < KEY_COUNT; i++) {
        size_t j = i * 7 % KEY_COUNT;

        put.key = keys[j];
        put.value.length_bytes = j;
        ck_assert_int_eq(await(store, &put), STATE_OK);
        ck_assert_uint_eq(put.version, i + 1);
    }
    state_operation_deinit(&put);
}

static bool
is_same(struct state_bytes a, struct state_bytes b)
{
    return a.length_bytes == b.length_bytes &&
           memcmp(a.bytes, b.bytes, a.length_bytes) == 0;
}

static const struct prefix_case {
    struct state_bytes prefix;
    size_t first, count; /* of keys */
} prefix_cases[] = {
    {{"", 0}, 0, KEY_COUNT},  {{NULL, 0}, 0, KEY_COUNT},
    {{"a", 1}, 3, 9},         {{"a/", 2}, 6, 4},
    {{"a/1", 3}, 7, 2},       {{"a\0", 2}, 4, 2},
    {{"\0", 1}, 0, 2},        {{"\xff", 1}, 16, 4},
    {{"\xff\xff", 2}, 18, 2}, {{"c", 1}, 0, 0},
    {{"a/1000", 6}, 0, 0},
};

START_TEST(a_list_names_the_keys_of_a_prefix_in_the_order_of_bytes)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation list = {.kind = STATE_LIST,
                                   .namespace_ = "lists"};

    put_keys(store, "lists");
    for (size_t i = 0; i < sizeof prefix_cases / sizeof *prefix_cases; i++) {
        const struct prefix_case *row = &prefix_cases[i];

        list.prefix = row->prefix;
        ck_assert_int_eq(await(store, &list), STATE_OK);
        ck_assert_msg(list.entry_count == row->count, "row %zu", i);
        ck_assert(!list.more);
        for (size_t j = 0; j < row->count; j++) {
            const struct state_entry *entry = &list.entries[j];

            ck_assert_msg(is_same(entry->key, keys[row->first + j]),
                          "row %zu, key %zu", i, j);
            ck_assert_uint_eq(entry->size_bytes, row->first + j);
            /* 3 is the inverse of 7: where put_keys had it in its turn. */
            ck_assert_uint_eq(entry->version,
                              (row->first + j) * 3 % KEY_COUNT + 1);
        }
    }
    state_operation_deinit(&list);
    state_store_close(store);
}
END_TEST

START_TEST(a_list_goes_on_after_its_cursor_page_by_page)
{
    struct state_store *store = open_store(contract_url());

    put_keys(store, "pages");
    for (unsigned limit = 1; limit <= KEY_COUNT + 1; limit++) {
        struct state_operation list = {.kind = STATE_LIST,
                                       .namespace_ = "pages",
                                       .limit_count = limit};
        size_t seen = 0;

        do {
            ck_assert_int_eq(await(store, &list), STATE_OK);
            ck_assert_uint_le(list.entry_count, limit);
            for (size_t i = 0; i < list.entry_count; i++)
                ck_assert(is_same(list.entries[i].key, keys[seen++]));
            if (!list.more)
                break;
            /* The one input that may lie in the outputs. */
            list.cursor = list.cursor_next;
        } while (true);
        ck_assert_uint_eq(seen, KEY_COUNT);
        state_operation_deinit(&list);
    }
    state_store_close(store);
}
END_TEST

static const struct cursor_case {
    struct state_bytes prefix, cursor;
    size_t first, count;
} cursor_cases[] = {
    {{"a/", 2}, {"a/1", 3}, 8, 2},   {{"a/", 2}, {"a/", 2}, 7, 3},
    {{"a/", 2}, {"A", 1}, 6, 4},     {{"a/", 2}, {"a", 1}, 6, 4},
    {{"a/", 2}, {"a/15", 4}, 9, 1},  {{"a/", 2}, {"a/2", 3}, 0, 0},
    {{"a/", 2}, {"b", 1}, 0, 0},     {{"", 0}, {"b", 1}, 13, 7},
    {{"", 0}, {"\xff\xff\x01", 3}, 0, 0},
};

START_TEST(a_cursor_need_be_neither_a_key_nor_within_the_prefix)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation list = {.kind = STATE_LIST,
                                   .namespace_ = "cursors"};

    put_keys(store, "cursors");
    for (size_t i = 0; i < sizeof cursor_cases / sizeof *cursor_cases; i++) {
        const struct cursor_case *row = &cursor_cases[i];

        list.prefix = row->prefix;
        list.cursor = row->cursor;
        ck_assert_int_eq(await(store, &list), STATE_OK);
        ck_assert_msg(list.entry_count == row->count, "row %zu", i);
        for (size_t j = 0; j < row->count; j++)
            ck_assert(is_same(list.entries[j].key, keys[row->first + j]));
    }
    state_operation_deinit(&list);
    state_store_close(store);
}
END_TEST

START_TEST(a_page_has_as_many_keys_as_the_limit_if_there_are_so_many)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation list = {.kind = STATE_LIST, .namespace_ = "many"};
    struct state_operation put = {0};
    char key[16];

    ck_assert_int_eq(await(store, &list), STATE_OK);
    ck_assert_uint_eq(list.entry_count, 0);
    for (int i = 0; i < STATE_LIST_ITEMS_MAX + 1; i++) {
        snprintf(key, sizeof key, "%06d", i);
        ck_assert_int_eq(await_put(store, "many", key, "", &put), STATE_OK);
    }
    ck_assert_int_eq(await(store, &list), STATE_OK);
    ck_assert_uint_eq(list.entry_count, STATE_LIST_ITEMS_DEFAULT);
    ck_assert(list.more);
    list.limit_count = STATE_LIST_ITEMS_MAX;
    ck_assert_int_eq(await(store, &list), STATE_OK);
    ck_assert_uint_eq(list.entry_count, STATE_LIST_ITEMS_MAX);
    ck_assert(list.more);
    for (int i = 0; i < STATE_LIST_ITEMS_MAX; i++) {
        snprintf(key, sizeof key, "%06d", i);
        ck_assert(is_same(list.entries[i].key, text(key)));
    }
    list.limit_count++;
    ck_assert_int_eq(await(store, &list), STATE_INVALID);
    state_operation_deinit(&list);
    state_operation_deinit(&put);
    state_store_close(store);
}
END_TEST

/* ---- The model ---- */

#define MODEL_KEYS 40
#define MODEL_VALUE_MAX 600
#define MODEL_STEPS 50000
#define MODEL_STEPS_REMOTE 10000

/* The naive store: an array. */
struct model_key {
    uint64_t version;
    size_t length;
    char value[MODEL_VALUE_MAX];
};

struct model {
    uint64_t random;
    uint64_t version;
    struct model_key keys[MODEL_KEYS];
};

static unsigned
roll(struct model *model, unsigned sides)
{
    /* xorshift: any seed but zero, the same numbers everywhere. */
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    return (unsigned)(model->random >> 32) % sides;
}

/* What the naive store thinks of an operation, which it also carries out. */
static enum state_status
model_write(struct model *model, struct model_key *key,
            const struct state_operation *operation)
{
    bool holds[] = {
        [STATE_ALWAYS] = true,
        [STATE_IF_ABSENT] = key->version == 0,
        [STATE_IF_PRESENT] = key->version != 0,
        [STATE_IF_VERSION] = key->version == operation->version_expected,
    };
    enum state_condition condition = operation->condition;
    size_t length = operation->value.length_bytes;
    char number[32], *end = number;
    long long sum;

    if (operation->kind == STATE_COMPARE_AND_SWAP)
        condition = STATE_IF_VERSION;
    if (!holds[condition])
        return STATE_CONFLICT;
    switch (operation->kind) {
    case STATE_DELETE:
        if (key->version == 0)
            return STATE_NOT_FOUND;
        key->length = 0;
        model->version++;
        key->version = 0;
        return STATE_OK;
    case STATE_APPEND:
        if (key->length + length > MODEL_VALUE_MAX)
            return STATE_TOO_BIG;
        memcpy(key->value + key->length, operation->value.bytes, length);
        key->length += length;
        break;
    case STATE_INCREMENT:
        /* Values of the check are numbers of few digits, or begin with x. */
        if (key->version != 0 &&
            (key->length == 0 || key->length > 12))
            return STATE_NOT_A_NUMBER;
        memcpy(number, key->value, key->length);
        number[key->length] = '\0';
        sum = strtoll(number, &end, 10);
        if (*end != '\0')
            return STATE_NOT_A_NUMBER;
        snprintf(number, sizeof number, "%lld", sum + operation->delta);
        key->length = strlen(number);
        memcpy(key->value, number, key->length);
        break;
    default:
        memcpy(key->value, operation->value.bytes, length);
        key->length = length;
    }
    key->version = ++model->version;
    return STATE_OK;
}

static enum state_status
model_get(const struct model_key *key, const struct state_operation *got)
{
    if (key->version == 0)
        return STATE_NOT_FOUND;
    ck_assert_uint_eq(got->version, key->version);
    ck_assert_uint_eq(got->size_bytes, key->length);
    if (got->kind == STATE_GET) {
        ck_assert_uint_eq(got->result.length_bytes, key->length);
        ck_assert(memcmp(got->result.bytes, key->value, key->length) == 0);
    }
    return STATE_OK;
}

static void
model_list(const struct model *model, const struct state_operation *got)
{
    size_t count = 0;

    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        char name[8];

        if (model->keys[i].version == 0)
            continue;
        snprintf(name, sizeof name, "k%02u", i);
        if (memcmp(name, got->prefix.bytes, got->prefix.length_bytes) != 0)
            continue;
        ck_assert_uint_lt(count, got->entry_count);
        ck_assert(is_same(got->entries[count].key, text(name)));
        ck_assert_uint_eq(got->entries[count].version,
                          model->keys[i].version);
        ck_assert_uint_eq(got->entries[count].size_bytes,
                          model->keys[i].length);
        count++;
    }
    ck_assert_uint_eq(count, got->entry_count);
}

/* An operation on a key of the model, in every respect at random. */
static void
choose(struct model *model, const struct model_key *key,
       struct state_operation *operation, char *value)
{
    static const size_t lengths[] = {0, 1, 8, 30, 120, 130, 300, 600};
    unsigned form = roll(model, 4);

    operation->kind = (enum state_kind)roll(model, STATE_LIST);
    operation->condition = STATE_ALWAYS;
    if (operation->kind != STATE_GET && operation->kind != STATE_STAT &&
        roll(model, 3) == 0)
        operation->condition = (enum state_condition)roll(model, 4);
    operation->version_expected =
        roll(model, 2) ? key->version : key->version + 1;
    operation->delta = (int)roll(model, 2001) - 1000;
    memset(value, 'x', MODEL_VALUE_MAX);
    operation->value = (struct state_bytes){value, lengths[roll(model, 8)]};
    if (form == 0)
        operation->value.length_bytes =
            (size_t)snprintf(value, 16, "%u", roll(model, 100000) + 1);
    /* An appended number would make a longer one: those begin with x. */
    if (operation->kind == STATE_APPEND)
        value[0] = 'x';
}

START_TEST(a_naive_store_agrees_after_many_random_operations)
{
    struct state_options options = {.url = contract_url(),
                                    .value_bytes_max = MODEL_VALUE_MAX};
    const char *given = getenv("GLASS_TEST_SEED");
    struct model *model = calloc(1, sizeof *model);
    struct state_operation operation = {.namespace_ = "model"};
    struct state_store *store;
    char value[MODEL_VALUE_MAX], name[8];
    unsigned long long seed;
    int steps = strcmp(contract_url(), "memory") == 0 ? MODEL_STEPS
                                                      : MODEL_STEPS_REMOTE;

    seed = given ? strtoull(given, NULL, 10) : (unsigned long long)time(NULL);
    model->random = seed | 1;
    printf("GLASS_TEST_SEED=%llu\n", seed);
    fflush(stdout);
    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    for (int step = 0; step < steps; step++) {
        unsigned i = roll(model, MODEL_KEYS);
        struct model_key *key = &model->keys[i];
        enum state_status expected, status;

        snprintf(name, sizeof name, "k%02u", i);
        choose(model, key, &operation, value);
        operation.key = text(name);
        if (step % 64 == 0) {
            operation.kind = STATE_LIST;
            operation.condition = STATE_ALWAYS;
            operation.prefix = (struct state_bytes){name, roll(model, 3)};
        }
        status = await(store, &operation);
        if (operation.kind == STATE_LIST) {
            expected = STATE_OK;
            model_list(model, &operation);
        } else if (operation.kind == STATE_GET ||
                   operation.kind == STATE_STAT) {
            expected = model_get(key, &operation);
        } else {
            expected = model_write(model, key, &operation);
            if (status == STATE_OK)
                ck_assert_uint_eq(operation.version, model->version);
            if (status == STATE_CONFLICT)
                ck_assert_uint_eq(operation.version, key->version);
        }
        ck_assert_msg(status == expected, "step %d: %s of %s: %s, not %s",
                      step, state_kind_name(operation.kind), name,
                      state_status_name(status), state_status_name(expected));
    }
    state_operation_deinit(&operation);
    state_store_close(store);
    free(model);
}
END_TEST

void
contract_add_lists(TCase *tcase)
{
    tcase_add_test(tcase,
                   a_list_names_the_keys_of_a_prefix_in_the_order_of_bytes);
    tcase_add_test(tcase, a_list_goes_on_after_its_cursor_page_by_page);
    tcase_add_test(tcase,
                   a_cursor_need_be_neither_a_key_nor_within_the_prefix);
    tcase_add_test(tcase,
                   a_page_has_as_many_keys_as_the_limit_if_there_are_so_many);
    tcase_add_test(tcase, a_naive_store_agrees_after_many_random_operations);
}
