/*
 * Names and texts of statuses and kinds, from the maps in state.h. Pure
 * functions: any thread.
 */
#include "state/state.h"

const char *
state_status_name(enum state_status status)
{
    switch (status) {
#define STATE_STATUS_NAME(symbol, name, text)                                 \
    case symbol:                                                              \
        return name;
        STATE_STATUS_MAP(STATE_STATUS_NAME)
#undef STATE_STATUS_NAME
    }
    return "unknown";
}

const char *
state_status_text(enum state_status status)
{
    switch (status) {
#define STATE_STATUS_TEXT(symbol, name, text)                                 \
    case symbol:                                                              \
        return text;
        STATE_STATUS_MAP(STATE_STATUS_TEXT)
#undef STATE_STATUS_TEXT
    }
    return "unknown status";
}

const char *
state_kind_name(enum state_kind kind)
{
    switch (kind) {
#define STATE_KIND_NAME(symbol, name)                                         \
    case symbol:                                                              \
        return name;
        STATE_KIND_MAP(STATE_KIND_NAME)
#undef STATE_KIND_NAME
    }
    return "unknown";
}
