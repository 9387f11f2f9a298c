/* A pool of blocks: which of TN_BLOCKS buffers are lent out.
 *
 * It knows indices only; the buffers lie beside it.  The block given back last
 * is lent out first, while it is still warm in the cache.
 *
 *   perm:  [ free ........ | lent .......... ]
 *          0               free              TN_BLOCKS
 */
#ifndef TN_CORE_POOL_H
#define TN_CORE_POOL_H

#include "core/base.h"
#include "core/perm.h"

struct tn_pool {
    size_t free; /* blocks that are not lent */
    uint32_t perm[TN_BLOCKS];
    uint32_t pos[TN_BLOCKS];
};

/*@ predicate tn_pool_ok{L}(struct tn_pool *p) =
        \valid(p) && p->free <= TN_BLOCKS && tn_perm_ok(&p->perm[0], &p->pos[0], TN_BLOCKS);
    predicate tn_pool_lent{L}(struct tn_pool *p, integer b) =
        0 <= b < TN_BLOCKS && p->free <= p->pos[b];
*/

/* Makes a pool with every block free. */
/*@ requires room: \valid(p);
    terminates \true; exits \false;
    assigns *p;
    ensures ok:   tn_pool_ok(p);
    ensures free: p->free == TN_BLOCKS;
*/
void tn_pool_init(struct tn_pool *p);

/* Lends a block and returns its index, or TN_NONE when none is free. */
/*@ requires ok: tn_pool_ok(p);
    terminates \true; exits \false;
    assigns p->free;
    ensures ok:    tn_pool_ok(p);
    ensures empty: \result == TN_NONE <==> \old(p->free) == 0;
    ensures count: p->free == \old(p->free) - (\result == TN_NONE ? 0 : 1);
    ensures lent:  \result != TN_NONE ==>
                       tn_pool_lent(p, \result) && !tn_pool_lent{Pre}(p, \result);
    ensures warmest: \result != TN_NONE ==> \result == p->perm[\old(p->free) - 1];
    ensures others: \forall integer b; 0 <= b < TN_BLOCKS && b != \result ==>
                       (tn_pool_lent(p, b) <==> tn_pool_lent{Pre}(p, b));
*/
uint32_t tn_pool_take(struct tn_pool *p);

/* Takes the lent block b back. */
/*@ requires ok:   tn_pool_ok(p);
    requires lent: tn_pool_lent(p, b);
    terminates \true; exits \false;
    assigns p->free, p->perm[0 .. TN_BLOCKS - 1], p->pos[0 .. TN_BLOCKS - 1];
    ensures ok:    tn_pool_ok(p);
    ensures count: p->free == \old(p->free) + 1;
    ensures back:  !tn_pool_lent(p, b);
    ensures warmest: b == p->perm[p->free - 1];
    ensures others: \forall integer o; 0 <= o < TN_BLOCKS && o != b ==>
                       (tn_pool_lent(p, o) <==> tn_pool_lent{Pre}(p, o));
*/
void tn_pool_give(struct tn_pool *p, uint32_t b);

#endif
