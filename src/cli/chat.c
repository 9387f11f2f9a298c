#include "cli/chat.h"

/* Puts conn at index i. */
static void put(struct tn_cli_chat *c, uint32_t i, struct tn_handle conn)
{
    c->member[i] = conn;
    c->place[conn.slot] = i;
}

void tn_cli_chat_join(struct tn_cli_chat *c, struct tn_handle conn)
{
    put(c, c->members, conn);
    c->members++;
}

void tn_cli_chat_leave(struct tn_cli_chat *c, struct tn_handle conn)
{
    c->members--;
    put(c, c->place[conn.slot], c->member[c->members]);
}

/* Puts the member at index i behind those who keep up. */
static void set_late(struct tn_cli_chat *c, uint32_t i)
{
    const struct tn_handle conn = c->member[i];

    c->late++;
    put(c, i, c->member[c->members - c->late]);
    put(c, c->members - c->late, conn);
}

void tn_cli_chat_say(struct tn_cli_chat *c, struct tn_server *s, struct tn_handle from,
                     const uint8_t *data, uint32_t len)
{
    uint32_t i = 0;

    while (i < c->members - c->late) {
        /* One that is finishing takes no more, and is not late. */
        if (c->member[i].slot != from.slot && tn_send(s, c->member[i], data, len) == 0) {
            set_late(c, i); /* another stands at i now */
        } else {
            i++;
        }
    }
}

uint32_t tn_cli_chat_put_out(struct tn_cli_chat *c, struct tn_handle *conn)
{
    if (c->late == 0) {
        return 0;
    }
    *conn = c->member[c->members - 1];
    c->members--;
    c->late--;
    c->dropped++;
    return 1;
}
