/*
 * host_core.c - the imports of the group core: a call's input, output, log,
 * failure and limits. Rules and conventions are in host.h, what each one does
 * in hostcalls.inc.
 *
 * Each runs on the thread that runs its call.
 */
#include "runtime/host.h"

#include "runtime/call.h"
#include "runtime/config.h"
#include "runtime/grants.h"
#include "runtime/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { abi_version = 1 };

/* ---- In common ---------------------------------------------------------- */

const uint8_t *
runtime__host_range(const struct runtime__faaslet *faaslet, uint32_t pointer,
                    uint32_t length_bytes)
{
    return runtime__wasi_range(&faaslet->wasi, pointer, length_bytes);
}

uint8_t *
runtime__host_target(const struct runtime__faaslet *faaslet, uint32_t pointer,
                     uint32_t length_bytes)
{
    return runtime__wasi_target(&faaslet->wasi, pointer, length_bytes);
}

struct runtime__wait *
runtime__host_wait(struct runtime__faaslet *faaslet)
{
    if (!faaslet->wait)
        faaslet->wait = runtime__wait_create(faaslet->namespace_);
    /* Who is under way may be asking for them. */
    if (faaslet->wait && !faaslet->wait->is_under_way) {
        faaslet->wait->wake = runtime__call_wake;
        faaslet->wait->wake_data = faaslet->call;
    }
    return faaslet->wait;
}

void
runtime__host_charge(struct gvm_call *call, struct runtime__faaslet *faaslet,
                     uint64_t fuel)
{
    uint64_t slice = gvm_call_fuel(call);

    if (fuel > slice) {
        uint64_t more = fuel - slice;
        uint64_t left = faaslet->limits.fuel - faaslet->fuel_granted;
        faaslet->fuel_granted += more < left ? more : left;
        fuel = slice;
    }
    if (fuel > 0)
        gvm_call_set_fuel(call, slice - fuel);
}

enum gvm_status
runtime__host_trap_range(struct gvm_call *call)
{
    return gvm_call_trap(call, GVM_TRAP_MEMORY_OUT_OF_BOUNDS, NULL);
}

enum gvm_status
runtime__host_return_bytes(struct gvm_call *call,
                           struct runtime__faaslet *faaslet,
                           union gvm_value *slots, const void *bytes,
                           uint64_t length_bytes, uint64_t offset,
                           uint32_t buffer, uint32_t capacity_bytes)
{
    uint8_t *target = runtime__host_target(faaslet, buffer, capacity_bytes);

    if (!target)
        return runtime__host_trap_range(call);
    if (offset >= length_bytes)
        return runtime__host_return_i32(slots, 0);
    /* The limits of inputs and values are below 2^31. */
    uint64_t left_bytes = length_bytes - offset;
    size_t count =
        left_bytes < capacity_bytes ? (size_t)left_bytes : capacity_bytes;
    memcpy(target, (const uint8_t *)bytes + offset, count);
    runtime__host_charge_bytes(call, faaslet, count);
    return runtime__host_return_i32(slots, (int32_t)left_bytes);
}

static uint64_t
real_time_ns(void)
{
    return runtime__wait_clock_ns(CLOCK_REALTIME);
}

/* ---- Input and output --------------------------------------------------- */

enum gvm_status
runtime__host_abi_version(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    (void)call;
    (void)data;
    return runtime__host_return_i32(slots, abi_version);
}

enum gvm_status
runtime__host_input_len(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    const struct runtime__faaslet *faaslet = data;

    (void)call;
    return runtime__host_return_i32(
        slots, (int32_t)faaslet->call->input.length_bytes);
}

enum gvm_status
runtime__host_input_read(struct gvm_call *call, void *data,
                         union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    const struct runtime__buffer *input = &faaslet->call->input;

    return runtime__host_return_bytes(call, faaslet, slots, input->bytes,
                                      input->length_bytes, slots[0].i32,
                                      slots[1].i32, slots[2].i32);
}

enum gvm_status
runtime__host_output_write(struct gvm_call *call, void *data,
                           union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    const uint8_t *bytes =
        runtime__host_range(faaslet, slots[0].i32, slots[1].i32);

    if (!bytes)
        return runtime__host_trap_range(call);
    runtime__host_charge_bytes(call, faaslet, slots[1].i32);
    enum runtime_status status =
        runtime__call_write_output(faaslet->call, bytes, slots[1].i32);
    return runtime__host_return_i32(
        slots, status == RUNTIME_OK      ? 0
               : status == RUNTIME_LIMIT ? RUNTIME__HOST_TOO_BIG
                                         : RUNTIME__HOST_LIMIT);
}

enum gvm_status
runtime__host_output_reset(struct gvm_call *call, void *data,
                           union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;

    (void)call;
    (void)slots;
    faaslet->call->output.length_bytes = 0;
    return GVM_OK;
}

/* ---- What a function says of itself ------------------------------------- */

enum gvm_status
runtime__host_log(struct gvm_call *call, void *data, union gvm_value *slots)
{
    static const char *const levels[] = {"debug: ", "info: ", "warning: ",
                                         "error: "};
    struct runtime__faaslet *faaslet = data;
    uint32_t level = slots[0].i32;
    uint32_t length_bytes = slots[2].i32;
    const uint8_t *text =
        runtime__host_range(faaslet, slots[1].i32, length_bytes);

    if (!text)
        return runtime__host_trap_range(call);
    runtime__host_charge_bytes(call, faaslet, length_bytes);
    /* A level that is none is the highest: somebody should look at it. */
    const char *name = levels[level < 4 ? level : 3];
    bool ended = length_bytes > 0 && text[length_bytes - 1] == '\n';
    if (!runtime__call_may_log(faaslet->call,
                               strlen(name) + length_bytes + !ended))
        return GVM_OK;
    runtime__call_write_log(faaslet->call, name, strlen(name));
    runtime__call_write_log(faaslet->call, text, length_bytes);
    if (!ended)
        runtime__call_write_log(faaslet->call, "\n", 1);
    return GVM_OK;
}

enum gvm_status
runtime__host_fail(struct gvm_call *call, void *data, union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    struct runtime_call *failing = faaslet->call;
    uint32_t length_bytes = slots[2].i32;
    const uint8_t *text =
        runtime__host_range(faaslet, slots[1].i32, length_bytes);

    if (!text)
        return runtime__host_trap_range(call);
    if (slots[0].i32 == 0)
        return gvm_call_trap(call, GVM_TRAP_HOST,
                             "fail() was given the code 0");
    if (length_bytes > RUNTIME_FAILURE_BYTES_MAX)
        length_bytes = RUNTIME_FAILURE_BYTES_MAX;
    free(failing->failure);
    /* NULL when out of memory: the code is enough of an answer then. */
    failing->failure = strndup((const char *)text, length_bytes);
    failing->failure_code = (int32_t)slots[0].i32;
    failing->failed = true;
    return GVM_OK;
}

/* ---- Identity, time, fuel ----------------------------------------------- */

enum gvm_status
runtime__host_call_id(struct gvm_call *call, void *data,
                      union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    uint8_t *target = runtime__host_target(faaslet, slots[0].i32,
                                          runtime__call_id_bytes);

    if (!target)
        return runtime__host_trap_range(call);
    memcpy(target, faaslet->call->id_bytes, runtime__call_id_bytes);
    return GVM_OK;
}

enum gvm_status
runtime__host_now_ns(struct gvm_call *call, void *data,
                     union gvm_value *slots)
{
    (void)call;
    (void)data;
    return runtime__host_return_i64(slots, (int64_t)real_time_ns());
}

/* The deadline is kept in the monotonic clock, which guests do not see. */
enum gvm_status
runtime__host_deadline_ns(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    const struct runtime__faaslet *faaslet = data;
    uint64_t left_ns = faaslet->limits.deadline_ns - runtime__wait_now_ns();

    (void)call;
    return runtime__host_return_i64(slots,
                                    (int64_t)(real_time_ns() + left_ns));
}

/* The deadline ends the call wherever it sleeps: nobody looks at it here. */
enum gvm_status
runtime__host_sleep_ns(struct gvm_call *call, void *data,
                       union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    int64_t duration_ns = (int64_t)slots[0].i64;
    uint64_t now_ns = runtime__wait_now_ns();

    (void)call;
    if (duration_ns < 0)
        return runtime__host_return_i32(slots, RUNTIME__HOST_INVALID);
    /* Set when this is not the first time. */
    if (!faaslet->sleeps_until_ns)
        faaslet->sleeps_until_ns = now_ns + (uint64_t)duration_ns;
    if (now_ns < faaslet->sleeps_until_ns) {
        faaslet->until_ns = faaslet->sleeps_until_ns;
        return GVM_SUSPENDED;
    }
    faaslet->sleeps_until_ns = 0;
    return runtime__host_return_i32(slots, 0);
}

enum gvm_status
runtime__host_fuel_left(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    const struct runtime__faaslet *faaslet = data;

    (void)call;
    return runtime__host_return_i64(
        slots, (int64_t)runtime__faaslet_fuel_left(faaslet));
}

/* ---- Configuration ------------------------------------------------------ */

/* Answers with a text, or that there is none (NULL). */
static enum gvm_status
return_text(struct gvm_call *call, struct runtime__faaslet *faaslet,
            union gvm_value *slots, const char *text)
{
    if (text)
        return runtime__host_return_bytes(call, faaslet, slots, text,
                                          strlen(text), 0, slots[2].i32,
                                          slots[3].i32);
    /* The buffer is held to the same rule when nothing is written. */
    if (!runtime__host_target(faaslet, slots[2].i32, slots[3].i32))
        return runtime__host_trap_range(call);
    return runtime__host_return_i32(slots, RUNTIME__HOST_NOT_FOUND);
}

enum gvm_status
runtime__host_config_get(struct gvm_call *call, void *data,
                         union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    const struct runtime_config *config = faaslet->call->function->config;
    const uint8_t *name =
        runtime__host_range(faaslet, slots[0].i32, slots[1].i32);

    if (!name)
        return runtime__host_trap_range(call);
    const char *value =
        runtime__config_find(config, (const char *)name, slots[1].i32);
    return return_text(call, faaslet, slots, value);
}

/*
 * A secret is as the file of secrets has it today, so what initialises gets
 * none: it would stay in the snapshot, and be written to the disk with it.
 */
enum gvm_status
runtime__host_secret_get(struct gvm_call *call, void *data,
                         union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    struct runtime_call *of = faaslet->call;
    uint32_t name_bytes = slots[1].i32;
    const uint8_t *name =
        runtime__host_range(faaslet, slots[0].i32, name_bytes);

    if (!name || !runtime__host_target(faaslet, slots[2].i32, slots[3].i32))
        return runtime__host_trap_range(call);
    bool granted = runtime__grants_has(of->function->config->grants.secrets,
                                       name, name_bytes);
    if (!granted || of->initialises) {
        runtime__grants_deny(of,
                             granted ? "to initialise with the secret"
                                     : "to get the secret",
                             name, name_bytes);
        return runtime__host_return_i32(slots, RUNTIME__HOST_DENIED);
    }
    return return_text(call, faaslet, slots,
                       runtime__vault_find(of->runtime->vault,
                                           of->function->namespace_, name,
                                           name_bytes));
}
