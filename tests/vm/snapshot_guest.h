/*
 * snapshot_guest.h - a guest with something of everything that a snapshot
 * freezes, and exports that change it:
 *
 *     poke(address, byte)  peek(address)   fill(address, byte, count)
 *     grow(pages)  size()                  of memory 0: 2 pages, at most 40
 *     get()  set(value)                    global 0, 42 at first
 *     aim(function)  aimed()               global 1, a funcref: null or not
 *     take(index)                          table 0: what aimed holds
 *     drop_entry(index)  call(index)       call gives 100 + index, or traps
 *     extend(count)  length()              of table 0, 4 entries at first
 *     init()  drop()                       data segment 1 to address 0
 *
 * Data segment 0 puts "glass" at 70000.
 */
#ifndef GLASS_TESTS_VM_SNAPSHOT_GUEST_H
#define GLASS_TESTS_VM_SNAPSHOT_GUEST_H

#include "tests/support/vm_guest.h"

/* Exported in this order, from function 4 on: 0..3 are the table's. */
struct module_builder *snapshot_guest(void);

/* Makes another guest from a snapshot of `original`'s module, in a store of
 * its own; snapshot_guest_close before the original's end. */
void snapshot_guest_thaw(struct vm_guest *guest,
                         const struct vm_guest *original,
                         const struct gvm_snapshot *snapshot);
void snapshot_guest_close(struct vm_guest *guest);

#endif
