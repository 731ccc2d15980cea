;; calls.wat - loops around a call, for figures.c: what calls cost.
;;
;; Each export does `count` rounds (at least one) of sum = f(sum, i), where f
;; adds. What its time is above that of `empty`, where the addition is in
;; place, is the call's.

(module
  (type $two (func (param i32 i32) (result i32)))
  (import "bench" "add" (func $host (type $two)))
  (table 4 funcref)
  (elem (i32.const 1) $add $subtract)
  (func $add (type $two) (i32.add (local.get 0) (local.get 1)))
  (func $subtract (type $two) (i32.sub (local.get 0) (local.get 1)))

  (func (export "empty") (param $count i32) (result i32)
    (local $i i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (local.get $i)))
      (br_if $next (i32.ne (local.get $count)
        (local.tee $i (i32.add (local.get $i) (i32.const 1))))))
    (local.get $sum))

  (func (export "direct") (param $count i32) (result i32)
    (local $i i32) (local $sum i32)
    (loop $next
      (local.set $sum (call $add (local.get $sum) (local.get $i)))
      (br_if $next (i32.ne (local.get $count)
        (local.tee $i (i32.add (local.get $i) (i32.const 1))))))
    (local.get $sum))

  (func (export "indirect") (param $count i32) (result i32)
    (local $i i32) (local $sum i32) (local $entry i32)
    (local.set $entry (i32.const 1))
    (loop $next
      (local.set $sum (call_indirect (type $two)
        (local.get $sum) (local.get $i) (local.get $entry)))
      (br_if $next (i32.ne (local.get $count)
        (local.tee $i (i32.add (local.get $i) (i32.const 1))))))
    (local.get $sum))

  (func (export "host") (param $count i32) (result i32)
    (local $i i32) (local $sum i32)
    (loop $next
      (local.set $sum (call $host (local.get $sum) (local.get $i)))
      (br_if $next (i32.ne (local.get $count)
        (local.tee $i (i32.add (local.get $i) (i32.const 1))))))
    (local.get $sum)))
