/* A pool of blocks: which of TN_BLOCKS buffers are lent out. */
#include "core/pool.h"

void tn_pool_init(struct tn_pool *p)
{
    tn_perm_init(&p->perm[0], &p->pos[0], TN_BLOCKS);
    p->free = TN_BLOCKS;
}

uint32_t tn_pool_take(struct tn_pool *p)
{
    if (p->free == 0)
        return TN_NONE;
    p->free--;
    return p->perm[p->free];
}

/* Brings the lent block b to the border of the lent ones. */
/*@ requires ok:   tn_pool_ok(p);
    requires lent: tn_pool_lent(p, b);
    terminates \true; exits \false;
    assigns p->perm[0 .. TN_BLOCKS - 1], p->pos[0 .. TN_BLOCKS - 1];
    ensures ok:     tn_pool_ok(p);
    ensures border: p->pos[b] == p->free;
    ensures others: \forall integer o; 0 <= o < TN_BLOCKS ==>
                       (tn_pool_lent(p, o) <==> tn_pool_lent{Pre}(p, o));
*/
static void bring_to_border(struct tn_pool *p, uint32_t b)
{
    tn_perm_swap(&p->perm[0], &p->pos[0], TN_BLOCKS, p->pos[b], (uint32_t)p->free);
}

void tn_pool_give(struct tn_pool *p, uint32_t b)
{
    /* Most often the block comes back that was lent last: it stands at the
     * border already, and only the border moves. */
    if (p->pos[b] != p->free)
        bring_to_border(p, b);
    p->free++;
}
