/*
 * gate.h - how many calls of a function run at once, and who waits for one of
 * them to end.
 *
 * A gate and places are part of what they stand for; nothing is allocated. Any
 * thread may call what is here; who has a place uses it alone.
 */
#ifndef GLASS_RUNTIME_GATE_H
#define GLASS_RUNTIME_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* All zero: outside. Under the gate's lock. */
struct runtime__gate_place {
    struct runtime__gate_place *next;
    struct runtime__gate_place *previous;
    bool is_inside;
    bool is_waiting;
};

struct runtime__gate {
    pthread_mutex_t lock;
    uint64_t inside_count;
    uint64_t waiting_count;
    struct runtime__gate_place *first; /* of those who wait */
    struct runtime__gate_place *last;
};

enum runtime__gate_answer {
    RUNTIME__GATE_INSIDE,
    RUNTIME__GATE_WAITS, /* `wake` will be told of the place */
    RUNTIME__GATE_FULL,
};

void
runtime__gate_init(struct runtime__gate *gate);
void
runtime__gate_deinit(struct runtime__gate *gate);

/*
 * Asks for a place inside, of which there are `inside_max`, or else among
 * `waiting_max` who wait. Asking again tells how it stands.
 */
enum runtime__gate_answer
runtime__gate_enter(struct runtime__gate *gate,
                    struct runtime__gate_place *place, uint64_t inside_max,
                    uint64_t waiting_max);

/*
 * Gives up the place, whatever it is. One who has waited longest is inside
 * instead then, and `wake` is called for his place, under the lock, so that he
 * cannot leave meanwhile.
 */
void
runtime__gate_leave(struct runtime__gate *gate,
                    struct runtime__gate_place *place,
                    void (*wake)(struct runtime__gate_place *place));

#endif
