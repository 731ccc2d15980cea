/*
 * gate.c - how many calls of a function run at once. See gate.h.
 *
 * A place inside goes from hand to hand: whoever leaves gives it to the first
 * who waits, so nobody who comes later can be faster.
 */
#include "runtime/gate.h"

#include <string.h>

void
runtime__gate_init(struct runtime__gate *gate)
{
    memset(gate, 0, sizeof(*gate));
    pthread_mutex_init(&gate->lock, NULL);
}

void
runtime__gate_deinit(struct runtime__gate *gate)
{
    pthread_mutex_destroy(&gate->lock);
}

static void
wait_last(struct runtime__gate *gate, struct runtime__gate_place *place)
{
    place->next = NULL;
    place->previous = gate->last;
    if (gate->last)
        gate->last->next = place;
    else
        gate->first = place;
    gate->last = place;
    place->is_waiting = true;
    gate->waiting_count++;
}

static void
wait_no_more(struct runtime__gate *gate, struct runtime__gate_place *place)
{
    if (place->previous)
        place->previous->next = place->next;
    else
        gate->first = place->next;
    if (place->next)
        place->next->previous = place->previous;
    else
        gate->last = place->previous;
    place->is_waiting = false;
    gate->waiting_count--;
}

enum runtime__gate_answer
runtime__gate_enter(struct runtime__gate *gate,
                    struct runtime__gate_place *place, uint64_t inside_max,
                    uint64_t waiting_max)
{
    pthread_mutex_lock(&gate->lock);
    if (!place->is_inside && !place->is_waiting) {
        if (gate->inside_count < inside_max) {
            gate->inside_count++;
            place->is_inside = true;
        } else if (gate->waiting_count < waiting_max) {
            wait_last(gate, place);
        }
    }
    enum runtime__gate_answer answer =
        place->is_inside    ? RUNTIME__GATE_INSIDE
        : place->is_waiting ? RUNTIME__GATE_WAITS
                            : RUNTIME__GATE_FULL;
    pthread_mutex_unlock(&gate->lock);
    return answer;
}

void
runtime__gate_leave(struct runtime__gate *gate,
                    struct runtime__gate_place *place,
                    void (*wake)(struct runtime__gate_place *place))
{
    pthread_mutex_lock(&gate->lock);
    struct runtime__gate_place *next = gate->first;
    if (place->is_waiting) {
        wait_no_more(gate, place);
    } else if (place->is_inside && next) {
        wait_no_more(gate, next);
        next->is_inside = true;
        wake(next);
    } else if (place->is_inside) {
        gate->inside_count--;
    }
    place->is_inside = false;
    pthread_mutex_unlock(&gate->lock);
}
