/* Tests of state/sequence.h; that readers go by it is in check_shard.c. */
#include "state/sequence.h"
#include "tests/state/suite.h"

START_TEST(a_reader_is_told_of_changes_before_and_meanwhile)
{
    struct state__sequence sequence = {0};
    unsigned noted;

    ck_assert(state__sequence_note(&sequence, &noted));
    ck_assert(state__sequence_holds(&sequence, noted));
    state__sequence_begin(&sequence);
    ck_assert(!state__sequence_holds(&sequence, noted));
    state__sequence_end(&sequence);
    ck_assert(!state__sequence_holds(&sequence, noted));

    state__sequence_begin(&sequence);
    ck_assert(!state__sequence_note(&sequence, &noted));
    state__sequence_end(&sequence);
    ck_assert(state__sequence_note(&sequence, &noted));
    ck_assert(state__sequence_holds(&sequence, noted));
}
END_TEST

START_TEST(bytes_of_all_lengths_come_back_and_nothing_behind_is_written)
{
    uint64_t place[17], words[17];
    uint8_t bytes[128];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + 1);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        memset(place, 0xee, sizeof place);
        memset(words, 0xee, sizeof words);
        state__sequence_write(place, bytes, length);
        state__sequence_read(words, place, length);
        ck_assert(memcmp(words, bytes, length) == 0);
        /* Whole words, and no more. */
        ck_assert_uint_eq(place[(length + 7) / 8],
                          UINT64_C(0xeeeeeeeeeeeeeeee));
        ck_assert_uint_eq(words[(length + 7) / 8],
                          UINT64_C(0xeeeeeeeeeeeeeeee));
    }
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        a_reader_is_told_of_changes_before_and_meanwhile,
        bytes_of_all_lengths_come_back_and_nothing_behind_is_written,
        NULL,
    };

    return run_suite("sequence", tests);
}
