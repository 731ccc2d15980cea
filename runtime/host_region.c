/*
 * host_region.c - the imports state_map, state_unmap, region_wait and
 * region_notify.
 *
 * A region's pages belong to the state, which has them in a file, and lie in
 * the guest's memory for as long as the call wants them. What takes long is
 * not done on a thread that has connections to serve: copying a long value
 * into its region, and forgetting the pages of a long one. Then the call is
 * parked and woken at once, and so goes on on a worker.
 *
 * The guest's stores go past the host, and past locks and their tokens.
 *
 * Each runs on the thread of its call.
 */
#include "runtime/host_region.h"

#include "runtime/call.h"
#include "runtime/function.h"
#include "runtime/grants.h"
#include "runtime/host.h"
#include "runtime/host_lock.h"
#include "runtime/internal.h"

#include <stdlib.h>
#include <string.h>

/* For `flags` of state_map. */
enum {
    map_writable = 1,
    map_flags_all = 1,
};

/* ---- What a call has ----------------------------------------------------- */

static void
end_region(struct runtime__region *region)
{
    state_mapping_end(region->mapping, region->writes);
    *region = (struct runtime__region){0};
}

static void
release(struct runtime__faaslet *faaslet)
{
    struct runtime__regions *regions = faaslet->regions;

    if (regions->waits_in)
        state_region_leave(regions->waits_in, &regions->waiter);
    for (size_t i = 0; i < RUNTIME_CALL_REGIONS_MAX; i++) {
        faaslet->mapped_bytes += regions->items[i].length_bytes;
        end_region(&regions->items[i]);
    }
    free(regions);
    faaslet->regions = NULL;
}

/* The list, made when it is first needed, or NULL. */
static struct runtime__regions *
obtain(struct runtime__faaslet *faaslet)
{
    if (!faaslet->regions) {
        faaslet->regions = calloc(1, sizeof(*faaslet->regions));
        if (!faaslet->regions)
            return NULL;
        faaslet->regions->release = release;
        atomic_init(&faaslet->regions->is_woken, false);
    }
    return faaslet->regions;
}

static struct runtime__region *
find_free(struct runtime__regions *regions)
{
    for (size_t i = 0; i < RUNTIME_CALL_REGIONS_MAX; i++) {
        if (!regions->items[i].mapping)
            return &regions->items[i];
    }
    return NULL;
}

/* The region that an address is in, or NULL. */
static struct runtime__region *
find(struct runtime__regions *regions, uint32_t address)
{
    for (size_t i = 0; regions && i < RUNTIME_CALL_REGIONS_MAX; i++) {
        struct runtime__region *region = &regions->items[i];
        if (region->mapping && address >= region->address &&
            address - region->address < region->length_bytes)
            return region;
    }
    return NULL;
}

/* Parks the call, to go on on a worker. */
static enum gvm_status
move_to_worker(struct runtime__faaslet *faaslet)
{
    runtime__call_wake(faaslet->call);
    return GVM_SUSPENDED;
}

/* ---- Mapping ------------------------------------------------------------- */

/* Whether the function has been granted to do that; a refusal is told. */
static bool
is_granted(struct runtime__faaslet *faaslet, const struct state_bytes *key,
           bool writes)
{
    unsigned access = writes ? RUNTIME__READ | RUNTIME__WRITE : RUNTIME__READ;

    if (runtime__grants_allow_state(
            &faaslet->call->function->config->grants, access, key->bytes,
            key->length_bytes))
        return true;
    runtime__grants_deny(faaslet->call,
                         writes ? "to read and write" : "to read", key->bytes,
                         key->length_bytes);
    return false;
}

/*
 * The first of a state_map: looks at what is asked for, and keeps the key.
 * Returns 0 or an error for the guest.
 */
static int32_t
begin(struct runtime__faaslet *faaslet, const uint8_t *key,
      const union gvm_value *slots)
{
    struct runtime__regions *regions = faaslet->regions;
    struct runtime__wait *wait = runtime__host_wait(faaslet);
    uint32_t key_bytes = slots[1].i32;
    uint64_t offset = slots[2].i64, size = slots[3].i64;
    bool writes = slots[4].i32 & map_writable;

    if (!wait || !find_free(regions))
        return RUNTIME__HOST_LIMIT;
    if (key_bytes > STATE_KEY_BYTES_MAX || size > STATE_VALUE_BYTES_CEILING ||
        offset > STATE_VALUE_BYTES_CEILING - size)
        return RUNTIME__HOST_TOO_BIG;
    if (key_bytes == 0 || offset % STATE_REGION_PAGE_BYTES != 0 ||
        slots[4].i32 > map_flags_all)
        return RUNTIME__HOST_INVALID;
    runtime__wait_clear(wait, STATE_PUT_RANGE);
    memcpy(wait->key, key, key_bytes);
    wait->operation.key = (struct state_bytes){wait->key, key_bytes};
    /* A snapshot holds no region. */
    if (faaslet->call->initialises ||
        !is_granted(faaslet, &wait->operation.key, writes))
        return RUNTIME__HOST_DENIED;
    /* A store there would not be noticed. */
    if (!writes && !faaslet->call->runtime->guard)
        return RUNTIME__HOST_UNAVAILABLE;
    regions->is_mapping = true;
    regions->extends = regions->has_extended = regions->may_copy = false;
    return 0;
}

/* Makes the value reach as far as it is to be mapped. */
static void
begin_extension(struct runtime__faaslet *faaslet,
                const union gvm_value *slots)
{
    struct state_operation *operation = &faaslet->wait->operation;

    operation->range_offset_bytes = slots[2].i64 + slots[3].i64;
    operation->lock_token = runtime__host_lock_token(faaslet,
                                                     &operation->key);
    faaslet->regions->extends = faaslet->regions->has_extended = true;
}

/* STATE_PENDING: the call has to wait, and this is to be asked again. */
static enum state_status
open_mapping(struct runtime__faaslet *faaslet, const union gvm_value *slots,
             struct state_mapping **mapping)
{
    struct runtime__regions *regions = faaslet->regions;
    struct state_mapping_options options = {
        .namespace_ = faaslet->namespace_,
        .key = faaslet->wait->operation.key,
        .offset_bytes = slots[2].i64,
        .length_bytes = slots[3].i64,
        .may_copy = regions->may_copy,
    };

    for (;;) {
        enum state_status status;

        if (regions->extends) {
            if (!runtime__wait_submit(faaslet->wait, faaslet->store))
                return STATE_PENDING;
            regions->extends = false;
            if (faaslet->wait->operation.status != STATE_OK)
                return faaslet->wait->operation.status;
        }
        status = state_store_map(faaslet->store, &options, mapping);
        if (status == STATE_PENDING) {
            regions->may_copy = true;
            move_to_worker(faaslet);
        }
        /* What is too short can be made longer by who may write. */
        if ((status != STATE_NOT_FOUND && status != STATE_INVALID) ||
            !(slots[4].i32 & map_writable) || slots[3].i64 == 0 ||
            regions->has_extended)
            return status;
        begin_extension(faaslet, slots);
    }
}

/* Lays the pages into the guest's memory; the address or an error. */
static int64_t
lay(struct runtime__faaslet *faaslet, struct state_mapping *mapping,
    bool writes)
{
    struct runtime__region *region = find_free(faaslet->regions);
    uint64_t length_bytes = state_mapping_length_bytes(mapping);
    uint64_t address;
    enum gvm_status status = gvm_mapping_create(
        faaslet->memory, state_mapping_file(mapping),
        state_mapping_offset_bytes(mapping),
        length_bytes / STATE_REGION_PAGE_BYTES, writes, &address);

    if (status != GVM_OK) {
        state_mapping_end(mapping, false);
        return status == GVM_BAD_ARGUMENT ? RUNTIME__HOST_INVALID
                                          : RUNTIME__HOST_LIMIT;
    }
    *region = (struct runtime__region){mapping, address, length_bytes, writes};
    return (int64_t)address;
}

/* (key, key_length, offset, size, flags) */
enum gvm_status
runtime__host_state_map(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    const uint8_t *key =
        runtime__host_range(faaslet, slots[0].i32, slots[1].i32);
    struct state_mapping *mapping = NULL;
    int64_t answer = RUNTIME__HOST_LIMIT;

    if (!key)
        return runtime__host_trap_range(call);
    if (!obtain(faaslet))
        return runtime__host_return_i64(slots, answer);
    if (!faaslet->regions->is_mapping) {
        runtime__host_charge(call, faaslet, RUNTIME_HOST_STATE_FUEL);
        answer = begin(faaslet, key, slots);
        if (answer)
            return runtime__host_return_i64(slots, answer);
    }
    enum state_status status = open_mapping(faaslet, slots, &mapping);
    if (status == STATE_PENDING)
        return GVM_SUSPENDED;
    faaslet->regions->is_mapping = false;
    if (status != STATE_OK)
        return runtime__host_return_i64(slots,
                                        runtime__host_error_of_state(status));
    if (faaslet->regions->may_copy)
        runtime__host_charge_bytes(call, faaslet,
                                   state_mapping_length_bytes(mapping));
    return runtime__host_return_i64(
        slots, lay(faaslet, mapping, slots[4].i32 & map_writable));
}

/* (address) */
enum gvm_status
runtime__host_state_unmap(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    struct runtime__regions *regions = faaslet->regions;
    struct runtime__region *region = find(regions, slots[0].i32);

    (void)call;
    if (!region || region->address != slots[0].i32)
        return runtime__host_return_i32(slots, RUNTIME__HOST_INVALID);
    if (region->length_bytes > RUNTIME_UNMAP_NOW_BYTES &&
        !regions->is_unmapping) {
        regions->is_unmapping = true;
        return move_to_worker(faaslet);
    }
    regions->is_unmapping = false;
    if (gvm_mapping_destroy(faaslet->memory, region->address) != GVM_OK)
        return runtime__host_return_i32(slots, RUNTIME__HOST_LIMIT);
    end_region(region);
    return runtime__host_return_i32(slots, 0);
}

/* ---- Waiting ------------------------------------------------------------- */

static void
wake(struct state_region_waiter *waiter)
{
    struct runtime__faaslet *faaslet = waiter->data;

    atomic_store(&faaslet->regions->is_woken, true);
    runtime__call_wake(faaslet->call);
}

/* Begins to wait; 0 or an error for the guest. */
static int32_t
begin_wait(struct runtime__faaslet *faaslet, const union gvm_value *slots)
{
    struct runtime__regions *regions = faaslet->regions;
    struct runtime__region *region = find(regions, slots[0].i32);
    int64_t timeout_ns = (int64_t)slots[2].i64;

    if (!region)
        return RUNTIME__HOST_INVALID;
    regions->waiter =
        (struct state_region_waiter){.wake = wake, .data = faaslet};
    atomic_store(&regions->is_woken, false);
    regions->waits_until_ns =
        timeout_ns < 0 ? UINT64_MAX
                       : runtime__wait_now_ns() + (uint64_t)timeout_ns;
    enum state_status status =
        state_region_wait(region->mapping, slots[0].i32 - region->address,
                          slots[1].i32, &regions->waiter);
    if (status != STATE_PENDING)
        return runtime__host_error_of_state(status);
    regions->waits_in = region->mapping;
    return 0;
}

/* (address, expected, timeout_ns) */
enum gvm_status
runtime__host_region_wait(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    struct runtime__regions *regions = faaslet->regions;

    if (!regions || !regions->waits_in) {
        runtime__host_charge(call, faaslet, RUNTIME_HOST_STATE_FUEL);
        int32_t error = begin_wait(faaslet, slots);
        if (error)
            return runtime__host_return_i32(slots, error);
    }
    if (!atomic_load(&regions->is_woken) &&
        runtime__wait_now_ns() < regions->waits_until_ns) {
        if (regions->waits_until_ns != UINT64_MAX)
            faaslet->until_ns = regions->waits_until_ns;
        return GVM_SUSPENDED;
    }
    bool was_woken = state_region_leave(regions->waits_in, &regions->waiter);
    regions->waits_in = NULL;
    return runtime__host_return_i32(slots,
                                    was_woken ? 0 : RUNTIME__HOST_TIMEOUT);
}

/* (address, count) */
enum gvm_status
runtime__host_region_notify(struct gvm_call *call, void *data,
                            union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    struct runtime__region *region = find(faaslet->regions, slots[0].i32);
    uint32_t count;

    if (!region ||
        state_region_notify(region->mapping, slots[0].i32 - region->address,
                            slots[1].i32, &count) != STATE_OK)
        return runtime__host_return_i32(slots, RUNTIME__HOST_INVALID);
    runtime__host_charge(call, faaslet,
                         (count + 1ull) * RUNTIME_HOST_STATE_FUEL);
    return runtime__host_return_i32(slots, (int32_t)count);
}
