/* The pool of blocks against a list of lent ones. */
#include "core/pool.h"
#include "random.h"
#include "tap.h"

static struct tn_pool *new_pool(void)
{
    struct tn_pool *p = (void *)tn_guarded(sizeof *p);

    tn_pool_init(p);
    return p;
}

TEST(each_block_is_lent_once_and_then_none)
{
    struct tn_pool *p = new_pool();
    uint32_t lent[TN_BLOCKS] = {0};

    for (uint32_t i = 0; i < TN_BLOCKS; i++) {
        uint32_t b = tn_pool_take(p);

        REQUIRE(b < TN_BLOCKS);
        CHECK_EQ(lent[b], 0);
        lent[b] = 1;
    }
    CHECK_EQ(tn_pool_take(p), TN_NONE);
    CHECK_EQ(tn_pool_take(p), TN_NONE);
    CHECK_EQ(p->free, 0);
}

TEST(a_block_given_back_to_an_empty_pool_is_lent_again)
{
    struct tn_pool *p = new_pool();

    for (uint32_t i = 0; i < TN_BLOCKS; i++)
        tn_pool_take(p);
    tn_pool_give(p, TN_BLOCKS / 3);
    CHECK_EQ(p->free, 1);
    CHECK_EQ(tn_pool_take(p), TN_BLOCKS / 3);
    CHECK_EQ(tn_pool_take(p), TN_NONE);
}

/* Lent blocks as an unordered list; free ones as a stack, the warmest on top. */
struct model {
    uint32_t lent[TN_BLOCKS], lent_n;
    uint32_t stack[TN_BLOCKS], stack_n; /* only blocks given back since */
};

static void model_take(struct model *m, uint32_t b)
{
    if (m->stack_n > 0)
        CHECK_EQ(b, m->stack[--m->stack_n]);
    for (uint32_t i = 0; i < m->lent_n; i++)
        CHECK(m->lent[i] != b);
    REQUIRE(b < TN_BLOCKS && m->lent_n < TN_BLOCKS);
    m->lent[m->lent_n++] = b;
}

static uint32_t model_give(struct model *m, uint32_t i)
{
    uint32_t b = m->lent[i];

    m->lent[i] = m->lent[--m->lent_n];
    m->stack[m->stack_n++] = b;
    return b;
}

TEST(random_lending_matches_the_list_and_the_warmest_block_goes_first)
{
    struct tn_pool *p = new_pool();
    static struct model m;
    uint32_t seed = 88172645u, bias = 0;

    for (int step = 0; step < 60000; step++) {
        if (step % 700 == 0)
            bias = random_below(&seed, 9) + 1;
        if (random_below(&seed, 10) < bias) {
            uint32_t b = tn_pool_take(p);

            if (m.lent_n == TN_BLOCKS)
                CHECK_EQ(b, TN_NONE);
            else
                model_take(&m, b);
        } else if (m.lent_n > 0) {
            uint32_t last = m.lent_n - 1, any = random_below(&seed, m.lent_n);

            tn_pool_give(p, model_give(&m, random_below(&seed, 2) == 0 ? last : any));
        }
        CHECK_EQ(p->free, TN_BLOCKS - m.lent_n);
    }
}
