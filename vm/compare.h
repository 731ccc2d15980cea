/*
 * compare.h - how comparisons relate to each other and to their branches.
 */
#ifndef GLASS_VM_COMPARE_H
#define GLASS_VM_COMPARE_H

#include "vm/ops.h"

/* a < b becomes b > a. `op` must be a comparison, as below. */
enum gvm__op gvm__compare_swapped(enum gvm__op op);
/* The branch that is taken when the comparison holds; negated: when not. */
enum gvm__op gvm__compare_branch(enum gvm__op op, bool negated);

/*
 * The loop's tail (add to a local, compare it, branch back) of a branch, or
 * GVM__OP_COUNT where there is none. With `swap` the branch's operands have
 * to change places first.
 */
enum gvm__op gvm__compare_tail(enum gvm__op branch, bool swap);

#endif
